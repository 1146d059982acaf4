//! Noisy starts on the other side of the diagonal, x0 < y0, which Conjecture 2 leaves out.

use super::claim::{Bench, Bound, Claim, Failure, Findings, Group, Outcome, Table, Verdict};
use super::numbers::significant;
use super::orthonormal_descent::{Descent, Place, noisy_start};
use super::sampling::{distance, largest};
use popgrad::{
    Blocks, Matrix, RandomStream, Student, TwoLayer, XyPlane, symmetric_eigenvalues, wilson_interval,
};
use rayon::prelude::*;

/// The half plane x0 < y0 with noise.
pub(super) const STARTS: Claim = Claim {
    id: "conjecture2-other-side",
    title: "Noisy starts above the diagonal end in a spurious minimum, from K = 6 on",
    group: Group::Noise,
    statement: "The conjecture supposes x0 > y0.",
    source: "Conjecture 2",
    method: "Starts with y0 uniform in (0, 1), x0 uniform in (0, y0) and normal noise of standard deviation 0.01 (y0 \
             \u{2212} x0) on each entry; gradient descent of the full network, step 2/K, until it enters the ball of w* or of a \
             permutation, or rests (gradient at most 1e-7) within 1e-3 of the critical point that the plane has for x < 0 < y. \
             The smallest eigenvalue is that of the full Hessian where the first such descent rests, or at that point if none does.",
    expected: Verdict::Holds,
    note: "The restriction to x0 > y0 is needed: from x0 < y0 the network does not reach w*, and for K \u{2265} 6 no \
           permutation of it either, but a strict local minimum of positive loss.",
    measure,
};

/// Steps between two looks.
const LOOK: usize = 32;
/// Longest descent.
const LIMIT: usize = 200_000;
/// Gradient at which a descent rests.
const REST: f64 = 1e-7;

/// Where a descent from above the diagonal ends.
enum End {
    Teacher,
    Exchanged,
    /// At the spurious point, with the students there.
    Spurious(Matrix),
    Undecided,
}

fn start(stream: &mut RandomStream, units: usize) -> Matrix {
    let y0 = stream.uniform_positive();
    let x0 = y0 * stream.uniform();
    noisy_start(stream, units, [x0, y0], 0.01 * (y0 - x0))
}

fn descend(descent: &mut Descent<'_>, spurious: Option<&Matrix>) -> Result<End, Failure> {
    for _ in 0..LIMIT / LOOK {
        match descent.place() {
            Place::Teacher => return Ok(End::Teacher),
            Place::Exchanged => return Ok(End::Exchanged),
            Place::Elsewhere => {}
        }
        if descent.gradient_norm()? <= REST {
            let near = |p: &Matrix| distance(descent.weights.as_slice(), p.as_slice()) < 1e-3;
            let spurious = spurious.is_some_and(near);
            return Ok(if spurious { End::Spurious(descent.weights.clone()) } else { End::Undecided });
        }
        descent.advance(LOOK)?;
    }
    Ok(End::Undecided)
}

/// Smallest eigenvalue of the Hessian with respect to the students.
fn smallest_eigenvalue(problem: &TwoLayer, students: &Matrix) -> Result<f64, Failure> {
    let hessian = problem.hessian(Student::new(students.view()), Blocks::Weights)?;
    Ok(symmetric_eigenvalues(hessian.view())?[0])
}

fn measure(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let head = [
        "K",
        "starts",
        "to w*",
        "to a permutation",
        "to the spurious point",
        "undecided",
        "its loss",
        "smallest Hessian eigenvalue",
    ];
    let mut table = Table::new("Where noisy starts with x0 < y0 end.", &head);
    let (mut stay, mut least_curved, mut leave, mut teacher) =
        (f64::INFINITY, f64::INFINITY, f64::INFINITY, 0);
    for units in [2_usize, 3, 4, 5, 6, 8, 10, 20] {
        bench.pause()?;
        let count: u64 = if units == 20 { bench.pick(40, 400) } else { bench.pick(100, 1000) };
        let problem = TwoLayer::try_new(Matrix::identity(units, units))?;
        let plane = XyPlane::try_new(units)?;
        let point = (units > 2).then(|| plane.find_spurious()).transpose()?;
        let spurious = point.map(|p| plane.embed(p.x, p.y));
        let ends: Result<Vec<End>, Failure> = (0..count)
            .into_par_iter()
            .map(|i| {
                bench.pause()?;
                let mut descent = Descent::new(&problem, bench.maths, 2.0 / units as f64);
                descent.weights = start(&mut bench.stream(i), units);
                descend(&mut descent, spurious.as_ref())
            })
            .collect();
        let ends = ends?;
        let of = |wanted: fn(&End) -> bool| ends.iter().filter(|e| wanted(e)).count() as u64;
        let (right, exchanged) = (of(|e| matches!(e, End::Teacher)), of(|e| matches!(e, End::Exchanged)));
        let resting = of(|e| matches!(e, End::Spurious(_)));
        let reached = ends.iter().find_map(|e| if let End::Spurious(w) = e { Some(w) } else { None });
        let curvature = match reached.or(spurious.as_ref()) {
            Some(students) => smallest_eigenvalue(&problem, students)?,
            None => f64::NAN,
        };
        let low = |n: u64| wilson_interval(n, count, 1.0 - 1e-7).map(|w| w.low);
        if units >= 6 {
            stay = stay.min(low(resting)?);
            least_curved = least_curved.min(bench.maths.tainted(curvature));
        } else {
            leave = leave.min(low(exchanged)?);
        }
        teacher += right;
        let undecided = count - right - exchanged - resting;
        let known = |x: f64, digits| if x.is_nan() { "\u{2013}".to_owned() } else { significant(x, digits) };
        let counts = [units as u64, count, right, exchanged, resting, undecided];
        let mut row: Vec<String> = counts.iter().map(ToString::to_string).collect();
        row.extend([known(point.map_or(f64::NAN, |p| p.loss), 6), known(curvature, 3)]);
        table.row(row);
    }
    findings.check("starts that reach w*, all K", teacher as f64, None, Bound::exactly(0.0));
    findings.check(
        "K \u{2265} 6: smallest Wilson lower end (confidence 1 \u{2212} 1e-7) of the share that ends at the spurious point",
        stay,
        None,
        Bound::at_least(0.5),
    );
    findings.check(
        "K \u{2265} 6: smallest eigenvalue of the full Hessian there, over K",
        least_curved,
        None,
        Bound::at_least(1e-3),
    );
    findings.check(
        "K \u{2264} 5: smallest Wilson lower end of the share that ends at a permutation of w*",
        leave,
        None,
        Bound::at_least(0.5),
    );
    debug_assert!(!largest([stay, leave]).is_nan());
    findings.table(table);
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::super::maths::Maths;
    use super::*;

    #[test]
    fn a_start_near_the_spurious_point_rests_there_for_six_units_and_not_for_five() {
        for (units, stays) in [(5, false), (6, true)] {
            let problem = TwoLayer::try_new(Matrix::identity(units, units)).unwrap();
            let plane = XyPlane::try_new(units).unwrap();
            let point = plane.find_spurious().unwrap();
            let spurious = plane.embed(point.x, point.y);
            let mut descent = Descent::new(&problem, Maths::exact(), 2.0 / units as f64);
            descent.weights = noisy_start(&mut RandomStream::new(1, 1), units, [point.x, point.y], 1e-3);
            let end = descend(&mut descent, Some(&spurious)).unwrap();
            assert_eq!(matches!(end, End::Spurious(_)), stays);
            assert!(stays || matches!(end, End::Exchanged));
        }
    }
}
