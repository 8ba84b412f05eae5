//! Which instructions this CPU has.

/// Instructions that a product is compiled for, from those that every CPU has to the fastest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Instructions {
    /// Plain Rust: the reference.
    Scalar,
    /// 256-bit vectors, products of bytes in pairs (`vpmaddubsw`).
    Avx2,
    /// 512-bit vectors, products of four bytes at once (`vpdpbusd`).
    Avx512Vnni,
    /// 512-bit vectors, products of two bf16 numbers at once (`vdpbf16ps`), beside those of bytes.
    Avx512Bf16,
    /// Tiles of 16 by 32 bf16 numbers (`tdpbf16ps`).
    Amx,
}

impl Instructions {
    /// All of them, slowest first.
    pub const ALL: [Self; 5] = [Self::Scalar, Self::Avx2, Self::Avx512Vnni, Self::Avx512Bf16, Self::Amx];

    /// Whether this CPU, and its operating system, can run them.
    #[must_use]
    pub fn available(self) -> bool {
        match self {
            Self::Scalar => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Vnni => {
                is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vnni")
            }
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Bf16 => Self::Avx512Vnni.available() && is_x86_feature_detected!("avx512bf16"),
            #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
            Self::Amx => Self::Avx512Bf16.available() && super::product::amx::available(),
            #[allow(unreachable_patterns)]
            _ => false,
        }
    }

    /// The fastest that this CPU has.
    #[must_use]
    pub fn best() -> Self {
        Self::ALL.into_iter().rev().find(|set| set.available()).unwrap_or(Self::Scalar)
    }

    /// Short name, as it stands in a backend's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Avx2 => "avx2",
            Self::Avx512Vnni => "avx512-vnni",
            Self::Avx512Bf16 => "avx512-bf16",
            Self::Amx => "amx",
        }
    }
}
