//! Fig. 8: the vector field of the plane, and the trajectories with the end points of the paper's script.

use super::claim::{Bench, Bound, Claim, Failure, Findings, Group, Outcome, Table, Verdict};
use super::maths::Plane;
use super::numbers::significant;
use super::sampling::largest;
use super::theorem7::path;
use crate::figure::{Arrow, Axis, Colour, Dash, Figure, Layer, Mark, Panel};
use popgrad::{Advance, DescentOptions, GradientDescent, RecordPlan, Row, StopRule, XyPlane};

/// Panels (a) and (b).
pub(super) const FIELD: Claim = Claim {
    id: "fig8-field",
    title: "The vector field of the plane",
    group: Group::Symmetric,
    statement: "For an orthonormal teacher the dynamics of a symmetric start reduce to the field of Theorem 7 in (x, y), drawn \
                for K = 2 and 5.",
    source: "Theorem 7, Fig. 8 (a), (b)",
    method: "The field on a 21 x 21 grid of [0, 1]\u{b2} against the gradient of the full network, row by row, which also \
             shows that the full gradient stays in the plane.",
    expected: Verdict::Holds,
    note: "",
    measure: field,
};

/// Panels (c) and (d).
pub(super) const TRAJECTORIES: Claim = Claim {
    id: "fig8-trajectories",
    title: "The trajectories take a detour",
    group: Group::Symmetric,
    statement: "From (10\u{207b}\u{b3}, 0) the trajectories for K = 2, 5 and 10 first move along the diagonal towards the saddle and \
                then turn to the teacher.",
    source: "Fig. 8 (c), (d), and the end points of the public script",
    method: "Gradient descent in the plane with the script's step, 0.01/2\u{3c0} on 2\u{3c0} times the field, over the 1000 \
             points that it keeps, the start among them: the end points against those the script prints; the largest y on the way.",
    expected: Verdict::Holds,
    note: "",
    measure: trajectories,
};

/// Larger K.
pub(super) const FASTER: Claim = Claim {
    id: "fig8-larger-k",
    title: "Larger K converges faster",
    group: Group::Symmetric,
    statement: "Networks with larger K converge faster.",
    source: "Section 7.2, Fig. 8 (c), (d)",
    method: "Steps of the script's gradient descent from (10\u{207b}\u{b3}, 0) to a squared error of 1e-6, and the slowest eigenvalue of \
             the plane's linearisation at (1, 0), which sets the rate in the end.",
    expected: Verdict::Holds,
    note: "This is a statement about the plane: among all perturbations of the teacher the slowest rate is 1/4 \u{2212} 1/2\u{3c0} for \
           every K.",
    measure: faster,
};

/// End points and squared errors that the paper's public script prints, as printed.
const PUBLISHED: [(usize, [&str; 3]); 3] = [
    (2, ["0.96746002", "0.03419019", "0.0022278192"]),
    (5, ["0.99922437", "0.000296361", "9.5292e-7"]),
    (10, ["0.9999994562", "1.1359e-7", "4.118e-13"]),
];

/// Half a unit of the last printed digit.
fn half_unit(printed: &str) -> f64 {
    let (mantissa, exponent) = printed.split_once('e').unwrap_or((printed, "0"));
    let digits = mantissa.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let exponent: f64 = exponent.parse().unwrap_or(0.0);
    0.5 * libm::pow(10.0, exponent - digits as f64)
}

fn field(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let mut panels = Vec::new();
    for (k, letter) in [(2_usize, "(a)"), (5, "(b)")] {
        let plane = Plane { maths: bench.maths, plane: XyPlane::try_new(k)? };
        let teacher = plane.plane.teacher();
        let mut worst = 0.0_f64;
        for i in 0..=20 {
            for j in 0..=20 {
                let (x, y) = (f64::from(i) / 20.0, f64::from(j) / 20.0);
                if i == 0 && j == 0 {
                    continue;
                }
                let [dx, dy] = plane.field(x, y);
                let full = popgrad::TwoLayer::try_new(teacher.clone())?
                    .gradient(popgrad::Student::new(plane.plane.embed(x, y).view()))?
                    .weights;
                let expected = plane.plane.embed(-dx, -dy);
                let gaps = full.as_slice().iter().zip(expected.as_slice()).map(|(a, b)| (a - b).abs());
                worst = largest([worst, largest(gaps)]);
            }
        }
        findings.check(
            &format!("K = {k}: largest difference from the full network's gradient"),
            worst,
            None,
            Bound::at_most(1e-14),
        );
        panels.push(quiver(bench, &plane, &format!("{letter} K = {k}"))?);
    }
    let figure = Figure::new("Vector field of Theorem 7", 2).panel_size(370.0, 350.0);
    findings.figure(
        "fig8ab",
        "Fig. 8 (a), (b), redrawn: direction of the flow (arrows, longer where faster), trajectories from the edge, the \
         saddle (cross) and the teacher (disc).",
        &panels.into_iter().fold(figure, Figure::with),
    );
    Ok(findings)
}

fn quiver(bench: &Bench<'_>, plane: &Plane, title: &str) -> Result<Panel, Failure> {
    let k = plane.plane.units();
    let mut arrows = Vec::new();
    for i in 0..=18 {
        for j in 0..=18 {
            let (x, y) = (f64::from(i) / 18.0, f64::from(j) / 18.0);
            if i + j > 0 {
                let [dx, dy] = plane.field(x, y);
                let speed = libm::hypot(dx, dy);
                arrows.push(Arrow {
                    at: (x, y),
                    direction: (dx, dy),
                    length: 0.35 + 0.65 * speed / (speed + 0.3),
                });
            }
        }
    }
    let axis = |label: &str| Axis::linear(label).range(-0.03, 1.06);
    let mut panel =
        Panel::new(title, axis("x"), axis("y")).square().with(Layer::arrows(arrows).colour(Colour::Grey));
    panel.push(Layer::line([(0.0, 0.0), (1.06, 1.06)]).dash(Dash::Dashed).width(1.0));
    for start in [[0.02, 0.0], [1.0, 0.9], [0.6, 0.58], [0.0, 1.0], [0.02, 0.1], [1.05, 0.4]] {
        panel.push(Layer::line(path(bench, k, start, 30.0)?).colour(Colour::Blue));
    }
    let saddle = plane.plane.saddle();
    Ok(panel
        .with(Layer::marks([(1.0, 0.0)], Mark::Disc).colour(Colour::Vermilion).width(4.5))
        .with(Layer::marks([(saddle.x, saddle.x)], Mark::Cross).colour(Colour::Vermilion).width(4.5)))
}

/// The script's run: step 0.01/2pi on 2pi times the field, from (1e-3, 0).
fn script_run(bench: &Bench<'_>, k: usize, steps: u64) -> Result<Vec<Row>, Failure> {
    let plane = Plane { maths: bench.maths, plane: XyPlane::try_new(k)? };
    let options = DescentOptions {
        step: 0.01,
        stop: StopRule { steps: Some(steps), ..StopRule::default() },
        record: RecordPlan::every(1),
        ..DescentOptions::default()
    };
    let mut descent = GradientDescent::try_new(plane, &[1e-3, 0.0], options)?;
    while let Advance::Running(_) = descent.advance(10_000) {
        bench.pause()?;
    }
    Ok(descent.take_rows())
}

/// Squared distance of one student from its teacher.
fn squared_error(k: usize, point: &[f64]) -> f64 {
    (point[0] - 1.0) * (point[0] - 1.0) + (k as f64 - 1.0) * point[1] * point[1]
}

/// The end of the script's run against what the script prints.
fn check_end(
    findings: &mut Findings,
    k: usize,
    values: [f64; 3],
    printed: [&'static str; 3],
) -> Result<(), Failure> {
    for (value, (text, name)) in values.iter().zip(printed.iter().zip(["x", "y", "squared error"])) {
        let number: f64 = text.parse()?;
        findings.check(
            &format!("K = {k}: {name} at the end; published {text}"),
            *value,
            None,
            // One unit of the last printed digit, since the script may cut digits off.
            Bound::around(number, 2.0 * half_unit(text)),
        );
    }
    Ok(())
}

fn trajectories(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let mut table = Table::new(
        "End points after 999 steps from (10\u{207b}\u{b3}, 0), and the detour.",
        &[
            "K",
            "x",
            "y",
            "squared error",
            "published",
            "largest y",
            "largest y of the flow",
            "length of the path",
        ],
    );
    let unit = |label: &str| Axis::linear(label).range(-0.02, 1.04);
    let mut left = Panel::new("(c) trajectories", unit("x"), Axis::linear("y").range(-0.02, 0.5));
    left.push(Layer::line([(0.0, 0.0), (0.5, 0.5)]).dash(Dash::Dashed).width(1.0));
    let mut right =
        Panel::new("(d) error", Axis::linear("steps").range(0.0, 1000.0), Axis::log("squared error"));
    for (series, (k, printed)) in PUBLISHED.into_iter().enumerate() {
        let rows = script_run(bench, k, 999)?;
        let end = &rows[rows.len() - 1].point;
        let values = [end[0], end[1], squared_error(k, end)];
        check_end(&mut findings, k, values, printed)?;
        let highest = largest(rows.iter().map(|r| r.point[1]));
        let saddle = XyPlane::try_new(k)?.saddle().x;
        let flow = largest(path(bench, k, [1e-3, 0.0], 10.0)?.into_iter().map(|p| p.1));
        findings.check(
            &format!("K = {k}: largest y on the way, over the saddle's"),
            highest / saddle,
            None,
            Bound::at_least(0.5),
        );
        table.row(vec![
            k.to_string(),
            significant(values[0], 10),
            significant(values[1], 6),
            significant(values[2], 5),
            format!("({}, {}), {}", printed[0], printed[1], printed[2]),
            significant(highest, 4),
            significant(flow, 4),
            significant(path_length(&rows), 4),
        ]);
        draw(&mut left, &mut right, (series, k), &rows);
    }
    findings.table(table);
    findings.remark(
        "The first step of 0.01 is ten times as long as the start, so that gradient descent leaves the diagonal earlier \
         than the flow, whose detour is larger.",
    );
    let figure = Figure::new("Trajectories of Theorem 7", 2).panel_size(370.0, 310.0).with(left).with(right);
    findings.figure(
        "fig8cd",
        "Fig. 8 (c), (d), redrawn: trajectories from (10\u{207b}\u{b3}, 0), a mark each 100 steps; saddles as crosses on the \
         diagonal (dashed); the squared error of one unit against the step.",
        &figure,
    );
    Ok(findings)
}

fn path_length(rows: &[Row]) -> f64 {
    rows.windows(2).map(|p| libm::hypot(p[1].point[0] - p[0].point[0], p[1].point[1] - p[0].point[1])).sum()
}

fn draw(left: &mut Panel, right: &mut Panel, (series, k): (usize, usize), rows: &[Row]) {
    let colour = Colour::series(series);
    let name = format!("K = {k}");
    let points: Vec<(f64, f64)> = rows.iter().map(|r| (r.point[0], r.point[1])).collect();
    let marks = points.iter().step_by(100).copied();
    left.push(Layer::marks(marks, Mark::series(series)).colour(colour));
    left.push(Layer::line(points).colour(colour).label(&name));
    if let Ok(plane) = XyPlane::try_new(k) {
        let saddle = plane.saddle();
        left.push(Layer::marks([(saddle.x, saddle.y)], Mark::Cross).colour(colour).width(4.0));
    }
    let errors = rows.iter().map(|r| (r.step as f64, squared_error(k, &r.point)));
    right.push(Layer::line(errors).colour(colour).label(&name));
}

/// How fast one network converges.
struct Speed {
    /// Steps to a squared error of 1e-6.
    steps: f64,
    /// Slowest rate of the linearisation in the plane.
    rate: f64,
    /// Rate seen in the end.
    observed: f64,
    /// Slowest rate over all directions of the full network.
    least: f64,
}

fn speed(bench: &Bench<'_>, k: usize) -> Result<Speed, Failure> {
    let plane = XyPlane::try_new(k)?;
    let rows = script_run(bench, k, 5000)?;
    let error = |r: &Row| squared_error(k, &r.point);
    let steps = rows.iter().find(|r| error(r) <= 1e-6).map_or(f64::NAN, |r| r.step as f64);
    // Where the squared error is between 1e-10 and 1e-14 the linearisation rules and rounding does not.
    let window: Vec<&Row> = rows.iter().filter(|r| (1e-14..1e-10).contains(&error(r))).collect();
    let observed = match (window.first(), window.last()) {
        (Some(first), Some(last)) => 0.5 * libm::log(error(first) / error(last)) / (last.time - first.time),
        _ => f64::NAN,
    };
    let least = bench.maths.tainted(plane.smallest_eigenvalue(1.0, 0.0)?);
    Ok(Speed { steps, rate: plane.slowest_rate(), observed, least })
}

fn faster(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let sizes = [2_usize, 3, 5, 10, 20];
    let speeds: Result<Vec<Speed>, Failure> = sizes.iter().map(|k| speed(bench, *k)).collect();
    let speeds = speeds?;
    let count =
        |faster: fn(&Speed, &Speed) -> bool| speeds.windows(2).filter(|p| faster(&p[0], &p[1])).count();
    let pairs = (sizes.len() - 1) as f64;
    let (fewer, larger) = (count(|a, b| b.steps < a.steps), count(|a, b| b.rate > a.rate));
    let name = "neighbours in K of which the larger takes fewer steps";
    findings.check(name, fewer as f64, None, Bound::exactly(pairs));
    let name = "neighbours in K of which the larger has the larger rate";
    findings.check(name, larger as f64, None, Bound::exactly(pairs));
    // One step of gradient descent multiplies by 1 - 0.01 rate.
    let expected = |s: &Speed| -libm::log1p(-0.01 * s.rate) / 0.01;
    let worst = largest(speeds.iter().map(|s| (s.observed / expected(s) - 1.0).abs()));
    findings.check("largest relative error of the observed rate", worst, None, Bound::at_most(0.02));
    let all = 0.25 - 0.5 / std::f64::consts::PI;
    findings.check(
        "slowest rate over all directions: largest distance from 1/4 \u{2212} 1/2\u{3c0}",
        largest(speeds.iter().map(|s| (s.least - all).abs())),
        None,
        Bound::at_most(1e-14),
    );
    let head =
        ["K", "steps to 1e-6", "slowest rate in the plane", "observed rate", "slowest rate, all directions"];
    let mut table = Table::new("Speed of convergence; rates per unit of per-sample time.", &head);
    for (k, s) in sizes.iter().zip(&speeds) {
        let cell = |x: f64| significant(x, 6);
        table.row(vec![k.to_string(), format!("{}", s.steps), cell(s.rate), cell(s.observed), cell(s.least)]);
    }
    findings.table(table);
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_unit_of_the_last_digit() {
        assert!((half_unit("0.96746002") - 5e-9).abs() < 1e-20);
        assert!((half_unit("9.5292e-7") - 5e-12).abs() < 1e-24);
    }
}
