//! Golden values of the tests: `crates/popgrad-proof/tests/fixtures/conjecture1.txt`, made by `golden/conjecture1.py`.

use super::Region;
use crate::Interval;

/// A number to 106 bits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exact {
    high: f64,
    low: f64,
}

impl Exact {
    /// Whether the number is at least `x`, decided exactly where it is close.
    pub(super) fn at_least(self, x: f64) -> bool {
        x - self.high <= self.low
    }

    /// Whether the number lies in an interval.
    pub(super) fn inside(self, x: Interval) -> bool {
        self.at_least(x.lo()) && self.low <= x.hi() - self.high
    }
}

/// The function of a region at a point, from the 2 x 2 solve.
#[derive(Clone, Copy, Debug)]
pub(super) struct RegionRow {
    pub(super) region: Region,
    pub(super) theta: f64,
    pub(super) u: f64,
    pub(super) value: Exact,
}

/// `D/theta^2, S/theta^3, E/theta^3, Delta/(p theta^3), B/theta^3, (D - pi eta s)/theta^3` from their definitions.
#[derive(Clone, Debug)]
pub(super) struct AngleRow {
    pub(super) theta: f64,
    pub(super) divided: Vec<Exact>,
}

fn rows(wanted: fn(&str) -> bool) -> impl Iterator<Item = (&'static str, Vec<f64>)> {
    let text = include_str!("../../tests/fixtures/conjecture1.txt");
    let bits = |word: &str| f64::from_bits(u64::from_str_radix(word, 16).unwrap());
    text.lines().filter(|line| !line.starts_with('#')).filter_map(move |line| {
        let (name, numbers) = line.split_once(' ').unwrap();
        wanted(name).then(|| (name, numbers.split(' ').map(bits).collect()))
    })
}

pub(super) fn regions() -> impl Iterator<Item = RegionRow> {
    rows(|name| name != "theta").map(|(name, x)| RegionRow {
        region: Region::ALL.into_iter().find(|r| r.name() == name).unwrap(),
        theta: x[0],
        u: x[1],
        value: Exact { high: x[2], low: x[3] },
    })
}

pub(super) fn angles() -> impl Iterator<Item = AngleRow> {
    rows(|name| name == "theta").map(|(_, x)| AngleRow {
        theta: x[0],
        divided: x[1..].chunks(2).map(|v| Exact { high: v[0], low: v[1] }).collect(),
    })
}
