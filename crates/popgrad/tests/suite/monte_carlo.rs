//! Sampled gating function, loss and gradient against the closed forms; the claims of their standard errors; samples
//! that depend on each other; cutting the work. Seeds are fixed and bounds set for a false alarm of 1e-6 a test.

use popgrad::{
    Estimate, GatingMonteCarlo, Matrix, Network, NetworkMonteCarlo, RandomStream, SampleLaw, SamplePlan,
    SampleProgress, gating, gating_monte_carlo, gating_monte_carlo_in_plane, kernel, network_monte_carlo,
    two_sided_bound,
};

fn vector(stream: &mut RandomStream, d: usize) -> Vec<f64> {
    let mut out = vec![0.0; d];
    stream.fill_normal(&mut out);
    out
}

/// Every component within its own standard error; one budget of 1e-6 shared by all.
fn check(name: &str, sampled: &Estimate, exact: &[f64]) {
    let bound = two_sided_bound(1e-6 / exact.len() as f64).unwrap();
    for (i, want) in exact.iter().enumerate() {
        let (got, error) = (sampled.mean[i], sampled.standard_error[i]);
        assert!(
            (got - want).abs() <= bound * error + f64::EPSILON * want.abs().max(1.0),
            "{name}[{i}]: {got} +- {error}, exact {want}, {} errors, bound {bound}",
            (got - want).abs() / error
        );
    }
}

const EXACT_LAWS: [SampleLaw; 4] = [
    SampleLaw::Gaussian,
    SampleLaw::Sphere { radius: 2.5 },
    SampleLaw::Ball { radius: 3.0 },
    SampleLaw::MultivariateT { nu: 9.0 },
];

#[test]
fn gating_of_rotation_invariant_laws_is_kappa_times_the_closed_form() {
    let mut stream = RandomStream::new(100, 0);
    for d in [1, 2, 5, 32] {
        for law in EXACT_LAWS {
            let (e, w) = (vector(&mut stream, d), vector(&mut stream, d));
            let plan = SamplePlan { samples: 100_003, seed: 7 };
            let kappa = law.kappa(d).unwrap();
            let exact: Vec<f64> = gating(&e, &w).unwrap().iter().map(|f| kappa * f).collect();
            let sampled = gating_monte_carlo(&e, &w, law, plan).unwrap();
            assert_eq!(sampled.samples, 100_003);
            check(&format!("{law:?}, d = {d}"), &sampled, &exact);
        }
    }
}

/// Independent: `E[x 1(x > 0) x]` in one dimension is half the second moment, whatever the symmetric law.
#[test]
fn gating_in_one_dimension_is_half_the_second_moment() {
    let laws = [
        SampleLaw::Uniform,
        SampleLaw::Rademacher,
        SampleLaw::Laplace,
        SampleLaw::StudentT { nu: 9.0 },
        SampleLaw::Autoregressive { rho: 0.7, length: 20 },
        SampleLaw::Equicorrelated { rho: 0.3, length: 5 },
    ];
    for law in laws {
        let plan = SamplePlan { samples: 200_000, seed: 8 };
        let sampled = gating_monte_carlo(&[1.0], &[2.0], law, plan).unwrap();
        check(&format!("{law:?}"), &sampled, &[law.kappa(1).unwrap()]);
    }
}

/// Independent: for coordinates that are independent and uniform the square is cut by the two half-planes, and the
/// integral over it is done by hand: `e = (1, 0)`, `w = (0, 1)` give `E[x1 1(x1>0)] E[relu(x2)] = (1/8)^2` and
/// `P(x1>0) E[x2 relu(x2)] = 1/48`. The closed form for a rotation-invariant law of the same covariance is
/// `1/(24 pi)` for the first.
#[test]
fn uniform_inputs_are_biased_against_the_closed_form() {
    let plan = SamplePlan { samples: 2_000_000, seed: 9 };
    let sampled = gating_monte_carlo(&[1.0, 0.0], &[0.0, 1.0], SampleLaw::Uniform, plan).unwrap();
    check("uniform square", &sampled, &[1.0 / 64.0, 1.0 / 48.0]);
    let biased = gating(&[1.0, 0.0], &[0.0, 1.0]).unwrap()[0] / 12.0;
    assert!((sampled.mean[0] - biased).abs() > 20.0 * sampled.standard_error[0], "{biased}");
}

#[test]
fn the_plane_route_estimates_the_same_with_the_same_errors() {
    let mut stream = RandomStream::new(101, 0);
    for d in [2, 3, 40] {
        let (e, w) = (vector(&mut stream, d), vector(&mut stream, d));
        let plan = SamplePlan { samples: 300_001, seed: 10 };
        let plane = gating_monte_carlo_in_plane(&e, &w, plan).unwrap();
        let brute = gating_monte_carlo(&e, &w, SampleLaw::Gaussian, plan).unwrap();
        check(&format!("plane, d = {d}"), &plane, &gating(&e, &w).unwrap());
        for (a, b) in plane.standard_error.iter().zip(&brute.standard_error) {
            // Both estimate one spread from 3e5 samples with fourth moments below 100: 2 % is five errors.
            assert!((a / b - 1.0).abs() < 0.02, "d = {d}: {a} {b}");
        }
    }
    let parallel = gating_monte_carlo_in_plane(&[1.0, 1.0], &[2.0, 2.0], SamplePlan::default()).unwrap();
    check("parallel", &parallel, &[1.0, 1.0]);
}

/// Mean of `((estimate - exact) / error)^2` over components and seeds: 1 if the errors mean what they say.
fn calibration(runs: u64, mut estimate: impl FnMut(u64) -> Estimate, exact: &[f64]) -> f64 {
    let mut sum = 0.0;
    for seed in 0..runs {
        let sampled = estimate(seed);
        for (i, want) in exact.iter().enumerate() {
            let t = (sampled.mean[i] - want) / sampled.standard_error[i];
            sum += t * t;
        }
    }
    sum / (runs * exact.len() as u64) as f64
}

#[test]
fn standard_errors_are_calibrated() {
    let (e, w) = ([0.6, 0.8, 0.0], [1.0, -0.5, 0.7]);
    let exact = gating(&e, &w).unwrap();
    let runs = 300;
    // Squares of 900 nearly normal numbers, counted as 300 independent ones: sd of their mean sqrt(2/300) = 0.082.
    let bound = two_sided_bound(2e-7).unwrap() * (2.0 / runs as f64).sqrt();
    for law in [
        SampleLaw::Gaussian,
        SampleLaw::Autoregressive { rho: 0.9, length: 10 },
        SampleLaw::Autoregressive { rho: -0.5, length: 10 },
        SampleLaw::Equicorrelated { rho: 0.5, length: 10 },
    ] {
        let run = |seed| gating_monte_carlo(&e, &w, law, SamplePlan { samples: 10_000, seed }).unwrap();
        let got = calibration(runs, run, &exact);
        assert!((got - 1.0).abs() < bound, "{law:?}: {got}");
    }
    let plane = |seed| gating_monte_carlo_in_plane(&e, &w, SamplePlan { samples: 10_000, seed }).unwrap();
    let got = calibration(runs, plane, &exact);
    assert!((got - 1.0).abs() < bound, "plane: {got}");
}

/// The remark after Theorem 1: dependence between samples moves no mean, only errors.
#[test]
fn dependence_between_samples_changes_errors_and_not_means() {
    let (e, w) = ([1.0, 2.0], [2.0, -0.5]);
    let exact = gating(&e, &w).unwrap();
    let plan = SamplePlan { samples: 200_000, seed: 11 };
    let independent = gating_monte_carlo(&e, &w, SampleLaw::Gaussian, plan).unwrap();
    let law = SampleLaw::Autoregressive { rho: 0.95, length: 100 };
    let dependent = gating_monte_carlo(&e, &w, law, plan).unwrap();
    check("autoregressive", &dependent, &exact);
    assert!(dependent.standard_error[0] > 2.0 * independent.standard_error[0]);
}

#[test]
fn cutting_the_work_changes_no_bit() {
    let mut stream = RandomStream::new(102, 0);
    for (law, samples) in [
        (SampleLaw::Gaussian, 5000),
        (SampleLaw::Laplace, 2),
        (SampleLaw::Equicorrelated { rho: 0.2, length: 7 }, 1001),
    ] {
        let (e, w) = (vector(&mut stream, 9), vector(&mut stream, 9));
        let plan = SamplePlan { samples, seed: 12 };
        let whole = gating_monte_carlo(&e, &w, law, plan).unwrap();
        let mut machine = GatingMonteCarlo::try_new(&e, &w, law, plan).unwrap();
        let mut last = 0;
        while let SampleProgress::Running { done, total } = machine.advance(1) {
            assert!(done > last && done < total, "{done} of {total}");
            last = done;
        }
        assert_eq!(machine.estimate(), whole);
        assert_eq!(machine.advance(1), SampleProgress::Done);
        assert_eq!(machine.estimate(), whole);
    }
}

#[test]
fn bad_arguments_are_refused_by_name() {
    let plan = SamplePlan::default();
    let say = |law, plan| gating_monte_carlo(&[1.0], &[1.0], law, plan).unwrap_err().to_string();
    assert_eq!(
        say(SampleLaw::StudentT { nu: 2.0 }, plan),
        "the input law's nu is 2; it must be finite and above 2, so that a second moment exists"
    );
    let few = SamplePlan { samples: 1, seed: 0 };
    assert_eq!(
        say(SampleLaw::Gaussian, few),
        "1 samples asked for; at least 2 are needed for a standard error"
    );
    let error = gating_monte_carlo(&[0.0], &[1.0], SampleLaw::Gaussian, plan).unwrap_err();
    assert_eq!(
        (error.to_string().as_str(), error.kind()),
        ("e is the zero vector, which has no direction", popgrad::Kind::Input)
    );
    assert!(gating_monte_carlo(&[f64::NAN], &[1.0], SampleLaw::Gaussian, plan).is_err());
}

/// A teacher and a student with output weights, leaky slope and skip.
fn pair(stream: &mut RandomStream, d: usize, leaky: f64) -> (Network, Network) {
    let mut net = |units: usize| {
        let weights = Matrix::try_new(units, d, vector(stream, units * d)).unwrap();
        let net = Network::try_new(weights).unwrap().with_leaky(leaky).unwrap();
        net.with_output(vector(stream, units)).unwrap().with_skip(vector(stream, d)).unwrap()
    };
    (net(2), net(3))
}

/// Independent: loss and gradients in closed form by sums over pairs of units, docs/theory/input_laws.md (I.4), (I.5).
struct Closed {
    loss: f64,
    weights: Vec<f64>,
    output: Vec<f64>,
    skip: Vec<f64>,
}

fn closed_form(teacher: &Network, student: &Network, kappa: f64) -> Closed {
    let (alpha, d) = (student.leaky(), student.inputs());
    let beta = (1.0 - alpha) * (1.0 - alpha);
    let mut units: Vec<(f64, Vec<f64>)> = Vec::new();
    for (net, sign) in [(student, 1.0), (teacher, -1.0)] {
        for j in 0..net.units() {
            units.push((sign * net.output()[j], net.weights().row(j).to_vec()));
        }
    }
    let dot = |u: &[f64], v: &[f64]| u.iter().zip(v).map(|(a, b)| a * b).sum::<f64>();
    let pull = |e: &[f64], w: &[f64]| -> Vec<f64> {
        gating(e, w).unwrap().iter().zip(w).map(|(f, w)| alpha * w + beta * f).collect()
    };
    let moment = |u: &[f64], v: &[f64]| alpha * dot(u, v) + beta * kernel(u, v).unwrap();
    // A linear part c.x against a unit: E[x s'(e.x)] x -> (1 + alpha)/2.
    let half = 0.5 * (1.0 + alpha);
    let gap: Vec<f64> = student.skip().iter().zip(teacher.skip()).map(|(c, t)| c - t).collect();
    let mut loss = 0.5 * dot(&gap, &gap);
    let mut skip = gap.clone();
    for (c, u) in &units {
        loss += half * c * dot(&gap, u);
        skip.iter_mut().zip(u).for_each(|(s, u)| *s += half * c * u);
        loss += units.iter().map(|(b, v)| 0.5 * c * b * moment(u, v)).sum::<f64>();
    }
    let mut out = Closed { loss: kappa * loss, weights: vec![], output: vec![], skip };
    for (a, w) in &units[..student.units()] {
        let mut row: Vec<f64> = gap.iter().map(|g| half * g).collect();
        let mut output = half * dot(&gap, w);
        for (c, u) in &units {
            row.iter_mut().zip(pull(w, u)).for_each(|(r, p)| *r += c * p);
            output += c * moment(w, u);
        }
        out.weights.extend(row.iter().map(|r| kappa * a * r));
        out.output.push(kappa * output);
    }
    out.skip.iter_mut().for_each(|s| *s *= kappa);
    assert_eq!(out.weights.len(), student.units() * d);
    out
}

#[test]
fn loss_and_gradient_agree_with_the_closed_form() {
    let mut stream = RandomStream::new(103, 0);
    for law in EXACT_LAWS {
        for leaky in [0.0, 0.3, -1.0] {
            let d = 4;
            let (teacher, student) = pair(&mut stream, d, leaky);
            let exact = closed_form(&teacher, &student, law.kappa(d).unwrap());
            let plan = SamplePlan { samples: 60_001, seed: 13 };
            let got = network_monte_carlo(&teacher, &student, law, plan).unwrap();
            let estimate = |mean: &[f64], standard_error: &[f64]| Estimate {
                samples: got.samples,
                mean: mean.to_vec(),
                standard_error: standard_error.to_vec(),
            };
            let place = format!("{law:?}, slope {leaky}");
            check(&format!("loss, {place}"), &estimate(&[got.loss], &[got.loss_error]), &[exact.loss]);
            let weights = estimate(got.weights.as_slice(), got.weights_error.as_slice());
            check(&format!("weights, {place}"), &weights, &exact.weights);
            check(&format!("output, {place}"), &got.output, &exact.output);
            check(&format!("skip, {place}"), &got.skip, &exact.skip);
        }
    }
}

#[test]
fn network_estimates_do_not_depend_on_the_cuts() {
    let mut stream = RandomStream::new(104, 0);
    let (teacher, student) = pair(&mut stream, 5, 0.1);
    let plan = SamplePlan { samples: 3001, seed: 14 };
    let whole = network_monte_carlo(&teacher, &student, SampleLaw::Rademacher, plan).unwrap();
    let mut machine = NetworkMonteCarlo::try_new(&teacher, &student, SampleLaw::Rademacher, plan).unwrap();
    while machine.advance(600) != SampleProgress::Done {}
    assert_eq!(machine.estimate(), whole);
    let other = student.clone().with_leaky(0.2).unwrap();
    let error = network_monte_carlo(&teacher, &other, SampleLaw::Gaussian, plan).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the teacher's leaky slope is 0.1 and the student's 0.2; they must be equal"
    );
}
