//! Processor seconds of a repeated body, by the same rule as `peers/common.py`.

use cpu_time::ProcessTime;
use std::hint::black_box;

/// A repetition loops the body until it takes this many processor seconds.
const LEAST_SECONDS: f64 = 0.05;
/// Repetitions; the median is reported.
const REPETITIONS: usize = 7;
/// A body slower than this many seconds is repeated three times only.
const SLOW_SECONDS: f64 = 4.0;

/// What a timing gave.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    /// Median processor seconds of one call.
    pub(crate) cpu_seconds: f64,
    /// The least of the repetitions.
    pub(crate) least: f64,
}

/// The result of a body and the processor seconds it took, once.
pub(crate) fn once<T>(body: impl FnOnce() -> T) -> (T, f64) {
    let start = ProcessTime::now();
    let result = body();
    (result, start.elapsed().as_secs_f64())
}

/// Times a body: one warm-up, one call to set the length of the loop, then the median over repetitions.
pub(crate) fn time<T>(mut body: impl FnMut() -> T) -> Timing {
    black_box(body());
    let start = ProcessTime::now();
    black_box(body());
    let one = start.elapsed().as_secs_f64().max(1e-9);
    let mut inner = calls(LEAST_SECONDS / one);
    // A first call of a fast body is dominated by the clock and by cold caches: one more measurement.
    if inner > 1000 {
        inner = calls(LEAST_SECONDS / loop_seconds(&mut body, inner / 100).max(1e-10));
    }
    let repetitions = if one > SLOW_SECONDS { 3 } else { REPETITIONS };
    let mut seconds: Vec<f64> = (0..repetitions).map(|_| loop_seconds(&mut body, inner)).collect();
    seconds.sort_by(f64::total_cmp);
    Timing { cpu_seconds: seconds[repetitions / 2], least: seconds[0] }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a positive count below 1e9
fn calls(wanted: f64) -> usize {
    wanted.clamp(1.0, 1e9) as usize
}

/// Processor seconds a call, over `inner` calls.
fn loop_seconds<T>(body: &mut impl FnMut() -> T, inner: usize) -> f64 {
    let start = ProcessTime::now();
    for _ in 0..inner {
        black_box(body());
    }
    start.elapsed().as_secs_f64() / inner as f64
}
