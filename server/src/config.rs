//! Settings: `config.toml` in the config folder. Flags of the command line win over it.

use crate::model::compute::{Compute, Device, Precision};
use crate::queue::QueueLimits;
use serde::Deserialize;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Name of the file in the config folder.
pub const FILE: &str = "config.toml";

/// What the user can set. Everything has a default, so no file is needed.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Loopback address and port to listen on.
    pub listen: SocketAddr,
    /// A name of the registry or a path of a GGUF file; absent for the default model.
    pub model: Option<String>,
    /// Threads for arithmetic; absent for one a core.
    pub threads: Option<usize>,
    /// What computes; absent for `auto`.
    pub device: Option<Device>,
    /// How numbers are held on the CPU; absent for `auto`.
    pub precision: Option<Precision>,
    /// A calibration file instead of the one built in.
    pub calibration: Option<PathBuf>,
    /// Whether the trained probe that comes with the program reads along; yes unless it says no.
    pub adapter: Option<bool>,
    /// A second model with the same tokenizer, named like `model`: adds the detector `binoculars`.
    pub observer: Option<String>,
    /// Origins of browser extensions that may call, exactly as the browser sends them, for example
    /// `chrome-extension://abcdefghijklmnopabcdefghijklmnop`. Nothing on the web can be listed.
    pub allowed_extension_origins: Vec<String>,
    /// Bounds.
    pub limits: Limits,
}

/// Bounds that keep one caller from taking the machine.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Bytes of a request's body.
    pub body_bytes: usize,
    /// Bytes of text in a request, over all its blocks.
    pub text_bytes: usize,
    /// Blocks in a request.
    pub blocks: usize,
    /// Messages of a chat in a request.
    pub turns: usize,
    /// Tokens that a request may cost, overlap of windows included.
    pub request_tokens: usize,
    /// Seconds from a request's arrival to its answer.
    pub request_seconds: u64,
    /// Seconds in which a request's body must have come.
    pub body_seconds: u64,
    /// Seconds that a newcomer may have to wait for others.
    pub wait_seconds: u64,
    /// Requests that may wait for the model at once.
    pub waiting_requests: usize,
    /// Open connections.
    pub connections: usize,
    /// Mebibytes of reports that are kept for repeated texts.
    pub cache_mib: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8017)),
            model: None,
            threads: None,
            device: None,
            precision: None,
            observer: None,
            calibration: None,
            adapter: None,
            allowed_extension_origins: Vec::new(),
            limits: Limits::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 6_000_000,
            text_bytes: 1_000_000,
            blocks: 1000,
            turns: 10_000,
            request_tokens: 16_384,
            request_seconds: 120,
            body_seconds: 15,
            wait_seconds: 20,
            waiting_requests: 256,
            connections: 512,
            cache_mib: 32,
        }
    }
}

impl Limits {
    /// The queue's share of the limits.
    #[must_use]
    pub fn queue(&self) -> QueueLimits {
        QueueLimits {
            max_callers: self.waiting_requests,
            max_wait: Duration::from_secs(self.wait_seconds),
            // The estimate of the rate errs: a fifth is kept back so that those let in are done in time.
            patience: Duration::from_secs(self.request_seconds) * 4 / 5,
            ..QueueLimits::default()
        }
    }
}

/// Why the settings can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file can't be read.
    #[error("the settings in {} can't be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("the settings in {} are wrong: {source}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Where and what.
        source: Box<toml::de::Error>,
    },
    /// An address that other machines could reach.
    #[error("{address} is not a loopback address: use 127.0.0.1:{} or [::1]:{}", address.port(), address.port())]
    NotLoopback {
        /// The address.
        address: SocketAddr,
    },
    /// Something that is not the origin of an extension.
    #[error(
        "`{origin}` in allowed_extension_origins is not the origin of a browser extension: write \
         chrome-extension:// or moz-extension:// and the extension's id, nothing after it"
    )]
    Origin {
        /// What stands there.
        origin: String,
    },
    /// A limit that lets nothing through.
    #[error("`limits.{name}` is 0: every limit must be at least 1")]
    Zero {
        /// Which limit.
        name: &'static str,
    },
}

impl Config {
    /// Reads `config.toml` in a folder; its absence gives the defaults.
    ///
    /// # Errors
    /// If the file can't be read, or holds what is not allowed.
    pub fn load(folder: &Path) -> Result<Self, ConfigError> {
        let path = folder.join(FILE);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(source) => return Err(ConfigError::Read { path, source }),
        };
        let config: Self =
            toml::from_str(&text).map_err(|source| ConfigError::Parse { path, source: Box::new(source) })?;
        config.check()?;
        Ok(config)
    }

    /// What the settings say of computing.
    #[must_use]
    pub fn compute(&self) -> Compute {
        Compute { threads: self.threads, device: self.device, precision: self.precision }
    }

    /// Whether every setting is one that may be used.
    ///
    /// # Errors
    /// Names the first that is not.
    pub fn check(&self) -> Result<(), ConfigError> {
        if !self.listen.ip().is_loopback() {
            return Err(ConfigError::NotLoopback { address: self.listen });
        }
        if let Some(origin) = self.allowed_extension_origins.iter().find(|origin| !is_extension(origin)) {
            return Err(ConfigError::Origin { origin: origin.clone() });
        }
        let limits = &self.limits;
        let all = [
            ("body_bytes", limits.body_bytes),
            ("text_bytes", limits.text_bytes),
            ("blocks", limits.blocks),
            ("turns", limits.turns),
            ("request_tokens", limits.request_tokens),
            ("request_seconds", limits.request_seconds as usize),
            ("body_seconds", limits.body_seconds as usize),
            ("waiting_requests", limits.waiting_requests),
            ("connections", limits.connections),
        ];
        match all.into_iter().find(|(_, limit)| *limit == 0) {
            Some((name, _)) => Err(ConfigError::Zero { name }),
            None => Ok(()),
        }
    }
}

fn is_extension(origin: &str) -> bool {
    let id = origin.strip_prefix("chrome-extension://").or_else(|| origin.strip_prefix("moz-extension://"));
    id.is_some_and(|id| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn load(text: &str) -> Result<Config, ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), text).unwrap();
        Config::load(folder.path())
    }

    #[test]
    fn no_file_gives_the_defaults() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Config::load(folder.path()).unwrap(), Config::default());
        assert_eq!(Config::default().listen.to_string(), "127.0.0.1:8017");
    }

    #[test]
    fn reads_what_is_set_and_keeps_the_rest() {
        let config = load(
            "listen = '[::1]:9000'\nallowed_extension_origins = ['moz-extension://a1-b2']\n[limits]\nblocks = 5\n",
        )
        .unwrap();
        assert_eq!(config.listen.to_string(), "[::1]:9000");
        assert_eq!(config.limits, Limits { blocks: 5, ..Limits::default() });
    }

    #[test]
    fn refuses_addresses_that_others_reach() {
        for address in ["0.0.0.0:8017", "192.168.1.2:80", "[::]:8017"] {
            let error = load(&format!("listen = '{address}'")).unwrap_err();
            assert!(matches!(error, ConfigError::NotLoopback { .. }), "{error}");
        }
    }

    #[test]
    fn refuses_origins_of_the_web() {
        for origin in ["https://example.com", "chrome-extension://", "chrome-extension://a/b", "*", "null"] {
            let error = load(&format!("allowed_extension_origins = ['{origin}']")).unwrap_err();
            assert!(matches!(error, ConfigError::Origin { .. }), "{origin}: {error}");
        }
    }

    #[test]
    fn names_the_line_of_a_mistake() {
        let error = load("lisen = '127.0.0.1:1'").unwrap_err();
        assert!(error.to_string().contains("lisen"), "{error}");
        assert!(matches!(load("[limits]\nblocks = 0").unwrap_err(), ConfigError::Zero { name: "blocks" }));
    }
}
