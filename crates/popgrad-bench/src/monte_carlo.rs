//! W6: the gating function by sampling, over all coordinates and in the plane of its two vectors.

use crate::clock::time;
use crate::report;
use popgrad::{
    Estimate, MonteCarloError, RandomStream, SampleLaw, SamplePlan, gating, gating_monte_carlo,
    gating_monte_carlo_in_plane,
};

/// Standard errors that a component of the estimate may lie from the closed form before the run is refused.
const MOST_STANDARD_ERRORS: f64 = 6.0;

/// Times `samples` samples in `d` dimensions; the first row draws every coordinate, the second two a sample.
pub(crate) fn run(samples: usize, d: usize) -> Result<(), String> {
    let mut stream = RandomStream::new(0, 0);
    let (mut e, mut w) = (vec![0.0; d], vec![0.0; d]);
    stream.fill_normal(&mut e);
    stream.fill_normal(&mut w);
    let exact = gating(&e, &w).map_err(|e| e.to_string())?;
    let plan = SamplePlan { samples: samples as u64, seed: 0 };
    let size = format!("{samples},{d}");
    let all = || gating_monte_carlo(&e, &w, SampleLaw::Gaussian, plan);
    check(all(), &exact)?;
    report("monte-carlo", "gating_monte_carlo", &size, time(all), &[]);
    let plane = || gating_monte_carlo_in_plane(&e, &w, plan);
    check(plane(), &exact)?;
    report("monte-carlo", "..._in_plane", &size, time(plane), &[]);
    Ok(())
}

fn check(estimate: Result<Estimate, MonteCarloError>, exact: &[f64]) -> Result<(), String> {
    let estimate = estimate.map_err(|e| e.to_string())?;
    let errors = estimate.mean.iter().zip(exact).zip(&estimate.standard_error);
    let worst = errors.map(|((m, x), s)| (m - x).abs() / s).fold(0.0, f64::max);
    if worst <= MOST_STANDARD_ERRORS {
        return Ok(());
    }
    Err(format!("a component lies {worst:.1} standard errors from the closed form"))
}
