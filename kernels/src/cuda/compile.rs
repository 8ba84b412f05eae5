//! The kernels' source, and NVRTC, which compiles it for the device that is there.

use super::library;
use crate::backend::BackendError;
use cudarc::nvrtc::{result, sys};
use std::ffi::{CString, c_char};

/// All kernels as one program.
const SOURCE: &str = concat!(
    include_str!("common.cu"),
    include_str!("rows.cu"),
    include_str!("attention.cu"),
    include_str!("head.cu")
);

/// What a device loads.
pub(super) enum Image {
    /// Machine code, which needs no compiler in the driver.
    Cubin(Vec<u8>),
    /// For a device that is newer than NVRTC.
    Ptx(String),
}

impl Image {
    /// Its bytes.
    #[cfg(test)]
    pub(super) fn code(&self) -> &[u8] {
        match self {
            Self::Cubin(bytes) => bytes,
            Self::Ptx(text) => text.as_bytes(),
        }
    }
}

/// What to compile for.
#[derive(Debug, PartialEq, Eq)]
struct Target {
    option: String,
    cubin: bool,
}

/// Machine code for the device where NVRTC knows it, else PTX for the newest that it knows before it.
fn target(capability: (i32, i32), supported: &[i32]) -> Option<Target> {
    let wanted = 10 * capability.0 + capability.1;
    let newest = supported.iter().copied().filter(|known| *known <= wanted).max()?;
    let cubin = newest == wanted;
    let kind = if cubin { "sm" } else { "compute" };
    Some(Target { option: format!("--gpu-architecture={kind}_{newest}"), cubin })
}

/// Whether NVRTC can be loaded.
pub(super) fn present() -> Result<(), BackendError> {
    library::compiler()
}

/// Compiles the kernels for heads of so many numbers.
pub(super) fn compile(head_dim: usize, capability: (i32, i32)) -> Result<Image, BackendError> {
    present()?;
    library::guarded(|| {
        let supported = supported()?;
        let target = target(capability, &supported).ok_or_else(|| {
            let (major, minor) = capability;
            BackendError::Device(format!(
                "this NVRTC compiles for no GPU as old as compute capability {major}.{minor}; staying on the CPU"
            ))
        })?;
        compile_for(head_dim, &target)
    })
}

fn compile_for(head_dim: usize, target: &Target) -> Result<Image, BackendError> {
    let program = Program::new()?;
    let options = [target.option.clone(), format!("-DHEAD_DIM={head_dim}"), "--std=c++17".to_owned()];
    // SAFETY: the program is alive; no option holds a zero.
    if let Err(error) = unsafe { result::compile_program(program.0, &options) } {
        // SAFETY: the program is alive.
        let log = unsafe { result::get_program_log(program.0) }.map(text).unwrap_or_default();
        return Err(BackendError::Device(format!(
            "NVRTC does not compile the kernels ({:?}): {log}",
            error.0
        )));
    }
    if !target.cubin {
        // SAFETY: the program is alive and compiled.
        let ptx = unsafe { result::get_ptx(program.0) }.map_err(failed)?;
        return Ok(Image::Ptx(text(ptx)));
    }
    let mut size = 0;
    // SAFETY: the program is alive and compiled; `size` is written before the call returns.
    unsafe { sys::nvrtcGetCUBINSize(program.0, &raw mut size) }.result().map_err(failed)?;
    let mut bytes = vec![0_u8; size];
    // SAFETY: the buffer has the size that NVRTC has just given.
    unsafe { sys::nvrtcGetCUBIN(program.0, bytes.as_mut_ptr().cast()) }.result().map_err(failed)?;
    Ok(Image::Cubin(bytes))
}

fn supported() -> Result<Vec<i32>, BackendError> {
    let mut count = 0;
    // SAFETY: `count` is written before the call returns.
    unsafe { sys::nvrtcGetNumSupportedArchs(&raw mut count) }.result().map_err(failed)?;
    let mut all = vec![0; usize::try_from(count).unwrap_or(0)];
    // SAFETY: the list has as many places as NVRTC has just asked for.
    unsafe { sys::nvrtcGetSupportedArchs(all.as_mut_ptr()) }.result().map_err(failed)?;
    Ok(all)
}

struct Program(sys::nvrtcProgram);

impl Program {
    fn new() -> Result<Self, BackendError> {
        let source = CString::new(SOURCE).map_err(|error| BackendError::Device(error.to_string()))?;
        // NVRTC copies the source.
        result::create_program(&source, Some(c"bonafide.cu")).map(Self).map_err(failed)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // SAFETY: made by `create_program`, and destroyed here only.
        let _ = unsafe { result::destroy_program(self.0) };
    }
}

fn failed(error: result::NvrtcError) -> BackendError {
    BackendError::Device(format!("NVRTC failed ({:?}); staying on the CPU", error.0))
}

fn text(bytes: Vec<c_char>) -> String {
    let bytes: Vec<u8> = bytes.into_iter().map(|byte| byte as u8).take_while(|byte| *byte != 0).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_device_gets_machine_code_and_a_newer_one_ptx() {
        let supported = [75, 80, 86, 90];
        let option = |capability| target(capability, &supported).map(|target| (target.option, target.cubin));
        assert_eq!(option((9, 0)), Some(("--gpu-architecture=sm_90".to_owned(), true)));
        assert_eq!(option((8, 6)), Some(("--gpu-architecture=sm_86".to_owned(), true)));
        assert_eq!(option((12, 0)), Some(("--gpu-architecture=compute_90".to_owned(), false)));
        assert_eq!(option((7, 0)), None);
    }

    #[test]
    fn the_source_holds_every_kernel() {
        for kernel in super::super::chip::Kernel::ALL {
            assert!(SOURCE.contains(&format!("\n{}(", kernel.name())), "{}", kernel.name());
        }
    }
}
