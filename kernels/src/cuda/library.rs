//! Which of CUDA's libraries can be loaded, found out without a panic: cudarc panics at the first call into one
//! that is missing.

use crate::backend::BackendError;
use cudarc::{cublaslt, driver, nvrtc};
use std::sync::OnceLock;

/// The driver, which comes with the GPU's kernel module.
pub(super) fn driver() -> Result<(), BackendError> {
    static PRESENT: OnceLock<bool> = OnceLock::new();
    // SAFETY: loads the library by its usual names and lets it go; its constructors are the vendor's.
    if *PRESENT.get_or_init(|| unsafe { driver::sys::is_culib_present() }) {
        return Ok(());
    }
    Err(missing("NVIDIA's driver (libcuda)", "install the NVIDIA driver to use a GPU"))
}

/// NVRTC, which compiles the kernels.
pub(super) fn compiler() -> Result<(), BackendError> {
    static PRESENT: OnceLock<bool> = OnceLock::new();
    // SAFETY: as above.
    if *PRESENT.get_or_init(|| unsafe { nvrtc::sys::is_culib_present() }) {
        return Ok(());
    }
    Err(missing("CUDA's compiler (libnvrtc)", &toolkit("nvidia-cuda-nvrtc-cu12")))
}

/// cuBLASLt, which multiplies matrices.
pub(super) fn products() -> Result<(), BackendError> {
    static PRESENT: OnceLock<bool> = OnceLock::new();
    // SAFETY: as above.
    if *PRESENT.get_or_init(|| unsafe { cublaslt::sys::is_culib_present() }) {
        return Ok(());
    }
    Err(missing("CUDA's matrix products (libcublasLt)", &toolkit("nvidia-cublas-cu12")))
}

fn toolkit(package: &str) -> String {
    format!(
        "install the CUDA toolkit 12 or later, or pip's {package} with its lib folder in LD_LIBRARY_PATH, to use \
         a GPU"
    )
}

fn missing(library: &str, fix: &str) -> BackendError {
    BackendError::Device(format!("staying on the CPU: {library} can't be loaded; {fix}"))
}

/// Runs what calls into CUDA; a function that an old library lacks becomes an error where cudarc panics.
pub(super) fn guarded<T>(work: impl FnOnce() -> Result<T, BackendError>) -> Result<T, BackendError> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Err(BackendError::Device(
            "staying on the CPU: a CUDA library lacks a function; update the NVIDIA driver and the CUDA toolkit"
                .to_owned(),
        ))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic)]
    use super::*;

    #[test]
    fn a_panic_of_the_loader_becomes_an_error() {
        let result: Result<(), _> = guarded(|| panic!("missing symbol, for the test"));
        assert!(result.is_err_and(|error| error.to_string().contains("update the NVIDIA driver")));
    }
}
