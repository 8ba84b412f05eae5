//! CPU kernels: each operation in its own file, the scalar reference beside the fast path.

pub mod activation;
pub mod head;
mod math;
pub mod paired;
mod simd;
