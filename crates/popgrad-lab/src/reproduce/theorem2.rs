//! Theorem 2: critical points outside the teachers' span come in manifolds.

use super::claim::{Bench, Bound, Claim, Failure, Findings, Group, Outcome, Table, Verdict};
use super::numbers::significant;
use super::polish::polish;
use super::sampling::{dot, largest, length};
use popgrad::{
    CriticalPoint, CriticalSearch, InputLaw, Matrix, NormalEquation, SearchOptions, Student, Trained,
    TwoLayer,
};

/// The manifold.
pub(super) const MANIFOLD: Claim = Claim {
    id: "theorem2-manifold",
    title: "Out-of-plane critical points are not isolated",
    group: Group::CriticalPoints,
    statement: "If d \u{2265} K + 2, a critical point with a student outside the teachers' span is not isolated: it lies on a manifold of \
                critical points.",
    source: "Theorem 2",
    method: "A critical point of two orthonormal teachers with both students out of their plane, polished by Newton's method in d = 3 \
             to 6: the nullity of its Hessian against the dimension of the orbit, and the gradient along the orbit.",
    expected: Verdict::Holds,
    note: "The orbit of a point whose out-of-plane part has rank r is a Stiefel manifold of dimension rq \u{2212} r(r+1)/2, q = d \u{2212} dim \
           of the teachers' span; so d \u{2265} dim + 2 is what the theorem needs, and at q = r = 1 the orbit is a point and its mirror \
           image.",
    measure: manifold,
};

/// What a covariance leaves of the manifold.
pub(super) const COVARIANCE: Claim = Claim {
    id: "theorem2-covariance",
    title: "The manifold of out-of-plane points under a covariance",
    group: Group::CriticalPoints,
    statement: "What becomes of the manifold of Theorem 2 where the input has a covariance, with repeated eigenvalues or without, is left \
                open.",
    source: "Remark after Theorem 2",
    method: "The critical point of two orthonormal teachers with both students out of their plane, searched and classified under covariances \
             that are white on that plane: nullity, gradient along the image of the orbit, and gradient after rotations of the input.",
    expected: Verdict::Open,
    note: "Under every covariance of full rank the manifold keeps its dimension: it is the image of the white problem's orbit under the linear \
           map that whitens the input (our (Z.26)). Repeated eigenvalues decide only how much of it rotations of the input make: the \
           Stiefel manifolds of the eigenspaces (our (Z.31)), nothing where no eigenvalue outside the plane is repeated. That this is new \
           against the whole literature is not claimed.",
    measure: covariance,
};

/// Variances outside the teachers' plane, and the dimension of the orbit under rotations that keep the law of the input.
const VARIANCES: [(&[f64], usize); 6] = [
    (&[1.0, 1.0], 1),
    (&[4.0, 4.0], 1),
    (&[0.25, 9.0], 0),
    (&[4.0, 4.0, 4.0], 2),
    (&[4.0, 4.0, 9.0], 1),
    (&[1.0, 4.0, 9.0], 0),
];

/// The students near the critical point: equal in the plane, opposite out of it, along the unit vector `u` of the rest.
fn start(d: usize, u: &[f64]) -> Result<Matrix, Failure> {
    let row = |sign: f64| -> Vec<f64> {
        [0.5246, 0.5246].into_iter().chain(u.iter().map(|x| sign * 0.4091 * x)).take(d).collect()
    };
    Ok(Matrix::try_from_rows(&[row(1.0), row(-1.0)])?)
}

/// Dimension of the Stiefel manifold of `r` orthonormal vectors in `q` dimensions.
fn stiefel(r: usize, q: usize) -> usize {
    r * q - r * (r + 1) / 2
}

/// The gradient's norm along the orbit, both out-of-plane parts turned together in a plane of the rest.
fn along_the_orbit(bench: &Bench<'_>, v: &Matrix, w: &Matrix) -> Result<f64, Failure> {
    let d = w.cols();
    let mut worst = 0.0_f64;
    for step in 0..64 {
        let (s, c) = libm::sincos(0.1 * f64::from(step));
        let mut turned = w.clone();
        for i in 0..w.rows() {
            for other in 3..d {
                let row = turned.row_mut(i);
                let (x, y) = (row[2], row[other]);
                (row[2], row[other]) = (c * x - s * y, s * x + c * y);
            }
        }
        worst = largest([worst, length(bench.maths.gradient(&turned, v)?.as_slice())]);
    }
    Ok(worst)
}

fn manifold(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let head = ["d", "loss", "gradient", "index", "nullity", "dimension of the orbit", "gradient along it"];
    let mut table = Table::new(
        "The critical point of two orthonormal teachers with both students out of their plane.",
        &head,
    );
    for d in 3..=6_usize {
        let v = Matrix::identity(2, d);
        let problem = TwoLayer::try_new(v.clone())?;
        let mut u = vec![0.0; d - 2];
        bench.stream(d as u64).fill_sphere(1.0, &mut u);
        let point = polish(&problem, &start(d, &u)?)?;
        let equation = NormalEquation::try_new(&problem, Student::new(point.weights.view()))?;
        let orbit = stiefel(1, d - 2);
        let walked = along_the_orbit(bench, &v, &point.weights)?;
        findings.check(
            &format!("d = {d}: gradient, as Newton's method leaves it"),
            point.gradient,
            None,
            Bound::at_most(1e-14),
        );
        findings.check(
            &format!("d = {d}: nullity of the Hessian"),
            point.nullity() as f64,
            None,
            Bound::exactly(orbit as f64),
        );
        findings.check(
            &format!("d = {d}: largest gradient along the orbit"),
            walked,
            None,
            Bound::at_most(1e-14),
        );
        // The out-of-plane parts are opposite: rank one.
        let rest = |i: usize| &point.weights.row(i)[2..];
        let sum: Vec<f64> = rest(0).iter().zip(rest(1)).map(|(x, y)| x + y).collect();
        findings.check(
            &format!("d = {d}: sum of the out-of-plane parts"),
            length(&sum),
            None,
            Bound::at_most(1e-12),
        );
        let in_plane = f64::from(u8::from(equation.is_in_plane()));
        findings.check(&format!("d = {d}: in the teachers' plane"), in_plane, None, Bound::exactly(0.0));
        let numbers = [point.index(), point.nullity(), orbit].map(|n| n.to_string());
        let mut row = vec![d.to_string(), significant(point.loss, 8), significant(point.gradient, 1)];
        row.extend(numbers);
        row.push(significant(walked, 1));
        table.row(row);
        if d == 4 {
            // Six digits of the spectrum at this point, computed independently.
            let apart =
                largest([(point.eigenvalues[0] + 0.239_237).abs(), (point.eigenvalues[2] - 0.004_917).abs()]);
            findings.check(
                "d = 4: smallest and third eigenvalue, distance from six known digits",
                apart,
                None,
                Bound::at_most(1e-6),
            );
            let scaled = largest(
                [
                    InputLaw::Sphere { radius: 3.0 },
                    InputLaw::Ball { radius: 2.0 },
                    InputLaw::StudentT { nu: 5.0 },
                ]
                .map(|law| other_law(&v, law, &point.weights).unwrap_or(f64::NAN)),
            );
            findings.check(
                "d = 4: gradient under three other rotation-invariant laws",
                scaled,
                None,
                Bound::at_most(1e-14),
            );
            let cosine = dot(rest(0), &u) / length(rest(0));
            findings.check(
                "d = 4: cosine between the out-of-plane part and the one drawn",
                cosine,
                None,
                Bound::at_least(0.999),
            );
        }
    }
    findings.table(table);
    Ok(findings)
}

/// Norm of the gradient at the same point under another law of the input.
fn other_law(v: &Matrix, law: InputLaw, w: &Matrix) -> Result<f64, Failure> {
    let problem = TwoLayer::try_new(v.clone())?.with_law(law)?;
    Ok(length(problem.gradient(Student::new(w.view()))?.weights.as_slice()))
}

/// Students with both out-of-plane parts turned in one plane of the rest, after each of its axes is stretched by `stretch`.
fn turned(w: &Matrix, stretch: &[f64], (p, q): (usize, usize), angle: f64) -> Matrix {
    let (sine, cosine) = libm::sincos(angle);
    let mut out = w.clone();
    for i in 0..w.rows() {
        let row = out.row_mut(i);
        let (x, y) = (row[2 + p] * stretch[p], row[2 + q] * stretch[q]);
        row[2 + p] = (cosine * x - sine * y) / stretch[p];
        row[2 + q] = (sine * x + cosine * y) / stretch[q];
    }
    out
}

/// The out-of-plane point under a covariance, and what moves leave it critical.
struct Tilted {
    point: CriticalPoint,
    /// Largest gradient along the manifold.
    along: f64,
    /// Planes of the rest, and those in which a rotation of the input keeps the point critical.
    planes: usize,
    kept: usize,
}

fn tilted(bench: &Bench<'_>, number: u64, variances: &[f64]) -> Result<Tilted, Failure> {
    let (q, d) = (variances.len(), 2 + variances.len());
    let mut sigma = Matrix::identity(d, d);
    variances.iter().enumerate().for_each(|(i, s)| sigma.row_mut(2 + i)[2 + i] = *s);
    let problem = TwoLayer::try_new(Matrix::identity(2, d))?.with_covariance(&sigma)?;
    let stretch: Vec<f64> = variances.iter().map(|s| s.sqrt()).collect();
    let mut u = vec![0.0; q];
    bench.stream(number).fill_sphere(1.0, &mut u);
    u.iter_mut().zip(&stretch).for_each(|(x, s)| *x /= s);
    let options = SearchOptions { index: 1, ..SearchOptions::default() };
    let end = CriticalSearch::try_new(&problem, Student::new(start(d, &u)?.view()), options)?.run()?;
    let point = CriticalPoint::classify(&problem, Student::new(end.weights.view()), Trained::Weights)?;
    let gradient = |w: &Matrix| -> Result<f64, Failure> {
        Ok(length(problem.gradient(Student::new(w.view()))?.weights.as_slice()))
    };
    let planes: Vec<(usize, usize)> = (0..q).flat_map(|a| (a + 1..q).map(move |b| (a, b))).collect();
    let (mut along, mut kept) = (0.0_f64, 0);
    for plane in &planes {
        for step in 1..32 {
            let moved = turned(&point.weights, &stretch, *plane, 0.2 * f64::from(step));
            along = largest([along, gradient(&moved)?]);
        }
        let rotated = turned(&point.weights, &vec![1.0; q], *plane, 1.0);
        kept += usize::from(gradient(&rotated)? < 1e-12);
    }
    Ok(Tilted { point, along, planes: planes.len(), kept })
}

fn covariance(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let head = [
        "variances outside the plane",
        "loss",
        "nullity",
        "dimension of the manifold",
        "of the rotations' orbit",
        "gradient along the manifold",
        "planes whose rotations keep it critical",
    ];
    let mut table =
        Table::new("The out-of-plane point of two orthonormal teachers under covariances.", &head);
    let mut losses = Vec::new();
    for (number, (variances, rotations)) in (0..).zip(VARIANCES) {
        bench.pause()?;
        let Tilted { point, along, planes, kept } = tilted(bench, number, variances)?;
        let name = format!("{variances:?}");
        let orbit = stiefel(1, variances.len());
        let pairs = variances.iter().enumerate();
        let repeated: usize = pairs.map(|(i, s)| variances[..i].iter().filter(|t| *t == s).count()).sum();
        for (what, got, want) in [
            ("nullity of the Hessian", point.nullity, orbit),
            ("dimension of the manifold", point.manifold_dimension, orbit),
            ("dimension of the rotations' orbit", point.rotation_dimension, rotations),
            ("planes whose rotations keep it critical", kept, repeated),
        ] {
            findings.check(&format!("{name}: {what}"), got as f64, None, Bound::exactly(want as f64));
        }
        let what = format!("{name}: largest gradient along the manifold");
        findings.check(&what, along, None, Bound::at_most(1e-12));
        losses.push(bench.maths.tainted(point.loss));
        let numbers = [point.nullity, point.manifold_dimension, point.rotation_dimension];
        let mut row = vec![name, significant(point.loss, 8)];
        row.extend(numbers.map(|n| n.to_string()));
        row.extend([significant(along, 1), format!("{kept} of {planes}")]);
        table.row(row);
    }
    let white = TwoLayer::try_new(Matrix::identity(2, 4))?;
    let flat = polish(&white, &start(4, &[1.0, 0.0])?)?;
    let off = largest(losses.iter().map(|l| (l - flat.loss).abs()));
    findings.check("largest difference of a loss from that of white input", off, None, Bound::at_most(1e-12));
    findings.table(table);
    Ok(findings)
}
