//! The normal law against 60 digits; the coverage of Wilson intervals; the scatter of fitted slopes.

use popgrad::accuracy::bound;
use popgrad::{
    RandomStream, SampleLaw, fit_line, fit_line_weighted, normal_cdf, normal_quantile, two_sided_bound,
    wilson_interval,
};
use serde_json::Value;

/// Pairs of an exact double and a decimal of 25 digits.
fn pairs(name: &str) -> Vec<(f64, f64)> {
    let fixture: Value = serde_json::from_str(include_str!("../fixtures/normal_law.json")).unwrap();
    fixture[name]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| (p[0].as_f64().unwrap(), p[1].as_str().unwrap().parse().unwrap()))
        .collect()
}

fn worst_relative(name: &str, f: impl Fn(f64) -> f64) -> f64 {
    let errors = pairs(name).into_iter().map(|(x, want)| {
        let error = (f(x) / want - 1.0).abs() / f64::EPSILON;
        if error > 4.0 {
            eprintln!("{name}({x:e}): {:e}, wanted {want:e}: {error:.1} EPSILON", f(x));
        }
        error
    });
    errors.fold(0.0, f64::max)
}

#[test]
fn golden_normal_cdf() {
    let worst = worst_relative("cdf", normal_cdf);
    assert!(worst <= bound("normal_cdf").unwrap().factor, "worst relative error {worst} EPSILON");
}

#[test]
fn golden_normal_quantile() {
    let worst = worst_relative("quantile", |p| normal_quantile(p).unwrap());
    assert!(worst <= bound("normal_quantile").unwrap().factor, "worst relative error {worst} EPSILON");
}

#[test]
fn the_quantile_inverts_the_distribution_function() {
    for i in 1..1000 {
        let x = -8.0 + 0.008 * f64::from(i);
        let back = normal_quantile(normal_cdf(x)).unwrap();
        // d x = d p / density(x), and d p <= 6 EPSILON p; p / density <= 1.26 and falls like 1/|x|.
        assert!((back - x).abs() <= 32.0 * f64::EPSILON * x.abs().max(1.0), "{x}: {back}");
    }
}

#[test]
fn infinite_and_invalid_arguments() {
    assert_eq!((normal_cdf(f64::NEG_INFINITY), normal_cdf(f64::INFINITY)), (0.0, 1.0));
    assert!(normal_cdf(f64::NAN).is_nan());
    for p in [0.0, 1.0, -0.5, f64::NAN] {
        let error = normal_quantile(p).unwrap_err();
        assert_eq!(error.kind(), popgrad::Kind::Input);
    }
}

/// Independent: the exact coverage of the interval at a true share, by summing the binomial law.
#[test]
fn wilson_coverage_is_near_the_confidence() {
    for (n, p) in [(50_u64, 0.5_f64), (200, 0.9), (2000, 0.995)] {
        let log_choose = |k: u64| {
            libm::lgamma(n as f64 + 1.0) - libm::lgamma(k as f64 + 1.0) - libm::lgamma((n - k) as f64 + 1.0)
        };
        let covered: f64 = (0..=n)
            .filter(|k| {
                let w = wilson_interval(*k, n, 0.95).unwrap();
                w.low <= p && p <= w.high
            })
            .map(|k| libm::exp(log_choose(k) + k as f64 * libm::log(p) + (n - k) as f64 * libm::log(1.0 - p)))
            .sum();
        // The score interval's known oscillation about its nominal level for n p (1 - p) >= 10.
        assert!((covered - 0.95).abs() < 0.025, "n = {n}, p = {p}: coverage {covered}");
    }
}

/// Independent: slopes of lines with normal scatter, against their own standard errors; seed fixed.
#[test]
fn slope_errors_are_calibrated() {
    let mut stream = RandomStream::new(2017, 0);
    let x: Vec<f64> = (0..12).map(f64::from).collect();
    let (runs, mut ratio) = (4000, 0.0);
    for _ in 0..runs {
        let y: Vec<f64> = x.iter().map(|x| 1.0 - 0.5 * x + 0.3 * stream.normal()).collect();
        let line = fit_line(&x, &y).unwrap();
        let t = (line.slope + 0.5) / line.slope_error;
        ratio += t * t / f64::from(runs);
    }
    // t has 10 degrees of freedom: E t^2 = 10/8, var t^2 = 2 * 100 * 9 / (64 * 6) = 4.6875.
    let bound = two_sided_bound(1e-6).unwrap() * (4.6875_f64 / f64::from(runs)).sqrt();
    assert!((ratio - 1.25).abs() < bound, "{ratio} against 1.25 +- {bound}");
}

#[test]
fn derived_statistics_keep_their_rows_of_the_accuracy_table() {
    // The two-sided bound at a false alarm q is the quantile of 1 - q/2; 5 sigma by the law's own table of 60 digits.
    let (got, want) = (two_sided_bound(0.05).unwrap(), 1.959_963_984_540_054_2);
    assert!(bound("two_sided_bound").unwrap().used(got, want, want) <= 1.0, "{got} {want}");
    // A point of (almost) no weight changes nothing.
    let x = [0.0, 1.0, 2.0, 3.5, 5.0, 2.0];
    let y = [1.0, 2.9, 5.2, 7.8, 11.1, 1e3];
    let plain = fit_line(&x[..5], &y[..5]).unwrap();
    let weighted = fit_line_weighted(&x, &y, &[1.0, 1.0, 1.0, 1.0, 1.0, 1e30]).unwrap();
    let row = bound("fit_line_weighted").unwrap();
    let scale = 1.0 + plain.slope.abs() + plain.intercept.abs();
    assert!(row.used(weighted.slope, plain.slope, scale) <= 1.0, "{weighted:?} {plain:?}");
    assert!(row.used(weighted.intercept, plain.intercept, scale) <= 1.0, "{weighted:?} {plain:?}");
    for (law, d, want) in [
        (SampleLaw::Sphere { radius: 1.5 }, 5, 0.45),
        (SampleLaw::Ball { radius: 1.5 }, 5, 2.25 / 7.0),
        (SampleLaw::MultivariateT { nu: 8.0 }, 5, 8.0 / 6.0),
        (SampleLaw::Uniform, 3, 1.0 / 12.0),
    ] {
        let got = law.kappa(d).unwrap();
        assert!(bound("SampleLaw::kappa").unwrap().used(got, want, want) <= 1.0, "{got} {want}");
    }
}
