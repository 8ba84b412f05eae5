//! The model store: pulled files in the user's cache folder, each checked before it is ever used.
//!
//! Layout, per model: `CACHE/models/NAME/FILE`, beside it `FILE.verified` and `.lock`, and while a pull runs
//! one `.pull-*` folder. A file gets its name only by an atomic rename after its size and SHA-256 were found
//! right, so a cut download can't be taken for a model. Whoever pulls holds the lock; a second process waits
//! for it and then finds the file there. A pull that was interrupted starts again from the beginning.
//!
//! Hashing takes a moment with every start, so `FILE.verified` holds size and modification time of the file
//! that was hashed. As long as both fit, the file counts as checked; if either differs it is hashed again.
//! This guards against accidents. It is no defence against someone who may write to the user's cache folder.

mod digest;
mod terms;
#[cfg(test)]
mod tests;

pub use terms::{accept as accept_terms, accepted as terms_accepted};

use super::progress::Progress;
use super::registry::{Entry, Registry, RegistryError};
use super::sources::{self, Source, SourceError};
use crate::paths::Paths;
use digest::{CheckedWriter, Stamp};
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// A model file that may be loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredModel {
    /// Name in the registry, or the file's name without `.gguf`.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// SHA-256 of the file, in lower-case hexadecimal.
    pub sha256: String,
}

/// Why there is no model to load. Each says in one line what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// Not in the registry.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The model has terms of its own, and they were not accepted.
    #[error(
        "the model {name} comes under its own terms ({url}): read them, then run: bonafide model pull {name} --accept-terms"
    )]
    Terms {
        /// The model.
        name: String,
        /// Where its terms stand.
        url: String,
    },
    /// Every source failed.
    #[error(
        "the model {name} could not be pulled from any source: {}. Mend one of them and run: bonafide model pull {name}; or name a file of your own with --model FILE.gguf",
        .attempts.join("; ")
    )]
    NoSource {
        /// The model.
        name: String,
        /// Each source with its reason, in the order of trying.
        attempts: Vec<String>,
    },
    /// The disk is full.
    #[error(
        "no space is left for the model in {}: free {} MB there, or set BONAFIDE_HOME to a folder on another disk",
        .folder.display(), .megabytes
    )]
    DiskFull {
        /// The store's folder.
        folder: PathBuf,
        /// What a pull needs at most.
        megabytes: u64,
    },
    /// There is no such file.
    #[error("there is no model file {}: check the path given with --model", .0.display())]
    NotFound(PathBuf),
    /// A file is not GGUF.
    #[error("{} is not a GGUF file: bonafide loads models in the GGUF format only", .0.display())]
    NotGguf(PathBuf),
    /// Reading or writing failed.
    #[error("{what} {} failed: {error}; check its permissions, or set BONAFIDE_HOME to another folder", .path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// Why it failed.
        error: io::Error,
    },
}

/// The model that `spec` names: a name in the registry (pulled if it is absent), or the path of a GGUF file;
/// `None` is the default model.
pub fn resolve(
    paths: &Paths,
    spec: Option<&str>,
    progress: &mut dyn Progress,
) -> Result<StoredModel, ModelError> {
    let registry = Registry::builtin()?;
    let spec = spec.unwrap_or(&registry.default);
    match registry.find(spec) {
        Ok(entry) => ensure(paths, &entry.name, progress),
        Err(_) if is_path(spec) => digest::local_file(paths, Path::new(spec)),
        Err(unknown) => Err(unknown.into()),
    }
}

/// The model of this name in the registry, pulled first if it is absent or damaged.
///
/// Blocks for as long as a download takes; `progress` hears of it.
pub fn ensure(paths: &Paths, name: &str, progress: &mut dyn Progress) -> Result<StoredModel, ModelError> {
    let registry = Registry::builtin()?;
    let entry = registry.find(name)?;
    if let Some(model) = stored(paths, entry) {
        return Ok(model);
    }
    if let Some(needed) = entry.terms.as_ref().filter(|_| !terms::accepted(paths, entry)) {
        return Err(ModelError::Terms { name: entry.name.clone(), url: needed.url.clone() });
    }
    let done = pull(paths, entry, &sources::open(&entry.sources), progress);
    progress.end();
    done
}

/// The model if it is in the store and was checked; never pulls and never hashes.
#[must_use]
pub fn stored(paths: &Paths, entry: &Entry) -> Option<StoredModel> {
    let path = path_of(paths, entry);
    let fits =
        Stamp::read(&marker_of(&path)).is_some_and(|stamp| stamp.sha256 == entry.sha256 && stamp.fits(&path));
    fits.then(|| StoredModel { name: entry.name.clone(), path, sha256: entry.sha256.clone() })
}

/// Where the model's file is, or will be.
#[must_use]
pub fn path_of(paths: &Paths, entry: &Entry) -> PathBuf {
    paths.cache.join("models").join(&entry.name).join(&entry.file)
}

/// A bare word is a name, so that a misspelt name is answered with the names there are and not with a file
/// that is not there.
fn is_path(spec: &str) -> bool {
    spec.contains(['/', '\\']) || spec.to_ascii_lowercase().ends_with(".gguf") || Path::new(spec).is_file()
}

fn marker_of(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".verified");
    name.into()
}

/// Brings the file under the lock, unless another process did so while we waited for it.
fn pull(
    paths: &Paths,
    entry: &Entry,
    sources: &[Box<dyn Source>],
    progress: &mut dyn Progress,
) -> Result<StoredModel, ModelError> {
    let path = path_of(paths, entry);
    let folder = path.parent().unwrap_or(&paths.cache);
    std::fs::create_dir_all(folder).map_err(failed("creating the folder", folder))?;
    let _lock = lock(&folder.join(".lock"), entry, progress)?;
    remove_leftovers(folder);
    if let Some(model) = stored(paths, entry) {
        return Ok(model);
    }
    if path.is_file() {
        progress.begin(&format!("Checking {}", entry.file), None);
        if digest::of_file(&path).map_err(failed("reading", &path))? == entry.sha256 {
            return keep(entry, path);
        }
        progress.note(&format!("{} is damaged; pulling it again", path.display()));
    }

    let mut attempts = Vec::new();
    for source in sources {
        match try_source(source.as_ref(), entry, folder, &path, progress) {
            Ok(()) => return keep(entry, path),
            // Another source would need the same space.
            Err(SourceError::DiskFull) => {
                let megabytes = (3 * entry.size).div_ceil(1_000_000);
                return Err(ModelError::DiskFull { folder: folder.to_owned(), megabytes });
            }
            Err(error) => {
                progress.note(&format!("{}: {error}", source.label()));
                attempts.push(format!("{}: {error}", source.label()));
            }
        }
    }
    Err(ModelError::NoSource { name: entry.name.clone(), attempts })
}

/// Fetches from one source into a folder beside the target and renames the file into place if it is right.
fn try_source(
    source: &dyn Source,
    entry: &Entry,
    folder: &Path,
    target: &Path,
    progress: &mut dyn Progress,
) -> Result<(), SourceError> {
    let scratch = tempfile::Builder::new().prefix(LEFTOVER).tempdir_in(folder)?;
    let work = scratch.path().join("work");
    std::fs::create_dir(&work)?;
    let fresh = scratch.path().join("model");
    let mut sink = CheckedWriter::new(File::create(&fresh)?, entry.size);
    source.fetch(&work, &mut sink, progress)?;
    let (file, size, sha256) = sink.finish();
    if size != entry.size || sha256 != entry.sha256 {
        return Err(SourceError::Content(format!(
            "it brought a wrong file ({size} bytes, SHA-256 {sha256}; expected {} bytes, {})",
            entry.size, entry.sha256
        )));
    }
    file.sync_all()?;
    std::fs::rename(&fresh, target)?;
    // The rename itself must outlast a power cut, else the marker could speak of a file that is gone; that
    // would cost no more than another pull, so a disk that can't do it is no error.
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
    Ok(())
}

fn keep(entry: &Entry, path: PathBuf) -> Result<StoredModel, ModelError> {
    let marker = marker_of(&path);
    Stamp::of(&path, entry.sha256.clone())
        .and_then(|stamp| stamp.write(&marker))
        .map_err(failed("writing", &marker))?;
    Ok(StoredModel { name: entry.name.clone(), path, sha256: entry.sha256.clone() })
}

/// Held until dropped; the system lets go of it even if the process is killed.
fn lock(path: &Path, entry: &Entry, progress: &mut dyn Progress) -> Result<File, ModelError> {
    let file = File::create(path).map_err(failed("creating", path))?;
    match file.try_lock() {
        Ok(()) => return Ok(file),
        Err(TryLockError::WouldBlock) => {
            progress.note(&format!("Another process is pulling {}; waiting for it", entry.name));
        }
        Err(TryLockError::Error(error)) => return Err(failed("locking", path)(error)),
    }
    file.lock().map_err(failed("locking", path))?;
    Ok(file)
}

const LEFTOVER: &str = ".pull-";

/// Only the holder of the lock makes such folders, so whichever are there belong to pulls that were cut off.
fn remove_leftovers(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(LEFTOVER)) {
        // What can't be removed takes space and does no harm.
        let _ = std::fs::remove_dir_all(entry.path());
    }
}

fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ModelError + use<> {
    let path = path.to_owned();
    move |error| match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            ModelError::DiskFull { folder: path.parent().unwrap_or(&path).to_owned(), megabytes: 1 }
        }
        _ => ModelError::Io { what, path, error },
    }
}
