//! Chance that can be had again: SplitMix64 (Steele, Lea, Flood 2014).

/// A line of numbers that follows from its seed alone.
#[derive(Debug, Clone)]
pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to below `end`; 0 if that is 0. The bias of the remainder is of no account here.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    /// From `least` to `most`, both possible.
    pub fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most.saturating_sub(least) + 1)
    }

    /// True so many times in a thousand.
    pub fn permille(&mut self, so_many: u64) -> bool {
        self.below(1_000) < so_many
    }

    /// One of them.
    ///
    /// # Panics
    /// Where there is none.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        let place = self.below(from.len() as u64);
        &from[usize::try_from(place).unwrap()]
    }

    /// One of them, each as likely as its weight says.
    pub fn weighted<T: Copy>(&mut self, from: &[(u64, T)]) -> T {
        let mut left = self.below(from.iter().map(|(weight, _)| weight).sum());
        for (weight, what) in from {
            match left.checked_sub(*weight) {
                Some(rest) => left = rest,
                None => return *what,
            }
        }
        from[0].1
    }
}

#[test]
fn the_same_seed_gives_the_same_numbers_and_others_give_others() {
    let numbers = |seed| {
        let mut rng = Rng::new(seed);
        [rng.next(), rng.next(), rng.below(10), rng.between(3, 4)]
    };
    assert_eq!(numbers(7), numbers(7));
    assert_ne!(numbers(7), numbers(8));
    let mut rng = Rng::new(1);
    assert!((0..1_000).all(|_| (3..=4).contains(&rng.between(3, 4))));
    assert!((0..1_000).all(|_| rng.weighted(&[(0, 'a'), (5, 'b'), (1, 'c')]) != 'a'));
}
