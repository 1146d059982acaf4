//! Random streams: words by an independent ChaCha8, normals at 50 digits, frozen bits, moments of every law.

use crate::fixture::allowed;
use popgrad::{Moments, RandomStream, normal_cdf, two_sided_bound};
use serde_json::Value;

fn cases() -> Vec<Value> {
    let fixture: Value = serde_json::from_str(include_str!("../fixtures/random_stream.json")).unwrap();
    fixture["cases"].as_array().unwrap().clone()
}

fn stream(case: &Value) -> RandomStream {
    let number = |key: &str| case[key].as_str().unwrap().parse().unwrap();
    RandomStream::new(number("seed"), number("index"))
}

#[test]
fn golden_words_are_those_of_an_independent_chacha8() {
    for case in cases() {
        let mut s = stream(&case);
        for (i, word) in case["words"].as_array().unwrap().iter().enumerate() {
            let got = format!("{:016x}", s.next_u64());
            assert_eq!(got, word.as_str().unwrap(), "seed {} word {i}", case["seed"]);
        }
    }
}

#[test]
fn golden_normals_follow_their_definition() {
    for case in cases() {
        let mut s = stream(&case);
        for want in case["normal"].as_array().unwrap() {
            let (got, want) = (s.normal(), want.as_str().unwrap().parse::<f64>().unwrap());
            assert!((got / want - 1.0).abs() <= allowed("RandomStream::normal", 1.0), "{got:e} {want:e}");
        }
    }
}

/// The promised bits: two numbers of every law from one stream. A change here raises `NUMERICS`.
#[test]
fn golden_bits_of_every_law() {
    let mut s = RandomStream::new(2018, 12);
    let mut vector = [0.0; 3];
    let mut bits: Vec<u64> = Vec::new();
    for _ in 0..2 {
        bits.extend([s.uniform(), s.uniform_positive(), s.uniform_centred(), s.normal()].map(f64::to_bits));
        bits.extend([s.rademacher(), s.laplace(), s.student_t(5.0)].map(f64::to_bits));
        bits.extend([s.gamma(0.3), s.gamma(4.5)].map(f64::to_bits));
        s.fill_sphere(2.0, &mut vector);
        bits.extend(vector.map(f64::to_bits));
        s.fill_ball(2.0, &mut vector);
        bits.extend(vector.map(f64::to_bits));
        s.fill_multivariate_t(6.5, &mut vector);
        bits.extend(vector.map(f64::to_bits));
    }
    let got: Vec<String> = bits.iter().map(|b| format!("{b:016x}")).collect();
    let want: Vec<&str> = include_str!("../fixtures/random_bits.txt").split_whitespace().collect();
    assert_eq!(got, want, "numerics version {}", popgrad::NUMERICS);
}

/// Independent: raw moments of a law against their exact values, each within its own standard error; seed fixed.
fn check_moments(name: &str, mut draw: impl FnMut() -> f64, exact: &[(i32, f64)]) {
    let draws = 200_000;
    let numbers: Vec<f64> = (0..draws).map(|_| draw()).collect();
    // One budget of 1e-6 for all the moments of all the laws of this file, at most 100 of them.
    let bound = two_sided_bound(1e-8).unwrap();
    for (power, value) in exact {
        let mut m = Moments::default();
        for x in &numbers {
            m.push((0..*power).fold(1.0, |p, _| p * x));
        }
        let off = (m.mean() - value).abs() / m.standard_error().max(f64::MIN_POSITIVE);
        assert!(
            off < bound || m.mean() == *value,
            "{name}, power {power}: {} against {value}, {off} errors",
            m.mean()
        );
    }
}

#[test]
fn moments_of_scalar_laws() {
    let mut s = RandomStream::new(1, 0);
    check_moments("uniform", || s.uniform(), &[(1, 0.5), (2, 1.0 / 3.0), (3, 0.25), (6, 1.0 / 7.0)]);
    check_moments("centred", || s.uniform_centred(), &[(1, 0.0), (2, 1.0 / 12.0), (4, 1.0 / 80.0)]);
    check_moments("normal", || s.normal(), &[(1, 0.0), (2, 1.0), (3, 0.0), (4, 3.0), (5, 0.0), (6, 15.0)]);
    check_moments("rademacher", || s.rademacher(), &[(1, 0.0), (2, 1.0)]);
    check_moments("laplace", || s.laplace(), &[(1, 0.0), (2, 2.0), (3, 0.0), (4, 24.0)]);
    // Student t with 12 degrees: E t^2 = 12/10, E t^4 = 3 * 144 / (10 * 8).
    check_moments("student", || s.student_t(12.0), &[(1, 0.0), (2, 1.2), (3, 0.0), (4, 5.4)]);
    check_moments("gamma", || s.gamma(4.5), &[(1, 4.5), (2, 24.75), (3, 160.875)]);
    check_moments("gamma below one", || s.gamma(0.3), &[(1, 0.3), (2, 0.39), (3, 0.897)]);
}

#[test]
fn moments_of_rotation_invariant_laws() {
    let mut s = RandomStream::new(1, 1);
    let d = 5;
    let mut x = vec![0.0; d];
    let mut direction = |fill: &mut dyn FnMut(&mut RandomStream, &mut [f64]), name: &str, second: f64| {
        let mut draw = || {
            fill(&mut s, &mut x);
            (x[0] + 2.0 * x[3] - 2.0 * x[4]) / 3.0
        };
        check_moments(name, &mut draw, &[(1, 0.0), (2, second), (3, 0.0)]);
    };
    direction(&mut |s, x| s.fill_sphere(2.0, x), "sphere", 4.0 / 5.0);
    direction(&mut |s, x| s.fill_ball(2.0, x), "ball", 4.0 / 7.0);
    direction(&mut |s, x| s.fill_multivariate_t(14.0, x), "multivariate t", 14.0 / 12.0);
}

#[test]
fn points_on_the_sphere_have_its_radius() {
    let mut s = RandomStream::new(3, 0);
    for d in [1, 2, 7, 1000] {
        let mut x = vec![0.0; d];
        s.fill_sphere(3.0, &mut x);
        let length = x.iter().map(|c| c * c).sum::<f64>().sqrt();
        assert!(
            (length / 3.0 - 1.0).abs() < allowed("RandomStream::fill_sphere", d as f64 + 4.0),
            "d = {d}: {length}"
        );
    }
}

/// Independent: the distance of Kolmogorov and Smirnov between normals and their law; seed fixed.
#[test]
fn normals_follow_the_whole_distribution_function() {
    let n = 100_000_usize;
    let mut s = RandomStream::new(4, 0);
    let mut z: Vec<f64> = (0..n).map(|_| s.normal()).collect();
    z.sort_by(f64::total_cmp);
    let gap = z.iter().enumerate().map(|(i, x)| {
        let p = normal_cdf(*x);
        (p - i as f64 / n as f64).abs().max(((i + 1) as f64 / n as f64 - p).abs())
    });
    let worst = gap.fold(0.0, f64::max);
    // Massart's bound 2 exp(-2 n D^2) = 1e-6.
    let bound = (libm::log(2e6) / (2.0 * n as f64)).sqrt();
    assert!(worst < bound, "{worst} against {bound}");
}

#[test]
fn neighbouring_streams_and_seeds_are_uncorrelated() {
    for (a, b) in [((5, 0), (5, 1)), ((5, 0), (6, 0)), ((5, 1), (6, 0))] {
        let (mut a, mut b) = (RandomStream::new(a.0, a.1), RandomStream::new(b.0, b.1));
        let mut products = Moments::default();
        (0..100_000).for_each(|_| products.push(a.normal() * b.normal()));
        let off = products.mean() / products.standard_error();
        assert!(off.abs() < two_sided_bound(1e-7).unwrap(), "{off} errors");
    }
}
