//! Hashes that are the same on every machine, for what is kept by them. None of them is a secret's.

/// FNV-1a of 64 bits. <https://datatracker.ietf.org/doc/html/draft-eastlake-fnv>
#[must_use]
pub fn fnv1a(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xCBF2_9CE4_8422_2325, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3))
}

/// Spreads a number over all 64 bits (the finisher of SplitMix64, Steele et al. 2014), so that any of them can choose a place
/// in a table.
#[must_use]
pub fn spread(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}
