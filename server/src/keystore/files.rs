//! Files of secrets: who may read them, and how they are replaced.

use super::KeystoreError;
use crate::private::{self, is_wide};
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use zeroize::Zeroizing;

/// No key and no file of profiles is near this long.
const MAX_FILE: u64 = 4 << 20;

/// Turns what the system says into an error that names the file.
pub(super) fn at(path: &Path) -> impl FnOnce(std::io::Error) -> KeystoreError + '_ {
    |source| KeystoreError::Io { path: path.to_owned(), source }
}

/// Reads a secret, which nobody else may be able to read.
pub(super) fn read_secret(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeystoreError> {
    let mut file = File::open(path).map_err(at(path))?;
    // The file that was opened is looked at, not whatever has its name a moment later.
    let meta = file.metadata().map_err(at(path))?;
    if is_wide(&meta) {
        return Err(KeystoreError::Wide { path: path.to_owned(), mode: "600" });
    }
    read(&mut file, &meta).map_err(at(path))
}

/// Reads a file that holds no secret; `None` if there is none.
pub(super) fn read_open(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, KeystoreError> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(at(path)(error)),
    };
    let meta = file.metadata().map_err(at(path))?;
    read(&mut file, &meta).map(Some).map_err(at(path))
}

fn read(file: &mut File, meta: &fs::Metadata) -> std::io::Result<Zeroizing<Vec<u8>>> {
    if !meta.is_file() || meta.len() > MAX_FILE {
        return Err(std::io::Error::other("it is not a file of a few kilobytes, as a key is"));
    }
    // Room for all of it at once: a buffer that grows leaves copies of a secret behind.
    let room = usize::try_from(meta.len()).unwrap_or_default();
    let mut bytes = Zeroizing::new(Vec::with_capacity(room + 1));
    file.take(MAX_FILE).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Whether a name is taken, if only by a link that leads nowhere.
pub(super) fn is_taken(path: &Path) -> Result<bool, KeystoreError> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(at(path)(error)),
    }
}

/// Puts a new file into a folder in one step, and only if there is none of its name.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), KeystoreError> {
    private::create(path, bytes).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => KeystoreError::FileExists(path.to_owned()),
        _ => at(path)(error),
    })
}

/// Replaces a file in one step.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<(), KeystoreError> {
    private::replace(path, bytes).map_err(at(path))
}

/// Makes the folder of keys, for its owner only. One that is there must be so already.
pub(super) fn make_folder(folder: &Path) -> Result<(), KeystoreError> {
    private::make_folder(folder).map_err(at(folder))?;
    let meta = fs::metadata(folder).map_err(at(folder))?;
    if is_wide(&meta) {
        return Err(KeystoreError::Wide { path: folder.to_owned(), mode: "700" });
    }
    Ok(())
}

/// Keeps other processes out until it is dropped.
pub(super) fn lock(path: &Path) -> Result<File, KeystoreError> {
    private::lock(path).map_err(at(path))
}
