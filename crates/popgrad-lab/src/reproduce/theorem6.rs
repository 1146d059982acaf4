//! Theorem 6 and Fig. 5: the probability that a small random start lies in Theorem 5's region.

use super::claim::{Bench, Bound, Claim, Failure, Findings, Group, Outcome, Table, Verdict};
use super::numbers::{significant, with_uncertainty};
use super::sampling::{largest, simpson};
use crate::figure::{Axis, Colour, Dash, Figure, Layer, LegendPlace, Mark, Panel};
use popgrad::{Moments, RandomStream, fit_line, theorem6_bound, theorem6_radius};
use rayon::prelude::*;
use std::f64::consts::FRAC_PI_2;

const DIMENSIONS: [usize; 6] = [2, 3, 10, 100, 1000, 10_000];
const EPSILONS: [f64; 3] = [0.1, 0.5, 0.9];

/// The bound.
pub(super) const BOUND: Claim = Claim {
    id: "theorem6-bound",
    title: "A small ball lies in \u{3a9} with probability at least (1 \u{2212} \u{3b5})/2",
    group: Group::OneRelu,
    statement: "If w is uniform in the ball of radius r = \u{3b5} \u{221a}(2\u{3c0}/(d+1)) |w*|, it lies in \u{3a9}, \
                so that gradient descent converges, with probability at least (1 \u{2212} \u{3b5})/2.",
    source: "Theorem 6, Fig. 5",
    method: "The exact probability, a sum of incomplete beta functions, beside the bound and beside sampling, for d \
             from 2 to 10000.",
    expected: Verdict::Holds,
    note: "The theorem bounds the probability of landing in \u{3a9}; the probability that the flow converges is 1, by \
           the exact solution.",
    measure: bound,
};

/// Large balls.
pub(super) const LARGE_RADIUS: Claim = Claim {
    id: "theorem6-large-radius",
    title: "Sampling from a large ball fails like \u{3b3}^\u{2212}d",
    group: Group::OneRelu,
    statement: "Sampling from a ball of radius \u{3b3}|w*| with \u{3b3} > 1 fails in high dimension: \u{3a9} fills a share of it of \
                the order of \u{3b3}^\u{2212}d.",
    source: "Section 6.1, Fig. 5 (a)",
    method: "The exact probability for \u{3b3} = 1.5, 2 and 3 over d: its rate per dimension against ln \u{3b3}, and \
             sampling where the probability is large enough to be seen.",
    expected: Verdict::Holds,
    note: "",
    measure: large_radius,
};

/// The standard deviation.
pub(super) const STANDARD_DEVIATION: Claim = Claim {
    id: "theorem6-standard-deviation",
    title: "The radius is not a standard deviation",
    group: Group::OneRelu,
    statement: "Convergence with probability at least (1 \u{2212} \u{3b5})/2 holds for random weights with standard deviation \
                of the order of \u{3b5}/\u{221a}d, consistent with practice.",
    source: "Abstract and section 6.1",
    method: "The standard deviation of one coordinate in Theorem 6's ball, against d; and the probability of \u{3a9} \
             for Gaussian weights of standard deviation 0.5/\u{221a}d and 0.5/d.",
    expected: Verdict::PaperWrong,
    note: "The radius is of the order of \u{3b5}/\u{221a}d, the standard deviation of a coordinate smaller by \u{221a}d, of \
           the order of \u{3b5}/d; at \u{3b5}/\u{221a}d per coordinate the probability of \u{3a9} falls exponentially in d.",
    measure: standard_deviation,
};

/// Whether a point uniform in the ball of radius `r` lies in `Omega` of `v = (1, 0, ...)`: `|w|^2 < 2 w.v`. Up to 100
/// dimensions all coordinates are drawn; beyond, the first one and the sum of squares of the others.
fn lands(stream: &mut RandomStream, d: usize, r: f64, buffer: &mut [f64]) -> bool {
    if d <= 100 {
        stream.fill_ball(r, buffer);
        let square: f64 = buffer.iter().map(|x| x * x).sum();
        return square < 2.0 * buffer[0];
    }
    let z = stream.normal();
    let rest = 2.0 * stream.gamma(0.5 * (d as f64 - 1.0));
    let radius = r * libm::pow(stream.uniform_positive(), 1.0 / d as f64);
    radius < 2.0 * z / (z * z + rest).sqrt()
}

/// The probability of `Omega` as an integral over the angle between w and w*: along a direction at angle `phi` the ball
/// lies in `Omega` up to the radius `2 cos(phi)`.
fn quadrature(d: usize, r: f64) -> f64 {
    let power = d as f64 - 2.0;
    let density = |phi: f64| libm::pow(libm::sin(phi), power);
    let kink = if r < 2.0 { 2.0 * libm::asin(((1.0 - 0.5 * r) / 2.0).sqrt()) } else { 0.0 };
    let inside = simpson(density, 0.0, kink, 4000);
    let share = |phi: f64| density(phi) * libm::pow((2.0 * libm::cos(phi) / r).max(0.0), d as f64);
    let beyond = simpson(share, kink, FRAC_PI_2, 4000);
    (inside + beyond) / (2.0 * simpson(density, 0.0, FRAC_PI_2, 4000))
}

/// Share of `n` points of the ball that land in `Omega`, with the standard error of the exact probability `p`.
fn sampled_share(bench: &Bench<'_>, index: u64, (d, r): (usize, f64), n: u64, p: f64) -> (f64, f64) {
    let mut stream = bench.stream(index);
    let mut buffer = vec![0.0; d.min(100)];
    let hits = (0..n).filter(|_| lands(&mut stream, d, r, &mut buffer)).count();
    (hits as f64 / n as f64, (p * (1.0 - p) / n as f64).sqrt())
}

/// Largest distance of the exact probability from the quadrature.
fn quadrature_error(bench: &Bench<'_>) -> Result<f64, Failure> {
    let mut apart = 0.0_f64;
    for d in [2, 3, 10, 50] {
        for k in 1..=50 {
            let r = 0.05 * f64::from(k);
            apart = largest([apart, (bench.maths.ball_probability(d, r)? - quadrature(d, r)).abs()]);
        }
    }
    Ok(apart)
}

fn bound(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let n = bench.pick(20_000, 400_000);
    let cells: Vec<(usize, f64)> = DIMENSIONS.iter().flat_map(|d| EPSILONS.map(|e| (*d, e))).collect();
    let rows: Result<Vec<[f64; 4]>, Failure> = cells
        .par_iter()
        .enumerate()
        .map(|(i, (d, eps))| {
            let r = theorem6_radius(*d, *eps)?;
            let exact = bench.maths.ball_probability(*d, r)?;
            let (share, error) = sampled_share(bench, i as u64, (*d, r), n, exact);
            Ok([theorem6_bound(*eps)?, exact, share, error])
        })
        .collect();
    let rows = rows?;
    let least = rows.iter().map(|r| r[1] - r[0]).fold(f64::INFINITY, f64::min);
    findings.check("least excess of the exact probability over the bound", least, None, Bound::at_least(0.0));
    let worst = largest(rows.iter().map(|r| (r[2] - r[1]).abs() / r[3]));
    let limit = bench.sigmas(rows.len())?;
    findings.check(
        "largest deviation of a sampled share from the exact probability, in standard errors",
        worst,
        None,
        Bound::at_most(limit),
    );
    findings.check(
        "largest distance from a quadrature, d = 2 to 50, r/|w*| = 0.05 to 2.5",
        quadrature_error(bench)?,
        None,
        Bound::at_most(1e-10),
    );
    // As d grows the probability tends to Phi(-eps sqrt(pi/2)).
    let far = bench.maths.ball_probability(1_000_000, theorem6_radius(1_000_000, 0.9)?)?;
    let end = popgrad::normal_cdf(-0.9 * FRAC_PI_2.sqrt());
    findings.check(
        "d = 10\u{2076}, \u{3b5} = 0.9: distance from the limit \u{3a6}(\u{2212}\u{3b5}\u{221a}(\u{3c0}/2))",
        (far - end).abs(),
        None,
        Bound::at_most(1e-6),
    );
    let mut table = Table::new(
        "Probability that w lies in \u{3a9}: the paper's bound, the exact value, and sampling.",
        &["d", "\u{3b5}", "bound", "exact", "sampled"],
    );
    for ((d, eps), r) in cells.iter().zip(&rows) {
        let sampled = with_uncertainty(r[2], Some(r[3]), 4);
        table.row(vec![d.to_string(), format!("{eps}"), significant(r[0], 2), significant(r[1], 6), sampled]);
    }
    findings.table(table);
    findings.figure(
        "fig5",
        "Fig. 5, redrawn: (left) probability of \u{3a9} against the radius of the ball, exact (lines) and the bound \
         (dashed); (right) against the dimension at Theorem 6's radius, exact, bound (dashed) and sampled.",
        &figure(bench, &cells, &rows)?,
    );
    Ok(findings)
}

fn figure(bench: &Bench<'_>, cells: &[(usize, f64)], rows: &[[f64; 4]]) -> Result<Figure, Failure> {
    let mut left = Panel::new(
        "(left) against the radius",
        Axis::linear("radius r/|w*|").range(0.0, 1.6),
        Axis::linear("probability of \u{3a9}").range(0.0, 0.52),
    );
    for (i, d) in [2_usize, 10, 100].into_iter().enumerate() {
        let mut exact = Vec::new();
        for k in 1..=160 {
            let r = 0.01 * f64::from(k);
            exact.push((r, bench.maths.ball_probability(d, r)?));
        }
        let unit = theorem6_radius(d, 1.0)?;
        let colour = Colour::series(i);
        left.push(Layer::line(exact).colour(colour).label(&format!("d = {d}")));
        left.push(Layer::line([(0.0, 0.5), (unit, 0.0)]).colour(colour).dash(Dash::Dashed).width(1.0));
    }
    let mut right = Panel::new(
        "(right) at Theorem 6's radius",
        Axis::log("dimension d").range(1.7, 13_000.0),
        Axis::linear("probability of \u{3a9}").range(0.0, 0.52),
    )
    .legend(LegendPlace::Below);
    for (i, eps) in EPSILONS.into_iter().enumerate() {
        let colour = Colour::series(i);
        let mut exact = Vec::new();
        for k in 0..=60 {
            let d = exponential(k);
            exact.push((d as f64, bench.maths.ball_probability(d, theorem6_radius(d, eps)?)?));
        }
        right.push(Layer::line(exact).colour(colour).label(&format!("\u{3b5} = {eps}")));
        right.push(Layer::across(theorem6_bound(eps)?).colour(colour).dash(Dash::Dashed));
        let mine = cells.iter().zip(rows).filter(|(c, _)| c.1 == eps);
        let marks: Vec<(f64, f64)> = mine.map(|(c, r)| (c.0 as f64, r[2])).collect();
        right.push(Layer::marks(marks, Mark::series(i)).colour(colour));
    }
    Ok(Figure::new("Probability of landing in Omega", 2).panel_size(370.0, 310.0).with(left).with(right))
}

/// Whole numbers from 2 to 10000 in about equal ratios.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 2 and 10000")]
fn exponential(k: i32) -> usize {
    (2.0 * libm::pow(5000.0, f64::from(k) / 60.0)).round() as usize
}

fn large_radius(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let n = bench.pick(100_000, 2_000_000);
    let mut worst = 0.0_f64;
    for (i, (gamma, name)) in [(1.5, "1.5"), (2.0, "2"), (3.0, "3")].into_iter().enumerate() {
        let (mut d_values, mut logs) = (Vec::new(), Vec::new());
        for d in (10..=60).step_by(10) {
            d_values.push(d as f64);
            logs.push(libm::log(bench.maths.ball_probability(d, gamma)?));
        }
        let slope = fit_line(&d_values, &logs)?.slope;
        findings.check(
            &format!("\u{3b3} = {name}: rate of ln P per dimension, in units of \u{2212}ln \u{3b3}"),
            -slope / libm::log(gamma),
            None,
            Bound::around(1.0, 0.01),
        );
        let d = 5 - i;
        let exact = bench.maths.ball_probability(d, gamma)?;
        let (share, error) = sampled_share(bench, i as u64, (d, gamma), n, exact);
        worst = largest([worst, (share - exact).abs() / error]);
    }
    findings.check(
        "largest deviation of a sampled share, d = 3 to 5, in standard errors",
        worst,
        None,
        Bound::at_most(bench.sigmas(3)?),
    );
    findings.check(
        "\u{3b3} = 2, d = 20: P \u{b7} 2\u{b2}\u{2070}",
        bench.maths.ball_probability(20, 2.0)? * 1_048_576.0,
        None,
        Bound::around(1.0, 1e-12),
    );
    Ok(findings)
}

/// Standard deviation of one coordinate in Theorem 6's ball, by sampling, with its standard error.
fn coordinate_deviation(bench: &Bench<'_>, index: u64, d: usize, eps: f64) -> Result<(f64, f64), Failure> {
    let r = theorem6_radius(d, eps)?;
    let mut stream = bench.stream(index);
    let mut squares = Moments::default();
    for _ in 0..bench.pick(40_000, 400_000) {
        let z = stream.normal();
        let rest = 2.0 * stream.gamma(0.5 * (d as f64 - 1.0));
        let x = r * libm::pow(stream.uniform_positive(), 1.0 / d as f64) * z / (z * z + rest).sqrt();
        squares.push(x * x);
    }
    let deviation = squares.mean().sqrt();
    Ok((deviation, squares.standard_error() / (2.0 * deviation)))
}

fn standard_deviation(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let eps = 0.5;
    let dimensions = [100_usize, 316, 1000, 3162, 10_000];
    let (mut logs, mut deviations, mut worst) = (Vec::new(), Vec::new(), 0.0_f64);
    for (i, d) in dimensions.into_iter().enumerate() {
        let (sd, error) = coordinate_deviation(bench, i as u64, d, eps)?;
        let exact = bench.maths.tainted(theorem6_radius(d, eps)? / (d as f64 + 2.0).sqrt());
        worst = largest([worst, (sd - exact).abs() / error]);
        logs.push(libm::log(d as f64));
        deviations.push(libm::log(sd));
    }
    let fit = fit_line(&logs, &deviations)?;
    findings.check(
        "slope of log standard deviation against log d (the paper's order would be \u{2212}1/2)",
        fit.slope,
        Some(fit.slope_error),
        Bound::around(-1.0, 0.03),
    );
    let limit = bench.sigmas(dimensions.len())?;
    findings.check(
        "largest deviation from r/\u{221a}(d + 2), in standard errors",
        worst,
        None,
        Bound::at_most(limit),
    );
    let mut table = Table::new(
        "Probability of \u{3a9} for Gaussian weights; Theorem 6 read with a standard deviation promises 0.25.",
        &["d", "sd 0.5/\u{221a}d", "sd 0.5/d"],
    );
    let (mut fast, mut slow) = (f64::NAN, f64::INFINITY);
    for d in [10_usize, 100, 1000] {
        let n = d as f64;
        fast = bench.maths.tainted(popgrad::gaussian_probability(d, 0.5 / n.sqrt())?);
        let small = bench.maths.tainted(popgrad::gaussian_probability(d, 0.5 / n)?);
        slow = slow.min(small);
        table.row(vec![d.to_string(), significant(fast, 3), significant(small, 3)]);
    }
    findings.check("d = 1000, sd 0.5/\u{221a}d: probability of \u{3a9}", fast, None, Bound::at_most(1e-12));
    findings.check("sd 0.5/d: least probability of \u{3a9}", slow, None, Bound::at_least(0.25));
    findings.table(table);
    Ok(findings)
}
