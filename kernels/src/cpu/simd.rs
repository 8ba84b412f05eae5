//! Compiles one piece of code for several instruction sets and picks at run time.
//!
//! The code itself is plain Rust over fixed-width lanes; compiled with wider features enabled, the compiler
//! turns the lanes into vector instructions. Nothing here changes what is computed, only with which
//! instructions.

/// Number of f32 lanes that kernels work in: one AVX-512 register, two AVX2 registers.
pub(crate) const LANES: usize = 16;

/// Defines a function that runs `$body::<FUSED>` with the widest instruction set of this CPU.
///
/// `$body` must be `#[inline(always)]` and generic over `const FUSED: bool`, which says whether fused
/// multiply-add is a single instruction.
macro_rules! dispatch {
    ($(#[$doc:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? = $body:ident) => {
        $(#[$doc])*
        $vis fn $name($($arg: $ty),*) $(-> $ret)? {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
                fn avx512($($arg: $ty),*) $(-> $ret)? {
                    $body::<true>($($arg),*)
                }
                #[target_feature(enable = "avx2,fma")]
                fn avx2($($arg: $ty),*) $(-> $ret)? {
                    $body::<true>($($arg),*)
                }
                if is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("fma")
                {
                    // SAFETY: every feature that the function enables was just detected.
                    return unsafe { avx512($($arg),*) };
                }
                if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                    // SAFETY: every feature that the function enables was just detected.
                    return unsafe { avx2($($arg),*) };
                }
            }
            // AArch64 has fused multiply-add in its baseline.
            $body::<{ cfg!(target_arch = "aarch64") }>($($arg),*)
        }
    };
}

pub(crate) use dispatch;
