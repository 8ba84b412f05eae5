//! Bytes that a model's matrices lie in: a part of a mapped file, or memory.

use std::fs::File;
use std::ops::{Deref, Range};
use std::path::Path;
use std::sync::Arc;

/// Bytes that are shared, not copied, by clones and parts.
#[derive(Debug, Clone)]
pub struct Bytes {
    whole: Arc<Whole>,
    part: Range<usize>,
}

#[derive(Debug)]
enum Whole {
    Mapped(memmap2::Mmap),
    Owned(Vec<u8>),
}

impl Bytes {
    /// Maps a file into memory: its pages are read when they are looked at, and the system may drop them again.
    ///
    /// The file must not be written to while it is mapped. Model files are put into place by a rename and never
    /// changed afterwards; a user who overwrites one in place may see wrong numbers or end the process.
    pub fn map(path: &Path) -> std::io::Result<Self> {
        let file = File::open(path)?;
        // SAFETY: read-only and private; that nobody changes the file is asked of the caller above.
        let mapped = unsafe { memmap2::Mmap::map(&file) }?;
        let part = 0..mapped.len();
        Ok(Self { whole: Arc::new(Whole::Mapped(mapped)), part })
    }

    /// A part of these bytes; `None` if they don't reach that far.
    #[must_use]
    pub fn part(&self, from: usize, len: usize) -> Option<Self> {
        let start = self.part.start.checked_add(from)?;
        let end = start.checked_add(len)?;
        (end <= self.part.end).then(|| Self { whole: Arc::clone(&self.whole), part: start..end })
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        let part = 0..bytes.len();
        Self { whole: Arc::new(Whole::Owned(bytes)), part }
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        let whole: &[u8] = match self.whole.as_ref() {
            Whole::Mapped(mapped) => mapped,
            Whole::Owned(bytes) => bytes,
        };
        &whole[self.part.clone()]
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::Bytes;

    #[test]
    fn parts_share_and_end_where_the_whole_does() {
        let bytes = Bytes::from(vec![1, 2, 3, 4]);
        let part = bytes.part(1, 3).unwrap();
        assert_eq!(&part[..], [2, 3, 4]);
        assert_eq!(&part.part(2, 1).unwrap()[..], [4]);
        assert!(part.part(2, 2).is_none() && bytes.part(usize::MAX, 2).is_none());
    }

    #[test]
    fn a_mapped_file_is_its_bytes() {
        let path = std::env::temp_dir().join(format!("bonafide-mapped-{}", std::process::id()));
        std::fs::write(&path, b"GGUF").unwrap();
        let mapped = Bytes::map(&path);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(&mapped.unwrap()[..], b"GGUF");
        assert!(Bytes::map(&path).is_err());
    }
}
