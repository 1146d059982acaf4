//! The population gradient: eq. 6 and 8 beside finite differences and samples, eq. 7, and the limit at zero.

use super::claim::{Bench, Bound, Claim, Failure, Findings, Group, Outcome, Verdict};
use super::numbers::significant;
use super::sampling::{Sampled, distance, dot, gating_moments, largest, length, pair_at, worst_deviation};
use super::theorem1::ANGLE_TICKS;
use crate::figure::{Axis, Colour, Figure, Layer, Mark, Panel};
use popgrad::{InputLaw, Matrix, Moments, RandomStream, VectorError};

use rayon::prelude::*;
use std::f64::consts::{FRAC_PI_2, PI, TAU};

/// Eq. 6: one student, one teacher.
pub(super) const ONE_UNIT: Claim = Claim {
    id: "eq6-gradient",
    title: "The gradient of one unit",
    group: Group::PopulationGradient,
    statement: "For K = 1, E[\u{2207}J] = (N/2) (w \u{2212} w*) + (N/2\u{3c0}) (\u{3b8} w* \u{2212} (|w*|/|w|) sin \u{3b8} w).",
    source: "Eq. 6",
    method: "The gradient is compared with the printed expression, with differences of the loss, and with sample \
             means of the per-sample gradient.",
    expected: Verdict::Holds,
    note: "",
    measure: one_unit,
};

/// Eq. 8: many students, many teachers.
pub(super) const MANY_UNITS: Claim = Claim {
    id: "eq8-gradient",
    title: "The gradient of many units",
    group: Group::PopulationGradient,
    statement: "For any K, E[\u{2207}_j J] = \u{3a3}_k E[F(w_j/|w_j|, w_k)] \u{2212} \u{3a3}_k E[F(w_j/|w_j|, w*_k)].",
    source: "Eq. 8",
    method: "For random networks of 2 to 6 students, 1 to 4 teachers and 2 to 8 dimensions the gradient is \
             compared with differences of the loss and with sample means of the per-sample gradient.",
    expected: Verdict::Holds,
    note: "",
    measure: many_units,
};

fn normal_matrix(stream: &mut RandomStream, rows: usize, cols: usize) -> Matrix {
    let mut m = Matrix::zeros(rows, cols);
    stream.fill_normal(m.as_mut_slice());
    m
}

/// Eq. 6 as printed, divided by the number of samples.
fn printed_eq6(w: &[f64], v: &[f64]) -> Result<Vec<f64>, VectorError> {
    let theta = popgrad::angle(w, v)?.theta;
    let ratio = length(v) / length(w) * libm::sin(theta);
    Ok(w.iter().zip(v).map(|(a, b)| 0.5 * (a - b) + (theta * b - ratio * a) / TAU).collect())
}

/// Largest distance, over coordinates, between the gradient and central differences of the loss, relative to the
/// largest coordinate. The step `2^-13` balances truncation (step^2) and rounding (EPSILON / step).
fn difference_error(bench: &Bench<'_>, w: &Matrix, v: &Matrix) -> Result<f64, Failure> {
    const STEP: f64 = 1.0 / 8192.0;
    let gradient = bench.maths.gradient(w, v)?;
    let mut moved = w.clone();
    let (mut worst, mut scale) = (0.0_f64, 0.0_f64);
    for i in 0..w.as_slice().len() {
        let mut loss_at = |x: f64| {
            moved.as_mut_slice()[i] = x;
            bench.maths.loss(&moved, v)
        };
        let x = w.as_slice()[i];
        // Four points: the error is of fourth order in the step.
        let near = loss_at(x + STEP)? - loss_at(x - STEP)?;
        let far = loss_at(x + 2.0 * STEP)? - loss_at(x - 2.0 * STEP)?;
        loss_at(x)?;
        let slope = (8.0 * near - far) / (12.0 * STEP);
        worst = largest([worst, (slope - gradient.as_slice()[i]).abs()]);
        scale = scale.max(gradient.as_slice()[i].abs());
    }
    Ok(worst / scale)
}

/// Largest deviation, in standard errors, of the gradient from the sample mean of the per-sample gradient.
fn sample_deviation(
    bench: &Bench<'_>,
    stream: &mut RandomStream,
    (w, v): (&Matrix, &Matrix),
    n: usize,
) -> Result<f64, Failure> {
    let d = w.cols();
    let mut moments = vec![Moments::default(); w.as_slice().len()];
    let mut x = vec![0.0; d];
    let mut active = vec![0.0; w.rows()];
    for _ in 0..n {
        stream.fill_normal(&mut x);
        let mut error = 0.0;
        for j in 0..w.rows() {
            active[j] = dot(w.row(j), &x);
            error += active[j].max(0.0);
        }
        for m in 0..v.rows() {
            error -= dot(v.row(m), &x).max(0.0);
        }
        for (i, m) in moments.iter_mut().enumerate() {
            m.push(if active[i / d] > 0.0 { error * x[i % d] } else { 0.0 });
        }
    }
    Ok(worst_deviation(&moments, bench.maths.gradient(w, v)?.as_slice()))
}

fn one_unit(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let (mut printed, mut slope, mut sampled, mut coordinates) = (0.0_f64, 0.0_f64, 0.0_f64, 0);
    let n = bench.pick(60_000, 1_000_000);
    for (i, d) in [2, 3, 5, 10].into_iter().enumerate() {
        bench.pause()?;
        let mut stream = bench.stream(i as u64);
        let (w, v) = (normal_matrix(&mut stream, 1, d), normal_matrix(&mut stream, 1, d));
        let gradient = bench.maths.gradient(&w, &v)?;
        let expected = printed_eq6(w.row(0), v.row(0))?;
        printed = largest([printed, distance(gradient.row(0), &expected) / length(&expected)]);
        slope = largest([slope, difference_error(bench, &w, &v)?]);
        sampled = largest([sampled, sample_deviation(bench, &mut stream, (&w, &v), n)?]);
        coordinates += d;
    }
    findings.check("largest relative distance from eq. 6 as printed", printed, None, Bound::at_most(1e-14));
    findings.check(
        "largest relative distance from differences of the loss",
        slope,
        None,
        Bound::at_most(1e-9),
    );
    findings.check(
        "largest deviation of a sample mean, in standard errors",
        sampled,
        None,
        Bound::at_most(bench.sigmas(coordinates)?),
    );
    Ok(findings)
}

fn many_units(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let shapes: [(usize, usize, usize); 5] = [(2, 1, 2), (2, 2, 3), (3, 2, 8), (4, 4, 5), (6, 3, 4)];
    let n = bench.pick(60_000, 1_000_000);
    let errors: Result<Vec<(f64, f64)>, Failure> = shapes
        .par_iter()
        .enumerate()
        .map(|(i, (k, m, d))| {
            let mut stream = bench.stream(i as u64);
            let (w, v) = (normal_matrix(&mut stream, *k, *d), normal_matrix(&mut stream, *m, *d));
            let slope = difference_error(bench, &w, &v)?;
            Ok((slope, sample_deviation(bench, &mut stream, (&w, &v), n)?))
        })
        .collect();
    let errors = errors?;
    let coordinates = shapes.iter().map(|(k, _, d)| k * d).sum();
    findings.check(
        "largest relative distance from differences of the loss",
        largest(errors.iter().map(|e| e.0)),
        None,
        Bound::at_most(1e-9),
    );
    findings.check(
        "largest deviation of a sample mean, in standard errors",
        largest(errors.iter().map(|e| e.1)),
        None,
        Bound::at_most(bench.sigmas(coordinates)?),
    );
    Ok(findings)
}

/// The gradient near a student that is zero.
pub(super) const AT_ZERO: Claim = Claim {
    id: "gradient-at-zero",
    title: "At w = 0 the gradient depends on the direction of approach",
    group: Group::PopulationGradient,
    statement: "The gradient's only singularity is w = 0, where it is bounded but its limit depends on the \
                direction of approach.",
    source: "Remark after eq. 8",
    method: "Along 64 directions e the gradient at |w| = 1e-6 to 1e-14 is compared with \u{2212}F(e, w*); the limits \
             are compared with each other. At the angles 0 and \u{3c0} between w and w* the gradient is continuous.",
    expected: Verdict::Holds,
    note: "The remark is about the gradient: third derivatives of the loss also jump where w is parallel or \
           antiparallel to another weight.",
    measure: at_zero,
};

fn at_zero(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let v = Matrix::from_rows(&[[1.0, 0.0]]);
    let mut along: Vec<(f64, Vec<f64>)> = Vec::new();
    let mut distance_shares: Vec<(f64, f64)> = Vec::new();
    for i in 0..64 {
        let angle = TAU * (f64::from(i) + 0.5) / 64.0;
        let (s, c) = libm::sincos(angle);
        let limit: Vec<f64> = popgrad::gating(&[c, s], v.row(0))?.iter().map(|f| -f).collect();
        for size in [1e-6, 1e-10, 1e-14] {
            let w = Matrix::from_rows(&[[size * c, size * s]]);
            distance_shares.push((size, distance(bench.maths.gradient(&w, &v)?.row(0), &limit) / size));
        }
        along.push((angle, limit));
    }
    // F(w, w) = w/2 is what remains: the distance to the limit is |w|/2, and rounding of size EPSILON.
    let worst_share = largest(distance_shares.iter().filter(|s| s.0 == 1e-6).map(|s| (s.1 - 0.5).abs()));
    findings.check(
        "at |w| = 1e-6: largest error of (distance to the limit)/|w| = 1/2",
        worst_share,
        None,
        Bound::at_most(1e-9),
    );
    let absolute = largest(distance_shares.iter().filter(|s| s.0 == 1e-14).map(|s| s.1 * s.0));
    findings.check("at |w| = 1e-14: largest distance to the limit", absolute, None, Bound::at_most(1e-14));
    let spread = largest(along.iter().flat_map(|a| along.iter().map(move |b| distance(&a.1, &b.1))));
    findings.check("largest distance between limits of two directions", spread, None, Bound::at_least(0.4));
    let sizes = largest(along.iter().map(|a| length(&a.1)));
    findings.check("largest size of a limit, |w*| = 1", sizes, None, Bound::at_most(0.5));
    let jump = continuity(bench, &v)?;
    findings.check(
        "largest change of the gradient between angles 1e-9 apart across 0 and \u{3c0}",
        jump,
        None,
        Bound::at_most(2e-9),
    );
    findings.figure(
        "gradient-at-zero",
        "The limit of the gradient at w = 0, one ReLU with w* = (1, 0), against the direction of approach.",
        &limits_figure(&along),
    );
    Ok(findings)
}

/// Largest change of the gradient between two students on either side of parallel, and of antiparallel.
fn continuity(bench: &Bench<'_>, v: &Matrix) -> Result<f64, Failure> {
    let mut worst = 0.0_f64;
    for sign in [1.0, -1.0] {
        let side = |y: f64| bench.maths.gradient(&Matrix::from_rows(&[[0.8 * sign, y]]), v);
        worst = largest([worst, distance(side(4e-10)?.row(0), side(-4e-10)?.row(0))]);
    }
    Ok(worst)
}

fn limits_figure(along: &[(f64, Vec<f64>)]) -> Figure {
    let folded: Vec<_> = along.iter().filter(|a| a.0 <= PI).collect();
    let axis = Axis::linear("angle between w and w*").range(0.0, PI).ticks(&ANGLE_TICKS);
    Figure::new("Limit of the gradient at zero", 1).panel_size(460.0, 290.0).with(
        Panel::new("", axis, Axis::linear("gradient per sample, |w| \u{2192} 0"))
            .with(
                Layer::line(folded.iter().map(|a| (a.0, a.1[0])))
                    .colour(Colour::Blue)
                    .label("component along w*"),
            )
            .with(
                Layer::marks(folded.iter().map(|a| (a.0, a.1[1])), Mark::Disc)
                    .colour(Colour::Vermilion)
                    .width(2.2)
                    .label("component across w*"),
            ),
    )
}

/// Eq. 7 for every rotation-invariant law.
pub(super) const ROTATION_INVARIANT: Claim = Claim {
    id: "eq7-rotation-invariant",
    title: "Every rotation-invariant law has the same form",
    group: Group::PopulationGradient,
    statement: "For a rotation-invariant law E[F(e, w)] = A(\u{3b8}) w + |w| B(\u{3b8}) e, with A(\u{3c0}) = B(0) = \
                B(\u{3c0}) = 0.",
    source: "Eq. 7",
    method: "For the uniform laws on a sphere and in a ball and for Student's t, in 2 to 20 dimensions, sample \
             means are compared with \u{3ba} = E|x|\u{b2}/d times the Gaussian closed form, which makes A and B \
             explicit: A = N\u{3ba}(\u{3c0} \u{2212} \u{3b8})/2\u{3c0} and B = N\u{3ba} sin \u{3b8}/2\u{3c0}, exactly.",
    expected: Verdict::Holds,
    note: "The paper leaves A and B unspecified and asks whether eq. 5 holds for more general laws; for every \
           centred rotation-invariant law it does, up to the one constant \u{3ba}.",
    measure: rotation_invariant,
};

/// The value of A at 0.
pub(super) const A_AT_ZERO: Claim = Claim {
    id: "eq7-a-at-zero",
    title: "A(0) = N/2 needs E|x|\u{b2} = d",
    group: Group::PopulationGradient,
    statement: "For a rotation-invariant law A(0) = N/2.",
    source: "Eq. 7",
    method: "A(0)/N is the mean of (e.x)\u{b2} over half of the inputs; its sample mean is compared with 1/2 and with \
             \u{3ba}/2 for a sphere of radius 1.",
    expected: Verdict::PaperWrong,
    note: "A(0) = N\u{3ba}/2 with \u{3ba} = E|x|\u{b2}/d, which is N/2 only for laws scaled to \u{3ba} = 1.",
    measure: a_at_zero,
};

/// Laws that are measured in `d` dimensions, with the same law as the library knows it.
fn laws() -> [(Sampled, InputLaw, &'static str); 3] {
    [
        (Sampled::Sphere(1.5), InputLaw::Sphere { radius: 1.5 }, "sphere of radius 1.5"),
        (Sampled::Ball(2.0), InputLaw::Ball { radius: 2.0 }, "ball of radius 2"),
        (Sampled::StudentT(12.0), InputLaw::StudentT { nu: 12.0 }, "Student's t, \u{3bd} = 12"),
    ]
}

/// Coefficients A and B per sample, from values of F at an angle strictly between 0 and pi, for |w| = 1.
fn coefficients(f: &[f64], e: &[f64], w: &[f64]) -> (f64, f64) {
    let (c, fe, fw) = (dot(e, w), dot(f, e), dot(f, w));
    let s2 = 1.0 - c * c;
    ((fw - c * fe) / s2, (fe - c * fw) / s2)
}

fn rotation_invariant(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let n = bench.pick(60_000, 1_000_000);
    let dimensions = [2, 5, 20];
    let coordinates = 2 * dimensions.iter().sum::<usize>() * laws().len();
    let limit = bench.sigmas(coordinates)?;
    for (l, (sampled, law, name)) in laws().into_iter().enumerate() {
        let mut worst = 0.0_f64;
        for (i, d) in dimensions.into_iter().enumerate() {
            bench.pause()?;
            for (j, theta) in [0.8, 2.2].into_iter().enumerate() {
                let mut stream = bench.stream((l * 100 + i * 10 + j) as u64);
                let (e, w) = pair_at(&mut stream, d, theta, 1.0);
                let kappa = law.kappa(d)?;
                let exact: Vec<f64> = bench.maths.gating(&e, &w)?.iter().map(|f| kappa * f).collect();
                worst = largest([
                    worst,
                    worst_deviation(&gating_moments(&mut stream, sampled, (&e, &w), n), &exact),
                ]);
            }
        }
        findings.check(
            &format!("{name}: largest deviation from \u{3ba} times eq. 5, in standard errors"),
            worst,
            None,
            Bound::at_most(limit),
        );
    }
    let (e, w) = ([1.0, 0.0], |t: f64| [libm::cos(t), libm::sin(t)]);
    let mut worst = 0.0_f64;
    for theta in [1e-3, 0.5, FRAC_PI_2, 3.0, PI - 1e-3] {
        let (a, b) = coefficients(&bench.maths.gating(&e, &w(theta))?, &e, &w(theta));
        worst = largest([worst, (a - (PI - theta) / TAU).abs(), (b - libm::sin(theta) / TAU).abs()]);
    }
    findings.check(
        "largest error of A and B of the closed form, \u{3ba} = 1",
        worst,
        None,
        Bound::at_most(1e-9),
    );
    let ends = [bench.maths.gating(&e, &e)?[0] - 0.5, bench.maths.gating(&e, &[-1.0, 0.0])?[0]];
    findings.check("B(0), from F(e, e) = A(0) e + B(0) e", ends[0], None, Bound::around(0.0, 1e-15));
    findings.check(
        "A(\u{3c0}) and B(\u{3c0}), from F(e, \u{2212}e)",
        ends[1],
        None,
        Bound::around(0.0, 1e-15),
    );
    Ok(findings)
}

fn a_at_zero(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let (d, n) = (5, bench.pick(100_000, 1_000_000));
    let law = InputLaw::Sphere { radius: 1.0 };
    let mut stream = bench.stream(0);
    let (e, w) = pair_at(&mut stream, d, 0.0, 1.0);
    let mut x = vec![0.0; d];
    let mut moments = Moments::default();
    for _ in 0..n {
        Sampled::Sphere(1.0).fill(&mut stream, &mut x);
        let p = dot(&e, &x).max(0.0);
        moments.push(p * p);
    }
    let kappa = law.kappa(d)?;
    let exact = kappa * dot(&bench.maths.gating(&e, &w)?, &e);
    let (mean, error) = (moments.mean(), moments.standard_error());
    let limit = bench.sigmas(2)?;
    findings.number("A(0)/N by sampling, sphere of radius 1 in 5 dimensions", mean, Some(error));
    findings.check(
        "its distance from the paper's 1/2, in standard errors",
        (mean - 0.5).abs() / error,
        None,
        Bound::at_least(limit),
    );
    findings.check(
        &format!("its distance from \u{3ba}/2 = {}, in standard errors", significant(0.5 * kappa, 3)),
        (mean - exact).abs() / error,
        None,
        Bound::at_most(limit),
    );
    Ok(findings)
}
