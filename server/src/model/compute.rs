//! Where and in which numbers a model is run: the user's choice, and what comes of it on this machine.

use super::gguf::LoadError;
use bonafide_kernels::backend::Backend;
use bonafide_kernels::cpu::{self, CpuBackend, CpuOptions};
use bonafide_kernels::weights::Model;
use serde::Deserialize;

/// What computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Device {
    /// A CUDA GPU where there is one, else the CPU
    #[default]
    Auto,
    /// The CPU
    Cpu,
    /// A CUDA GPU, or an error that says why not
    Cuda,
}

/// How numbers are held and multiplied on the CPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// The fastest that keeps the scores
    #[default]
    Auto,
    /// 32-bit floating point: the reference, several times slower
    F32,
    /// Products of 8-bit integers
    Int8,
    /// Products of bfloat16 numbers: with AMX the fastest, and the least exact
    Bf16,
}

/// What computes, with how many threads, in which numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::Args)]
pub struct Compute {
    /// Threads for arithmetic [default: one a core]
    #[arg(long, value_name = "N", value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=1024))]
    pub threads: Option<usize>,
    /// What computes [default: auto]
    #[arg(long, value_enum)]
    pub device: Option<Device>,
    /// How numbers are held on the CPU [default: auto]
    #[arg(long, value_enum)]
    pub precision: Option<Precision>,
}

impl Compute {
    /// These choices, and those of `other` where there is none.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            threads: self.threads.or(other.threads),
            device: self.device.or(other.device),
            precision: self.precision.or(other.precision),
        }
    }

    /// Packs a model, with a second one that observes it if there is one.
    pub(crate) fn backend(
        self,
        model: &Model,
        observer: Option<&Model>,
    ) -> Result<Box<dyn Backend>, LoadError> {
        match self.device.unwrap_or_default() {
            Device::Cpu => {}
            Device::Cuda => return gpu(model, observer),
            Device::Auto => match gpu(model, observer) {
                Ok(gpu) => return Ok(gpu),
                Err(reason) if cfg!(feature = "cuda") => {
                    tracing::info!(%reason, "the CPU computes");
                }
                Err(_) => {}
            },
        }
        Ok(Box::new(self.cpu(model, observer)?))
    }

    /// The same on the CPU, whatever the device: generating runs nowhere else.
    pub(crate) fn cpu(self, model: &Model, observer: Option<&Model>) -> Result<CpuBackend, LoadError> {
        let threads = self
            .threads
            .or_else(|| std::thread::available_parallelism().ok().map(usize::from))
            .unwrap_or(1)
            .max(1);
        let precision = match self.precision.unwrap_or_default() {
            Precision::Auto => cpu::Precision::Auto,
            Precision::F32 => cpu::Precision::F32,
            Precision::Int8 => cpu::Precision::Int8,
            Precision::Bf16 => cpu::Precision::Bf16,
        };
        let options = CpuOptions { threads, precision, instructions: None };
        Ok(CpuBackend::new(model, observer, options)?)
    }
}

#[cfg(feature = "cuda")]
fn gpu(model: &Model, observer: Option<&Model>) -> Result<Box<dyn Backend>, LoadError> {
    if observer.is_some() {
        let reason = "two models are compared on the CPU only: use --device cpu";
        return Err(LoadError::Unsupported(reason.to_owned()));
    }
    Ok(Box::new(bonafide_kernels::cuda::CudaBackend::new(model, 0)?))
}

#[cfg(not(feature = "cuda"))]
fn gpu(_: &Model, _: Option<&Model>) -> Result<Box<dyn Backend>, LoadError> {
    let reason = "this build has no CUDA: build it with `--features cuda`, or use --device cpu";
    Err(LoadError::Unsupported(reason.to_owned()))
}
