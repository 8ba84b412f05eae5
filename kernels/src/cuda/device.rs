//! The GPU: memory, one stream, the compiled kernels and cuBLASLt.

use super::chip::{Arg, Chip, Kernel, Product, outside};
use super::compile::{Image, compile};
use super::library;
use super::products::Products;
use crate::backend::BackendError;
use cudarc::driver::{
    CudaContext, CudaFunction, CudaStream, DriverError, LaunchConfig, PushKernelArg, result, sys,
};
use cudarc::nvrtc::Ptx;
use std::sync::Arc;

/// The least compute capability with bf16 tensor cores.
const LEAST_CAPABILITY: (i32, i32) = (8, 0);
/// What is asked for where nothing is: the driver gives no memory of no size.
const LEAST_BYTES: usize = 256;

/// A GPU with everything the forward pass asks of it.
pub(super) struct CudaChip {
    stream: Arc<CudaStream>,
    /// In the order of `Kernel::ALL`.
    functions: Vec<CudaFunction>,
    products: Products,
    workspace: DeviceMemory,
}

/// Memory of the GPU.
pub(super) struct DeviceMemory {
    address: sys::CUdeviceptr,
    bytes: usize,
    stream: Arc<CudaStream>,
}

impl DeviceMemory {
    fn new(stream: &Arc<CudaStream>, bytes: usize) -> Result<Self, BackendError> {
        stream.context().bind_to_thread().map_err(|error| failed("choosing the GPU", error))?;
        // SAFETY: the size is not zero, and nothing reads the memory before it is written.
        let address = unsafe { result::malloc_sync(bytes.max(LEAST_BYTES)) }
            .map_err(|error| failed(&format!("taking {bytes} bytes of the GPU's memory"), error))?;
        Ok(Self { address, bytes, stream: Arc::clone(stream) })
    }

    fn place(&self, offset: usize, len: usize) -> Result<sys::CUdeviceptr, BackendError> {
        match offset.checked_add(len) {
            Some(end) if end <= self.bytes => Ok(self.address + offset as u64),
            _ => Err(outside()),
        }
    }
}

impl Drop for DeviceMemory {
    fn drop(&mut self) {
        // There is nobody to tell of an error; a device that fails here fails the next call too.
        let _ = self.stream.context().bind_to_thread();
        let _ = self.stream.synchronize();
        // SAFETY: taken by `malloc_sync`, given back here only, with no work left that uses it.
        let _ = unsafe { result::free_sync(self.address) };
    }
}

/// What is known of a GPU before any work.
pub(super) struct Facts {
    pub(super) name: String,
    pub(super) multiprocessors: usize,
    capability: (i32, i32),
}

/// The GPUs' names.
pub(super) fn list() -> Result<Vec<String>, BackendError> {
    library::driver()?;
    library::compiler()?;
    library::products()?;
    library::guarded(|| {
        result::init().map_err(unusable)?;
        let count = result::device::get_count().map_err(unusable)?;
        let names = (0..count).map(|ordinal| result::device::get(ordinal).and_then(result::device::get_name));
        let names = names.collect::<Result<Vec<_>, _>>().map_err(unusable)?;
        if names.is_empty() {
            return Err(BackendError::Device("staying on the CPU: the NVIDIA driver sees no GPU".to_owned()));
        }
        Ok(names)
    })
}

impl CudaChip {
    /// Opens a GPU and compiles the kernels for heads of so many numbers.
    pub(super) fn open(ordinal: usize, head_dim: usize) -> Result<(Self, Facts), BackendError> {
        let names = list()?;
        if ordinal >= names.len() {
            return Err(BackendError::Device(format!(
                "staying on the CPU: there is no GPU {ordinal}, but {} ({})",
                names.len(),
                names.join(", ")
            )));
        }
        library::guarded(|| {
            let context = CudaContext::new(ordinal).map_err(unusable)?;
            let facts = Facts::read(&context)?;
            if facts.capability < LEAST_CAPABILITY {
                return Err(BackendError::Device(format!(
                    "staying on the CPU: {} has compute capability {}.{}, and bf16 needs {}.{}",
                    facts.name,
                    facts.capability.0,
                    facts.capability.1,
                    LEAST_CAPABILITY.0,
                    LEAST_CAPABILITY.1
                )));
            }
            let stream = context.new_stream().map_err(unusable)?;
            let image = match compile(head_dim, facts.capability)? {
                Image::Cubin(bytes) => Ptx::from_binary(bytes),
                Image::Ptx(text) => Ptx::from_src(text),
            };
            let module = context.load_module(image).map_err(unusable)?;
            let functions = Kernel::ALL.iter().map(|kernel| module.load_function(kernel.name()));
            let functions = functions.collect::<Result<_, _>>().map_err(unusable)?;
            let products = Products::new()?;
            let workspace = DeviceMemory::new(&stream, super::products::WORKSPACE)?;
            Ok((Self { stream, functions, products, workspace }, facts))
        })
    }

    /// Bytes of the GPU's memory that nobody has taken.
    pub(super) fn free_bytes(&self) -> Result<usize, BackendError> {
        let (free, _) =
            self.stream.context().mem_get_info().map_err(|error| failed("asking for memory", error))?;
        Ok(free)
    }
}

impl Facts {
    fn read(context: &CudaContext) -> Result<Self, BackendError> {
        let count = sys::CUdevice_attribute_enum::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT;
        let multiprocessors = context.attribute(count).map_err(unusable)?;
        Ok(Self {
            name: context.name().map_err(unusable)?,
            multiprocessors: usize::try_from(multiprocessors).unwrap_or(1),
            capability: context.compute_capability().map_err(unusable)?,
        })
    }
}

impl Chip for CudaChip {
    type Memory = DeviceMemory;

    fn take(&self, bytes: usize) -> Result<DeviceMemory, BackendError> {
        DeviceMemory::new(&self.stream, bytes)
    }

    fn address(memory: &DeviceMemory) -> u64 {
        memory.address
    }

    fn upload(&self, memory: &mut DeviceMemory, offset: usize, bytes: &[u8]) -> Result<(), BackendError> {
        let to = memory.place(offset, bytes.len())?;
        let context = self.stream.context();
        context.bind_to_thread().map_err(|error| failed("choosing the GPU", error))?;
        // SAFETY: `place` keeps the copy inside the memory; `bytes` is borrowed until the stream is done.
        unsafe { result::memcpy_htod_async(to, bytes, self.stream.cu_stream()) }
            .and_then(|()| self.stream.synchronize())
            .map_err(|error| failed("copying to the GPU", error))
    }

    fn download(&self, memory: &DeviceMemory, offset: usize, bytes: &mut [u8]) -> Result<(), BackendError> {
        let from = memory.place(offset, bytes.len())?;
        let context = self.stream.context();
        context.bind_to_thread().map_err(|error| failed("choosing the GPU", error))?;
        // SAFETY: as for `upload`; every bit pattern is a byte.
        unsafe { result::memcpy_dtoh_async(bytes, from, self.stream.cu_stream()) }
            .and_then(|()| self.stream.synchronize())
            .map_err(|error| failed("waiting for the GPU", error))
    }

    unsafe fn launch(&self, kernel: Kernel, blocks: (u32, u32), args: &[Arg]) -> Result<(), BackendError> {
        let function = self.functions.get(kernel as usize).ok_or_else(outside)?;
        let mut launch = self.stream.launch_builder(function);
        for arg in args {
            match arg {
                Arg::Address(address) => launch.arg(address),
                Arg::Int(number) => launch.arg(number),
                Arg::Float(number) => launch.arg(number),
            };
        }
        let config = LaunchConfig {
            grid_dim: (blocks.0, blocks.1, 1),
            block_dim: (kernel.threads(), 1, 1),
            shared_mem_bytes: 0,
        };
        // SAFETY: the caller answers for arguments and memory.
        let started = unsafe { launch.launch(config) };
        started.map(|_| ()).map_err(|error| failed(&format!("the kernel `{}`", kernel.name()), error))
    }

    unsafe fn multiply(&self, product: Product) -> Result<(), BackendError> {
        let context = self.stream.context();
        context.bind_to_thread().map_err(|error| failed("choosing the GPU", error))?;
        // SAFETY: the caller answers for the matrices; the workspace has the size that `Products` counts on,
        // and lives as long as the stream is used here.
        unsafe { self.products.run(product, self.workspace.address, self.stream.cu_stream()) }
    }
}

fn code(error: DriverError) -> String {
    match error.error_name() {
        Ok(name) => name.to_string_lossy().into_owned(),
        Err(_) => format!("{:?}", error.0),
    }
}

fn unusable(error: DriverError) -> BackendError {
    BackendError::Device(format!("staying on the CPU: the GPU can't be used ({})", code(error)))
}

fn failed(what: &str, error: DriverError) -> BackendError {
    BackendError::Forward(format!("{what} failed on the GPU ({})", code(error)))
}
