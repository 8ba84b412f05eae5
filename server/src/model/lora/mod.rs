//! Low-rank adapters as scoring uses them: [`file`](mod@file) is what is kept of one, and [`merge`] puts it into the weights
//! that the kernels run. `train::lora` makes them.

pub mod file;
pub mod merge;
pub mod projection;
