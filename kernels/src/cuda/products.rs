//! Products through cuBLASLt: bf16 in, sums in f32, bf16 or f32 out.
//!
//! cuBLASLt counts in columns. Our matrices lie row by row, which to it are their transposes column by column;
//! out = inputs . weights^T is to it out^T = weights . inputs^T, with the weights transposed once more.

use super::chip::{Output, Product};
use crate::backend::BackendError;
use cudarc::cublaslt::result::{self, CublasError};
use cudarc::cublaslt::sys;
use cudarc::driver::sys::CUstream;
use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::c_void;

/// Bytes that an algorithm may use beside the matrices; what NVIDIA recommends for Hopper.
pub(super) const WORKSPACE: usize = 32 << 20;
/// Batches differ in size, and each size has its algorithm. So many are kept.
const KEPT: usize = 1024;

/// CUBLAS_OP_T of cuBLAS's header, which cudarc's bindings of cuBLASLt leave out.
static TRANSPOSED: i32 = 1;

/// cuBLASLt and the algorithms chosen so far.
pub(super) struct Products {
    // Before the handle, so that it goes first.
    chosen: RefCell<HashMap<Key, Choice>>,
    handle: Handle,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    rows: usize,
    outputs: usize,
    dim: usize,
    output: Output,
}

struct Handle(sys::cublasLtHandle_t);

// SAFETY: cuBLASLt's handle may be used from any thread; it is the descriptors that must not be shared, and
// those are behind the same lock as the handle's owner.
unsafe impl Send for Handle {}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: made by `create_handle`, destroyed here only.
        let _ = unsafe { result::destroy_handle(self.0) };
    }
}

struct Layout(sys::cublasLtMatrixLayout_t);

impl Layout {
    fn new(kind: sys::cudaDataType, rows: usize, cols: usize) -> Result<Self, CublasError> {
        result::create_matrix_layout(kind, rows as u64, cols as u64, rows as i64).map(Self)
    }
}

impl Drop for Layout {
    fn drop(&mut self) {
        // SAFETY: made by `create_matrix_layout`, destroyed here only.
        let _ = unsafe { result::destroy_matrix_layout(self.0) };
    }
}

struct Operation(sys::cublasLtMatmulDesc_t);

impl Operation {
    fn new() -> Result<Self, CublasError> {
        let operation = result::create_matmul_desc(
            sys::cublasComputeType_t::CUBLAS_COMPUTE_32F,
            sys::cudaDataType_t::CUDA_R_32F,
        )
        .map(Self)?;
        // SAFETY: the descriptor is alive, and the attribute is of this type and size.
        unsafe {
            result::set_matmul_desc_attribute(
                operation.0,
                sys::cublasLtMatmulDescAttributes_t::CUBLASLT_MATMUL_DESC_TRANSA,
                (&raw const TRANSPOSED).cast(),
                size_of_val(&TRANSPOSED),
            )?;
        }
        Ok(operation)
    }
}

impl Drop for Operation {
    fn drop(&mut self) {
        // SAFETY: made by `create_matmul_desc`, destroyed here only.
        let _ = unsafe { result::destroy_matmul_desc(self.0) };
    }
}

struct Preference(sys::cublasLtMatmulPreference_t);

impl Preference {
    fn new() -> Result<Self, CublasError> {
        let preference = result::create_matmul_pref().map(Self)?;
        let bytes: u64 = WORKSPACE as u64;
        // SAFETY: the preference is alive, and the attribute is of this type and size.
        unsafe {
            result::set_matmul_pref_attribute(
                preference.0,
                sys::cublasLtMatmulPreferenceAttributes_t::CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
                (&raw const bytes).cast(),
                size_of_val(&bytes),
            )?;
        }
        Ok(preference)
    }
}

impl Drop for Preference {
    fn drop(&mut self) {
        // SAFETY: made by `create_matmul_pref`, destroyed here only.
        let _ = unsafe { result::destroy_matmul_pref(self.0) };
    }
}

/// How a product of one shape is done.
struct Choice {
    operation: Operation,
    weights: Layout,
    inputs: Layout,
    out: Layout,
    algorithm: sys::cublasLtMatmulAlgo_t,
}

// SAFETY: the descriptors are plain memory that no thread is tied to; they are used by one thread at a time.
unsafe impl Send for Choice {}

impl Choice {
    fn new(handle: &Handle, key: Key) -> Result<Self, CublasError> {
        let Key { rows, outputs, dim, output } = key;
        let bf16 = sys::cudaDataType_t::CUDA_R_16BF;
        let kind = if output == Output::Bf16 { bf16 } else { sys::cudaDataType_t::CUDA_R_32F };
        let operation = Operation::new()?;
        let weights = Layout::new(bf16, dim, outputs)?;
        let inputs = Layout::new(bf16, dim, rows)?;
        let out = Layout::new(kind, outputs, rows)?;
        let preference = Preference::new()?;
        // SAFETY: all descriptors are alive.
        let found = unsafe {
            result::get_matmul_algo_heuristic(
                handle.0,
                operation.0,
                weights.0,
                inputs.0,
                out.0,
                out.0,
                preference.0,
            )?
        };
        Ok(Self { operation, weights, inputs, out, algorithm: found.algo })
    }
}

impl Products {
    pub(super) fn new() -> Result<Self, BackendError> {
        let handle = result::create_handle().map(Handle).map_err(|error| {
            BackendError::Device(format!("staying on the CPU: cuBLASLt does not start ({:?})", error.0))
        })?;
        Ok(Self { chosen: RefCell::default(), handle })
    }

    /// Starts a product on a stream of the current context.
    ///
    /// # Safety
    ///
    /// The matrices and the workspace, of `WORKSPACE` bytes, live until the stream is done.
    pub(super) unsafe fn run(
        &self,
        product: Product,
        workspace: u64,
        stream: CUstream,
    ) -> Result<(), BackendError> {
        let Product { rows, outputs, dim, output, .. } = product;
        let key = Key { rows, outputs, dim, output };
        let failed = |error: CublasError| {
            BackendError::Forward(format!(
                "a product of {rows} by {dim} with {dim} by {outputs} failed on the GPU ({:?})",
                error.0
            ))
        };
        let mut chosen = self.chosen.borrow_mut();
        if chosen.len() >= KEPT && !chosen.contains_key(&key) {
            chosen.clear();
        }
        let choice = match chosen.entry(key) {
            std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::hash_map::Entry::Vacant(entry) => {
                entry.insert(Choice::new(&self.handle, key).map_err(failed)?)
            }
        };
        let one = 1.0_f32;
        let keep = if output == Output::AddF32 { 1.0_f32 } else { 0.0 };
        // SAFETY: the caller answers for the matrices, whose sizes are those of the layouts; factors are read
        // from the host's memory before the call returns.
        unsafe {
            result::matmul(
                self.handle.0,
                choice.operation.0,
                (&raw const one).cast(),
                (&raw const keep).cast(),
                product.weights as *const c_void,
                choice.weights.0,
                product.inputs as *const c_void,
                choice.inputs.0,
                product.out as *const c_void,
                choice.out.0,
                product.out as *mut c_void,
                choice.out.0,
                &raw const choice.algorithm,
                workspace as *mut c_void,
                WORKSPACE,
                stream.cast(),
            )
        }
        .map_err(failed)
    }
}
