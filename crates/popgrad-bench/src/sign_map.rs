//! W4: the map of `L12` (Tian 2017, Fig. 10 c): signs, certain signs, and the stored map in pieces of 10 MB.

use crate::clock::{once, time};
use crate::report;
use popgrad::{L12Map, SignForm, SignSurvey};

/// Bytes of the pieces in which the map is stored.
const PIECES: [(&str, usize); 2] = [("map in 10 MB pieces", 10_000_000), ("map in 1 MB pieces", 1_000_000)];
/// Bytes written to measure the bandwidth: far more than the caches hold.
const STREAM: usize = 1 << 28;

/// Times the signs of the map of `thetas x phis` angles, counted as the peer counts them.
pub(crate) fn signs(thetas: usize, phis: usize) -> Result<(), String> {
    let size = format!("{thetas},{phis}");
    let survey = |form| {
        let map = L12Map::try_new(thetas, phis).map_err(|e| e.to_string())?;
        SignSurvey::new(map, form).run().map_err(|e| e.to_string())
    };
    for form in [SignForm::Plain, SignForm::Certified] {
        let violations = survey(form)?.violations;
        if violations > 0 {
            return Err(format!("{violations} of our signs are not those of Conjecture 1"));
        }
    }
    let signs = time(|| survey(SignForm::Plain));
    let certain = time(|| survey(SignForm::Certified));
    report("sign-map", "signs", &size, signs, &[]);
    let share = [("times_plain", certain.least / signs.least)];
    report("sign-map", "certified signs", &size, certain, &share);
    Ok(())
}

/// Times the stored map, in pieces into one buffer and whole into another, with the bandwidth reached.
pub(crate) fn values(thetas: usize, phis: usize) -> Result<(), String> {
    let size = format!("{thetas},{phis}");
    let mut buffer = Vec::new();
    let peak = bandwidth();
    let bytes = (thetas * phis * 8) as f64;
    for (name, most) in PIECES.into_iter().chain([("map, one buffer", usize::MAX)]) {
        let rows = (most / (8 * phis)).clamp(1, thetas);
        buffer.resize(rows * phis, 0.0);
        fill(thetas, phis, rows, &mut buffer)?;
        let timing = time(|| fill(thetas, phis, rows, &mut buffer));
        let rate = bytes / timing.least;
        let more = [("bytes_per_second", rate), ("of_write_bandwidth", rate / peak)];
        report("value-map", name, &size, timing, &more);
    }
    Ok(())
}

fn fill(thetas: usize, phis: usize, rows: usize, buffer: &mut [f64]) -> Result<(), String> {
    let map = L12Map::try_new(thetas, phis).map_err(|e| e.to_string())?;
    for start in (0..thetas).step_by(rows) {
        let end = thetas.min(start + rows);
        map.values_into(start..end, &mut buffer[..(end - start) * phis]).map_err(|e| e.to_string())?;
    }
    Ok(())
}

/// Bytes a second that this core writes to memory, the best of several passes over a large buffer.
fn bandwidth() -> f64 {
    let mut buffer = vec![1.0_f64; STREAM / 8];
    let mut pass = |value: u8| once(|| std::hint::black_box(&mut buffer).fill(f64::from(value))).1;
    let best = (1..=8).map(&mut pass).fold(f64::INFINITY, f64::min);
    STREAM as f64 / best
}
