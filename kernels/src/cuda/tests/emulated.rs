//! A device that is none: the very kernels of the `.cu` files, compiled for the CPU by the system's C++
//! compiler together with emulator.cpp, and products done one number at a time.

use super::super::chip::{Arg, Chip, Kernel, Output, Product, outside};
use crate::backend::BackendError;
use half::bf16;
use std::ffi::{CString, c_char, c_int, c_uint, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Command;

unsafe extern "C" {
    fn dlopen(path: *const c_char, flags: c_int) -> *mut c_void;
    fn dlsym(library: *mut c_void, name: *const c_char) -> *mut c_void;
}
const RTLD_NOW: c_int = 2;

type Emulate = unsafe extern "C" fn(*const c_char, c_uint, c_uint, c_uint, *mut *mut c_void) -> c_int;

pub(super) struct EmulatedChip {
    emulate: Emulate,
}

impl EmulatedChip {
    /// `None`, with a line printed, where there is no C++ compiler.
    pub(super) fn new(head_dim: usize) -> Option<Self> {
        let folder = std::env::temp_dir().join(format!("bonafide-emulator-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let library = folder.join(format!("head-{head_dim}.so"));
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cuda/emulator.cpp");
        let compiler = std::env::var_os("CXX").unwrap_or_else(|| "c++".into());
        let run = Command::new(&compiler)
            .args(["-std=c++17", "-O2", "-shared", "-fPIC", "-Wno-unknown-pragmas"])
            // The check that some systems turn on takes a jump to another stack for an error.
            .arg("-U_FORTIFY_SOURCE")
            .arg(format!("-DHEAD_DIM={head_dim}"))
            .arg(&source)
            .arg("-o")
            .arg(&library)
            .output();
        let Ok(output) = run else {
            eprintln!("skipped: no C++ compiler {compiler:?} to emulate the GPU with");
            return None;
        };
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let path = CString::new(library.as_os_str().as_bytes()).unwrap();
        // SAFETY: both strings end in zero; the library is the one compiled above, whose constructors do
        // nothing, and it stays loaded. `emulate` has the type that emulator.cpp gives it.
        let emulate = unsafe {
            let handle = dlopen(path.as_ptr(), RTLD_NOW);
            assert!(!handle.is_null(), "the emulator does not load");
            let symbol = dlsym(handle, c"emulate".as_ptr());
            assert!(!symbol.is_null(), "the emulator has no entry");
            std::mem::transmute::<*mut c_void, Emulate>(symbol)
        };
        let _ = std::fs::remove_file(&library);
        let _ = std::fs::remove_dir(&folder);
        Some(Self { emulate })
    }
}

#[repr(align(256))]
#[derive(Clone, Copy)]
struct Line([u8; 256]);

/// Filled with NaN, so that reading what nobody wrote shows.
pub(super) struct HostMemory {
    lines: Vec<Line>,
    bytes: usize,
}

impl Chip for EmulatedChip {
    type Memory = HostMemory;

    fn take(&self, bytes: usize) -> Result<HostMemory, BackendError> {
        Ok(HostMemory { lines: vec![Line([0xff; 256]); bytes.div_ceil(256)], bytes })
    }

    fn address(memory: &HostMemory) -> u64 {
        memory.lines.as_ptr().expose_provenance() as u64
    }

    fn upload(&self, memory: &mut HostMemory, offset: usize, bytes: &[u8]) -> Result<(), BackendError> {
        let all = memory.lines.iter_mut().flat_map(|line| line.0.iter_mut());
        if offset + bytes.len() > memory.bytes {
            return Err(outside());
        }
        all.skip(offset).zip(bytes).for_each(|(to, from)| *to = *from);
        Ok(())
    }

    fn download(&self, memory: &HostMemory, offset: usize, bytes: &mut [u8]) -> Result<(), BackendError> {
        if offset + bytes.len() > memory.bytes {
            return Err(outside());
        }
        let all = memory.lines.iter().flat_map(|line| line.0.iter());
        all.skip(offset).zip(bytes).for_each(|(from, to)| *to = *from);
        Ok(())
    }

    unsafe fn launch(&self, kernel: Kernel, blocks: (u32, u32), args: &[Arg]) -> Result<(), BackendError> {
        let mut words: Vec<u64> = args
            .iter()
            .map(|arg| match *arg {
                Arg::Address(address) => address,
                Arg::Int(number) => u64::from(number.cast_unsigned()),
                Arg::Float(number) => u64::from(number.to_bits()),
            })
            .collect();
        let mut pointers: Vec<*mut c_void> =
            words.iter_mut().map(|word| std::ptr::from_mut(word).cast()).collect();
        let name = CString::new(kernel.name()).unwrap();
        // SAFETY: the caller passes what the kernel takes; each pointer is to a word whose first bytes are
        // the argument on a little-endian machine.
        let known = unsafe {
            (self.emulate)(name.as_ptr(), blocks.0, blocks.1, kernel.threads(), pointers.as_mut_ptr())
        };
        assert_eq!(known, 1, "no kernel {}", kernel.name());
        Ok(())
    }

    unsafe fn multiply(&self, product: Product) -> Result<(), BackendError> {
        let Product { rows, outputs, dim, output, .. } = product;
        let bits = |address: u64, len: usize| {
            let start = std::ptr::with_exposed_provenance::<u16>(address as usize);
            // SAFETY: the caller keeps the matrices inside live memory.
            let bits = unsafe { std::slice::from_raw_parts(start, len) };
            bits.iter().map(|bits| bf16::from_bits(*bits).to_f32()).collect::<Vec<f32>>()
        };
        let (inputs, weights) = (bits(product.inputs, rows * dim), bits(product.weights, outputs * dim));
        for (row, x) in inputs.chunks(dim).enumerate() {
            for (column, w) in weights.chunks(dim).enumerate() {
                let sum: f32 = x.iter().zip(w).map(|(x, w)| x * w).sum();
                let at = row * outputs + column;
                let out = product.out as usize;
                // SAFETY: as above, with `at` below rows * outputs.
                unsafe {
                    match output {
                        Output::Bf16 => {
                            let to = std::ptr::with_exposed_provenance_mut::<u16>(out).add(at);
                            to.write(bf16::from_f32(sum).to_bits());
                        }
                        Output::F32 => std::ptr::with_exposed_provenance_mut::<f32>(out).add(at).write(sum),
                        Output::AddF32 => {
                            let to = std::ptr::with_exposed_provenance_mut::<f32>(out).add(at);
                            to.write(to.read() + sum);
                        }
                    }
                }
            }
        }
        Ok(())
    }
}
