//! Memory that several threads fill part by part, aligned to cache lines.

use std::cell::UnsafeCell;
use std::marker::PhantomData;
use std::ops::Range;

/// One cache line, and one tile row of AMX.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([u8; LINE]);

const LINE: usize = 64;

/// Numbers for which every pattern of bits is a value.
pub(crate) trait Plain: Copy + Send + Sync {}
impl Plain for f32 {}
impl Plain for u16 {}
impl Plain for u8 {}
impl Plain for i8 {}

/// A buffer that its owner grows and that workers of a [`super::team::Team`] share between two barriers.
pub(crate) struct Buffer<T> {
    lines: Box<[UnsafeCell<Line>]>,
    len: usize,
    holds: PhantomData<T>,
}

// SAFETY: shared access to the contents goes through `part` and `part_mut` only, whose callers promise that
// nobody reads what another writes.
unsafe impl<T: Plain> Sync for Buffer<T> {}

impl<T: Plain> Buffer<T> {
    pub(crate) fn zeroed(len: usize) -> Self {
        let lines = (len * size_of::<T>()).div_ceil(LINE);
        let lines = std::iter::repeat_with(|| UnsafeCell::new(Line([0; LINE]))).take(lines).collect();
        Self { lines, len, holds: PhantomData }
    }

    /// Makes room for `len` numbers. What stood there may be gone.
    pub(crate) fn ensure(&mut self, len: usize) {
        if self.len < len {
            *self = Self::zeroed(len);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn bytes(&self) -> usize {
        self.lines.len() * LINE
    }

    pub(crate) fn pointer(&self) -> *mut T {
        UnsafeCell::raw_get(self.lines.as_ptr()).cast()
    }

    /// # Safety
    /// Nobody may write to the part while it is borrowed.
    pub(crate) unsafe fn part(&self, range: Range<usize>) -> &[T] {
        assert!(range.start <= range.end && range.end <= self.len);
        // SAFETY: the range lies in the allocation, every pattern of bits is a `T`, and the caller keeps
        // writers away.
        unsafe { std::slice::from_raw_parts(self.pointer().add(range.start), range.len()) }
    }

    /// # Safety
    /// Nobody else may read or write the part while it is borrowed.
    #[allow(clippy::mut_from_ref)]
    pub(crate) unsafe fn part_mut(&self, range: Range<usize>) -> &mut [T] {
        assert!(range.start <= range.end && range.end <= self.len);
        // SAFETY: the range lies in the allocation, every pattern of bits is a `T`, and the caller keeps
        // everyone else away.
        unsafe { std::slice::from_raw_parts_mut(self.pointer().add(range.start), range.len()) }
    }

    pub(crate) fn whole_mut(&mut self) -> &mut [T] {
        // SAFETY: `&mut self` is the only access there is.
        unsafe { self.part_mut(0..self.len) }
    }

    #[cfg(test)]
    pub(crate) fn copied(&mut self) -> Vec<T> {
        // SAFETY: `&mut self` is the only access there is.
        unsafe { self.part(0..self.len) }.to_vec()
    }
}

impl<T: Plain> Default for Buffer<T> {
    fn default() -> Self {
        Self::zeroed(0)
    }
}

#[cfg(test)]
mod tests {
    use super::Buffer;

    #[test]
    fn lies_on_cache_lines_and_grows_zeroed() {
        let mut buffer = Buffer::<f32>::default();
        buffer.ensure(33);
        assert_eq!(buffer.pointer() as usize % 64, 0);
        assert_eq!((buffer.len(), buffer.bytes()), (33, 192));
        // SAFETY: no other access exists.
        unsafe { buffer.part_mut(1..2).fill(2.0) };
        buffer.ensure(10);
        assert_eq!(buffer.copied()[..3], [0.0, 2.0, 0.0]);
    }
}
