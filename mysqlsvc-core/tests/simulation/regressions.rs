//! Seeds that once broke something. To add one, add its number.

use crate::scenario::Scenario;

/// They mean the same only as long as what a scenario is made of stays.
pub fn scenarios() -> Vec<Scenario> {
    let plain = PLAIN.iter().map(|seed| Scenario::plain(*seed));
    plain.chain(SEEDS.iter().map(|seed| Scenario::of(*seed))).collect()
}

const PLAIN: &[u64] = &[
    20, 22, 69, 76, 93, 101, 116, 132, 244, 260, 296, 506, 665, 760, 859, 930, 945, 1021, 1033,
    1167, 1605, 1902, 2049, 2051, 2245, 2381, 2482, 2533, 2705, 2760, 2774, 2789, 3009,
];

const SEEDS: &[u64] = &[116, 288, 338, 466, 493, 669, 1433, 1822, 1851, 1894, 2107, 4267];
