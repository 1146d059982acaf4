//! The case that Theorem 4 leaves open: exactly one teacher in the students' cone.

use super::claim::{Bench, Bound, Claim, Failure, Findings, Group, Outcome, Table, Verdict};
use super::numbers::significant;
use super::polish::{Polished, polish};
use super::sampling::length;
use popgrad::{Blocks, Matrix, NormalEquation, Student, TwoLayer, cone_counts, symmetric_eigenvalues};
use popgrad_proof::{PointOptions, PointProblem, PointReport, PointStatus};

/// Critical points with one teacher inside.
pub(super) const ONE_INSIDE: Claim = Claim {
    id: "theorem4-open-case",
    title: "Critical points with exactly one teacher in the students' cone",
    group: Group::CriticalPoints,
    statement: "Whether (w1, w2) can be critical when exactly one teacher lies in their cone is left open.",
    source: "Remark after Theorem 4",
    method: "Newton's method with the exact Hessian from rough starts for four teachers: gradient, counts, Theorem 3, loss and the \
             spectrum in the plane and, in three dimensions, out of it.",
    expected: Verdict::Open,
    note: "Such points exist: saddles for teachers of like norms, and, where one teacher is about ten times shorter, a strict local \
           minimum that is not global. Their existence and their index are proved (`popgrad certify points`); `popgrad certify \
           enumerate` lists all of a teacher. That this is new against the whole literature is not claimed.",
    measure: one_inside,
};

/// A teacher, a rough start, and the loss that is known of the end point.
struct Case {
    teacher: [[f64; 2]; 2],
    start: [[f64; 2]; 2],
    loss: f64,
    minimum: bool,
}

const CASES: [Case; 5] = [
    Case {
        teacher: [[1.0, 0.0], [-0.3, 0.9]],
        start: [[0.86, 0.98], [-0.095, -0.129]],
        loss: 0.129_163_893_359_085_9,
        minimum: false,
    },
    Case {
        teacher: [[1.0, 0.0], [0.0, 2.0]],
        start: [[0.77, 2.27], [-0.082, -0.089]],
        loss: 0.128_466_663_248_813_2,
        minimum: false,
    },
    Case {
        teacher: [[1.0, 0.0], [0.0, 0.5]],
        start: [[-0.0444, -0.0409], [1.1337, 0.3872]],
        loss: 0.032_116_665_81,
        minimum: false,
    },
    Case {
        teacher: [[1.0, 0.0], [0.0, 0.1]],
        start: [[0.0936, -0.0507], [0.9365, 0.0992]],
        loss: 0.001_441_697_64,
        minimum: false,
    },
    Case {
        teacher: [[1.0, 0.0], [0.0, 0.1]],
        start: [[0.0328, -0.0396], [0.9953, 0.0839]],
        loss: 0.001_437_758_71,
        minimum: true,
    },
];

/// Spectrum of the Hessian with one more dimension, in which everything is zero.
fn lifted_spectrum(teacher: &Matrix, w: &Matrix) -> Result<Vec<f64>, Failure> {
    let lift = |x: &Matrix| Matrix::from_rows(&[0, 1].map(|i| [x.row(i)[0], x.row(i)[1], 0.0]));
    let problem = TwoLayer::try_new(lift(teacher))?;
    let hessian = problem.hessian(Student::new(lift(w).view()), Blocks::Weights)?;
    Ok(symmetric_eigenvalues(hessian.view())?)
}

/// What is found at one critical point.
struct Found {
    point: Polished,
    /// Norm of the gradient, as the mathematics under test gives it.
    gradient: f64,
    inside: usize,
    excluded: bool,
    lifted: Vec<f64>,
    proof: PointReport,
}

/// What is proved in three dimensions, and so for every `d >= 3`: out of the plane all directions are alike.
fn certified(teacher: &Matrix, w: &Matrix) -> Result<PointReport, Failure> {
    let lift = |x: &Matrix| Matrix::from_rows(&[0, 1].map(|i| [x.row(i)[0], x.row(i)[1], 0.0]));
    let problem = PointProblem::try_new(lift(teacher), vec![1.0; 2], vec![1.0; 2])?;
    Ok(problem.certify(lift(w).view(), PointOptions::default())?)
}

fn find(bench: &Bench<'_>, case: &Case) -> Result<Found, Failure> {
    let teacher = Matrix::from_rows(&case.teacher);
    let problem = TwoLayer::try_new(teacher.clone())?;
    let point = polish(&problem, &Matrix::from_rows(&case.start))?;
    let w = &point.weights;
    let students = [0, 1].map(|i| [w.row(i)[0], w.row(i)[1]]);
    Ok(Found {
        gradient: length(bench.maths.gradient(w, &teacher)?.as_slice()),
        inside: cone_counts(students, case.teacher).teachers_in_student_cone,
        excluded: NormalEquation::try_new(&problem, Student::new(w.view()))?.theorem3().excluded,
        lifted: lifted_spectrum(&teacher, w)?,
        proof: certified(&teacher, w)?,
        point,
    })
}

fn one_inside(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let head = ["w1*, w2*", "w1", "w2", "loss", "smallest eigenvalue", "with d = 3", "kind"];
    let mut table =
        Table::new("Critical points with exactly one teacher strictly inside the students' cone.", &head);
    for (i, case) in CASES.iter().enumerate() {
        let Found { point, gradient, inside, excluded, lifted, proof } = find(bench, case)?;
        let name = format!("point {}", i + 1);
        findings.check(&format!("{name}: gradient"), gradient, None, Bound::at_most(1e-14));
        findings.check(
            &format!("{name}: teachers in the students' cone"),
            inside as f64,
            None,
            Bound::exactly(1.0),
        );
        findings.check(
            &format!("{name}: excluded by Theorem 3"),
            f64::from(u8::from(excluded)),
            None,
            Bound::exactly(0.0),
        );
        let apart = (point.loss - case.loss).abs();
        findings.check(
            &format!("{name}: distance of the loss from the known one"),
            apart,
            None,
            Bound::at_most(1e-9),
        );
        let least = lifted[0];
        let bound = if case.minimum { Bound::at_least(0.005) } else { Bound::at_most(-0.001) };
        findings.check(&format!("{name}: smallest eigenvalue of the Hessian, d = 3"), least, None, bound);
        let proved = proof.status == PointStatus::Certified && (proof.index == Some(0)) == case.minimum;
        findings.check(
            &format!("{name}: existence and kind proved by intervals, d = 3"),
            f64::from(u8::from(proved)),
            None,
            Bound::exactly(1.0),
        );
        let vector = |x: &[f64]| format!("({}, {})", significant(x[0], 6), significant(x[1], 6));
        let teachers = format!("{}, {}", vector(&case.teacher[0]), vector(&case.teacher[1]));
        let kind = if case.minimum { "strict local minimum" } else { "saddle" };
        table.row(vec![
            teachers,
            vector(point.weights.row(0)),
            vector(point.weights.row(1)),
            significant(point.loss, 8),
            significant(point.eigenvalues[0], 4),
            significant(least, 4),
            kind.to_owned(),
        ]);
    }
    findings.table(table);
    Ok(findings)
}
