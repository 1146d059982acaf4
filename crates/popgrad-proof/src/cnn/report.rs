//! What is proved about the points of a convolutional teacher.

use crate::{Interval, PointStatus};

/// What is proved about the critical points of a convolutional teacher, normalised form; by the change of variables
/// `(v, |v| a)` losses, indices, nullities and minimality are those of the plain form too.
///
/// Numbers that depend on the length of the filter are for `|v| = 1`.
#[derive(Clone, Debug, PartialEq)]
pub struct CnnReport {
    /// `(1.a*)^2 / |a*|^2`.
    pub ratio: Interval,
    /// `1 + (k-1)/pi`.
    pub threshold: Interval,
    /// The global minimum.
    pub global: GlobalProof,
    /// The spurious point.
    pub spurious: SpuriousProof,
    /// The saddle between them.
    pub saddle: SaddleProof,
}

/// The global minimum, `phi = 0`, `a = s a*`, `J = 0`: positive definite modulo the length of the filter.
#[derive(Clone, Debug, PartialEq)]
pub struct GlobalProof {
    /// Whether all eigenvalues of the Hessian but the one of the filter's length are certainly positive.
    pub minimum: PointStatus,
    /// The `p - 1` eigenvalues `s^2 |a*|^2 / 2` of turning the filter; none for `p = 1`.
    pub turning: Option<Interval>,
    /// The smallest eigenvalue of the Hessian that the length of the filter does not force to zero.
    pub lambda_min: Interval,
    /// Number of zero eigenvalues: one, for the length of the filter.
    pub nullity: usize,
}

/// The spurious point, `phi = pi`. It is a critical point whatever the ratio (W.25).
#[derive(Clone, Debug, PartialEq)]
pub struct SpuriousProof {
    /// Whether it is a local minimum, strict modulo the length of the filter: certified, refuted, or undecided where the
    /// threshold is nearer than the enclosures are wide.
    pub minimum: PointStatus,
    /// Its loss, which is also its gap from the global minimum.
    pub loss: Interval,
    /// `a.a*`, whose sign decides.
    pub alpha: Interval,
    /// Coefficient of `(pi - phi)^3` in the loss along the valley, `-s alpha / 6 pi`.
    pub third_order: Interval,
    /// Where it is refuted: the loss at the right angle in the valley is below that of the point by this much, and the valley
    /// falls all the way.
    pub descent: Option<Interval>,
    /// The smallest eigenvalue of the Hessian in the output weights, `(pi-1)/2pi`, or 1/2 for one patch.
    pub lambda_min: Interval,
    /// Number of zero eigenvalues, `p`: the length of the filter, and its turning, which is of third order.
    pub nullity: usize,
}

/// The saddle. All critical points with `0 < phi < pi` have the same angle, loss and index.
#[derive(Clone, Debug, PartialEq)]
pub struct SaddleProof {
    /// Whether there is one: certified, refuted (there is certainly none), or undecided.
    pub exists: PointStatus,
    /// `h(phi_c)` if there is a saddle; its sign decides whether there is.
    pub level: Interval,
    /// The one angle between `0` and `pi` with `alpha = 0`, if it is certified to exist.
    pub angle: Option<Interval>,
    /// The loss there.
    pub loss: Option<Interval>,
    /// An upper bound of the smallest eigenvalue of the Hessian, certainly negative.
    pub lambda_min_upper: Option<f64>,
    /// Number of negative eigenvalues, one, if the point is certified.
    pub index: Option<usize>,
    /// Number of zero eigenvalues, `p - 1`: length of the filter and rotations about `w*`, the manifold of the saddles.
    pub nullity: Option<usize>,
}
