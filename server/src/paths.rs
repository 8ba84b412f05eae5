//! Where things are kept on this machine.

use std::path::PathBuf;

/// The folders of one user. `BONAFIDE_HOME` puts all three below one folder; else XDG (Linux, macOS).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// Settings and access tokens.
    pub config: PathBuf,
    /// Models and what can be fetched again.
    pub cache: PathBuf,
    /// What can't be made again.
    pub data: PathBuf,
}

/// There is no home folder.
#[derive(Debug, thiserror::Error)]
#[error("no home folder was found: set HOME, or set BONAFIDE_HOME to a folder for bonafide's files")]
pub struct NoHome;

impl Paths {
    /// Where the adapters of authors are kept, a file each.
    #[must_use]
    pub fn authors(&self) -> PathBuf {
        self.data.join("authors")
    }

    /// The folders as the environment says.
    pub fn from_env() -> Result<Self, NoHome> {
        if let Some(home) = std::env::var_os("BONAFIDE_HOME").filter(|home| !home.is_empty()) {
            let home = PathBuf::from(home);
            return Ok(Self {
                config: home.join("config"),
                cache: home.join("cache"),
                data: home.join("data"),
            });
        }
        use etcetera::BaseStrategy;
        let base = etcetera::base_strategy::Xdg::new().map_err(|_| NoHome)?;
        Ok(Self {
            config: base.config_dir().join("bonafide"),
            cache: base.cache_dir().join("bonafide"),
            data: base.data_dir().join("bonafide"),
        })
    }
}
