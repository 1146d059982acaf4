//! The check of a certificate: its boxes tile the rectangles, and on each the function of its region is above zero.
//!
//! Nothing here is shared with the search but the interval kernels: the functions are written out once more, from
//! (C.20)-(C.24) of docs/theory/conjecture1.md, as lower bounds.

use super::tiling::{self, Flaw};
use super::{Conjecture1Certificate, Leaf, Region};
use crate::Interval;
use crate::environment::{EnvironmentError, check_environment};
use popgrad::Kind;
use thiserror::Error;

/// Why a certificate proves nothing.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// Floating-point arithmetic is not what intervals need.
    #[error(transparent)]
    Environment(#[from] EnvironmentError),
    /// A box is not a box inside the rectangle.
    #[error(
        "region {region}, box {index}: theta from {} to {}, u from {} to {} is no box inside [0, pi] x [0, 1]",
        leaf.theta[0], leaf.theta[1], leaf.u[0], leaf.u[1]
    )]
    Misshapen {
        /// Letter of the region.
        region: &'static str,
        /// Position among the boxes of the region, from 0.
        index: usize,
        /// The box.
        leaf: Leaf,
    },
    /// A part of the rectangle is not covered.
    #[error(
        "region {region}: no box covers the points just above theta = {theta}, u = {u}; the boxes must tile [0, pi] x [0, 1]"
    )]
    Gap {
        /// Letter of the region.
        region: &'static str,
        /// Corner of the gap.
        theta: f64,
        /// Corner of the gap.
        u: f64,
    },
    /// Two boxes overlap.
    #[error(
        "region {region}: two boxes overlap just above theta = {theta}, u = {u}; the boxes must tile [0, pi] x [0, 1]"
    )]
    Overlap {
        /// Letter of the region.
        region: &'static str,
        /// Corner of the overlap.
        theta: f64,
        /// Corner of the overlap.
        u: f64,
    },
    /// The function is not above zero on a box.
    #[error("region {region}, box {index}: the lower bound {lower:e} of the function is not above zero")]
    NotPositive {
        /// Letter of the region.
        region: &'static str,
        /// Position among the boxes of the region, from 0.
        index: usize,
        /// The bound.
        lower: f64,
    },
}

impl CertificateError {
    /// The kind of this failure: a claim that does not hold, as if a function had not found its point.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Environment(error) => error.kind(),
            _ => Kind::NotConverged,
        }
    }
}

/// What a successful check found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CheckedConjecture1 {
    /// Boxes checked.
    pub leaves: usize,
    /// The smallest lower bound among them.
    pub lower_bound: f64,
}

/// Verifies a certificate of Conjecture 1 without searching.
///
/// # Errors
///
/// [`CertificateError`] with the first box or the first place that fails.
///
/// # Examples
///
/// ```
/// use popgrad_proof::{Conjecture1Certificate, check_conjecture1};
/// let error = check_conjecture1(&Conjecture1Certificate::default()).unwrap_err();
/// assert!(error.to_string().starts_with("region A: no box covers the points"));
/// ```
pub fn check_conjecture1(
    certificate: &Conjecture1Certificate,
) -> Result<CheckedConjecture1, CertificateError> {
    check_environment()?;
    let mut lower_bound = f64::INFINITY;
    for region in Region::ALL {
        let leaves = certificate.leaves(region);
        tiling::verify(leaves).map_err(|flaw| named(region, leaves, flaw))?;
        for (index, leaf) in leaves.iter().enumerate() {
            let lower = lower_bound_of(region, leaf);
            if lower <= 0.0 || lower.is_nan() {
                return Err(CertificateError::NotPositive { region: region.name(), index, lower });
            }
            lower_bound = lower_bound.min(lower);
        }
    }
    Ok(CheckedConjecture1 { leaves: certificate.len(), lower_bound })
}

fn named(region: Region, leaves: &[Leaf], flaw: Flaw) -> CertificateError {
    let region = region.name();
    match flaw {
        Flaw::Misshapen(index) => CertificateError::Misshapen { region, index, leaf: leaves[index] },
        Flaw::Gap { theta, u } => CertificateError::Gap { region, theta, u },
        Flaw::Overlap { theta, u } => CertificateError::Overlap { region, theta, u },
    }
}

/// A lower bound of the function of a region over a box; minus infinity where none is found.
fn lower_bound_of(region: Region, leaf: &Leaf) -> f64 {
    let sides = (Interval::new(leaf.theta[0], leaf.theta[1]), Interval::new(leaf.u[0], leaf.u[1]));
    let (Some(theta), Some(u)) = sides else { return f64::NEG_INFINITY };
    let value = match region {
        Region::A => between_students(theta, u),
        Region::B => behind_second(theta, u),
        Region::C => opposite(theta, u),
        Region::D => before_first(theta, u),
    };
    if value.is_empty() { f64::NEG_INFINITY } else { value.lo() }
}

/// `pi - theta`, known to be at least 0.
fn supplement(theta: Interval) -> Interval {
    (Interval::PI - theta).positive_part()
}

/// `h = p (cos theta + sinc p)`.
fn h(theta: Interval) -> Interval {
    let p = supplement(theta);
    p * (theta.cos() + p.sinc())
}

/// `D / theta^2 = (pi + h) (p c2 + theta k3)`, the first line of (C.19).
fn d_divided(theta: Interval) -> Interval {
    (Interval::PI + h(theta)) * (supplement(theta) * theta.c2() + theta * theta.k3())
}

/// `sin theta`, at least 0 on `[0, pi]`.
fn sine(theta: Interval) -> Interval {
    theta.sin().positive_part()
}

/// An upper bound of `1 - y cot y = y^2 kappa3(y) / sinc(y)`, which increases: its value at the upper end.
fn largest_gap(y: Interval) -> Interval {
    let end = Interval::point(y.hi());
    let sinc = end.sinc();
    if sinc.is_certainly_positive() { end.square() * end.kappa3() / sinc } else { Interval::ENTIRE }
}

/// The numbers from 0 to the least of two upper bounds.
fn up_to(first: Interval, second: Interval) -> Interval {
    Interval::new(0.0, first.hi().min(second.hi())).unwrap_or(Interval::ENTIRE)
}

/// (C.20). Where `kappa < 0` the last term helps and is left out.
fn between_students(theta: Interval, u: Interval) -> Interval {
    let p = supplement(theta);
    let sinc = theta.sinc();
    let sure = d_divided(theta) + Interval::PI * p * sinc.square();
    let kappa = (Interval::PI * theta.cos() + h(theta)).positive_part();
    if kappa.hi() == 0.0 {
        return sure;
    }
    // w / theta is at most w(theta) / theta, which increases: its value at the upper end.
    let end = Interval::point(theta.hi());
    let steepest = (end * 2.0).k3() * 4.0 / end.sinc().square();
    let gentlest = (u * theta * 2.0).k3() * 4.0 * u;
    let w = Interval::new(gentlest.lo().clamp(0.0, steepest.hi()), steepest.hi()).unwrap_or(Interval::ENTIRE);
    sure - p * sinc * kappa * w
}

/// (C.21), with the bound (C.23) where `y` may be near pi.
fn behind_second(theta: Interval, u: Interval) -> Interval {
    let (p, h, kappa3) = (supplement(theta), h(theta), theta.kappa3());
    let y = u * p;
    let s = sine(theta);
    let (c2, k3) = (theta.c2(), theta.k3());
    let delta = Interval::PI * kappa3 * 2.0 + (theta.cos() + p.sinc()) * k3 * (theta + s);
    let b = (Interval::PI + h) * theta.cos() * k3 - p * c2 * theta.square() * kappa3;
    let s_divided = p * c2 + k3 * (theta + h);
    let tame = (s + y * (-y.cos()).positive_part()) / p;
    delta + u * b - s_divided * up_to(p.sinc() * largest_gap(y), tame)
}

/// (C.22), with the second form where `x >= pi/2`.
fn opposite(theta: Interval, u: Interval) -> Interval {
    let (p, x) = (supplement(theta), u * theta);
    let end = Interval::point(x.hi());
    let quotient =
        if end.sinc().is_certainly_positive() { end.kappa3() / end.sinc() } else { Interval::ENTIRE };
    let plain = h(theta) * p * theta.sinc() * u * quotient;
    let beyond_right_angle = (x - Interval::PI / 2.0).lo() >= 0.0;
    let tame = if beyond_right_angle { h(theta) * p * u.square() * x.kappa3() } else { plain };
    d_divided(theta) - up_to(plain, tame)
}

/// (C.24), with the bound (C.23).
fn before_first(theta: Interval, u: Interval) -> Interval {
    let (p, k3, kappa3) = (supplement(theta), theta.k3(), theta.kappa3());
    let psi = u * p;
    let s = sine(theta);
    let e = Interval::PI * 8.0 * (theta * 2.0).k3()
        - (theta * theta.square() * k3.square() + s * theta.c2() * 2.0);
    let m = (Interval::PI + h(theta)) * k3 + p * theta.c2() * theta.square() * kappa3;
    let tame = s + psi * (-psi.cos()).positive_part();
    Interval::PI * e - p * kappa3 * up_to(s * largest_gap(psi), tame) - psi * m
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conjecture1::fixture;
    use crate::prove_conjecture1;

    #[test]
    fn the_lower_bounds_are_below_the_two_by_two_solve() {
        for row in fixture::regions() {
            let leaf = Leaf { theta: [row.theta; 2], u: [row.u; 2] };
            let lower = lower_bound_of(row.region, &leaf);
            assert!(row.value.at_least(lower), "{row:?}: {lower:e}");
        }
    }

    #[test]
    fn what_the_search_found_is_accepted() {
        let certificate = prove_conjecture1().unwrap().certificate;
        let checked = check_conjecture1(&certificate).unwrap();
        assert_eq!(checked.leaves, certificate.len());
        assert!(checked.lower_bound > 1e-4, "{checked:?}");
    }

    #[test]
    fn a_missing_a_coarse_or_a_moved_box_is_refused() {
        let good = prove_conjecture1().unwrap().certificate;
        for region in Region::ALL {
            let mut bad = good.clone();
            bad.leaves[region.index()].remove(3);
            assert!(matches!(check_conjecture1(&bad), Err(CertificateError::Gap { .. })));
            let mut bad = good.clone();
            bad.leaves[region.index()][0].u[1] = 0.3;
            assert!(check_conjecture1(&bad).is_err());
            // One box for the whole rectangle tiles it, but the function is not above zero on so coarse an enclosure.
            let mut bad = good.clone();
            bad.leaves[region.index()] = vec![Leaf { theta: [0.0, super::super::THETA_END], u: [0.0, 1.0] }];
            assert!(matches!(check_conjecture1(&bad), Err(CertificateError::NotPositive { index: 0, .. })));
        }
    }
}
