//! The rows of the accuracy table, in the order of the modules.

use super::Bound;

const D150: &str = "150 digits, golden table";
const D60: &str = "60 digits, golden table";
const D50: &str = "50 digits, golden table";
const D25: &str = "25 digits, golden table";
const DEFINITION: &str = "the definition";
const ASSEMBLED: &str = "eigenvalues of the assembled Hessian";

const fn row(
    name: &'static str,
    reference: &'static str,
    (factor, scale): (f64, &'static str),
    reason: &'static str,
) -> Bound {
    Bound { name, reference, factor, scale, reason }
}

/// The table: at least one row for every public function that returns a computed number.
#[rustfmt::skip] // a table: one row, one line
pub const TABLE: &[Bound] = &[
    // angles, kernel, input law
    row("angle#theta", D150, (4.0, "theta + EPSILON"), "two-pass orthogonal part with fma, one atan2 (K.2)"),
    row("angle#psi", D150, (4.0, "psi + EPSILON"), "its own atan2, never pi - theta (K.2)"),
    row("angular_c1", D150, (4.0, "c1(t)"), "series below 1, no cancellation above (K.4)"),
    row("angular_h", D150, (4.0, "h(t)"), "c1 of the supplement above 1.2 (K.3)"),
    row("kernel", D150, (8.0, "k(u, v) + EPSILON^3 |u||v|"), "k ~ psi^3 near pi, and the norms"),
    row("joint_activation", D150, (5.0, "the probability + EPSILON"), "the supplement divided once"),
    row("gating", D150, (8.0, "|w|; Euclidean norm of the error"), "two terms of size |w|/2 and their axes (K.6)"),
    row("kernel_hessian#own", D150, (4.0, "|u|/|w|; each entry"), "products of three unit axes (K.8)"),
    row("kernel_hessian#cross", D150, (4.0, "1; each entry"), "products of three unit axes (K.9)"),
    row("InputLaw::kappa", DEFINITION, (2.0, "kappa"), "one product and one quotient"),
    // two layers
    row("TwoLayer::gradient#weights", D60, (4.0, "sum of |a_j| |c_z| |F(w_j, z)| over the units z; norm of the row's error"), "one rounding for each term and a fixed order of summation (T.3)"),
    row("TwoLayer::gradient#output", D60, (4.0, "|w_j| times the sum of |c_z| |F(w_j, z)|"), "the row's error, carried over by w_j"),
    row("TwoLayer::gradient#near", D60, (4.5, "norm of the gradient; norm of the error"), "differences of paired units are formed before anything is summed (T.12)"),
    row("TwoLayer::gradient#near_output", D60, (8.0, "|w_j| |grad_{w_j} J / a_j|"), "the row's error, carried over by w_j"),
    row("Evaluator::gradient", D60, (4.0, "as TwoLayer::gradient"), "the same code"),
    row("Evaluator::gradient_into", D60, (4.0, "as TwoLayer::gradient"), "the same code"),
    // Theorem 7's plane
    row("XyPlane::field", D60, (4.0, "K (1 + n), n = sqrt(x^2 + (K-1) y^2)"), "K - 1 equal terms and the point itself"),
    row("XyPlane::field#near", D60, (4.0, "K |(x - 1, y)|, within 0.02 of the teacher"), "every term carries the distance as a factor"),
    row("XyPlane::gradient", D60, (4.0, "as XyPlane::field"), "minus the field"),
    row("XyPlane::loss_at", D60, (4.0, "K^2 (1 + n^2)"), "K^2 terms of the size of n^2"),
    row("XyPlane::loss_at#near", D60, (16.0, "J, within 0.02 of the teacher"), "a sum of terms of one sign (Y.13)"),
    row("XyPlane::loss", D60, (4.0, "as XyPlane::loss_at"), "the same code"),
    row("XyPlane::jacobian", D60, (4.0, "K (1 + 1/n)"), "the angles' derivatives are of the size of 1/n"),
    row("XyPlane::saddle", D25, (4.0, "each of the point and the eigenvalues"), "a closed form of a few roundings"),
    row("XyPlane::saddle#loss", D25, (64.0, "J"), "a sum of K terms that do not cancel much"),
    row("XyPlane::negative_saddle", D25, (16.0, "each of the point and the eigenvalues"), "a closed form of a few roundings"),
    row("XyPlane::find_spurious", D25, (5.0, "1"), "Newton's step no longer shrinks"),
    row("XyPlane::find_spurious#loss", D25, (48.0, "1"), "the point's error enters squared; the sum's own remains"),
    row("XyPlane::linearisation", DEFINITION, (4.0, "each entry"), "a few roundings"),
    row("XyPlane::slowest_rate", D25, (8.0, "the rate"), "the smaller root without cancellation"),
    row("XyPlane::spectrum", ASSEMBLED, (450.0, "1 + 1/n"), "the reference's own eigenvalue routine"),
    row("XyPlane::smallest_eigenvalue", ASSEMBLED, (450.0, "1 + 1/n"), "the least of the spectrum"),
    // orbits of finite groups
    row("GroupOrbit::reduced_gradient", D60, (1.0, "|P| (|w| + |v|); each entry"), "|P| terms"),
    row("GroupOrbit::reduced_gradient#near", D60, (2.0, "|P| |w - g v|; each entry; permutations"), "every term carries the distance as a factor"),
    row("GroupOrbit::full_gradient", D60, (1.0, "as GroupOrbit::reduced_gradient"), "an orthogonal image of it"),
    row("GroupOrbit::gradient", D60, (1.0, "as GroupOrbit::reduced_gradient"), "the same code"),
    row("GroupOrbit::full_loss", D60, (1.0, "|P|^2 (|w| + |v|)^2"), "|P|^2 terms"),
    row("GroupOrbit::full_loss#near", D60, (45.0, "J, within a tenth of the least distance between teacher lines"), "integrated from the gradient along the ray (Y.5)"),
    row("GroupOrbit::loss", D60, (1.0, "as GroupOrbit::full_loss"), "the same code"),
    // randomness and statistics
    row("RandomStream::normal", D50, (8.0, "the number"), "the inverse of the distribution function"),
    row("RandomStream::fill_sphere", DEFINITION, (1.0, "(d + 4) radius; the length"), "one normalisation of d entries"),
    row("normal_cdf", D50, (6.0, "the probability, for x >= -37"), "the complementary error function"),
    row("normal_quantile", D50, (8.0, "the quantile, with p or 1 - p taken as exact"), "one correction step on a rational start"),
    row("two_sided_bound", D50, (8.0, "as normal_quantile"), "the same code"),
    row("wilson_interval", "the score equation that both ends solve", (4500.0, "distance of each end from the share"), "the quantile squared"),
    row("fit_line", DEFINITION, (450.0, "each coefficient's scale, a hundred points"), "sums of centred products"),
    row("fit_line_weighted", DEFINITION, (450.0, "as fit_line"), "the same code"),
];
