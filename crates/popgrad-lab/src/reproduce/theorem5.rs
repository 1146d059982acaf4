//! Theorem 5: one ReLU, the Lyapunov function, its matrix, and the basin that is larger than the theorem's.

use super::claim::{Bench, Bound, Claim, Failure, Findings, Group, Outcome, Verdict};
use super::maths::OneRelu;
use super::numbers::significant;
use super::sampling::{distance, dot, largest, length, pair_at};
use crate::figure::{Anchor, Axis, Colour, ColourMap, Dash, Figure, HeatMap, Layer, Mark, Panel};
use popgrad::{
    DescentOptions, FlowOptions, GradientDescent, GradientFlow, RandomStream, RecordPlan, SingleReluFlow,
    Status, StopRule, wilson_interval,
};
use rayon::prelude::*;
use std::f64::consts::{FRAC_PI_2, PI, TAU};

/// The Lyapunov function and its matrix.
pub(super) const LYAPUNOV: Claim = Claim {
    id: "theorem5-lyapunov",
    title: "The distance to the teacher falls on \u{3a9}",
    group: Group::OneRelu,
    statement: "For one ReLU, V = |w \u{2212} w*|\u{b2}/2 has dV/dt < 0 on \u{3a9} = {w: |w \u{2212} w*| < |w*|}, since \
                dV/dt = \u{2212}(N/2\u{3c0}) y'M(\u{3b8})y with y = (|w|, |w*|) and M positive definite there.",
    source: "Theorem 5 and its proof",
    method: "The identity is checked at 1000 random pairs; M's determinant on a grid of angles, \u{3a9} lying in \u{3b8} \
             < \u{3c0}/2; V along trajectories of gradient flow from random starts in \u{3a9}, with the integrated \
             flow compared with the exact solution.",
    expected: Verdict::Holds,
    note: "",
    measure: lyapunov,
};

/// The basin.
pub(super) const BASIN: Claim = Claim {
    id: "theorem5-basin",
    title: "The basin is everything but one ray",
    group: Group::OneRelu,
    statement: "From a start in \u{3a9} gradient descent converges to w*.",
    source: "Theorem 5",
    method: "Gradient descent and gradient flow from starts inside and outside \u{3a9}; the angle beyond which M \
             loses its sign; starts as close as 1e-9 to the ray along \u{2212}w*; the share of random starts that \
             converge, with its Wilson interval.",
    expected: Verdict::Holds,
    note: "\u{3a9} is sufficient, not necessary: the flow converges to w* from every start but zero and the open ray \
           along \u{2212}w*, so that the probability of convergence of the flow is 1 for every continuous law.",
    measure: basin,
};

/// The matrix of Theorem 5 as the proof prints it.
fn printed_matrix(theta: f64) -> [[f64; 2]; 2] {
    let (s, c) = libm::sincos(theta);
    let cross = -0.5 * ((TAU - theta) * c + s);
    [[PI, cross], [cross, PI - theta + s * c]]
}

fn identity_error(bench: &Bench<'_>) -> Result<f64, Failure> {
    let mut worst = 0.0_f64;
    for i in 0..1000 {
        let mut stream = bench.stream(i);
        let theta = PI * stream.uniform();
        let d = 2 + (i % 9) as usize;
        let (v, w) = pair_at(&mut stream, d, theta, 2.0 * stream_size(i));
        let gradient = bench.maths.one_relu_gradient(&w, &v)?;
        let decrease: f64 = w.iter().zip(&v).zip(&gradient).map(|((a, b), g)| -(a - b) * g).sum();
        let m = printed_matrix(popgrad::angle(&w, &v)?.theta);
        let y = [length(&w), length(&v)];
        let form = y[0] * (m[0][0] * y[0] + m[0][1] * y[1]) + y[1] * (m[1][0] * y[0] + m[1][1] * y[1]);
        let scale = (y[0] + y[1]) * (y[0] + y[1]);
        worst = largest([worst, (decrease + form / TAU).abs() / scale]);
    }
    Ok(worst)
}

/// Sizes of the students of the identity's pairs, from 0.05 to 1.
fn stream_size(i: u64) -> f64 {
    0.05 + 0.95 * (i % 20) as f64 / 19.0
}

/// A point of `Omega`: uniform in the ball of radius |v| around v.
fn start_in_omega(stream: &mut RandomStream, v: &[f64]) -> Vec<f64> {
    let mut w = vec![0.0; v.len()];
    stream.fill_ball(0.999 * length(v), &mut w);
    w.iter_mut().zip(v).for_each(|(a, b)| *a += b);
    w
}

fn flow_options(time: f64, times: Vec<f64>) -> FlowOptions {
    FlowOptions {
        rtol: 1e-10,
        stop: StopRule { time: Some(time), ..StopRule::default() },
        record: RecordPlan::at_times(times),
        ..FlowOptions::default()
    }
}

/// Along one trajectory: the largest rise of V between two instants, and the largest distance from the exact flow.
fn along_trajectory(bench: &Bench<'_>, index: u64) -> Result<(f64, f64), Failure> {
    let mut stream = bench.stream(10_000 + index);
    let d = 2 + (index % 9) as usize;
    let mut v = vec![0.0; d];
    stream.fill_sphere(1.0, &mut v);
    let w = start_in_omega(&mut stream, &v);
    let times: Vec<f64> = (1..=40).map(|i| 0.3 * f64::from(i)).collect();
    let landscape = OneRelu { maths: bench.maths, teacher: v.clone() };
    let mut flow = GradientFlow::try_new(landscape, &w, flow_options(12.0, times))?;
    while let popgrad::Advance::Running(_) = flow.advance(1000) {}
    let exact = SingleReluFlow::try_new(&w, &v)?;
    let (mut rise, mut gap, mut last) = (f64::NEG_INFINITY, 0.0_f64, distance(&w, &v));
    for row in flow.rows() {
        gap = largest([gap, distance(&row.point, &exact.position(row.time)?)]);
        let now = distance(&row.point, &v);
        rise = largest([rise, now - last]);
        last = now;
    }
    Ok((rise, gap))
}

/// The angle at which the determinant changes sign, by bisection.
fn critical_angle() -> Result<f64, Failure> {
    let (mut low, mut high) = (FRAC_PI_2, PI);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if popgrad::theorem5_determinant(middle)? > 0.0 { low = middle } else { high = middle }
    }
    Ok(0.5 * (low + high))
}

/// Largest `dV/dt / (|w| |w - v|)` on a polar grid, `|v| = 1`.
fn largest_rate(bench: &Bench<'_>) -> Result<f64, Failure> {
    let mut worst = f64::NEG_INFINITY;
    for i in 0..=180 {
        let (s, c) = libm::sincos(PI * f64::from(i) / 180.0);
        for k in 1..=60 {
            let r = 0.05 * f64::from(k);
            let w = [r * c, r * s];
            let gap = distance(&w, &[1.0, 0.0]);
            if gap > 1e-9 {
                let g = bench.maths.one_relu_gradient(&w, &[1.0, 0.0])?;
                worst = largest([worst, -((w[0] - 1.0) * g[0] + w[1] * g[1]) / (r * gap)]);
            }
        }
    }
    Ok(worst)
}

fn lyapunov(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    findings.check(
        "identity for dV/dt: largest error, relative to (|w| + |w*|)\u{b2}",
        identity_error(bench)?,
        None,
        Bound::at_most(1e-14),
    );
    let mut least = f64::INFINITY;
    for i in 1..=900 {
        let theta = FRAC_PI_2 * f64::from(i) / 900.0;
        let m = popgrad::theorem5_matrix(theta)?;
        least = least.min((m[0][0] * m[1][1] - m[0][1] * m[1][0]) / (theta * theta));
    }
    findings.check(
        "least det M(\u{3b8})/\u{3b8}\u{b2} for 0 < \u{3b8} \u{2264} \u{3c0}/2",
        least,
        None,
        Bound::at_least(0.1),
    );
    findings.number("angle where det M changes sign, in degrees", critical_angle()?.to_degrees(), None);
    findings.check(
        "largest dV/dt/(|w| |w \u{2212} w*|) over the plane, |w| up to 3|w*|",
        largest_rate(bench)?,
        None,
        Bound::at_most(-1e-3),
    );
    findings.remark(
        "V falls outside \u{3a9} too, at every w but 0 and w*: where M is no longer definite its off-diagonal entry is \
         positive, and both entries of y are.",
    );
    let count = bench.pick(100, 1000);
    let runs: Result<Vec<(f64, f64)>, Failure> =
        (0..count).into_par_iter().map(|i| along_trajectory(bench, i)).collect();
    let runs = runs?;
    findings.check(
        "largest rise of |w \u{2212} w*| between instants 0.3 apart, along trajectories from \u{3a9}",
        largest(runs.iter().map(|r| r.0)),
        None,
        Bound::at_most(0.0),
    );
    findings.check(
        "largest distance between the integrated and the exact flow",
        largest(runs.iter().map(|r| r.1)),
        None,
        Bound::at_most(1e-7),
    );
    findings.figure(
        "theorem5",
        "One ReLU, w* = (1, 0): (left) the rate dV/dt in the plane of w and w*, inside and outside \u{3a9} (dashed); \
         (right) exact trajectories of gradient flow; all but the ray along \u{2212}w* end at w*.",
        &figure(bench)?,
    );
    Ok(findings)
}

fn figure(bench: &Bench<'_>) -> Result<Figure, Failure> {
    let v = [1.0, 0.0];
    let edges = |low: f64, high: f64, n: usize| -> Vec<f64> {
        (0..=n).map(|i| low + (high - low) * i as f64 / n as f64).collect()
    };
    let (x_edges, y_edges) = (edges(-1.0, 2.5, 56), edges(-1.5, 1.5, 48));
    let middles = |e: &[f64]| -> Vec<f64> { e.windows(2).map(|p| 0.5 * (p[0] + p[1])).collect() };
    let mut values = Vec::new();
    for y in middles(&y_edges) {
        for x in middles(&x_edges) {
            let g = bench.maths.one_relu_gradient(&[x, y], &v)?;
            values.push(-((x - 1.0) * g[0] + y * g[1]));
        }
    }
    let heat = HeatMap {
        x_edges,
        y_edges,
        values,
        range: Some((-1.0, 0.0)),
        map: ColourMap::Sequential,
        label: "dV/dt per sample".to_owned(),
        decimals: None,
    };
    let circle = || {
        let around = (0..=180).map(|i| TAU * f64::from(i) / 180.0);
        Layer::line(around.map(|t| (1.0 + libm::cos(t), libm::sin(t)))).dash(Dash::Dashed).width(1.2)
    };
    let x = || Axis::linear("w along w*").range(-1.0, 2.5);
    let y = || Axis::linear("w across w*").range(-1.5, 1.5);
    let left = Panel::new("(left) rate of V", x(), y())
        .equal_units()
        .with(Layer::heat(heat))
        .with(circle().colour(Colour::White))
        .with(Layer::marks([(1.0, 0.0)], Mark::Disc).colour(Colour::Black).width(4.0))
        .with(Layer::text((1.0, 0.0), "w*", Anchor::Right).colour(Colour::Black));
    let mut right = Panel::new("(right) trajectories", x(), y()).equal_units();
    for i in 0..24 {
        let angle = TAU * (f64::from(i) + 0.5) / 24.0;
        let (s, c) = libm::sincos(angle);
        let start = [(-1.0_f64).max(0.75 + 1.75 * c * 1.2), (1.45 * s * 1.2).clamp(-1.45, 1.45)];
        let flow = SingleReluFlow::try_new(&start, &v)?;
        let path: Result<Vec<(f64, f64)>, popgrad::SingleReluError> =
            (0..=240).map(|k| flow.position(0.1 * f64::from(k)).map(|w| (w[0], w[1]))).collect();
        right.push(Layer::line(path?).colour(Colour::Blue).width(1.0));
    }
    let right = right
        .with(circle().label("\u{3a9}"))
        .with(
            Layer::line([(-1.0, 0.0), (0.0, 0.0)])
                .colour(Colour::Vermilion)
                .width(2.0)
                .label("ray along \u{2212}w*"),
        )
        .with(Layer::marks([(1.0, 0.0)], Mark::Disc).colour(Colour::Ink).width(4.0).label("w*"));
    Ok(Figure::new("One ReLU: Lyapunov function and trajectories", 2)
        .panel_size(400.0, 320.0)
        .with(left)
        .with(right))
}

/// Gradient descent in `d` dimensions from a normal start; whether it ends at the teacher.
fn descends(bench: &Bench<'_>, index: u64, d: usize) -> Result<(bool, bool), Failure> {
    let mut stream = bench.stream(index);
    let (mut v, mut w) = (vec![0.0; d], vec![0.0; d]);
    stream.fill_sphere(1.0, &mut v);
    stream.fill_normal(&mut w);
    w.iter_mut().for_each(|x| *x /= (d as f64).sqrt());
    let inside = popgrad::in_omega(&w, &v)?;
    let options = DescentOptions {
        step: 0.2,
        stop: StopRule { gradient_norm: Some(1e-9), steps: Some(100_000), ..StopRule::default() },
        ..DescentOptions::default()
    };
    let end =
        GradientDescent::try_new(OneRelu { maths: bench.maths, teacher: v.clone() }, &w, options)?.run();
    Ok((end.status == Status::Converged && distance(&end.point, &v) < 1e-6, inside))
}

fn basin(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let count = bench.pick(2000, 20_000);
    let runs: Result<Vec<(bool, bool)>, Failure> =
        (0..count).into_par_iter().map(|i| descends(bench, i, 20)).collect();
    let runs = runs?;
    let of = |inside: bool| {
        let chosen = runs.iter().filter(|r| r.1 == inside);
        chosen.fold((0_u64, 0_u64), |(hits, all), r| (hits + u64::from(r.0), all + 1))
    };
    let ((in_hits, in_all), (out_hits, out_all)) = (of(true), of(false));
    findings.number("starts in \u{3a9}, of all", in_all as f64 / count as f64, None);
    findings.check(
        "starts in \u{3a9} that do not converge",
        (in_all - in_hits) as f64,
        None,
        Bound::exactly(0.0),
    );
    let interval = wilson_interval(out_hits, out_all, 1.0 - 1e-6)?;
    findings.number("starts outside \u{3a9} that converge, share", interval.share, None);
    findings.check(
        "its Wilson lower end at confidence 1 \u{2212} 1e-6",
        interval.low,
        None,
        Bound::at_least(0.98),
    );
    let mut last = 0.0_f64;
    for psi in [1e-3, 1e-6, 1e-9] {
        let start = [-0.5, 0.5 * psi];
        let landscape = OneRelu { maths: bench.maths, teacher: vec![1.0, 0.0] };
        // Close to zero on the ray the gradient is as small as near w*, so the loss decides.
        let stop = StopRule { loss: Some(2.5e-17), time: Some(400.0), ..StopRule::default() };
        let options = FlowOptions { rtol: 1e-10, stop, ..FlowOptions::default() };
        let end = GradientFlow::try_new(landscape, &start, options)?.run();
        last = largest([last, distance(&end.point, &[1.0, 0.0])]);
        let name = format!("time to get within 1e-8, start {} from the ray", significant(psi, 1));
        findings.number(&name, end.time, None);
    }
    findings.check("largest end distance to w* from those starts", last, None, Bound::at_most(1e-6));
    let ray = SingleReluFlow::try_new(&[-0.5, 0.0], &[1.0, 0.0])?;
    let after = ray.position(10.0)?;
    findings.check(
        "start on the ray: |w(10)| / (|w(0)| exp(\u{2212}5)), which shrinks to zero",
        bench.maths.tainted(length(&after) / (0.5 * libm::exp(-5.0))),
        None,
        Bound::around(1.0, 1e-14),
    );
    debug_assert!(dot(&after, &[1.0, 0.0]) < 0.0);
    Ok(findings)
}
