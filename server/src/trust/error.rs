//! What can go wrong with what is trusted.

use std::path::{Path, PathBuf};

/// Why the trust store can't be read or changed. Every message says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// A file or folder can't be used.
    #[error("{} can't be used: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("{} is damaged ({source}): {}", path.display(), repair(path, older.as_deref()))]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where and what.
        source: serde_json::Error,
        /// The newest older version that can be read.
        older: Option<PathBuf>,
    },
    /// The file was written by a later version of this program.
    #[error("{} has version {version}, and only 1 is known here: update bonafide", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u32,
    },
    /// Others could read or change what is trusted.
    #[error(
        "{} can be read or changed by other users (mode {mode:03o}): check that its content is yours, then run `chmod {right:03o} {}`",
        path.display(),
        path.display()
    )]
    Wide {
        /// The file or folder.
        path: PathBuf,
        /// Its mode.
        mode: u32,
        /// What it should be.
        right: u32,
    },
    /// A name that can't be one.
    #[error(
        "a contact can't be named {0:?}: use 1 to 64 visible characters that neither begin nor end with a space"
    )]
    Name(String),
    /// A note that can't be one.
    #[error("the note is too long or holds invisible characters: use one line of at most 280")]
    Note,
    /// The key is somebody else's.
    #[error("this key is {0:?}'s already: remove that contact's key first, or use that name")]
    Taken(String),
    /// There is no such contact.
    #[error(
        "there is no contact and no contact's key {0:?}: give a name as it was added, or a fingerprint that begins with SHA256:"
    )]
    UnknownContact(String),
    /// The identity was never seen.
    #[error("no key is remembered for {0}: there is nothing to forget")]
    NotPinned(String),
}

fn repair(path: &Path, older: Option<&Path>) -> String {
    let path = path.display();
    match older {
        Some(older) => format!(
            "the newest older version that is whole is {}; to go back to it, run `cp {} {path}`",
            older.display(),
            older.display()
        ),
        None => {
            format!("no older version is whole; repair it, or delete {path} to trust nobody and begin anew")
        }
    }
}
