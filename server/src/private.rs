//! Files that only their user reads, replaced in one step, so that a process killed at any moment leaves a whole one.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// How the names of files begin that were not finished.
const UNFINISHED: &str = ".new-";

/// Changes whenever a file is replaced: what was read before holds while it stays the same.
pub(crate) type Stamp = (Option<SystemTime>, u64, u64);

/// The stamp of a file.
pub(crate) fn stamp(meta: &fs::Metadata) -> Stamp {
    (meta.modified().ok(), meta.len(), inode(meta))
}

/// Replaces a file in one step: after a crash either the old one or the new one is there, whole. Its mode is 0600.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    temporary(path, bytes)?.persist(path).map_err(|error| error.error)?;
    sync_folder(folder_of(path))
}

/// Puts a new file into a folder in one step, and fails with `AlreadyExists` if there is one of its name.
pub(crate) fn create(path: &Path, bytes: &[u8]) -> io::Result<()> {
    temporary(path, bytes)?.persist_noclobber(path).map_err(|error| error.error)?;
    sync_folder(folder_of(path))
}

/// Temporary files are made with mode 0600, which a new name keeps.
fn temporary(path: &Path, bytes: &[u8]) -> io::Result<tempfile::NamedTempFile> {
    let mut file = tempfile::Builder::new().prefix(&unfinished(path)).tempfile_in(folder_of(path))?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// Removes what processes left that were killed in [`replace`]. Only while no other process can be in it.
pub(crate) fn remove_unfinished(path: &Path) -> io::Result<()> {
    let prefix = unfinished(path);
    for entry in fs::read_dir(folder_of(path))? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(&prefix) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Keeps a file as version 1 of so many, and moves the older ones on. The file itself is there all the time.
pub(crate) fn keep_old(path: &Path, versions: u32) -> io::Result<()> {
    let Some(meta) = metadata(path)? else { return Ok(()) };
    let first = version(path, 1);
    if cfg!(unix) && metadata(&first)?.is_some_and(|kept| inode(&kept) == inode(&meta)) {
        // A process was killed between keeping this one and replacing it.
        return Ok(());
    }
    let mut free = 1;
    while free < versions && metadata(&version(path, free))?.is_some() {
        free += 1;
    }
    for number in (1..free).rev() {
        fs::rename(version(path, number), version(path, number + 1))?;
    }
    // A second name costs nothing; not every file system has them.
    match fs::hard_link(path, &first) {
        Ok(()) => sync_folder(folder_of(path)),
        Err(_) => replace(&first, &fs::read(path)?),
    }
}

/// Where an older version stands.
pub(crate) fn version(path: &Path, number: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    name.into()
}

/// What the system says of a file or folder, if it is there.
pub(crate) fn metadata(path: &Path) -> io::Result<Option<fs::Metadata>> {
    match fs::metadata(path) {
        Ok(meta) => Ok(Some(meta)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Waits until no other process holds this lock; it is held until the file is dropped, or the process dies.
pub(crate) fn lock(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    file.lock()?;
    Ok(file)
}

/// Makes a folder that only its user can enter, if there is none.
pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// What its user, his group and others may do with something.
#[cfg(unix)]
pub(crate) fn mode(meta: &fs::Metadata) -> Option<u32> {
    Some(std::os::unix::fs::PermissionsExt::mode(&meta.permissions()) & 0o777)
}

/// Elsewhere a user's folder is the user's own by default, and there is no mode.
#[cfg(not(unix))]
pub(crate) fn mode(_: &fs::Metadata) -> Option<u32> {
    None
}

/// Whether others than its user may do anything with it.
pub(crate) fn is_wide(meta: &fs::Metadata) -> bool {
    mode(meta).is_some_and(|mode| mode & 0o077 != 0)
}

fn unfinished(path: &Path) -> String {
    format!("{UNFINISHED}{}-", path.file_name().unwrap_or_default().to_string_lossy())
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// A name that was given or taken is only kept once the folder is.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

#[cfg(unix)]
fn inode(meta: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(meta)
}

#[cfg(not(unix))]
fn inode(_: &fs::Metadata) -> u64 {
    0
}
