//! CPU kernels: each operation in its own file, the scalar reference beside the fast path.
//!
//! [`CpuBackend`] runs a whole model: `forward` is the order of its steps, `team` the threads that take them,
//! `product` where nearly all of the time goes. A [`Session`] takes the same steps token by token.

mod activation;
mod attention;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod backend;
#[doc(hidden)]
pub mod bench;
mod buffer;
mod detect;
mod float;
mod forward;
mod head;
mod input;
mod math;
mod norm;
mod paired;
mod peak;
mod plan;
mod product;
mod rotary;
mod session;
mod simd;
mod team;
#[cfg(test)]
mod tests;

pub use backend::{CpuBackend, CpuOptions, Precision};
pub use detect::Instructions;
pub use session::Session;
