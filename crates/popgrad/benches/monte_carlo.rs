//! Workload W6: the Monte Carlo check of eq. 5 with a million samples in a hundred dimensions, by brute force over all
//! coordinates; the route by two normals a sample, timed apart; what the other laws cost; a degenerate case (d = 1).
//!
//! `cargo bench -p popgrad --bench monte_carlo`. One thread; items are coordinates of samples. The estimate is compared
//! with the closed form before anything is timed.
#![allow(clippy::unwrap_used)] // a bench fails by panicking

use divan::Bencher;
use divan::counter::ItemsCount;
use popgrad::{
    Estimate, RandomStream, SampleLaw, SamplePlan, gating, gating_monte_carlo, gating_monte_carlo_in_plane,
};

fn main() {
    divan::main();
}

fn vectors(d: usize) -> (Vec<f64>, Vec<f64>) {
    let mut stream = RandomStream::new(6, 0);
    let (mut e, mut w) = (vec![0.0; d], vec![0.0; d]);
    stream.fill_normal(&mut e);
    stream.fill_normal(&mut w);
    (e, w)
}

/// Every component within six standard errors of `kappa F(e, w)`.
fn check(sampled: &Estimate, e: &[f64], w: &[f64], kappa: f64) {
    for (i, exact) in gating(e, w).unwrap().iter().enumerate() {
        let off = (sampled.mean[i] - kappa * exact).abs();
        assert!(off <= 6.0 * sampled.standard_error[i] + 1e-15, "component {i} is off by {off}");
    }
}

/// W6 itself is `d = 100`.
#[divan::bench(args = [1, 10, 100, 1000])]
fn brute_force(bencher: Bencher, d: usize) {
    let (e, w) = vectors(d);
    let plan = SamplePlan { samples: 100_000_000 / d.max(100) as u64, seed: 0 };
    let run = || gating_monte_carlo(&e, &w, SampleLaw::Gaussian, plan).unwrap();
    check(&run(), &e, &w, 1.0);
    bencher.counter(ItemsCount::new(plan.samples * d as u64)).bench(run);
}

/// The same estimate from two normals a sample; items are samples.
#[divan::bench(args = [10, 100, 1000])]
fn two_normals(bencher: Bencher, d: usize) {
    let (e, w) = vectors(d);
    let plan = SamplePlan { samples: 1_000_000, seed: 0 };
    let run = || gating_monte_carlo_in_plane(&e, &w, plan).unwrap();
    check(&run(), &e, &w, 1.0);
    bencher.counter(ItemsCount::new(plan.samples)).bench(run);
}

/// Laws drawn one number at a time.
#[divan::bench(args = ["uniform", "laplace", "student", "sphere"])]
fn other_laws(bencher: Bencher, name: &str) {
    let d = 100;
    let law = match name {
        "uniform" => SampleLaw::Uniform,
        "laplace" => SampleLaw::Laplace,
        "student" => SampleLaw::StudentT { nu: 5.0 },
        _ => SampleLaw::Sphere { radius: 10.0 },
    };
    let (e, w) = vectors(d);
    let plan = SamplePlan { samples: 20_000, seed: 0 };
    let run = || gating_monte_carlo(&e, &w, law, plan).unwrap();
    if let SampleLaw::Sphere { .. } = law {
        check(&run(), &e, &w, law.kappa(d).unwrap());
    }
    bencher.counter(ItemsCount::new(plan.samples * d as u64)).bench(run);
}
