//! Placeholder of the model store.
use std::path::PathBuf;
/// A model on disk.
#[derive(Debug, Clone)]
pub struct StoredModel {
    /// Where it is.
    pub path: PathBuf,
    /// Its checksum.
    pub sha256: String,
    /// Its name.
    pub name: String,
}
/// No model.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ModelError(String);
/// Finds a model.
pub fn resolve(_paths: &crate::paths::Paths, spec: Option<&str>) -> Result<StoredModel, ModelError> {
    use sha2::Digest;
    let path = PathBuf::from(spec.unwrap_or("/tmp/models/smollm2.gguf"));
    let bytes = std::fs::read(&path).map_err(|e| ModelError(e.to_string()))?;
    let sha256 = sha2::Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect();
    Ok(StoredModel {
        name: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
        path,
        sha256,
    })
}
