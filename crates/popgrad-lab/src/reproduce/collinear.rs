//! Section 5.3: saddles with both students on one line, and where that line lies.

use super::claim::{Bench, Bound, Claim, Failure, Findings, Group, Outcome, Table, Verdict};
use super::numbers::significant;
use super::polish::polish;
use super::sampling::{distance, largest, length};
use crate::figure::{Axis, Colour, Dash, Figure, Layer, Mark, Panel};
use popgrad::{Blocks, Matrix, Student, TwoLayer, angular_h, symmetric_eigenvalues};
use std::f64::consts::PI;

/// The bisector.
pub(super) const BISECTOR: Claim = Claim {
    id: "section53-bisector",
    title: "Collinear students are critical on a line that is the bisector for equal norms only",
    group: Group::CriticalPoints,
    statement: "For K = 2 the points with w1 and w2 collinear, along the bisector of w1* and w2*, are saddle points.",
    source: "Section 5.3",
    method: "Teachers 1.1 apart: the gradient along the bisector for norms 1 and 1 and for norms 1 and 2, at the best total length; \
             the direction that solves (\u{3c0} \u{2212} \u{3b8}1)|w1*| sin \u{3b8}1 = (\u{3c0} \u{2212} \u{3b8}2)|w2*| sin \u{3b8}2, and the Hessian's spectrum there.",
    expected: Verdict::PaperWrong,
    note: "The condition is that the teachers' pulls across the line balance, each weighted with \u{3c0} \u{2212} \u{3b8}; it is met by the \
           bisector for |w1*| = |w2*| only. The saddles exist for all norms, each with a segment of equivalent points.",
    measure: bisector,
};

/// Half the angle between the teachers.
const HALF: f64 = 0.55;

fn unit(t: f64) -> [f64; 2] {
    [libm::cos(t), libm::sin(t)]
}

/// Teachers of the given norms at angles +-[`HALF`].
fn problem(norms: [f64; 2]) -> Result<TwoLayer, Failure> {
    let rows = [unit(HALF).map(|x| norms[0] * x), unit(-HALF).map(|x| norms[1] * x)];
    Ok(TwoLayer::try_new(Matrix::from_rows(&rows))?)
}

/// The pulls across the line at angle `b`, difference of both sides; zero where the line carries critical points.
fn balance(norms: [f64; 2], b: f64) -> f64 {
    let pull = |norm: f64, t: f64| (PI - t) * norm * libm::sin(t);
    pull(norms[0], HALF - b) - pull(norms[1], HALF + b)
}

/// The direction on which the pulls balance, by bisection.
fn direction(norms: [f64; 2]) -> f64 {
    let (mut low, mut high) = (-HALF, HALF);
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if balance(norms, middle) > 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

/// `|w1| + |w2|` that solves the radial part along the line at angle `b`.
fn total(norms: [f64; 2], b: f64) -> f64 {
    (norms[0] * angular_h(HALF - b) + norms[1] * angular_h(HALF + b)) / PI
}

/// Students along the line at angle `b`, the first with a share of the total.
fn students(b: f64, total: f64, share: f64) -> Matrix {
    Matrix::from_rows(&[share, 1.0 - share].map(|s| unit(b).map(|x| s * total * x)))
}

/// Norm of the gradient, as the mathematics under test gives it.
fn residual(bench: &Bench<'_>, problem: &TwoLayer, w: &Matrix) -> Result<f64, Failure> {
    Ok(length(bench.maths.gradient(w, &problem.teacher().to_matrix())?.as_slice()))
}

/// Two more kinds of points on the bisector of equal norms: one student each way, and both away from the teachers.
fn on_the_bisector() -> [(&'static str, Matrix); 2] {
    let (near, far) = (2.0 * angular_h(HALF) / PI, 2.0 * angular_h(PI - HALF) / PI);
    let along = |x: f64, y: f64| Matrix::from_rows(&[[x, 0.0], [y, 0.0]]);
    [("one student each way", along(near, -far)), ("both away", along(-0.3 * far, -0.7 * far))]
}

fn bisector(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let head = ["norms", "direction from the bisector", "|w1| + |w2|", "gradient", "Hessian eigenvalues"];
    let mut table = Table::new("Collinear critical points of two teachers 1.1 apart.", &head);
    for norms in [[1.0, 1.0], [1.0, 2.0], [1.0, 5.0]] {
        let problem = problem(norms)?;
        let b = direction(norms);
        let sum = total(norms, b);
        let shares = (1..20).map(|i| 0.05 * f64::from(i));
        let along: Result<Vec<f64>, Failure> =
            shares.map(|s| residual(bench, &problem, &students(b, sum, s))).collect();
        let worst = largest(along?);
        let name = format!("norms {} and {}", norms[0], norms[1]);
        findings.check(
            &format!("{name}: largest gradient along the segment"),
            worst,
            None,
            Bound::at_most(1e-14),
        );
        let point = students(b, sum, 0.4);
        let hessian = problem.hessian(Student::new(point.view()), Blocks::Weights)?;
        let values = symmetric_eigenvalues(hessian.view())?;
        findings.check(
            &format!("{name}: smallest eigenvalue, a saddle"),
            values[0],
            None,
            Bound::at_most(-0.1),
        );
        findings.check(
            &format!("{name}: second eigenvalue, along the segment"),
            values[1].abs(),
            None,
            Bound::at_most(1e-14),
        );
        let bisected = residual(bench, &problem, &students(0.0, total(norms, 0.0), 0.4))?;
        let bound = if norms[1] == 1.0 { Bound::at_most(1e-14) } else { Bound::at_least(0.01) };
        findings.check(&format!("{name}: gradient on the bisector"), bisected, None, bound);
        let spectrum: Vec<String> =
            values.iter().map(|x| significant(if x.abs() < 1e-14 { 0.0 } else { *x }, 3)).collect();
        let row = [
            significant(if b.abs() < 1e-14 { 0.0 } else { b }, 6),
            significant(sum, 6),
            significant(worst, 1),
            spectrum.join(", "),
        ];
        table.row(std::iter::once(format!("{}, {}", norms[0], norms[1])).chain(row).collect());
    }
    for (name, w) in on_the_bisector() {
        let problem = problem([1.0, 1.0])?;
        let point = polish(&problem, &w)?;
        let moved = distance(point.weights.as_slice(), w.as_slice());
        let left = residual(bench, &problem, &w)?;
        findings.check(&format!("norms 1 and 1, {name}: gradient"), left, None, Bound::at_most(1e-14));
        findings.check(
            &format!("norms 1 and 1, {name}: way to the point that Newton's method finds"),
            moved,
            None,
            Bound::at_most(1e-12),
        );
        findings.check(
            &format!("norms 1 and 1, {name}: smallest eigenvalue"),
            point.eigenvalues[0],
            None,
            Bound::at_most(-1.0),
        );
        let spectrum: Vec<String> = point
            .eigenvalues
            .iter()
            .map(|x| significant(if x.abs() < 1e-14 { 0.0 } else { *x }, 3))
            .collect();
        let sum = length(w.row(0)) + length(w.row(1));
        let row = [significant(0.0, 6), significant(sum, 6), significant(left, 1), spectrum.join(", ")];
        table.row(std::iter::once(format!("1, 1; {name}")).chain(row).collect());
    }
    // 25 digits of an independent solution of the corrected condition.
    let apart = (direction([1.0, 2.0]) - -0.249_954_860_542_595_9).abs();
    findings.check(
        "norms 1 and 2: distance from the direction in 25 digits",
        apart,
        None,
        Bound::at_most(1e-14),
    );
    findings.table(table);
    findings.figure(
        "section53",
        "Left: gradient against the direction of the line, total length solved from the radial part; marks show the corrected condition. \
         Right: that direction over the ratio of the norms, as a share of the way from the bisector to the longer teacher.",
        &figure(bench)?,
    );
    Ok(findings)
}

fn figure(bench: &Bench<'_>) -> Result<Figure, Failure> {
    let x = Axis::linear("direction from the bisector").range(-HALF, HALF);
    let mut left = Panel::new("gradient on the line", x, Axis::log("|\u{2207}J|").range(1e-4, 3.0));
    for (i, norms) in [[1.0, 1.0], [1.0, 2.0], [1.0, 5.0]].into_iter().enumerate() {
        let problem = problem(norms)?;
        let points: Result<Vec<(f64, f64)>, Failure> = (1..400)
            .map(|k| {
                let b = HALF * (f64::from(k) / 200.0 - 1.0);
                Ok((b, residual(bench, &problem, &students(b, total(norms, b), 0.4))?))
            })
            .collect();
        let colour = Colour::series(i);
        left.push(Layer::line(points?).colour(colour).label(&format!("norms {}, {}", norms[0], norms[1])));
        left.push(Layer::marks([(direction(norms), 1.3e-4)], Mark::series(i)).colour(colour).width(3.5));
    }
    left.push(Layer::upright(0.0).dash(Dash::Dotted));
    let ratios = (0..=60).map(|i| libm::pow(10.0, f64::from(i) / 30.0));
    let shares = ratios.map(|r| (r, -direction([1.0, r]) / HALF));
    let y = Axis::linear("share of the way to the longer teacher").range(0.0, 1.0);
    let right = Panel::new("where the line lies", Axis::log("|w2*| / |w1*|"), y)
        .with(Layer::line(shares).colour(Colour::series(0)));
    Ok(Figure::new("Collinear critical points", 2).with(left).with(right))
}
