//! What one core can do at most: fused multiply-adds, square roots and divisions in registers, and reading memory.
//!
//! A kernel's share of the limit is judged against these, measured in the same process.

use crate::clock::time;
use crate::report;
use fearless_simd::{Level, Simd, SimdBase, SimdFloat, dispatch, f64x8};
use std::hint::black_box;

/// Independent chains: enough to hide the latency of any of the three instructions.
const CHAINS: usize = 16;
/// Rounds over the chains in one call.
const ROUNDS: usize = 4096;
/// Numbers that are read: 256 MiB, many times the caches.
const READ: usize = 1 << 25;

/// Seconds that one lane of an instruction takes where nothing but the instruction's own throughput counts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    fused: f64,
    root: f64,
    quotient: f64,
}

/// Instructions of one lane.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Work {
    /// Fused multiply-adds of the products and sums that the formula has.
    pub(crate) formula: f64,
    /// All fused multiply-adds and products of the kernel, with the polynomials of its angles.
    pub(crate) kernel: f64,
    /// Angles, lengths, and their reciprocals.
    pub(crate) angles: f64,
    pub(crate) lengths: f64,
}

impl Limits {
    pub(crate) fn measure() -> Self {
        let level = Level::new();
        let lanes = (CHAINS * ROUNDS * 8) as f64;
        let half = 0.5;
        let fused = time(
            || dispatch!(level, simd => chains(simd, |simd, x| x.mul_add(f64x8::splat(simd, half), f64x8::splat(simd, half)))),
        );
        let root = time(|| dispatch!(level, simd => chains(simd, |_, x| x.sqrt())));
        let quotient = time(|| dispatch!(level, simd => chains(simd, |simd, x| f64x8::splat(simd, 1.5) / x)));
        Self { fused: fused.least / lanes, root: root.least / lanes, quotient: quotient.least / lanes }
    }

    /// The shares of two limits that `seconds` for `work` reach: the usual one, the formula's multiply-adds and two square roots
    /// for an angle one after the other; and the kernel's own multiply-adds alone, everything else hidden behind them.
    pub(crate) fn shares(self, work: Work, seconds: f64) -> [(&'static str, f64); 2] {
        let roots = 2.0 * work.angles + work.lengths;
        let usual = work.formula * self.fused + roots * self.root + work.lengths * self.quotient;
        [("share_of_limit", usual / seconds), ("share_of_multiply_adds", work.kernel * self.fused / seconds)]
    }
}

/// Prints the rates of one core, in operations of one lane a second.
pub(crate) fn run() {
    let limits = Limits::measure();
    for (case, seconds) in
        [("fused multiply-add", limits.fused), ("square root", limits.root), ("division", limits.quotient)]
    {
        let timing = crate::clock::Timing { cpu_seconds: seconds, least: seconds };
        report("limits", case, "1", timing, &[("giga_a_second", 1e-9 / seconds)]);
    }
    let level = Level::new();
    let numbers = vec![1.0_f64; READ];
    let read = time(|| dispatch!(level, simd => total(simd, black_box(&numbers))));
    report("limits", "reading", "1", read, &[("gigabytes_a_second", (8 * READ) as f64 / read.least / 1e9)]);
}

/// Applies an operation to all chains again and again.
#[inline(always)]
fn chains<S: Simd>(simd: S, operation: impl Fn(S, f64x8<S>) -> f64x8<S>) -> f64 {
    let mut x = [f64x8::splat(simd, black_box(1.25)); CHAINS];
    for _ in 0..ROUNDS {
        for chain in &mut x {
            *chain = operation(simd, *chain);
        }
    }
    x.iter().map(|chain| chain[0]).sum()
}

/// The sum of all numbers, in as many partial sums as there are chains.
#[inline(always)]
fn total<S: Simd>(simd: S, numbers: &[f64]) -> f64 {
    let mut sums = [f64x8::splat(simd, 0.0); CHAINS];
    for block in numbers.chunks_exact(8 * CHAINS) {
        for (sum, part) in sums.iter_mut().zip(block.chunks_exact(8)) {
            *sum += f64x8::from_slice(simd, part);
        }
    }
    sums.iter().map(|sum| sum[0]).sum()
}
