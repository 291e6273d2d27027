//! Choices that come again from the same seed.

/// A generator of numbers (splitmix64); good enough to choose by, and the same everywhere.
#[derive(Clone)]
pub(super) struct Rng(u64);

impl Rng {
    /// The rng of one mutant: of the run's seed, the file and the mutant's number.
    pub(super) fn of(seed: u64, file: &str, number: u64) -> Self {
        let mut rng = Self(seed.wrapping_add(number.wrapping_mul(0x0100_0000_01b3)));
        for byte in file.bytes() {
            rng.0 = rng.0.wrapping_add(u64::from(byte));
            rng.next();
        }
        rng
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    pub(super) fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap();
        usize::try_from(self.next() % end).unwrap()
    }

    /// True in one of `n` cases.
    pub(super) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    /// One of these.
    pub(super) fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    /// Another order.
    pub(super) fn shuffle<T>(&mut self, all: &mut [T]) {
        for at in (1..all.len()).rev() {
            all.swap(at, self.below(at + 1));
        }
    }
}
