//! The smallest published eigenvalues for k = 20 to 100: minima of three blocks, followed from one of thirty units.

use super::claim::{Bench, Bound, Claim, Failure, Findings, Group, Outcome, Table, Verdict};
use super::numbers::significant;
use super::safran2018::{blocks, certified, family};
use super::sampling::largest;
use popgrad::{CriticalError, FamilyPoint};

/// Minima of three blocks.
pub(super) const SMALLEST: Claim = Claim {
    id: "minima-three-blocks",
    title: "The smallest eigenvalues: minima of three blocks",
    group: Group::Minima,
    statement: "For k = n = 20, 30, 50 and 100 the smallest eigenvalue among the minima met by descents is 0.00040, 0.00355, 0.00189 and 0.00388.",
    source: "arXiv 1712.08968 and 2006.01005, data of the authors",
    method: "A minimum of the family [1, 11, 18], from rough coordinates, followed to [1, j, k \u{2212} 1 \u{2212} j] for all j with the block sizes as \
             real numbers; the spectrum of the full problem by isotypic blocks, and an interval proof at the point whose smallest \
             eigenvalue is nearest to the published one.",
    expected: Verdict::Holds,
    note: "The published number is the smallest over the minima that 500 or 1000 descents met. The family has minima with smaller \
           eigenvalues for k = 100; that the descents met none of them is no contradiction.",
    measure: smallest,
};

/// Coordinates near the minimum of [1, 11, 18].
const START: [f64; 11] = [-0.097, 0.273, -0.097, -0.864, 0.102, 0.221, 0.015, 1.021, -0.006, -0.073, 0.031];

/// Units, and the smallest eigenvalue published, five decimals.
const PUBLISHED: [(usize, f64); 4] = [(20, 0.000_40), (30, 0.003_55), (50, 0.001_89), (100, 0.003_88)];

/// A minimum of the family, with its smallest eigenvalue.
struct Found {
    sizes: [usize; 3],
    point: FamilyPoint,
    value: f64,
}

/// The minima with one special student and two blocks, for `k` units.
fn followed(bench: &Bench<'_>, start: &FamilyPoint, k: usize) -> Result<Vec<Found>, Failure> {
    let origin = family(&[1, 11, 18])?;
    let mut out = Vec::new();
    for j in k / 5..=k / 2 {
        bench.pause()?;
        let sizes = [1, j, k - 1 - j];
        let target = family(&sizes)?;
        let point = match origin.continue_to(start, &target) {
            Ok(point) => point,
            Err(CriticalError::NotFound { .. } | CriticalError::ZeroBlock { .. }) => continue,
            Err(error) => return Err(error.into()),
        };
        let value = bench.maths.tainted(target.spectrum(&point.coordinates)?[0].value);
        if value > 0.0 && target.is_proper(&point.coordinates)? {
            out.push(Found { sizes, point, value });
        }
    }
    Ok(out)
}

fn smallest(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let start = family(&[1, 11, 18])?.find(&START, 0)?;
    let head = ["k", "blocks", "loss", "smallest eigenvalue", "published", "eigenvalue, proved at least"];
    let mut table = Table::new("Minima whose smallest eigenvalue is the published one.", &head);
    let mut unproved = 0;
    for (k, published) in PUBLISHED {
        let found = followed(bench, &start, k)?;
        let off = |f: &&Found| (f.value - published).abs();
        let nearest = found.iter().min_by(|a, b| off(a).total_cmp(&off(b)));
        let value = nearest.map_or(f64::NAN, |f| f.value);
        findings.check(
            &format!("k = {k}: smallest eigenvalue nearest to the published one"),
            value,
            None,
            Bound::around(published, 5.1e-6),
        );
        let least = found.iter().map(|f| f.value).fold(f64::INFINITY, f64::min);
        findings.number(
            &format!("k = {k}: smallest eigenvalue in the family [1, j, k \u{2212} 1 \u{2212} j]"),
            least,
            None,
        );
        let Some(nearest) = nearest else { continue };
        let proof = certified(&nearest.sizes, &nearest.point)?;
        unproved += usize::from(proof.is_none());
        let bound = proof.and_then(|r| r.lambda_min);
        table.row(vec![
            k.to_string(),
            blocks(&nearest.sizes),
            significant(nearest.point.loss, 12),
            significant(value, 8),
            format!("{published:.5}"),
            bound.map_or("none".to_owned(), |x| significant(x.lo() * (1.0 - 1e-7), 8)),
        ]);
    }
    let gradient = largest([start.gradient_norm / 30.0]);
    findings.check(
        "gradient at the start of the continuation, over k",
        gradient,
        None,
        Bound::at_most(1e-13),
    );
    findings.check("minima without an interval proof", unproved as f64, None, Bound::exactly(0.0));
    findings.table(table);
    Ok(findings)
}
