//! The spectrum at an orthonormal teacher, and published minima, computed in symmetric families.

use super::claim::{Bench, Bound, Claim, Failure, Findings, Group, Outcome, Table, Verdict};
use super::numbers::significant;
use super::sampling::largest;
use popgrad::{
    BlockFamily, Blocks, CriticalError, FamilyPoint, Matrix, Student, TwoLayer, symmetric_eigenvalues,
};
use popgrad_proof::{Interval, PointOptions, PointProblem, PointReport, PointStatus};
use std::f64::consts::FRAC_1_PI;

/// The spectrum at the teacher.
pub(super) const SPECTRUM_AT_TEACHER: Claim = Claim {
    id: "minima-spectrum-at-teacher",
    title: "The spectrum of the Hessian at the teacher",
    group: Group::Minima,
    statement: "At W = V the smallest eigenvalue is 1/4 \u{2212} 1/(2\u{3c0}), with multiplicity k(k \u{2212} 1)/2.",
    source: "arXiv 2006.01005; our (Z.24)",
    method: "Isotypic blocks of the family [k], against the closed form with all multiplicities, and against the assembled Hessian \
             for k = 6.",
    expected: Verdict::Holds,
    note: "",
    measure: spectrum_at_teacher,
};

/// The minimum of six units.
pub(super) const SIX: Claim = Claim {
    id: "minima-six",
    title: "The spurious minimum of six units",
    group: Group::Minima,
    statement: "For k = n = 6 there is a local minimum of loss 0.02508058 with smallest eigenvalue 0.0047004.",
    source: "arXiv 1712.08968, data of the authors",
    method: "Newton's method in the family [1, 5]; gradient and Hessian of the full problem at the point.",
    expected: Verdict::Holds,
    note: "",
    measure: six,
};

/// Published losses and eigenvalues.
pub(super) const PUBLISHED: Claim = Claim {
    id: "minima-published",
    title: "Losses and smallest eigenvalues of published minima",
    group: Group::Minima,
    statement: "Minima of block structure [j, k \u{2212} j] with the losses and eigenvalues of the authors' data.",
    source: "arXiv 1712.08968 and 2006.01005, data of the authors",
    method: "Random starts in each family, Newton's method, the spectrum by isotypic blocks; then an interval proof of existence, loss \
             and strictness in the full problem, by orbits of permutations.",
    expected: Verdict::Holds,
    note: "Losses and eigenvalues are measured; that these minima exist and are strict is proved. `popgrad certify points \
           --minimum` proves any other.",
    measure: published,
};

pub(super) fn family(sizes: &[usize]) -> Result<BlockFamily, CriticalError> {
    BlockFamily::try_new(&sizes.iter().map(|p| *p as f64).collect::<Vec<f64>>())
}

/// Sizes of blocks as a cell of a table, which is not broken.
pub(super) fn blocks(sizes: &[usize]) -> String {
    format!("{sizes:?}").replace(' ', "\u{a0}")
}

pub(super) fn problem(k: usize) -> Result<TwoLayer, popgrad::TwoLayerError> {
    TwoLayer::try_new(Matrix::identity(k, k))
}

/// Values of (Z.24) with their multiplicities.
fn closed_form(k: usize) -> Vec<(f64, usize)> {
    let (n, h) = (k as f64, 0.5 * FRAC_1_PI);
    let roots = |sum: f64, product: f64| {
        let root = (sum * sum / 4.0 - product).sqrt();
        [sum / 2.0 - root, sum / 2.0 + root]
    };
    let mut all = vec![(0.25 - h, k * (k - 1) / 2), (0.25 + h, k * (k - 3) / 2)];
    all.extend(roots(n / 4.0, h / 2.0 - h * h).map(|mu| (0.25 + mu, k - 1)));
    let (p, q) = (0.5 + (n - 1.0) * h, n / 4.0 + h);
    all.extend(roots(p + q, p * q - (n - 1.0) / 16.0).map(|nu| (nu, 1)));
    all
}

/// Each value as often as it occurs, ascending.
fn expanded(values: impl IntoIterator<Item = (f64, usize)>) -> Vec<f64> {
    let mut all: Vec<f64> = values.into_iter().flat_map(|(v, n)| std::iter::repeat_n(v, n)).collect();
    all.sort_by(f64::total_cmp);
    all
}

fn apart(a: &[f64], b: &[f64]) -> f64 {
    if a.len() != b.len() {
        return f64::INFINITY;
    }
    largest(a.iter().zip(b).map(|(x, y)| (x - y).abs()))
}

fn spectrum_at_teacher(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let mut table =
        Table::new("Eigenvalues at W = V, with multiplicities.", &["k", "eigenvalues (multiplicity)"]);
    let mut worst = 0.0_f64;
    for k in [4, 6, 10, 30, 100] {
        let family = family(&[k])?;
        let spectrum = family.spectrum(&family.teacher())?;
        let got = expanded(spectrum.iter().map(|e| (bench.maths.tainted(e.value), e.multiplicity)));
        worst = largest([worst, apart(&got, &expanded(closed_form(k))) / k as f64]);
        let mut cells = closed_form(k);
        cells.sort_by(|a, b| a.0.total_cmp(&b.0));
        let words: Vec<String> = cells.iter().map(|(v, n)| format!("{} ({n})", significant(*v, 8))).collect();
        table.row(vec![k.to_string(), words.join(", ")]);
    }
    findings.check(
        "k from 4 to 100: largest difference from the closed form, over k",
        worst,
        None,
        Bound::at_most(1e-13),
    );
    let hessian = problem(6)?.hessian(Student::new(Matrix::identity(6, 6).view()), Blocks::Weights)?;
    let full: Vec<f64> =
        symmetric_eigenvalues(hessian.view())?.iter().map(|v| bench.maths.tainted(*v)).collect();
    let difference = apart(&full, &expanded(closed_form(6)));
    findings.check(
        "k = 6: largest difference of the assembled Hessian's eigenvalues",
        difference,
        None,
        Bound::at_most(1e-13),
    );
    findings.table(table);
    Ok(findings)
}

fn six(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let family = family(&[1, 5])?;
    let point = family.find(&[-0.6, 0.22, 0.99, -0.05, 0.31], 0)?;
    let weights = family.embed(&point.coordinates)?;
    let (problem, student) = (problem(6)?, Student::new(weights.view()));
    let gradient = problem.gradient(student)?.weights;
    let norm = gradient.as_slice().iter().map(|g| g * g).sum::<f64>().sqrt();
    let spectrum = symmetric_eigenvalues(problem.hessian(student, Blocks::Weights)?.view())?;
    findings.check("norm of the full gradient", norm, None, Bound::at_most(1e-14));
    let loss = bench.maths.tainted(problem.loss(student)?);
    findings.check("loss", loss, None, Bound::around(0.025_080_581_002_463_5, 1e-14));
    let smallest = bench.maths.tainted(spectrum[0]);
    findings.check("smallest eigenvalue", smallest, None, Bound::around(0.004_700_35, 6e-9));
    let published = [
        (0.004_700_35, 4),
        (0.046_377_58, 6),
        (0.062_441_95, 1),
        (0.077_290_7, 4),
        (0.221_172_34, 1),
        (0.238_345_58, 4),
        (0.338_854_99, 4),
        (0.363_800_69, 5),
        (0.869_484, 1),
        (1.617_871_04, 1),
        (1.671_978_23, 4),
        (2.023_733_86, 1),
    ];
    let got: Vec<f64> = spectrum.iter().map(|v| bench.maths.tainted(*v)).collect();
    let difference = apart(&got, &expanded(published));
    findings.check(
        "largest difference of an eigenvalue from its published digits",
        difference,
        None,
        Bound::at_most(6e-9),
    );
    Ok(findings)
}

/// Blocks, loss and its rounding, smallest eigenvalue and its rounding, as published.
const DATA: [([usize; 2], f64, f64, f64, f64); 14] = [
    ([1, 5], 0.025_080_58, 6e-9, 0.004_700_4, 6e-8),
    ([1, 6], 0.023_202_714_9, 6e-11, 0.014_059_01, 6e-9),
    ([1, 7], 0.021_508_04, 6e-9, 0.021_347, 6e-7),
    ([1, 9], 0.018_702_194_6, 6e-11, 0.031_964_03, 6e-9),
    ([2, 8], 0.035_326_880_3, 6e-11, 0.015_992_08, 6e-9),
    ([1, 11], 0.016_523_79, 6e-9, 0.039_347, 6e-7),
    ([2, 10], 0.031_551_18, 6e-9, 0.025_306, 6e-7),
    ([1, 14], 0.014_063_88, 6e-9, 0.047_027, 6e-7),
    ([2, 13], 0.027_107_48, 6e-9, 0.035_294, 6e-7),
    ([1, 19], 0.011_275_581_9, 6e-11, 0.055_092_58, 6e-9),
    ([2, 18], 0.021_922_973_5, 6e-11, 0.044_344_31, 6e-9),
    ([3, 17], 0.032_151_619_9, 6e-11, 0.038_512_68, 6e-9),
    ([10, 10], 0.073_975_386_1, 6e-11, 0.011_483_47, 6e-9),
    ([1, 99], 0.002_741_67, 6e-9, 0.078_163, 6e-7),
];

/// Columns of the table of published minima.
const COLUMNS: [&str; 8] = [
    "k",
    "blocks",
    "loss",
    "published",
    "smallest eigenvalue",
    "published",
    "loss, proved at least",
    "eigenvalue, proved at least",
];

/// The minima of a family, and the smallest eigenvalue at each.
pub(super) fn minima(
    sizes: &[usize],
    starts: u64,
    seed: u64,
) -> Result<Vec<(FamilyPoint, f64)>, CriticalError> {
    let family = family(sizes)?;
    let points = family.minima(starts, seed)?;
    points
        .into_iter()
        .map(|p| {
            let smallest = family.spectrum(&p.coordinates)?[0].value;
            Ok((p, smallest))
        })
        .collect()
}

/// The proof that a strict minimum lies at a point of a family, if there is one.
pub(super) fn certified(sizes: &[usize], point: &FamilyPoint) -> Result<Option<PointReport>, Failure> {
    let k = sizes.iter().sum();
    let problem = PointProblem::try_new(Matrix::identity(k, k), vec![1.0; k], vec![1.0; k])?;
    let weights = family(sizes)?.embed(&point.coordinates)?;
    let options = PointOptions { claim: popgrad_proof::Claim::Minimum, ..PointOptions::default() };
    let report = problem.certify(weights.view(), options)?;
    Ok((report.status == PointStatus::Certified).then_some(report))
}

fn published(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let mut table = Table::new(
        "Minima with published data. The last row is recomputed data of the family [1, k \u{2212} 1].",
        &COLUMNS,
    );
    let (mut worst_loss, mut worst_value, mut unstable, mut unproved) = (0.0_f64, 0.0_f64, 0, 0);
    for (sizes, loss, loss_rounding, value, value_rounding) in DATA {
        bench.pause()?;
        let found = minima(&sizes, bench.pick(60, 300), bench.stream(0).next_u64())?;
        let nearest = |a: &&(FamilyPoint, f64), b: &&(FamilyPoint, f64)| {
            (a.0.loss - loss).abs().total_cmp(&(b.0.loss - loss).abs())
        };
        let nearest = found.iter().min_by(nearest);
        let (got, smallest) = nearest
            .map_or((f64::NAN, f64::NAN), |(p, v)| (bench.maths.tainted(p.loss), bench.maths.tainted(*v)));
        let proof = nearest.map(|(p, _)| certified(&sizes, p)).transpose()?.flatten();
        unproved += usize::from(proof.is_none());
        worst_loss = largest([worst_loss, (got - loss).abs() / loss_rounding]);
        worst_value = largest([worst_value, (smallest - value).abs() / value_rounding]);
        unstable += usize::from(smallest.is_nan() || smallest <= 0.0);
        // Lowered by more than eight digits round up, so that the number shown is a bound as well.
        let proved =
            |x: Option<Interval>| x.map_or("none".to_owned(), |x| significant(x.lo() * (1.0 - 1e-7), 8));
        table.row(vec![
            (sizes[0] + sizes[1]).to_string(),
            blocks(&sizes),
            significant(got, 10),
            loss.to_string(),
            significant(smallest, 8),
            value.to_string(),
            proved(proof.as_ref().and_then(|r| r.loss)),
            proved(proof.as_ref().and_then(|r| r.lambda_min)),
        ]);
    }
    findings.check(
        "largest difference of a loss, in units of its published rounding",
        worst_loss,
        None,
        Bound::at_most(1.0),
    );
    findings.check(
        "largest difference of a smallest eigenvalue, in units of its rounding",
        worst_value,
        None,
        Bound::at_most(1.0),
    );
    findings.check("families in which no minimum was found", unstable as f64, None, Bound::exactly(0.0));
    findings.check("minima without an interval proof", unproved as f64, None, Bound::exactly(0.0));
    findings.table(table);
    Ok(findings)
}
