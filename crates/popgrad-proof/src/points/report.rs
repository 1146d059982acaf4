//! What is asked about a point, and what is answered.

use super::PointReason;
use super::exact::Likeness;
use super::index::Spectrum;
use crate::Interval;
use popgrad::{Matrix, MatrixView};

/// The default ball is this share of one plus the norm of the point: six digits of every entry are enough.
const DEFAULT_SHARE: f64 = 1e-5;

/// What is claimed about a point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Claim {
    /// A critical point lies near it.
    #[default]
    Critical,
    /// A minimum lies near it, strict but for the manifold that symmetry forces.
    Minimum,
}

/// What is asked, and within which limits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PointOptions {
    /// Radius of the ball around the given point; by default 1e-5 of one plus its norm.
    pub radius: Option<f64>,
    /// What is claimed.
    pub claim: Claim,
    /// Bytes the matrices may take.
    pub memory_limit: u64,
}

impl Default for PointOptions {
    fn default() -> Self {
        Self { radius: None, claim: Claim::Critical, memory_limit: 4 << 30 }
    }
}

/// The answer about a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PointStatus {
    /// The claim is proved.
    Certified,
    /// The opposite of the claim is proved.
    Refuted,
    /// Neither is proved.
    Undecided,
}

impl PointStatus {
    /// The word for files and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Certified => "certified",
            Self::Refuted => "refuted",
            Self::Undecided => "undecided",
        }
    }
}

/// What is proved about a point. Where a number is present, it is proved, whatever the status.
#[derive(Clone, Debug, PartialEq)]
pub struct PointReport {
    /// The answer to the claim.
    pub status: PointStatus,
    /// Why the claim is refuted or undecided, or what is open beside it.
    pub reason: Option<PointReason>,
    /// The double-precision point next to which the critical point lies.
    pub center: Option<Matrix>,
    /// Upper bound of the distance from the center to the critical point, after merging.
    pub radius: Option<f64>,
    /// Within this distance of the center no other critical point lies, modulo the manifold, after merging.
    pub unique_radius: Option<f64>,
    /// Upper bound of the distance from the given point to the critical point.
    pub distance: Option<f64>,
    /// Enclosure of the loss at the critical point.
    pub loss: Option<Interval>,
    /// Enclosure of the smallest eigenvalue of the Hessian, those left out that the manifold forces to zero.
    pub lambda_min: Option<Interval>,
    /// Number of negative eigenvalues of the Hessian, if all but the forced ones are certainly not zero, or the loss is zero.
    pub index: Option<usize>,
    /// Number of eigenvalues of the Hessian that are zero, where that is proved.
    pub nullity: Option<usize>,
    /// Eigenvalues that are certainly negative, and certainly positive, whatever is open about the others.
    pub certain_signs: Option<[usize; 2]>,
    /// Dimension of the manifold of critical points through the point, if the index is known.
    pub manifold_dimension: Option<usize>,
    /// Whether the students are seen to be the teacher, each teacher one or shared out over several: the loss is then exactly zero.
    /// Not looked for where the proof is in the subspace that permutations fix.
    pub is_teacher: bool,
    /// Students that share a direction exactly, from 0; empty where all directions differ or nothing is proved.
    pub coincident: Vec<Vec<usize>>,
    /// Sizes of the classes of axes that may be permuted, students along with them, if that was used: the unique radius is
    /// then one in the subspace that the permutations fix. Empty otherwise.
    pub symmetry: Vec<usize>,
}

impl PointReport {
    /// A report without a critical point.
    pub(super) fn nothing(status: PointStatus, reason: Option<PointReason>) -> Self {
        Self {
            status,
            reason,
            center: None,
            radius: None,
            unique_radius: None,
            distance: None,
            loss: None,
            lambda_min: None,
            index: None,
            nullity: None,
            certain_signs: None,
            manifold_dimension: None,
            is_teacher: false,
            coincident: Vec::new(),
            symmetry: Vec::new(),
        }
    }
}

/// What is known of a certified point beside its Hessian.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Kind {
    /// What the point is seen to be exactly, after merging.
    pub(super) likeness: Likeness,
    /// Near the point the loss is zero on the manifold of shared-out teachers only.
    pub(super) strict: bool,
    /// Zero eigenvalues that students of one direction have where they may part without a change of second order.
    pub(super) split: usize,
}

impl Kind {
    /// Whether the students are the teacher: the loss is zero.
    pub(super) fn is_teacher(self) -> bool {
        self.likeness == Likeness::Teacher
    }

    /// Zero eigenvalues of the Hessian: the forced ones; at points that are known exactly all where students of one direction
    /// part, if every other eigenvalue is certainly positive.
    pub(super) fn nullity(self, spectrum: &Spectrum) -> Option<usize> {
        let split = self.likeness != Likeness::Unknown
            && spectrum.certain[0] == 0
            && spectrum.open + spectrum.forced == self.split;
        match spectrum.index {
            Some(_) => Some(spectrum.forced),
            None => split.then_some(self.split),
        }
    }

    /// Negative eigenvalues of the Hessian.
    pub(super) fn index(self, spectrum: &Spectrum) -> Option<usize> {
        let none = self.is_teacher() || self.nullity(spectrum).is_some();
        spectrum.index.or(none.then_some(0))
    }

    /// What is to be said beside the numbers.
    fn remark(self, spectrum: &Spectrum) -> Option<PointReason> {
        let Spectrum { open, forced, certain: [negative, positive], .. } = *spectrum;
        match spectrum.index {
            Some(_) => None,
            None if self.nullity(spectrum).is_some() => {
                let (nullity, manifold) = (self.split, forced);
                Some(match self.likeness {
                    Likeness::Teacher => PointReason::SplitTeacher { nullity, manifold },
                    _ => PointReason::SplitSide { nullity, manifold },
                })
            }
            None if self.split > forced => {
                Some(PointReason::SplitOpen { open, forced, negative, positive, split: self.split - forced })
            }
            None => Some(PointReason::IndexOpen { open, forced }),
        }
    }
}

/// What an existing critical point of this spectrum and kind means for the claim.
pub(super) fn judge(claim: Claim, spectrum: &Spectrum, kind: Kind) -> (PointStatus, Option<PointReason>) {
    let remark = kind.remark(spectrum);
    match (claim, spectrum.index) {
        (Claim::Critical, _) => (PointStatus::Certified, remark),
        (Claim::Minimum, Some(0)) => (PointStatus::Certified, None),
        (Claim::Minimum, None) if kind.is_teacher() && kind.strict => (PointStatus::Certified, remark),
        (Claim::Minimum, _) if spectrum.smallest.is_certainly_negative() => {
            (PointStatus::Refuted, Some(PointReason::NoMinimum { largest: spectrum.smallest.hi() }))
        }
        (Claim::Minimum, _) => (PointStatus::Undecided, remark),
    }
}

/// The default radius for a point.
pub(super) fn default_radius(point: MatrixView<'_>) -> f64 {
    DEFAULT_SHARE * (1.0 + point.as_slice().iter().map(|x| x * x).sum::<f64>().sqrt())
}

/// The distance from the given point to a certified one, if it is certainly within the radius.
pub(super) fn within(
    point: MatrixView<'_>,
    enclosure: &[Interval],
    radius: f64,
) -> Result<Interval, PointReason> {
    let distance = distance(point, enclosure);
    match distance {
        d if d.lo() > radius => Err(PointReason::Elsewhere { distance: d.lo(), radius }),
        d if d.hi() > radius => Err(PointReason::OnTheEdge { distance: d.hi(), radius }),
        d => Ok(d),
    }
}

/// The Euclidean distance from a point to the members of a box.
fn distance(point: MatrixView<'_>, enclosure: &[Interval]) -> Interval {
    let offsets = point.as_slice().iter().zip(enclosure).map(|(p, x)| (*x - *p).square());
    Interval::sum(offsets).sqrt()
}
