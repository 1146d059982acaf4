//! Theorem 1: the closed form of the gating function, its two terms, and what it does not need.

use super::claim::{Bench, Bound, Claim, Findings, Group, Outcome, Verdict};
use super::numbers::significant;
use super::sampling::{
    Sampled, distance, dot, gating_moments, largest, length, pair_at, simpson, worst_deviation,
};
use crate::figure::{Axis, Colour, Dash, Figure, Layer, LegendPlace, Mark, Panel};
use popgrad::{Moments, RandomStream};
use rayon::prelude::*;
use std::f64::consts::{FRAC_PI_2, PI, TAU};

/// Tick marks of an axis of angles.
pub(super) const ANGLE_TICKS: [(f64, &str); 5] = [
    (0.0, "0"),
    (0.25 * PI, "\u{3c0}/4"),
    (FRAC_PI_2, "\u{3c0}/2"),
    (0.75 * PI, "3\u{3c0}/4"),
    (PI, "\u{3c0}"),
];

/// Theorem 1 for Gaussian inputs.
pub(super) const GAUSSIAN: Claim = Claim {
    id: "theorem1-gaussian",
    title: "The gating function has a closed form",
    group: Group::PopulationGradient,
    statement: "For x ~ N(0, I), E[F(e, w)] = (N/2\u{3c0}) [(\u{3c0} \u{2212} \u{3b8}) w + |w| sin \u{3b8} e], \
                with \u{3b8} the angle between e and w.",
    source: "Theorem 1, eq. 5",
    method: "The closed form is compared with a quadrature over the circle that knows nothing of it, at 181 \
             angles, and with sample means of x 1(e.x > 0) max(w.x, 0) in 2 to 50 dimensions, coordinate by \
             coordinate.",
    expected: Verdict::Holds,
    note: "",
    measure: gaussian,
};

/// `F(e, w)` for `e = (1, 0)`, `w = (cos theta, sin theta)` by quadrature: `E|x|^2 = 2` times the mean over the arc
/// of directions on which both units are active.
fn circle_quadrature(theta: f64) -> [f64; 2] {
    let active = |angle: f64| libm::cos(angle - theta);
    let (from, to) = (theta - FRAC_PI_2, FRAC_PI_2);
    let along = simpson(|t| active(t) * libm::cos(t), from, to, 1024);
    let across = simpson(|t| active(t) * libm::sin(t), from, to, 1024);
    [2.0 * along / TAU, 2.0 * across / TAU]
}

fn gaussian(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let mut worst = 0.0_f64;
    for i in 0..=180 {
        let theta = PI * f64::from(i) / 180.0;
        let (s, c) = libm::sincos(theta);
        let closed = bench.maths.gating(&[1.0, 0.0], &[c, s])?;
        worst = largest([worst, distance(&closed, &circle_quadrature(theta))]);
    }
    findings.check("largest distance from the quadrature, |w| = 1", worst, None, Bound::at_most(1e-13));
    let cases: Vec<(usize, f64)> =
        [2, 3, 10, 50].iter().flat_map(|d| [0.3, 1.2, 2.0, 2.9].map(|theta| (*d, theta))).collect();
    let n = bench.pick(100_000, 1_000_000);
    let coordinates: usize = cases.iter().map(|c| c.0).sum();
    let deviations: Result<Vec<f64>, _> = cases
        .par_iter()
        .enumerate()
        .map(|(i, (d, theta))| {
            let mut stream = bench.stream(i as u64);
            let (e, w) = pair_at(&mut stream, *d, *theta, 1.7);
            let moments = gating_moments(&mut stream, Sampled::Gaussian, (&e, &w), n);
            Ok::<f64, popgrad::VectorError>(worst_deviation(&moments, &bench.maths.gating(&e, &w)?))
        })
        .collect();
    let limit = bench.sigmas(coordinates)?;
    findings.check(
        "largest deviation of a sample mean, in standard errors",
        largest(deviations?),
        None,
        Bound::at_most(limit),
    );
    findings.number("inputs per sample mean", n as f64, None);
    Ok(findings)
}

/// Fig. 2: the two terms.
pub(super) const TERMS: Claim = Claim {
    id: "fig2-terms",
    title: "A mass term and an asymmetric term",
    group: Group::PopulationGradient,
    statement: "The expectation splits into a mass term (\u{3c0} \u{2212} \u{3b8}) w, the probability that both \
                units are active times w, and an asymmetric term |w| sin \u{3b8} e.",
    source: "Theorem 1, Fig. 2",
    method: "Quadrature over the arc on which both units are active gives the probability and, after \
             subtracting its share of w, a vector that is compared with the second term. The figure shows \
             both terms for |w| = 1.",
    expected: Verdict::Holds,
    note: "",
    measure: terms,
};

fn terms(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let (mut mass_error, mut rest_error) = (0.0_f64, 0.0_f64);
    for i in 1..180 {
        let theta = PI * f64::from(i) / 180.0;
        let (s, c) = libm::sincos(theta);
        let probability = simpson(|_| 1.0, theta - FRAC_PI_2, FRAC_PI_2, 8) / TAU;
        let f = bench.maths.gating(&[1.0, 0.0], &[c, s])?;
        let rest = [f[0] - probability * c, f[1] - probability * s];
        let mass = popgrad::joint_activation(&[1.0, 0.0], &[c, s])?;
        mass_error = largest([mass_error, (bench.maths.tainted(mass) - probability).abs()]);
        rest_error = largest([rest_error, distance(&rest, &[s / TAU, 0.0])]);
    }
    findings.check(
        "mass term: largest error of P(both active) = (\u{3c0} \u{2212} \u{3b8})/2\u{3c0}",
        mass_error,
        None,
        Bound::at_most(1e-14),
    );
    findings.check(
        "asymmetric term: largest distance of the remainder from |w| sin \u{3b8} e/2\u{3c0}",
        rest_error,
        None,
        Bound::at_most(1e-14),
    );
    findings.figure(
        "fig2",
        "Fig. 2, redrawn: the two terms of E[F(e, w)] per sample, for |w| = 1.",
        &fig2(bench)?,
    );
    Ok(findings)
}

fn fig2(bench: &Bench<'_>) -> Result<Figure, popgrad::VectorError> {
    let grid: Vec<f64> = (0..=120).map(|i| PI * f64::from(i) / 120.0).collect();
    let theta_axis = Axis::linear("angle \u{3b8} between e and w").range(0.0, PI).ticks(&ANGLE_TICKS);
    let left = Panel::new("(a) size of the two terms", theta_axis, Axis::linear("length").range(0.0, 0.55))
        .with(
            Layer::line(grid.iter().map(|t| (*t, (PI - t) / TAU)))
                .colour(Colour::Blue)
                .label("mass, (\u{3c0} \u{2212} \u{3b8})|w|/2\u{3c0}"),
        )
        .with(
            Layer::line(grid.iter().map(|t| (*t, libm::sin(*t) / TAU)))
                .colour(Colour::Vermilion)
                .dash(Dash::Dashed)
                .label("asymmetric, |w| sin \u{3b8}/2\u{3c0}"),
        );
    let mut total = Vec::new();
    for theta in &grid {
        let (s, c) = libm::sincos(*theta);
        total.push((*theta, length(&bench.maths.gating(&[1.0, 0.0], &[c, s])?)));
    }
    let left = left.with(Layer::line(total).colour(Colour::Ink).dash(Dash::Dotted).label("their sum"));
    let arc = |radius: f64| -> Vec<(f64, f64)> {
        grid.iter().map(|t| (radius * libm::cos(*t), radius * libm::sin(*t))).collect()
    };
    let mut ends = Vec::new();
    let mut right = Panel::new(
        "(b) E[F(e, w)] as w turns away from e",
        Axis::linear("component along e").range(-0.25, 0.65),
        Axis::linear("component across e").range(-0.1, 0.6),
    )
    .legend(LegendPlace::Below)
    .equal_units();
    for theta in [0.0, 0.25 * PI, FRAC_PI_2, 0.75 * PI] {
        let (s, c) = libm::sincos(theta);
        let mass = (PI - theta) / TAU;
        let f = bench.maths.gating(&[1.0, 0.0], &[c, s])?;
        right.push(Layer::line([(0.0, 0.0), (mass * c, mass * s)]).colour(Colour::Blue));
        right.push(
            Layer::line([(mass * c, mass * s), (f[0], f[1])]).colour(Colour::Vermilion).dash(Dash::Dashed),
        );
        ends.push((f[0], f[1]));
    }
    right.push(Layer::line(arc(0.5)).colour(Colour::Grey).width(0.8).label("half the unit circle of w"));
    right.push(Layer::marks(ends, Mark::Disc).label("E[F], \u{3b8} = 0, \u{3c0}/4, \u{3c0}/2, 3\u{3c0}/4"));
    Ok(Figure::new("The mass term and the asymmetric term of the gating function", 2)
        .panel_size(370.0, 310.0)
        .with(left)
        .with(right))
}

/// The linear case.
pub(super) const LINEAR: Claim = Claim {
    id: "linear-case",
    title: "Without gates the expectation is linear",
    group: Group::PopulationGradient,
    statement: "In the linear case, D = I, the expected gradient is N (w \u{2212} w*).",
    source: "Section 3, the linear case",
    method: "With every gate open F is X'Xw; its sample mean is compared with w. The closed form meets it \
             where the gates agree: F(w, w) = w/2, half the inputs being active.",
    expected: Verdict::Holds,
    note: "",
    measure: linear,
};

fn linear(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let (d, n) = (10, bench.pick(100_000, 1_000_000));
    let mut stream = bench.stream(0);
    let mut w = vec![0.0; d];
    stream.fill_normal(&mut w);
    let mut moments = vec![Moments::default(); d];
    let mut x = vec![0.0; d];
    for _ in 0..n {
        stream.fill_normal(&mut x);
        let p = dot(&w, &x);
        moments.iter_mut().zip(&x).for_each(|(m, c)| m.push(p * c));
    }
    let doubled: Vec<f64> = bench.maths.gating(&w, &w)?.iter().map(|f| 2.0 * f).collect();
    findings.check(
        "largest deviation of the mean of x (w.x) from 2 F(w, w), in standard errors",
        worst_deviation(&moments, &doubled),
        None,
        Bound::at_most(bench.sigmas(d)?),
    );
    findings.check(
        "|2 F(w, w) \u{2212} w| / |w|",
        distance(&doubled, &w) / length(&w),
        None,
        Bound::at_most(1e-15),
    );
    Ok(findings)
}

/// Samples that depend on each other.
pub(super) const DEPENDENT: Claim = Claim {
    id: "dependent-samples",
    title: "The samples need not be independent of each other",
    group: Group::PopulationGradient,
    statement: "The expectation needs each sample to be Gaussian; it does not need the samples to be independent \
                of each other.",
    source: "Section 3, remark after Theorem 1",
    method: "Chains of 32 inputs, each standard normal, each correlated with the one before (0.9 and \u{2212}0.9). \
             Means over whole chains, which are independent of each other, are compared with the closed form; \
             the spread shows what dependence does change.",
    expected: Verdict::Holds,
    note: "",
    measure: dependent,
};

/// Moments over chains of the mean of `x 1(e.x > 0) relu(w.x)` within a chain.
fn chain_moments(
    stream: &mut RandomStream,
    e: &[f64],
    w: &[f64],
    correlation: f64,
    chains: usize,
) -> Vec<Moments> {
    const LINKS: usize = 32;
    let d = e.len();
    let fresh = (1.0 - correlation * correlation).sqrt();
    let (mut x, mut noise) = (vec![0.0; d], vec![0.0; d]);
    let mut moments = vec![Moments::default(); d];
    for _ in 0..chains {
        let mut sum = vec![0.0; d];
        stream.fill_normal(&mut x);
        for _ in 0..LINKS {
            let gate = if dot(e, &x) > 0.0 { dot(w, &x).max(0.0) } else { 0.0 };
            sum.iter_mut().zip(&x).for_each(|(s, c)| *s += gate * c);
            stream.fill_normal(&mut noise);
            x.iter_mut().zip(&noise).for_each(|(c, z)| *c = correlation * *c + fresh * z);
        }
        moments.iter_mut().zip(&sum).for_each(|(m, s)| m.push(s / LINKS as f64));
    }
    moments
}

fn dependent(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let (d, chains) = (5, bench.pick(10_000, 200_000));
    let limit = bench.sigmas(2 * d)?;
    let (e, w) = pair_at(&mut bench.stream(0), d, 1.1, 1.0);
    let expected = bench.maths.gating(&e, &w)?;
    let independent = chain_moments(&mut bench.stream(1), &e, &w, 0.0, chains);
    for (i, correlation) in [0.9, -0.9].into_iter().enumerate() {
        let moments = chain_moments(&mut bench.stream(2 + i as u64), &e, &w, correlation, chains);
        let sign = significant(correlation, 1);
        findings.check(
            &format!("correlation {sign}: largest deviation from eq. 5, in standard errors"),
            worst_deviation(&moments, &expected),
            None,
            Bound::at_most(limit),
        );
        let total = |m: &[Moments]| m.iter().map(Moments::variance).sum::<f64>();
        findings.number(
            &format!("correlation {sign}: variance of a chain's mean, relative to independent samples"),
            total(&moments) / total(&independent),
            None,
        );
    }
    Ok(findings)
}
