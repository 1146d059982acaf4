//! Conjecture 1 of Tian (2017), proved by a branch and bound that leaves nothing out.
//!
//! For two students at an angle `theta` in `(0, pi)` and a teacher at the angle `phi` from the first one, the conjecture says
//! that `L12(theta, phi) > 0` where `0 < phi < theta` and `L12 < 0` where `theta < phi < 2 pi`; the same for `L21`. It is true. The
//! proof by hand is docs/theory/conjecture1.md, sections 1 to 3; this module is the other proof, section 4 there:
//!
//! - The circle of `phi` is cut into four [`Region`]s, in which `L12` is a product of factors of known sign and one function on
//!   a closed rectangle `[0, pi] x [0, 1]` of `theta` and a scaled coordinate `u`; all powers of `theta` and `pi - theta` that
//!   make it vanish are divided out on paper, (C.20)-(C.24).
//! - [`prove_conjecture1`] bisects the rectangle until an interval evaluation of the function is above zero on every box.
//!   These boxes are the [`Conjecture1Certificate`].
//! - [`check_conjecture1`] needs the boxes only: it verifies that they tile the rectangle exactly and that the function is
//!   above zero on each, with formulas of its own.
//!
//! `L21(theta, phi) = L12(theta, theta - phi)` by the reflection that swaps the students, (C.6). It maps the regions A and C to
//! themselves with `u` replaced by `1 - u`, and exchanges B and D with the same `u`; so the same boxes, relabelled by
//! [`Region::mirrored`], prove the statement about `L21`.

mod check;
#[cfg(test)]
mod fixture;
mod region;
mod search;
mod tiling;

pub(crate) use tiling::{Flaw, tiles};

pub use check::{CertificateError, CheckedConjecture1, check_conjecture1};
pub use search::{Conjecture1Proof, RegionReport, prove_conjecture1};

use crate::Interval;

/// Upper end of the rectangle in `theta`: the double above pi, so that pi itself is covered.
const THETA_END: f64 = Interval::PI.hi();

/// A part of the circle of `phi`, for students at the angles 0 and `theta`, `p = pi - theta`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Region {
    /// Between the students: `phi = u theta`, `L12 > 0`.
    A,
    /// Behind the second student: `phi = theta + u p`, `L12 < 0`.
    B,
    /// Opposite the students: `phi = pi + u theta`, `L12 < 0`.
    C,
    /// Before the first student: `phi = -u p`, `L12 < 0`.
    D,
}

impl Region {
    /// All four, in the order of the circle.
    pub const ALL: [Self; 4] = [Self::A, Self::B, Self::C, Self::D];

    /// The letter.
    pub fn name(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
            Self::D => "D",
        }
    }

    /// The region of `theta - phi` for `phi` in this one, which is where `L21` takes the values that `L12` takes here.
    ///
    /// ```
    /// use popgrad_proof::Region;
    /// assert_eq!(Region::B.mirrored(), Region::D);
    /// assert_eq!(Region::A.mirrored(), Region::A);
    /// ```
    #[must_use]
    pub fn mirrored(self) -> Self {
        match self {
            Self::A | Self::C => self,
            Self::B => Self::D,
            Self::D => Self::B,
        }
    }

    fn index(self) -> usize {
        self as usize
    }
}

/// A box of `theta` and `u` on which the function of its region is above zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Leaf {
    /// Lower and upper end in `theta`.
    pub theta: [f64; 2],
    /// Lower and upper end in `u`.
    pub u: [f64; 2],
}

/// An enclosure of the divided function of a region over a box, (C.20)-(C.24).
pub(crate) fn divided(region: Region, leaf: &Leaf) -> Interval {
    region::enclosure(region, leaf, &region::Factors::EXACT)
}

/// The boxes that prove Conjecture 1: for each region a tiling of `[0, pi] x [0, 1]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Conjecture1Certificate {
    leaves: [Vec<Leaf>; 4],
}

impl Conjecture1Certificate {
    /// A claim from elsewhere, to be checked; nothing is assumed about the boxes.
    pub fn from_leaves(leaves: [Vec<Leaf>; 4]) -> Self {
        Self { leaves }
    }

    /// The boxes of a region.
    pub fn leaves(&self, region: Region) -> &[Leaf] {
        &self.leaves[region.index()]
    }

    /// Number of boxes in all regions.
    pub fn len(&self) -> usize {
        self.leaves.iter().map(Vec::len).sum()
    }

    /// Whether there is no box at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
