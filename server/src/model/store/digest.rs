//! Digests of model files, and the stamps that spare hashing a file that has not changed.

use super::{ModelError, StoredModel, failed};
use crate::paths::Paths;
use bonafide_core::hex::hex;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::UNIX_EPOCH;

/// What a file looked like when it was hashed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp {
    pub(super) sha256: String,
    size: u64,
    /// Nanoseconds since 1970.
    modified: u128,
}

impl Stamp {
    /// The file as it is now, with the digest that was just found.
    pub(super) fn of(path: &Path, sha256: String) -> io::Result<Self> {
        let meta = std::fs::metadata(path)?;
        let modified = meta.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        Ok(Self { sha256, size: meta.len(), modified })
    }

    /// Whether the file still looks as it did.
    pub(super) fn fits(&self, path: &Path) -> bool {
        Self::of(path, self.sha256.clone()).is_ok_and(|now| now == *self)
    }

    /// A stamp that was written; `None` if there is none that can be read.
    pub(super) fn read(path: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(path).ok()?).ok()
    }

    pub(super) fn write(&self, path: &Path) -> io::Result<()> {
        write_whole(path, &serde_json::to_vec(self)?)
    }
}

/// Counts and hashes what passes through, and stops a source that brings more than it should: a small wheel
/// can unpack to any size.
pub(super) struct CheckedWriter {
    file: File,
    hash: Sha256,
    size: u64,
    limit: u64,
}

impl CheckedWriter {
    pub(super) fn new(file: File, limit: u64) -> Self {
        Self { file, hash: Sha256::new(), size: 0, limit }
    }

    /// The file, its size and its SHA-256.
    pub(super) fn finish(self) -> (File, u64, String) {
        (self.file, self.size, hex(&self.hash.finalize()))
    }
}

impl Write for CheckedWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.size + bytes.len() as u64 > self.limit {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("it brought a wrong file (more than the expected {} bytes)", self.limit),
            ));
        }
        let n = self.file.write(bytes)?;
        self.hash.update(&bytes[..n]);
        self.size += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// SHA-256 of a file, in lower-case hexadecimal.
pub(super) fn of_file(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 256 * 1024];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(hex(&hash.finalize())),
            Ok(n) => hash.update(&buffer[..n]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// A GGUF file anywhere. Its digest is remembered in the cache folder, by path, size and modification time.
pub(super) fn local_file(paths: &Paths, path: &Path) -> Result<StoredModel, ModelError> {
    let path = path.canonicalize().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => ModelError::NotFound(path.to_owned()),
        _ => failed("reading", path)(error),
    })?;
    check_magic(&path)?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();

    let index_path = paths.cache.join("models").join("digests.json");
    let mut index: BTreeMap<String, Stamp> = std::fs::read(&index_path)
        .ok()
        .and_then(|json| serde_json::from_slice(&json).ok())
        .unwrap_or_default();
    let key = path.to_string_lossy().into_owned();
    if let Some(stamp) = index.get(&key).filter(|stamp| stamp.fits(&path)) {
        return Ok(StoredModel { name, sha256: stamp.sha256.clone(), path });
    }

    let sha256 = of_file(&path).map_err(failed("reading", &path))?;
    if let Ok(stamp) = Stamp::of(&path, sha256.clone()) {
        index.insert(key, stamp);
        index.retain(|path, _| Path::new(path).exists());
        // Only spares time: a cache folder that can't be written to, or another process that writes its own
        // entry at the same moment, costs one more hashing.
        let _ = serde_json::to_vec(&index)
            .map_err(io::Error::from)
            .and_then(|json| write_whole(&index_path, &json));
    }
    Ok(StoredModel { name, path, sha256 })
}

fn check_magic(path: &Path) -> Result<(), ModelError> {
    if !path.is_file() {
        return Err(ModelError::NotGguf(path.to_owned()));
    }
    let mut magic = [0; 4];
    let mut file = File::open(path).map_err(failed("reading", path))?;
    match file.read_exact(&mut magic) {
        Ok(()) if &magic == b"GGUF" => Ok(()),
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => Err(failed("reading", path)(error)),
        _ => Err(ModelError::NotGguf(path.to_owned())),
    }
}

/// Writes a small file so that a reader sees the old or the new content, never a part.
pub(super) fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(content)?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}
