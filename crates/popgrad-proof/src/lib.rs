//! Proofs about the loss landscape of two-layer ReLU networks, by interval arithmetic.
//!
//! A result of this crate is a theorem as far as three things are right: its program text, the compiler and the
//! floating-point unit. [`check_environment`] states what is asked of the latter two and tests it. Numbers that come
//! from elsewhere, eigenvectors or Newton iterates, are guesses: a bad guess makes a proof fail, never succeed.
//!
//! - [`Interval`]: sets of real numbers with outward rounding, on the standard library alone.
//! - [`PointProblem::certify`]: existence, local uniqueness, loss and index of critical points.
//! - [`CnnTeacher::certify`]: the critical points of the convolutional network of Du et al. (2018).
//! - [`EnumerationSearch`]: all critical points of two students in the plane of two teachers.
//! - [`prove_conjecture1`], [`check_conjecture1`]: Conjecture 1 of Tian (2017), proved, and its certificate checked.
//! - [`check_points`], [`check_enumeration`], [`check_fold`]: what the others found, checked without a search.
//!
//! No files, no printing, no clock, no threads.

mod cnn;
mod conjecture1;
mod enclosed_matrix;
mod enumerate;
mod environment;
mod interval;
mod landscape;
mod points;

pub use cnn::{CnnProofError, CnnReport, CnnTeacher, GlobalProof, SaddleProof, SpuriousProof};
pub use conjecture1::{
    CertificateError, CheckedConjecture1, Conjecture1Certificate, Conjecture1Proof, Leaf, Region,
    RegionReport, check_conjecture1, prove_conjecture1,
};
pub use enumerate::{
    BoxProof, Boxes, CheckedEnumeration, Descent, EnumerateError, EnumeratedPoint, Enumeration,
    EnumerationCertificate, EnumerationError, EnumerationSearch, Fold, FoldCertificate, FoldError,
    ListedPoint, ListedVanished, PointClass, VanishedPoint, certify_fold, certify_threshold,
    check_enumeration, check_fold,
};
pub use environment::{EnvironmentError, check_environment};
pub use interval::Interval;
pub use points::{
    Claim, PointClaim, PointClaimError, PointError, PointOptions, PointProblem, PointReason, PointReport,
    PointSetting, PointSkip, PointStatus, PointsCertificate, check_points,
};
