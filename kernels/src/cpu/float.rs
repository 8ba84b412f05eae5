//! The f32 product that attention and unpacked matrices share.

/// A matrix in memory whose columns of a row are neighbours: its beginning, and numbers from row to row.
#[derive(Clone, Copy)]
pub(super) struct Strided {
    pub(super) at: *const f32,
    pub(super) stride: usize,
}

/// out (rows by cols, a row every `out_stride` numbers) = a (rows by inner) . b, on the calling thread; if `add`, that is
/// added to what stands there.
///
/// `b` is inner by cols, or if `transposed` cols by inner.
///
/// # Safety
/// All three lie in buffers that reach that far; nobody writes to `a` and `b`, and `out` is the caller's alone.
pub(super) unsafe fn multiply(
    (rows, inner, cols): (usize, usize, usize),
    a: Strided,
    b: Strided,
    transposed: bool,
    (out, out_stride, add): (*mut f32, usize, bool),
) {
    let stride = b.stride as isize;
    let (b_column, b_row) = if transposed { (stride, 1) } else { (1, stride) };
    // SAFETY: the caller's promise, with the very shapes and strides.
    unsafe {
        gemm::gemm(
            rows,
            cols,
            inner,
            out,
            1,
            out_stride as isize,
            add,
            a.at,
            1,
            a.stride as isize,
            b.at,
            b_column,
            b_row,
            if add { 1.0 } else { 0.0 },
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}
