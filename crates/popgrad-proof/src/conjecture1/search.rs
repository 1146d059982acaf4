//! The branch and bound: boxes are bisected until the function of their region is certainly above zero.

use super::region::{Factors, enclosure};
use super::{Conjecture1Certificate, Leaf, Region, THETA_END};
use crate::environment::{EnvironmentError, check_environment};

/// A box that needs more bisections than this is left undecided. The proof needs 8.
const DEEPEST: u32 = 40;
/// A region that needs more evaluations than this is left undecided. The proof needs 99.
const MOST_EVALUATIONS: usize = 4_000;

/// What the search found in one region.
#[derive(Clone, Debug, PartialEq)]
pub struct RegionReport {
    /// The region.
    pub region: Region,
    /// Boxes on which the function is certainly above zero.
    pub leaves: usize,
    /// Boxes that stayed undecided; 0 in a proof.
    pub undecided: usize,
    /// Interval evaluations of the function.
    pub evaluations: usize,
    /// Bisections between the rectangle and its smallest box.
    pub depth: u32,
    /// The smallest of the lower bounds over the boxes.
    pub lower_bound: f64,
}

/// The outcome of the search: a proof where nothing is undecided.
#[derive(Clone, Debug, PartialEq)]
pub struct Conjecture1Proof {
    /// One report a region, in the order of [`Region::ALL`].
    pub regions: [RegionReport; 4],
    /// The boxes.
    pub certificate: Conjecture1Certificate,
}

impl Conjecture1Proof {
    /// Boxes that stayed undecided in all regions.
    pub fn undecided(&self) -> usize {
        self.regions.iter().map(|r| r.undecided).sum()
    }

    /// Whether Conjecture 1 is proved, for `L12` and for `L21`.
    pub fn is_complete(&self) -> bool {
        self.undecided() == 0
    }
}

/// Proves Conjecture 1 of Tian (2017) for `L12` and `L21` on the closed domain.
///
/// ```text
/// L12(theta, phi) > 0 for 0 < phi < theta,  < 0 for theta < phi < 2 pi,   0 < theta < pi;   L21(theta, phi) = L12(theta, theta - phi)
/// ```
///
/// Source: Tian (2017), Conjecture 1; docs/theory/conjecture1.md, (C.20)-(C.24). It takes some milliseconds.
///
/// # Errors
///
/// [`EnvironmentError`] if floating-point arithmetic is not what intervals need.
///
/// # Examples
///
/// ```
/// let proof = popgrad_proof::prove_conjecture1()?;
/// assert!(proof.is_complete());
/// let checked = popgrad_proof::check_conjecture1(&proof.certificate).unwrap();
/// assert_eq!(checked.leaves, proof.certificate.len());
/// # Ok::<(), popgrad_proof::EnvironmentError>(())
/// ```
pub fn prove_conjecture1() -> Result<Conjecture1Proof, EnvironmentError> {
    check_environment()?;
    Ok(search(&Factors::EXACT))
}

fn search(factors: &Factors) -> Conjecture1Proof {
    let mut leaves: [Vec<Leaf>; 4] = Default::default();
    let regions = Region::ALL.map(|region| search_region(region, factors, &mut leaves[region.index()]));
    Conjecture1Proof { regions, certificate: Conjecture1Certificate { leaves } }
}

fn search_region(region: Region, factors: &Factors, leaves: &mut Vec<Leaf>) -> RegionReport {
    let mut report = RegionReport {
        region,
        leaves: 0,
        undecided: 0,
        evaluations: 0,
        depth: 0,
        lower_bound: f64::INFINITY,
    };
    let mut open = vec![(Leaf { theta: [0.0, THETA_END], u: [0.0, 1.0] }, 0)];
    while let Some((leaf, depth)) = open.pop() {
        if report.evaluations == MOST_EVALUATIONS {
            report.undecided += 1;
            continue;
        }
        let value = enclosure(region, &leaf, factors);
        report.evaluations += 1;
        report.depth = report.depth.max(depth);
        if value.is_certainly_positive() {
            report.lower_bound = report.lower_bound.min(value.lo());
            leaves.push(leaf);
        } else if depth == DEEPEST {
            report.undecided += 1;
        } else {
            let [first, second] = halves(&leaf);
            open.extend([(second, depth + 1), (first, depth + 1)]);
        }
    }
    report.leaves = leaves.len();
    report
}

/// Cuts the side that is wider relative to the rectangle.
fn halves(leaf: &Leaf) -> [Leaf; 2] {
    let [a, b] = leaf.theta;
    let [u, v] = leaf.u;
    if (b - a) / THETA_END >= v - u {
        let middle = 0.5 * (a + b);
        [Leaf { theta: [a, middle], ..*leaf }, Leaf { theta: [middle, b], ..*leaf }]
    } else {
        let middle = 0.5 * (u + v);
        [Leaf { u: [u, middle], ..*leaf }, Leaf { u: [middle, v], ..*leaf }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Interval;

    #[test]
    fn the_proof_is_complete_and_small() {
        let proof = search(&Factors::EXACT);
        for r in &proof.regions {
            assert!(r.undecided == 0 && r.leaves >= 10 && r.lower_bound > 1e-4, "{r:?}");
            assert!(r.evaluations < 400 && r.depth <= 10, "{r:?}");
        }
    }

    fn altered(change: impl FnOnce(&mut Factors)) -> Conjecture1Proof {
        let mut factors = Factors::EXACT;
        change(&mut factors);
        search(&factors)
    }

    #[test]
    fn a_flipped_sign_is_found_out() {
        let minus = -Interval::ONE;
        for (name, proof) in [
            ("D", altered(|f| f.d = minus)),
            ("Delta", altered(|f| f.delta = minus)),
            ("E", altered(|f| f.e = minus)),
            ("B", altered(|f| f.b = minus)),
            ("kappa", altered(|f| f.kappa = minus)),
            ("kappa3", altered(|f| f.kappa3 = minus)),
        ] {
            assert!(proof.undecided() > 0, "the sign of {name} can be flipped");
        }
    }

    #[test]
    fn a_wrong_or_wide_constant_is_found_out() {
        let wide = |radius: f64| Interval::ball(1.0, radius);
        for (name, proof) in [
            ("pi by 15 %", altered(|f| f.pi = wide(0.15))),
            ("D by 70 %", altered(|f| f.d = wide(0.7))),
            ("E by 60 %", altered(|f| f.e = wide(0.6))),
            ("S by three quarters", altered(|f| f.s = wide(0.75))),
            ("Delta by half", altered(|f| f.delta = wide(0.5))),
            ("E to 0.45 of itself", altered(|f| f.e = Interval::point(0.45))),
            ("S to twice itself", altered(|f| f.s = Interval::point(2.0))),
        ] {
            assert!(proof.undecided() > 0, "changing {name} goes unnoticed");
        }
    }
}
