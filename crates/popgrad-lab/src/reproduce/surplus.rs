//! Published end points with more students than teachers.

use super::claim::{Bench, Bound, Claim, Failure, Findings, Group, Outcome, Table, Verdict};
use super::numbers::significant;
use super::safran2018::{blocks, problem};
use super::sampling::largest;
use popgrad::{CriticalPoint, Matrix, RandomStream, SearchStatus, Student, SurplusFamily, Trained, TwoLayer};
use popgrad_proof::{PointOptions, PointProblem, PointStatus};

/// One student more than teachers.
pub(super) const SURPLUS: Claim = Claim {
    id: "minima-surplus",
    title: "End points with one student more than teachers",
    group: Group::Minima,
    statement: "For k = 8 and 15 with n = k + 1 there are local minima with the losses and smallest eigenvalues of the authors' data; one stored \
                end point for k = 15 is a saddle.",
    source: "arXiv 1712.08968, data of the authors, and eigenvalues computed from it",
    method: "Random starts in families of two blocks in which the last student is fixed by all permutations within the blocks; the spectrum of the \
             full problem at the ends, and an interval proof of existence and index.",
    expected: Verdict::Holds,
    note: "Losses and eigenvalues are measured; that the points exist and have this index is proved.",
    measure: surplus,
};

/// A published end point: blocks, loss with its rounding where it is given, smallest eigenvalue with its rounding.
struct Published {
    blocks: [usize; 2],
    loss: Option<(f64, f64)>,
    eigenvalue: (f64, f64),
}

const DATA: [Published; 3] = [
    Published { blocks: [1, 7], loss: Some((0.020_560_79, 6e-9)), eigenvalue: (0.005_944_6, 6e-8) },
    Published { blocks: [4, 11], loss: Some((0.027_503_2, 6e-8)), eigenvalue: (0.002_668, 6e-7) },
    Published { blocks: [3, 12], loss: None, eigenvalue: (-0.002_702_1, 6e-8) },
];

/// The point of a family, among those that searches from random starts reach, whose smallest eigenvalue is nearest to a value.
fn nearest(
    bench: &Bench<'_>,
    problem: &TwoLayer,
    published: &Published,
) -> Result<Option<CriticalPoint>, Failure> {
    let family = SurplusFamily::try_new(&published.blocks, 1)?;
    let seed = bench.stream(0).next_u64();
    let off = |p: &CriticalPoint| (p.lambda_min - published.eigenvalue.0).abs();
    let mut best: Option<CriticalPoint> = None;
    for i in 0..bench.pick(60, 200) {
        bench.pause()?;
        let start = family.random_start(&mut RandomStream::new(seed, i));
        let end = family.find(problem, &start, 0)?;
        if end.status != SearchStatus::Converged {
            continue;
        }
        let point = CriticalPoint::classify(problem, Student::new(end.weights.view()), Trained::Weights)?;
        if best.as_ref().is_none_or(|b| off(&point) < off(b)) {
            best = Some(point);
        }
    }
    Ok(best)
}

/// Whether a critical point of this index is proved to exist at the point.
fn proved(k: usize, point: &CriticalPoint) -> Result<bool, Failure> {
    let n = point.weights.rows();
    let problem = PointProblem::try_new(Matrix::identity(k, k), vec![1.0; k], vec![1.0; n])?;
    let report = problem.certify(point.weights.view(), PointOptions::default())?;
    Ok(report.status == PointStatus::Certified && report.index == Some(point.index))
}

fn surplus(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let head =
        ["k", "n", "blocks", "loss", "published", "smallest eigenvalue", "published", "index", "proved"];
    let mut table = Table::new("Published end points with n = k + 1 students.", &head);
    let (mut worst_loss, mut worst_value, mut missing, mut unproved) = (0.0_f64, 0.0_f64, 0, 0);
    for published in &DATA {
        let k: usize = published.blocks.iter().sum();
        let found = nearest(bench, &problem(k)?, published)?;
        let Some(point) = found else {
            missing += 1;
            continue;
        };
        let (loss, value) = (bench.maths.tainted(point.loss), bench.maths.tainted(point.lambda_min));
        if let Some((want, rounding)) = published.loss {
            worst_loss = largest([worst_loss, (loss - want).abs() / rounding]);
        }
        let (want, rounding) = published.eigenvalue;
        worst_value = largest([worst_value, (value - want).abs() / rounding]);
        let exists = proved(k, &point)?;
        unproved += usize::from(!exists);
        table.row(vec![
            k.to_string(),
            (k + 1).to_string(),
            format!("{}\u{a0}+\u{a0}1", blocks(&published.blocks)),
            significant(loss, 12),
            published.loss.map_or("not given".to_owned(), |(x, _)| x.to_string()),
            significant(value, 9),
            want.to_string().replace('-', "\u{2212}"),
            point.index.to_string(),
            if exists { "yes" } else { "no" }.to_owned(),
        ]);
    }
    let none = Bound::exactly(0.0);
    findings.check("families in which nothing was found", f64::from(missing), None, none);
    let what = "largest difference of a loss, in units of its published rounding";
    findings.check(what, worst_loss, None, Bound::at_most(1.0));
    let what = "largest difference of a smallest eigenvalue, in units of its rounding";
    findings.check(what, worst_value, None, Bound::at_most(1.0));
    findings.check("points without an interval proof of their index", unproved as f64, None, none);
    findings.table(table);
    Ok(findings)
}
