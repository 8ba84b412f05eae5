//! Per-token statistics on disk, because scoring a data set takes hours and fitting a head to it takes seconds.
//!
//! Numbers only: an entry's name is a keyed hash (HMAC-SHA256 with a random key that stays in the folder) of the
//! model, the arithmetic and the token ids, so that the folder gives away neither a text nor, without its key,
//! whether a known text was scored. One file an entry, put in place by renaming: several processes may share a
//! folder, and a cut-off or damaged entry is scored again.

use bonafide_core::hex::hex;
use bonafide_kernels::backend::TokenStats;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The layout's version; entries of another are scored again.
const MAGIC: &[u8; 4] = b"bfs2";
/// Six numbers of four bytes.
pub(crate) const ENTRY: usize = 24;
/// Of the SHA-256 over all that stands before it.
const CHECK: usize = 8;

/// A folder of statistics of one model.
#[derive(Debug)]
pub struct StatsCache {
    dir: PathBuf,
    key: [u8; 32],
    model: String,
}

/// The folder can't be used.
#[derive(Debug, thiserror::Error)]
#[error("the folder of statistics {}: {problem}", path.display())]
pub struct CacheError {
    path: PathBuf,
    problem: String,
}

impl StatsCache {
    /// Opens the folder, making it if it is absent. `model` names what computes: the model file's hash and the
    /// arithmetic.
    pub fn open(dir: &Path, model: &str) -> Result<Self, CacheError> {
        let fail = |problem: String| CacheError { path: dir.to_owned(), problem };
        std::fs::create_dir_all(dir).map_err(|error| fail(error.to_string()))?;
        let path = dir.join("key");
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                make_key(dir, &path).map_err(|error| fail(error.to_string()))?;
                std::fs::read(&path).map_err(|error| fail(error.to_string()))?
            }
            Err(error) => return Err(fail(error.to_string())),
        };
        let key =
            bytes.try_into().map_err(|_| fail("its file `key` is damaged; delete the folder".to_owned()))?;
        Ok(Self { dir: dir.to_owned(), key, model: model.to_owned() })
    }

    /// The statistics of a window of tokens, if they are there whole.
    #[must_use]
    pub fn get(&self, tokens: &[u32]) -> Option<Vec<TokenStats>> {
        let stats = decode(&std::fs::read(self.path(tokens)).ok()?)?;
        (stats.len() == tokens.len().saturating_sub(1)).then_some(stats)
    }

    /// Keeps the statistics of a window of tokens.
    pub fn put(&self, tokens: &[u32], stats: &[TokenStats]) -> Result<(), CacheError> {
        self.write(tokens, &encode(stats))
    }

    fn write(&self, tokens: &[u32], entry: &[u8]) -> Result<(), CacheError> {
        let path = self.path(tokens);
        let write = || -> std::io::Result<()> {
            let folder = path.parent().unwrap_or(&self.dir);
            std::fs::create_dir_all(folder)?;
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            file.write_all(entry)?;
            file.persist(&path)?;
            Ok(())
        };
        write().map_err(|error| CacheError { path: self.dir.clone(), problem: error.to_string() })
    }

    /// Other numbers of a window of tokens, if they are there whole. A folder's model must say which these are.
    #[must_use]
    pub fn get_bytes(&self, tokens: &[u32]) -> Option<Vec<u8>> {
        unchecked(&std::fs::read(self.path(tokens)).ok()?).map(<[u8]>::to_vec)
    }

    /// Keeps other numbers of a window of tokens.
    pub fn put_bytes(&self, tokens: &[u32], body: &[u8]) -> Result<(), CacheError> {
        self.write(tokens, &checked(body.to_vec()))
    }

    fn path(&self, tokens: &[u32]) -> PathBuf {
        let name = hex(&self.name(tokens));
        self.dir.join(&name[..2]).join(&name[2..])
    }

    fn name(&self, tokens: &[u32]) -> [u8; 32] {
        // HMAC takes a key of any length, so that this never fails; a fixed-size key keeps the type honest.
        let mut mac = Hmac::<Sha256>::new(&self.key_block());
        mac.update(&(self.model.len() as u64).to_le_bytes());
        mac.update(self.model.as_bytes());
        for token in tokens {
            mac.update(&token.to_le_bytes());
        }
        mac.finalize().into_bytes().into()
    }

    /// The key padded to HMAC's block, as RFC 2104 pads a shorter key.
    fn key_block(&self) -> hmac::digest::Key<Hmac<Sha256>> {
        let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
        block[..self.key.len()].copy_from_slice(&self.key);
        block
    }
}

/// Puts a new key in place unless another process was first.
fn make_key(dir: &Path, path: &Path) -> std::io::Result<()> {
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(std::io::Error::other)?;
    let mut file = tempfile::NamedTempFile::new_in(dir)?;
    file.write_all(&key)?;
    match file.persist_noclobber(path) {
        Err(error) if error.error.kind() != std::io::ErrorKind::AlreadyExists => Err(error.error),
        _ => Ok(()),
    }
}

fn encode(stats: &[TokenStats]) -> Vec<u8> {
    checked([MAGIC.as_slice(), &stats_bytes(stats)].concat())
}

fn checked(mut bytes: Vec<u8>) -> Vec<u8> {
    let check = Sha256::digest(&bytes);
    bytes.extend_from_slice(&check[..CHECK]);
    bytes
}

/// What stands before a good check.
fn unchecked(bytes: &[u8]) -> Option<&[u8]> {
    let (body, check) = bytes.split_at_checked(bytes.len().checked_sub(CHECK)?)?;
    (Sha256::digest(body)[..CHECK] == *check).then_some(body)
}

fn decode(bytes: &[u8]) -> Option<Vec<TokenStats>> {
    stats_of(unchecked(bytes)?.strip_prefix(MAGIC)?)
}

/// [`ENTRY`] bytes a token.
pub(crate) fn stats_bytes(stats: &[TokenStats]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(ENTRY * stats.len());
    for token in stats {
        bytes.extend_from_slice(&token.logprob.to_le_bytes());
        bytes.extend_from_slice(&token.rank.to_le_bytes());
        bytes.extend_from_slice(&token.entropy.to_le_bytes());
        bytes.extend_from_slice(&token.mean_logprob.to_le_bytes());
        bytes.extend_from_slice(&token.variance.to_le_bytes());
        // No projection is NaN.
        bytes.extend_from_slice(&token.projection.unwrap_or(f32::NAN).to_le_bytes());
    }
    bytes
}

/// The way back; `None` if the bytes are no whole number of tokens.
pub(crate) fn stats_of(bytes: &[u8]) -> Option<Vec<TokenStats>> {
    let read = |entry: &[u8]| {
        let word = |i: usize| [entry[4 * i], entry[4 * i + 1], entry[4 * i + 2], entry[4 * i + 3]];
        TokenStats {
            logprob: f32::from_le_bytes(word(0)),
            rank: u32::from_le_bytes(word(1)),
            entropy: f32::from_le_bytes(word(2)),
            mean_logprob: f32::from_le_bytes(word(3)),
            variance: f32::from_le_bytes(word(4)),
            cross_entropy: None,
            projection: Some(f32::from_le_bytes(word(5))).filter(|value| !value.is_nan()),
        }
    };
    bytes.len().is_multiple_of(ENTRY).then(|| bytes.chunks_exact(ENTRY).map(read).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn stats() -> Vec<TokenStats> {
        (0..3u8)
            .map(|i| {
                let x = f32::from(i);
                TokenStats {
                    logprob: -x,
                    rank: u32::from(i) + 1,
                    entropy: x,
                    mean_logprob: -x / 2.0,
                    variance: x,
                    cross_entropy: None,
                    projection: (i > 0).then_some(x + 0.5),
                }
            })
            .collect()
    }

    #[test]
    fn what_is_put_is_got_by_the_same_model_and_tokens_only() {
        let dir = tempfile::tempdir().unwrap();
        let cache = StatsCache::open(dir.path(), "m1").unwrap();
        cache.put(&[1, 2, 3, 4], &stats()).unwrap();
        assert_eq!(cache.get(&[1, 2, 3, 4]), Some(stats()));
        assert_eq!(cache.get(&[1, 2, 3, 5]), None);
        assert_eq!(StatsCache::open(dir.path(), "m1").unwrap().get(&[1, 2, 3, 4]), Some(stats()));
        assert_eq!(StatsCache::open(dir.path(), "m2").unwrap().get(&[1, 2, 3, 4]), None);
    }

    #[test]
    fn damaged_entries_are_absent() {
        let whole = encode(&stats());
        assert_eq!(decode(&whole), Some(stats()));
        for length in 0..whole.len() {
            assert_eq!(decode(&whole[..length]), None);
        }
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            assert_eq!(decode(&damaged), None, "byte {at}");
        }
    }

    #[test]
    fn names_need_the_key() {
        let one = StatsCache { dir: PathBuf::new(), key: [1; 32], model: "m".to_owned() };
        let other = StatsCache { dir: PathBuf::new(), key: [2; 32], model: "m".to_owned() };
        assert_ne!(one.name(&[7]), other.name(&[7]));
        assert_ne!(one.name(&[7]), one.name(&[8]));
    }

    #[test]
    fn a_damaged_key_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("key"), b"short").unwrap();
        assert!(StatsCache::open(dir.path(), "m").unwrap_err().to_string().contains("key"));
    }
}
