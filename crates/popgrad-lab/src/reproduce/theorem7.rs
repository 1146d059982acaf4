//! Theorem 7: the plane of a symmetric start, its saddle, its basins, and what lies beyond the theorem.

use super::claim::{Bench, Bound, Claim, Failure, Findings, Group, Outcome, Table, Verdict};
use super::maths::{Network, Plane};
use super::numbers::significant;
use super::sampling::{distance, dot, largest};
use crate::figure::{Axis, Colour, Dash, Figure, Layer, Panel};
use popgrad::{
    DescentOptions, FlowOptions, GradientDescent, GradientFlow, Matrix, Outcome as End, RandomStream,
    RecordPlan, StopRule, TwoLayer, XyPlane, fit_line,
};
use rayon::prelude::*;

/// Part (1).
pub(super) const SADDLE: Claim = Claim {
    id: "theorem7-saddle",
    title: "On the diagonal the flow ends at a saddle",
    group: Group::Symmetric,
    statement: "For an orthonormal teacher and a start with x0 = y0 the dynamics converge to the saddle x = y = \
                (\u{221a}(K\u{2212}1) \u{2212} arccos(1/\u{221a}K) + \u{3c0})/(\u{3c0}K).",
    source: "Theorem 7 (1)",
    method: "The field of the full network at the printed point; flow of the plane from four starts for K = 2 to 100; the \
             eigenvalues there, of the plane's linearisation, beside their closed forms.",
    expected: Verdict::Holds,
    note: "",
    measure: saddle,
};

/// Part (2).
pub(super) const CONVERGENCE: Claim = Claim {
    id: "theorem7-convergence",
    title: "Below the diagonal the flow ends at the teacher",
    group: Group::Symmetric,
    statement: "From x0 in (0, 1], y0 in [0, 1] with x0 > y0 the dynamics converge to the teacher, (x, y) = (1, 0).",
    source: "Theorem 7 (2)",
    method: "Flow of the plane from a grid of starts, from starts 1e-3 to 1e-12 below the diagonal, and from starts of \
             size 1e-12, for K = 2, 5, 10 and 50.",
    expected: Verdict::Holds,
    note: "",
    measure: convergence,
};

/// The last bit.
pub(super) const DIAGONAL: Claim = Claim {
    id: "theorem7-last-bit",
    title: "Rounding breaks the symmetry, but not in the plane",
    group: Group::Symmetric,
    statement: "A start on the diagonal stays there; an infinitesimal perturbation breaks the symmetry and leads to the \
                teacher.",
    source: "Theorem 7 and the remark after it",
    method: "Gradient descent from x0 = y0 in the plane, where x and y are compared bit by bit; the same start in the full \
             network in a turned basis, where rounding is the perturbation and its growth is compared with the \
             saddle's rate.",
    expected: Verdict::Holds,
    note: "",
    measure: diagonal,
};

/// The other half plane.
pub(super) const ABOVE: Claim = Claim {
    id: "theorem7-other-side",
    title: "Above the diagonal lies a spurious minimum, from K = 6 on",
    group: Group::Symmetric,
    statement: "Theorem 7 and Conjecture 2 suppose x0 > y0 and say nothing of x0 < y0.",
    source: "Theorem 7, Conjecture 2",
    method: "Flow of the plane from starts with x0 < y0 for K = 3 to 20: the end point, its loss, the smallest eigenvalue of \
             the full Hessian; full networks started 1e-3 from that point, which return or leave.",
    expected: Verdict::Open,
    note: "The paper is silent on x0 < y0: for K = 2 that half plane leads to the other permutation of the teacher, for K \
           \u{2265} 3 to a critical point of positive loss, which is a strict local minimum of the full problem from K = 6 on.",
    measure: above,
};

/// Flow of the plane until the gradient is small; the end.
pub(super) fn flow_to_rest(
    bench: &Bench<'_>,
    k: usize,
    start: [f64; 2],
    gradient: f64,
) -> Result<End, Failure> {
    let plane = Plane { maths: bench.maths, plane: XyPlane::try_new(k)? };
    let stop = StopRule { gradient_norm: Some(gradient), time: Some(300.0), ..StopRule::default() };
    // An explicit method at rest hovers at its tolerance, so that has to lie below the bound on the gradient.
    let options = FlowOptions { rtol: 1e-12, stop, ..FlowOptions::default() };
    Ok(GradientFlow::try_new(plane, &start, options)?.run())
}

fn saddle(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let (mut residual, mut apart, mut eigen) = (0.0_f64, 0.0_f64, 0.0_f64);
    let head = ["K", "x = y", "loss", "stable rate", "unstable rate"];
    let mut table = Table::new("The saddle; rates per unit of per-sample time.", &head);
    for k in [2_usize, 3, 5, 10, 100] {
        bench.pause()?;
        let n = k as f64;
        let root = (n - 1.0).sqrt();
        let printed = (root - libm::acos(1.0 / n.sqrt()) + std::f64::consts::PI) / (std::f64::consts::PI * n);
        let plane = XyPlane::try_new(k)?;
        if k <= 10 {
            let w = plane.embed(printed, printed);
            let gradient = bench.maths.gradient(&w, &plane.teacher())?;
            residual = largest([residual, dot(gradient.as_slice(), gradient.as_slice()).sqrt() / n]);
        }
        for x0 in [1e-3, 0.1, 0.7, 1.5] {
            let end = flow_to_rest(bench, k, [x0, x0], 1e-11)?;
            apart = largest([apart, (end.point[0] - printed).abs(), (end.point[1] - printed).abs()]);
        }
        let [[a, b], [c, d]] = plane.jacobian(printed, printed)?;
        let (mean, half) = (0.5 * (a + d), libm::sqrt(0.25 * (a - d) * (a - d) + b * c));
        let turn = std::f64::consts::PI - libm::acos(1.0 / n.sqrt()) + root;
        let unstable = bench.maths.tainted(n * n / (2.0 * root * turn));
        eigen = largest([eigen, (mean - half + 0.5 * n).abs() / n, (mean + half - unstable).abs() / n]);
        table.row(vec![
            k.to_string(),
            significant(printed, 10),
            significant(plane.loss_at(printed, printed)?, 6),
            significant(mean - half, 6),
            significant(mean + half, 8),
        ]);
    }
    findings.check(
        "K = 2 to 10: largest gradient of the full network there, per unit",
        residual,
        None,
        Bound::at_most(1e-15),
    );
    findings.check(
        "largest distance of the flow's end from the printed point",
        apart,
        None,
        Bound::at_most(1e-9),
    );
    findings.check(
        "largest error of the eigenvalues \u{2212}K/2 and K\u{b2}/(2\u{221a}(K\u{2212}1)(\u{3c0} \u{2212} arccos(1/\u{221a}K) + \u{221a}(K\u{2212}1))), over K",
        eigen,
        None,
        Bound::at_most(1e-13),
    );
    findings.table(table);
    Ok(findings)
}

/// Starts of part (2): a grid, starts close to the diagonal, tiny starts.
fn starts() -> Vec<[f64; 2]> {
    let mut out = Vec::new();
    for i in 1..=10 {
        for j in 0..i {
            out.push([0.1 * f64::from(i), 0.1 * f64::from(j)]);
        }
    }
    for gap in [1e-3, 1e-6, 1e-9, 1e-12] {
        out.push([0.5, 0.5 - gap]);
        out.push([1.0, 1.0 - gap]);
    }
    for (x, y) in [(1e-12, 0.0), (1e-12, 5e-13), (1e-12, 9.99e-13), (1e-3, 0.0), (1e-6, 9.9e-7)] {
        out.push([x, y]);
    }
    out
}

fn convergence(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let cases: Vec<(usize, [f64; 2])> =
        [2, 5, 10, 50].iter().flat_map(|k| starts().into_iter().map(|s| (*k, s))).collect();
    let ends: Result<Vec<(f64, f64)>, Failure> = cases
        .par_iter()
        .map(|(k, start)| {
            bench.pause()?;
            let end = flow_to_rest(bench, *k, *start, 1e-9)?;
            Ok((distance(&end.point, &[1.0, 0.0]), end.time))
        })
        .collect();
    let ends = ends?;
    findings.number("starts", ends.len() as f64, None);
    let failed = ends.iter().filter(|e| e.0.is_nan() || e.0 >= 1e-8).count();
    findings.check("starts that do not end at the teacher", failed as f64, None, Bound::exactly(0.0));
    findings.check(
        "largest distance of an end from (1, 0)",
        largest(ends.iter().map(|e| e.0)),
        None,
        Bound::at_most(1e-8),
    );
    findings.number("longest flow time", largest(ends.iter().map(|e| e.1)), None);
    let small = cases.iter().zip(&ends).filter(|(c, _)| c.1[0] <= 1e-12);
    findings.check(
        "starts of size 1e-12: largest distance of an end from (1, 0)",
        largest(small.map(|(_, e)| e.0)),
        None,
        Bound::at_most(1e-8),
    );
    Ok(findings)
}

/// An orthonormal basis of `R^k`: normal vectors, orthogonalised twice.
fn turned_basis(stream: &mut RandomStream, k: usize) -> Matrix {
    let mut q = Matrix::zeros(k, k);
    for i in 0..k {
        let mut row = vec![0.0; k];
        stream.fill_normal(&mut row);
        for _ in 0..2 {
            for j in 0..i {
                let along = dot(q.row(j), &row);
                row.iter_mut().zip(q.row(j)).for_each(|(x, y)| *x -= along * y);
            }
            let size = dot(&row, &row).sqrt();
            row.iter_mut().for_each(|x| *x /= size);
        }
        q.row_mut(i).copy_from_slice(&row);
    }
    q
}

/// The start `x (v_1 + ... + v_K)` for every student, each summed in the order of its own shift.
fn coincident_students(teacher: &Matrix, x: f64) -> Matrix {
    let k = teacher.rows();
    let mut w = Matrix::zeros(k, teacher.cols());
    for j in 0..k {
        for shift in 0..k {
            let v = teacher.row((j + shift) % k).to_vec();
            w.row_mut(j).iter_mut().zip(&v).for_each(|(a, b)| *a += x * b);
        }
    }
    w
}

/// Largest distance between two students.
fn spread(point: &[f64], k: usize) -> f64 {
    let d = point.len() / k;
    largest((1..k).map(|j| distance(&point[..d], &point[j * d..(j + 1) * d])))
}

/// Times and spreads of the students of a full network started on the diagonal.
fn escape(bench: &Bench<'_>, k: usize) -> Result<Vec<(f64, f64)>, Failure> {
    let teacher = turned_basis(&mut bench.stream(k as u64), k);
    let start = coincident_students(&teacher, 0.2);
    let problem = TwoLayer::try_new(teacher)?;
    let options = DescentOptions {
        step: 0.01,
        stop: StopRule { time: Some(110.0 / k as f64 + 40.0), ..StopRule::default() },
        record: RecordPlan::every(10),
        ..DescentOptions::default()
    };
    let mut network = Network::new(bench.maths, &problem, k);
    let mut descent = GradientDescent::try_new(&mut network, start.as_slice(), options)?;
    while let popgrad::Advance::Running(_) = descent.advance(1000) {
        bench.pause()?;
    }
    Ok(descent.take_rows().iter().map(|r| (r.time, spread(&r.point, k))).collect())
}

fn diagonal(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let mut different = 0_u32;
    for k in [2_usize, 3, 5, 10, 50] {
        let plane = Plane { maths: bench.maths, plane: XyPlane::try_new(k)? };
        let options = DescentOptions {
            step: 0.01,
            stop: StopRule { steps: Some(5000), ..StopRule::default() },
            ..DescentOptions::default()
        };
        let mut descent = GradientDescent::try_new(plane, &[0.2, 0.2], options)?;
        for _ in 0..5000 {
            descent.advance(1);
            different += u32::from(descent.point()[0].to_bits() != descent.point()[1].to_bits());
        }
    }
    findings.check(
        "plane, K = 2 to 50, 5000 steps each: steps after which x and y differ in a bit",
        f64::from(different),
        None,
        Bound::exactly(0.0),
    );
    let x = Axis::linear("flow time");
    let mut panel = Panel::new("", x, Axis::log("largest distance between two students"));
    for (series, k) in [2_usize, 5, 10].into_iter().enumerate() {
        let rows = escape(bench, k)?;
        let rate = XyPlane::try_new(k)?.saddle().eigenvalues[1];
        let linear: Vec<&(f64, f64)> = rows.iter().filter(|r| r.1 > 1e-12 && r.1 < 1e-4).collect();
        let end = linear.len().min(rows.len());
        let times: Vec<f64> = linear[..end].iter().map(|r| r.0).collect();
        let logs: Vec<f64> = linear[..end].iter().map(|r| libm::log(r.1)).collect();
        let fit = fit_line(&times, &logs)?;
        // One step of gradient descent multiplies a mode of rate s by 1 + 0.01 s.
        let expected = libm::log1p(0.01 * rate) / 0.01;
        findings.check(
            &format!(
                "full network, K = {k}: growth rate of rounding, over the saddle's ({})",
                significant(expected, 4)
            ),
            fit.slope / expected,
            None,
            Bound::around(1.0, 0.02),
        );
        let colour = Colour::series(series);
        panel.push(
            Layer::line(rows.iter().filter(|r| r.1 > 0.0).copied()).colour(colour).label(&format!("K = {k}")),
        );
        let (Some(t0), Some(l0)) = (times.first(), logs.first()) else { continue };
        let guide = [0.0, 12.0 / rate].map(|t| (*t0 + t, libm::exp(*l0 + expected * t)));
        panel.push(Layer::line(guide).colour(colour).dash(Dash::Dashed).width(1.0));
    }
    findings.figure(
        "symmetry-breaking",
        "Full networks started on the diagonal, in a turned basis: rounding parts the students at the saddle's rate \
         (dashed), until the symmetry is broken.",
        &Figure::new("Growth of rounding at the saddle", 1).panel_size(470.0, 300.0).with(panel),
    );
    Ok(findings)
}

/// Whether a full network started 1e-3 from the spurious point comes back to it.
fn returns(bench: &Bench<'_>, k: usize, point: (f64, f64), index: u64) -> Result<bool, Failure> {
    let plane = XyPlane::try_new(k)?;
    let rest = plane.embed(point.0, point.1);
    let mut start = rest.clone();
    let mut stream = bench.stream(1000 * k as u64 + index);
    start.as_mut_slice().iter_mut().for_each(|x| *x += 1e-3 * stream.normal() / k as f64);
    let problem = TwoLayer::try_new(plane.teacher())?;
    let options = FlowOptions {
        rtol: 1e-6,
        stop: StopRule { gradient_norm: Some(1e-7), time: Some(6000.0), ..StopRule::default() },
        ..FlowOptions::default()
    };
    let end = GradientFlow::try_new(Network::new(bench.maths, &problem, k), start.as_slice(), options)?.run();
    Ok(distance(&end.point, rest.as_slice()) < 1e-3)
}

fn above(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let head = ["K", "x", "y", "loss", "smallest Hessian eigenvalue", "perturbed runs that return"];
    let mut table = Table::new("Where the half plane x < y ends.", &head);
    let (mut apart, mut wrong) = (0.0_f64, 0);
    let repeats = bench.pick(4, 20);
    for k in [3_usize, 4, 5, 6, 8, 10, 20] {
        bench.pause()?;
        let plane = XyPlane::try_new(k)?;
        let point = plane.find_spurious()?;
        for start in [[0.1, 0.5], [1e-3, 2e-3], [0.0, 1.0], [0.9, 0.95]] {
            let end = flow_to_rest(bench, k, start, 1e-11)?;
            apart = largest([apart, distance(&end.point, &[point.x, point.y])]);
        }
        let least = bench.maths.tainted(plane.smallest_eigenvalue(point.x, point.y)?);
        wrong += u32::from((least > 0.0) != (k >= 6));
        let mut back = String::from("not run");
        if k <= 10 {
            let runs: Result<Vec<bool>, Failure> =
                (0..repeats).into_par_iter().map(|i| returns(bench, k, (point.x, point.y), i)).collect();
            let hits = runs?.iter().filter(|r| **r).count() as u64;
            wrong += u32::from(hits != if k >= 6 { repeats } else { 0 });
            back = format!("{hits} of {repeats}");
        }
        let cell = |x: f64| significant(x, 7);
        table.row(vec![
            k.to_string(),
            cell(point.x),
            cell(point.y),
            cell(point.loss),
            significant(least, 4),
            back,
        ]);
    }
    findings.check(
        "largest distance of the flow's end from that critical point",
        apart,
        None,
        Bound::at_most(1e-8),
    );
    findings.check(
        "values of K for which the sign of the eigenvalue, or the perturbed runs, do not change at K = 6",
        f64::from(wrong),
        None,
        Bound::exactly(0.0),
    );
    let end = flow_to_rest(bench, 2, [0.1, 0.5], 1e-11)?;
    findings.check(
        "K = 2: distance of the end from (0, 1)",
        distance(&end.point, &[0.0, 1.0]),
        None,
        Bound::at_most(1e-8),
    );
    findings.table(table);
    Ok(findings)
}

/// The path of the plane's flow from a start.
pub(super) fn path(
    bench: &Bench<'_>,
    k: usize,
    start: [f64; 2],
    time: f64,
) -> Result<Vec<(f64, f64)>, Failure> {
    let plane = Plane { maths: bench.maths, plane: XyPlane::try_new(k)? };
    let options = FlowOptions {
        rtol: 1e-8,
        stop: StopRule { time: Some(time), ..StopRule::default() },
        record: RecordPlan::at_times((0..=200).map(|i| time * f64::from(i) / 200.0).collect()),
        ..FlowOptions::default()
    };
    let mut flow = GradientFlow::try_new(plane, &start, options)?;
    while let popgrad::Advance::Running(_) = flow.advance(1000) {}
    Ok(flow.take_rows().iter().map(|r| (r.point[0], r.point[1])).collect())
}
