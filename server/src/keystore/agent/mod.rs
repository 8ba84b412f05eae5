//! The running `ssh-agent`: which keys it holds, and signing with them.
//!
//! Two of its messages are all that is needed, so they are written here (`wire`). The crate for it asks for every
//! algorithm of the `ssh-key` crate (RSA, DSA, three NIST curves), gives no answer at all if one key of the agent's
//! is of a kind it does not know, and waits for ever.

// Without Unix sockets nothing is ever asked.
#[cfg_attr(not(unix), allow(dead_code))]
mod wire;

#[cfg(test)]
pub(super) use wire::MAX_MESSAGE;

use bonafide_core::signature::ed25519::RawSignature;
use bonafide_core::signature::key::PublicKey;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The environment variable that says where the agent listens.
pub const SOCKET_VARIABLE: &str = "SSH_AUTH_SOCK";
/// How long an answer may take: somebody may have to find a device and touch it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A key that the agent holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentKey {
    /// The public key.
    pub key: PublicKey,
    /// What its owner wrote beside it.
    pub comment: String,
}

/// Why the agent does not help.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AgentError {
    /// Nothing says where it is.
    #[error(
        "no ssh-agent is running here ({SOCKET_VARIABLE} is not set): start one with `eval $(ssh-agent)` and add the key with `ssh-add`"
    )]
    None,
    /// This system has no Unix sockets.
    #[error("an ssh-agent can't be used on this system: keep the key in a file, with `bonafide key new`")]
    Unsupported,
    /// It can't be reached.
    #[error("the ssh-agent at {} can't be reached ({source}): start it again, or set {SOCKET_VARIABLE}", path.display())]
    Unreachable {
        /// Where it should be.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// It took too long.
    #[error("the ssh-agent did not answer within {} seconds: if the key is in hardware, touch it when it blinks", .0.as_secs())]
    Silent(Duration),
    /// It said no.
    #[error(
        "the ssh-agent refused: is the key still there (`ssh-add -l`), unlocked, and was the device touched?"
    )]
    Refused,
    /// It said something else.
    #[error("the ssh-agent's answer can't be understood ({0}): is it really an ssh-agent?")]
    Garbled(&'static str),
    /// It holds no such key.
    #[error(
        "the ssh-agent holds no Ed25519 key with the fingerprint or comment `{wanted}`; it has {}",
        list(had)
    )]
    NoSuchKey {
        /// What was looked for.
        wanted: String,
        /// What there is.
        had: Vec<String>,
    },
    /// Several keys fit.
    #[error("several keys of the ssh-agent have the comment `{0}`: give the fingerprint (`ssh-add -l`)")]
    Ambiguous(String),
}

fn list(had: &[String]) -> String {
    if had.is_empty() { "none; add one with `ssh-add FILE`".to_owned() } else { had.join(", ") }
}

/// An agent that listens on a socket.
#[derive(Debug, Clone)]
#[cfg_attr(not(unix), allow(dead_code))]
pub struct Agent {
    socket: PathBuf,
    patience: Duration,
}

impl Agent {
    /// The agent that the environment names.
    ///
    /// # Errors
    /// [`AgentError::None`] if it names none.
    pub fn from_env() -> Result<Self, AgentError> {
        if !cfg!(unix) {
            return Err(AgentError::Unsupported);
        }
        match std::env::var_os(SOCKET_VARIABLE).filter(|value| !value.is_empty()) {
            Some(socket) => Ok(Self::at(Path::new(&socket))),
            None => Err(AgentError::None),
        }
    }

    /// The agent that listens on this socket.
    #[must_use]
    pub fn at(socket: &Path) -> Self {
        Self { socket: socket.to_owned(), patience: PATIENCE }
    }

    /// Waits no longer than this for an answer.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The keys that it holds and that can sign statements; others are left out.
    ///
    /// # Errors
    /// [`AgentError`].
    pub fn keys(&self) -> Result<Vec<AgentKey>, AgentError> {
        wire::identities(&self.ask(&wire::request_identities())?)
    }

    /// The key with this fingerprint, or else with this comment.
    ///
    /// # Errors
    /// [`AgentError`], also if none or several fit.
    pub fn find(&self, wanted: &str) -> Result<AgentKey, AgentError> {
        let mut keys = self.keys()?;
        if let Some(index) = keys.iter().position(|held| held.key.fingerprint() == wanted) {
            return Ok(keys.swap_remove(index));
        }
        let named = |held: &&AgentKey| held.comment == wanted;
        match keys.iter().filter(named).count() {
            0 => Err(AgentError::NoSuchKey {
                wanted: wanted.to_owned(),
                had: keys.iter().map(|held| format!("{} {}", held.key.fingerprint(), held.comment)).collect(),
            }),
            1 => keys.into_iter().find(|held| named(&held)).ok_or(AgentError::Refused),
            _ => Err(AgentError::Ambiguous(wanted.to_owned())),
        }
    }

    /// Has it sign bytes. The signature is not checked here.
    ///
    /// # Errors
    /// [`AgentError`].
    pub fn sign(&self, key: &PublicKey, data: &[u8]) -> Result<RawSignature, AgentError> {
        wire::signature(&self.ask(&wire::request_signature(&key.to_blob(), data))?)
    }

    #[cfg(unix)]
    fn ask(&self, request: &[u8]) -> Result<Vec<u8>, AgentError> {
        socket::ask(&self.socket, request, self.patience)
    }

    #[cfg(not(unix))]
    fn ask(&self, _: &[u8]) -> Result<Vec<u8>, AgentError> {
        Err(AgentError::Unsupported)
    }
}

#[cfg(unix)]
mod socket {
    use super::{AgentError, Path, wire};
    use std::io::{ErrorKind, Read, Write};
    use std::os::unix::net::UnixStream;
    use std::time::{Duration, Instant};

    /// Sends one message and gives the answer to it, without its length.
    pub(super) fn ask(path: &Path, request: &[u8], patience: Duration) -> Result<Vec<u8>, AgentError> {
        let failed = |error: std::io::Error| match error.kind() {
            // Which of the two a timeout is depends on the system.
            ErrorKind::WouldBlock | ErrorKind::TimedOut => AgentError::Silent(patience),
            ErrorKind::UnexpectedEof => AgentError::Garbled("it ends too early"),
            _ => AgentError::Unreachable { path: path.to_owned(), source: error },
        };
        let end = Instant::now() + patience;
        let mut stream = UnixStream::connect(path).map_err(failed)?;
        stream.set_write_timeout(Some(patience)).map_err(failed)?;
        let length =
            u32::try_from(request.len()).map_err(|_| AgentError::Garbled("the request is too long"))?;
        stream.write_all(&[&length.to_be_bytes(), request].concat()).map_err(failed)?;
        let mut header = [0; 4];
        read(&mut stream, &mut header, end).map_err(failed)?;
        let mut answer = vec![0; wire::length(header)?];
        read(&mut stream, &mut answer, end).map_err(failed)?;
        Ok(answer)
    }

    /// Fills a buffer before a point in time, however small the pieces are in which it comes.
    fn read(stream: &mut UnixStream, mut buffer: &mut [u8], end: Instant) -> std::io::Result<()> {
        while !buffer.is_empty() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(ErrorKind::TimedOut.into());
            }
            stream.set_read_timeout(Some(left))?;
            match stream.read(buffer) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(count) => buffer = buffer.get_mut(count..).unwrap_or_default(),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
