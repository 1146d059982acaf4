//! Eq. 16 to 18: the loss never rises, and a symmetry of the start is kept.

use super::claim::{Bench, Bound, Claim, Failure, Findings, Group, Outcome, Verdict};
use super::maths::Network;
use super::sampling::{distance, largest, length};
use popgrad::{
    Advance, DescentOptions, FiniteGroup, FlowOptions, GradientDescent, GradientFlow, GroupOrbit, Landscape,
    Matrix, RandomStream, RecordPlan, Row, StopRule, TwoLayer,
};
use rayon::prelude::*;

/// The loss never rises.
pub(super) const LOSS: Claim = Claim {
    id: "eq16-loss",
    title: "The loss never rises",
    group: Group::Symmetric,
    statement: "Along the gradient flow dJ/dt = \u{2212}\u{3a3}_j |\u{2207}_j J|\u{b2} \u{2264} 0, so that J never increases.",
    source: "Eq. 16",
    method: "Random networks of 2 to 6 students and 1 to 4 teachers: the loss at 200 instants of the integrated flow, \
             and the loss lost in all against the integral of |\u{2207}J|\u{b2} over time.",
    expected: Verdict::Holds,
    note: "",
    measure: loss,
};

/// The symmetry of the start is kept.
pub(super) const SYMMETRY: Claim = Claim {
    id: "eq17-symmetry",
    title: "A symmetric start stays symmetric",
    group: Group::Symmetric,
    statement: "If the rows of the teacher and of the student are the images of one vector under a finite group of \
                orthogonal maps, w_j = P_j w, then \u{2207}_j J = P_j \u{2207}_1 J, and the dynamics reduce to one vector.",
    source: "Eq. 17 and 18, Theorem 7's setting",
    method: "Full networks on orbits of five groups: the gradient of each row against the turned gradient of the first \
             along 200 steps of gradient descent on all rows, and the first row against the reduced dynamics.",
    expected: Verdict::Holds,
    note: "",
    measure: symmetry,
};

/// The start of section 6.2 as printed.
pub(super) const START: Claim = Claim {
    id: "section62-start",
    title: "The symmetric start needs its second coordinate",
    group: Group::Symmetric,
    statement: "The start is w = x0 w* + \u{3a3}_{j\u{2260}1} P_j w*_j.",
    source: "Section 6.2",
    method: "The printed start is decomposed in the orthonormal teacher's basis for K = 5, (x0, y0) = (0.3, 0.1), beside \
             the start of Theorem 7.",
    expected: Verdict::PaperWrong,
    note: "The printed sum lacks the factor y0, and P_j w* is meant: the start of Theorem 7 is x0 w* + y0 \u{3a3}_{j\u{2260}1} \
           P_j w*.",
    measure: start,
};

pub(super) fn normal_matrix(stream: &mut RandomStream, rows: usize, cols: usize) -> Matrix {
    let mut m = Matrix::zeros(rows, cols);
    stream.fill_normal(m.as_mut_slice());
    m
}

/// The largest rise of the loss between instants, and the relative error of the energy balance.
fn balance(bench: &Bench<'_>, index: u64, (k, m, d): (usize, usize, usize)) -> Result<(f64, f64), Failure> {
    let mut stream = bench.stream(index);
    let problem = TwoLayer::try_new(normal_matrix(&mut stream, m, d))?;
    let w = normal_matrix(&mut stream, k, d);
    let times: Vec<f64> = (0..=400).map(|i| 0.01 * f64::from(i)).collect();
    let options = FlowOptions {
        rtol: 1e-10,
        stop: StopRule { time: Some(4.0), ..StopRule::default() },
        record: RecordPlan::at_times(times),
        ..FlowOptions::default()
    };
    let mut network = Network::new(bench.maths, &problem, k);
    let mut flow = GradientFlow::try_new(&mut network, w.as_slice(), options)?;
    while let Advance::Running(_) = flow.advance(1000) {
        bench.pause()?;
    }
    let rows: Vec<Row> = flow.take_rows();
    let rise = largest(rows.windows(2).map(|p| p[1].loss - p[0].loss));
    // Simpson's rule over the recorded gradient norms, an even number of equal intervals.
    let weight = |i: usize| if i == 0 || i + 1 == rows.len() { 1.0 } else { 2.0 + 2.0 * (i % 2) as f64 };
    let squares = rows.iter().enumerate().map(|(i, r)| weight(i) * r.gradient_norm * r.gradient_norm);
    let spent = squares.sum::<f64>() * 0.01 / 3.0;
    let lost = rows[0].loss - rows[rows.len() - 1].loss;
    Ok((rise, (lost - spent).abs() / lost))
}

fn loss(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let shapes = [(2, 2, 2), (2, 1, 4), (3, 2, 5), (4, 4, 4), (6, 3, 6), (5, 4, 3)];
    let repeats = bench.pick(4, 40);
    let cases: Vec<(u64, (usize, usize, usize))> = (0..repeats)
        .flat_map(|r| shapes.iter().enumerate().map(move |(i, s)| (r * 10 + i as u64, *s)))
        .collect();
    let runs: Result<Vec<(f64, f64)>, Failure> =
        cases.par_iter().map(|(index, shape)| balance(bench, *index, *shape)).collect();
    let runs = runs?;
    findings.number("trajectories", runs.len() as f64, None);
    // A rounding of the loss, which is a sum of about a hundred kernels of size 1 to 10.
    findings.check(
        "largest rise of J between instants 0.01 apart",
        largest(runs.iter().map(|r| r.0)),
        None,
        Bound::at_most(1e-12),
    );
    findings.check(
        "largest relative error of J(0) \u{2212} J(T) = \u{222b}|\u{2207}J|\u{b2}dt",
        largest(runs.iter().map(|r| r.1)),
        None,
        Bound::at_most(1e-5),
    );
    Ok(findings)
}

/// A group's name, the group, and a teacher.
type Case = (&'static str, FiniteGroup, Vec<f64>);

/// Groups with a teacher for each.
fn groups() -> Result<Vec<Case>, Failure> {
    let mirror = Matrix::from_rows(&[[1.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.0, 0.0, 1.0]]);
    Ok(vec![
        ("cyclic shifts of 5 axes", FiniteGroup::cyclic(5)?, vec![1.0, 0.0, 0.0, 0.0, 0.0]),
        ("cyclic shifts of 4 axes, oblique teacher", FiniteGroup::cyclic(4)?, vec![1.0, 0.4, -0.2, 0.1]),
        ("rotations of the plane by 72\u{b0}", FiniteGroup::rotations(5)?, vec![1.0, 0.0]),
        ("all permutations of 3 axes", FiniteGroup::symmetric(3)?, vec![1.0, 0.3, -0.5]),
        (
            "a reflection of space",
            FiniteGroup::try_new(vec![Matrix::identity(3, 3), mirror])?,
            vec![0.6, 0.8, 0.1],
        ),
    ])
}

/// Over 200 steps of the full descent: the largest error of eq. 17, of `w_j = P_j w_1`, and of the reduced dynamics.
fn along_descent(bench: &Bench<'_>, orbit: &GroupOrbit, start: &[f64]) -> Result<[f64; 3], Failure> {
    const STEPS: usize = 200;
    let problem = TwoLayer::try_new(orbit.teacher())?;
    let k = orbit.group().order();
    let d = start.len();
    let full = orbit.students(start)?;
    let plan = || DescentOptions {
        step: 0.05,
        stop: StopRule { steps: Some(STEPS as u64), ..StopRule::default() },
        ..DescentOptions::default()
    };
    let mut network = Network::new(bench.maths, &problem, k);
    let mut probe = Network::new(bench.maths, &problem, k);
    let mut descent = GradientDescent::try_new(&mut network, full.as_slice(), plan())?;
    let mut w = start.to_vec();
    let mut gradient = vec![0.0; k * d];
    let mut worst = [0.0_f64; 3];
    for _ in 0..STEPS {
        let point = descent.point().to_vec();
        probe.gradient(&point, &mut gradient);
        let turned = orbit.group().orbit(&gradient[..d]);
        worst[0] = largest([worst[0], distance(turned.as_slice(), &gradient) / length(&gradient).max(0.01)]);
        worst[1] = largest([worst[1], distance(orbit.group().orbit(&point[..d]).as_slice(), &point)]);
        worst[2] = largest([worst[2], distance(&w, &point[..d])]);
        let reduced = orbit.reduced_gradient(&w)?;
        w.iter_mut().zip(&reduced).for_each(|(x, g)| *x -= 0.05 * g);
        descent.advance(1);
    }
    Ok(worst)
}

fn symmetry(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let mut worst = [0.0_f64; 3];
    for (i, (_, group, teacher)) in groups()?.into_iter().enumerate() {
        let orbit = GroupOrbit::try_new(group, &teacher)?;
        for repeat in 0..bench.pick(4, 40) {
            bench.pause()?;
            let mut start = vec![0.0; teacher.len()];
            bench.stream(100 * i as u64 + repeat).fill_normal(&mut start);
            let here = along_descent(bench, &orbit, &start)?;
            worst = std::array::from_fn(|j| largest([worst[j], here[j]]));
        }
    }
    let names = groups()?.iter().map(|g| g.0).collect::<Vec<_>>().join("; ");
    findings.remark(&format!("Groups: {names}."));
    // Rounding of 200 steps, which an unstable direction of rate 1 can magnify exp(10) times.
    findings.check(
        "largest relative error of \u{2207}_j J = P_j \u{2207}_1 J",
        worst[0],
        None,
        Bound::at_most(1e-9),
    );
    findings.check(
        "largest distance of the rows from the orbit of the first",
        worst[1],
        None,
        Bound::at_most(1e-9),
    );
    findings.check(
        "largest distance of the first row from the reduced dynamics",
        worst[2],
        None,
        Bound::at_most(1e-9),
    );
    Ok(findings)
}

fn start(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let (x0, y0) = (0.3, 0.1);
    let group = FiniteGroup::cyclic(5)?;
    let rows = group.orbit(&[1.0, 0.0, 0.0, 0.0, 0.0]);
    let combined = |factor: f64| -> Vec<f64> {
        let mut w: Vec<f64> = rows.row(0).iter().map(|v| x0 * v).collect();
        for j in 1..rows.rows() {
            w.iter_mut().zip(rows.row(j)).for_each(|(w, v)| *w += factor * v);
        }
        w
    };
    let plane = popgrad::XyPlane::try_new(5)?;
    let meant = plane.embed(x0, y0);
    let printed = combined(1.0);
    findings.check(
        "second coordinate of the printed start, instead of y0 = 0.1",
        bench.maths.tainted(printed[1]),
        None,
        Bound::exactly(1.0),
    );
    findings.check(
        "distance of the printed start from Theorem 7's",
        distance(&printed, meant.row(0)),
        None,
        Bound::at_least(0.1),
    );
    findings.check(
        "distance with the factor y0",
        distance(&combined(y0), meant.row(0)),
        None,
        Bound::exactly(0.0),
    );
    Ok(findings)
}
