//! Numbers that are drawn: the same for the same seed on every machine and in every version.

use crate::eval::dataset::hash;

/// SplitMix64 (Steele, Lea and Flood 2014).
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// Begins anew for each purpose, so that no draw depends on how often another was made: a run that is resumed draws
    /// what it would have drawn.
    #[must_use]
    pub fn new(purpose: &[&[u8]]) -> Self {
        Self(hash(purpose))
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// At least 0 and below 1.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Below `size`; 0 if that is 0.
    pub fn below(&mut self, size: usize) -> usize {
        ((self.unit() * size as f64) as usize).min(size.saturating_sub(1))
    }

    /// Whether something of this probability happens.
    pub fn happens(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// Brings a list into a random order.
    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for at in (1..list.len()).rev() {
            list.swap(at, self.below(at + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn draws_are_those_of_their_purpose() {
        let draw = |purpose: &[&[u8]]| {
            let mut random = Random::new(purpose);
            (random.bits(), random.bits())
        };
        assert_eq!(draw(&[b"a", b"1"]), draw(&[b"a", b"1"]));
        assert_ne!(draw(&[b"a", b"1"]), draw(&[b"a1"]));
        let (first, second) = draw(&[b"a"]);
        assert_ne!(first, second);
    }

    #[test]
    fn draws_are_even() {
        let mut random = Random::new(&[b"even"]);
        let mut counts = [0; 4];
        for _ in 0..4000 {
            counts[random.below(4)] += 1;
        }
        assert!(counts.iter().all(|count| (900..1100).contains(count)), "{counts:?}");
        let happened = (0..4000).filter(|_| random.happens(0.1)).count();
        assert!((300..500).contains(&happened), "{happened}");
    }

    #[test]
    fn shuffling_keeps_everything() {
        let mut list: Vec<usize> = (0..50).collect();
        Random::new(&[b"order"]).shuffle(&mut list);
        assert_ne!(list, (0..50).collect::<Vec<_>>());
        list.sort_unstable();
        assert_eq!(list, (0..50).collect::<Vec<_>>());
    }
}
