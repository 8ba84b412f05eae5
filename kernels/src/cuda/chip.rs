//! What the forward pass asks of a device, so that the same pass runs on a GPU and, in tests, on an emulator
//! of one.

use crate::backend::BackendError;

/// A kernel of the `.cu` files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kernel {
    Embed,
    Norm,
    Residual,
    Rotate,
    Gate,
    Attention,
    TargetLogits,
    HeadTile,
    HeadFinish,
}

impl Kernel {
    /// In the order of the discriminants.
    pub(super) const ALL: [Self; 9] = [
        Self::Embed,
        Self::Norm,
        Self::Residual,
        Self::Rotate,
        Self::Gate,
        Self::Attention,
        Self::TargetLogits,
        Self::HeadTile,
        Self::HeadFinish,
    ];

    /// The function's name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Embed => "embed",
            Self::Norm => "rms_norm",
            Self::Residual => "residual",
            Self::Rotate => "rotate",
            Self::Gate => "gate",
            Self::Attention => "attention",
            Self::TargetLogits => "target_logits",
            Self::HeadTile => "head_tile",
            Self::HeadFinish => "head_finish",
        }
    }

    /// Threads in a block; the kernels count on it.
    pub(super) fn threads(self) -> u32 {
        match self {
            Self::Embed | Self::Norm | Self::Residual | Self::Attention => 128,
            Self::Rotate | Self::Gate | Self::TargetLogits | Self::HeadTile | Self::HeadFinish => 256,
        }
    }
}

/// An argument of a kernel.
#[derive(Debug, Clone, Copy)]
pub(super) enum Arg {
    /// Of the device's memory; 0 for none.
    Address(u64),
    Int(i32),
    Float(f32),
}

/// Number format of a product's output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Output {
    Bf16,
    F32,
    /// Added to the f32 numbers that are there.
    AddF32,
}

/// out\[row\]\[output\] = inputs\[row\] . weights\[output\], both in bf16, row by row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Product {
    pub(super) weights: u64,
    pub(super) inputs: u64,
    pub(super) out: u64,
    pub(super) rows: usize,
    pub(super) outputs: usize,
    pub(super) dim: usize,
    pub(super) output: Output,
}

/// A device, or what stands in for one. Work is done in the order it is asked for.
pub(super) trait Chip {
    /// Memory of the device, given back when dropped; aligned to 256 bytes.
    type Memory: Send;

    /// Takes memory; what is in it is undefined.
    fn take(&self, bytes: usize) -> Result<Self::Memory, BackendError>;

    /// Where it begins.
    fn address(memory: &Self::Memory) -> u64;

    /// Copies to `offset` bytes into the memory.
    fn upload(&self, memory: &mut Self::Memory, offset: usize, bytes: &[u8]) -> Result<(), BackendError>;

    /// Waits for all work, then copies from `offset` bytes into the memory.
    fn download(&self, memory: &Self::Memory, offset: usize, bytes: &mut [u8]) -> Result<(), BackendError>;

    /// Starts a kernel on `blocks` blocks.
    ///
    /// # Safety
    ///
    /// The arguments are those of the kernel, and its blocks stay inside the memory at the addresses, which
    /// lives until the work is done.
    unsafe fn launch(&self, kernel: Kernel, blocks: (u32, u32), args: &[Arg]) -> Result<(), BackendError>;

    /// Starts a product.
    ///
    /// # Safety
    ///
    /// The matrices lie inside memory that lives until the work is done.
    unsafe fn multiply(&self, product: Product) -> Result<(), BackendError>;
}

/// The error of a copy that leaves its memory: a fault of this program, not of the device.
pub(super) fn outside() -> BackendError {
    BackendError::Forward("a copy would leave the device memory it belongs to".to_owned())
}
