//! The rows of the accuracy table, in the order of the modules.

use super::Bound;

const D150: &str = "150 digits, golden table";
const D60: &str = "60 digits, golden table";
const D50: &str = "50 digits, golden table";
const D25: &str = "25 digits, golden table";
const DEFINITION: &str = "the definition";

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
    row("TwoLayer::gradient#weights", D60, (4.0, "sum of |a_j| |c_z| |F(w_j, z)| over the units z, each at least |a_j| |c_z| |z| / 2pi; norm of the row's error"), "one rounding for each term and each cosine, a fixed order of summation (T.7)"),
    row("TwoLayer::gradient#output", D60, (4.0, "|w_j| / |a_j| times the scale of the row"), "the row's error, carried over by w_j"),
    row("TwoLayer::gradient#near", D60, (4.5, "norm of the gradient; norm of the error"), "differences of paired units are formed before anything is summed (T.8)"),
    row("TwoLayer::gradient#near_output", D60, (8.0, "|w_j| / |a_j| times the norm of the gradient in all weights"), "the row's error, carried over by w_j"),
    row("TwoLayer::gradient_error", "four EPSILON times the sum of the terms' norms", (8.0, "the bound, which is also compared with the row's actual error"), "a sum of lengths and angular functions (T.7)"),
    row("TwoLayer::loss", D60, (4.0, "sum of |c_y| |c_z| k(y, z) / 2 over all pairs of units"), "one rounding for each term and a fixed order of summation (T.2)"),
    row("TwoLayer::loss#near", D60, (9.0, "J, or a quarter of the sum of the single units' losses where these cancel to less"), "second differences are formed before anything is summed (T.12)-(T.16)"),
    row("TwoLayer::hessian", D60, (8.0, "size of the terms of the block with sines taken as one, each entry"), "products of unit axes, sines accurate absolutely (T.17)-(T.19)"),
    row("TwoLayer::hessian_product", "the matrix of TwoLayer::hessian", (16.0, "size of the blocks' terms times the direction, summed"), "the same terms in another order (T.20)"),
    row("Evaluator::loss", D60, (4.0, "as TwoLayer::loss"), "the same code"),
    row("Evaluator::gradient", D60, (4.0, "as TwoLayer::gradient"), "the same code"),
    row("Evaluator::hessian_into", D60, (8.0, "as TwoLayer::hessian"), "the same code"),
    row("Evaluator::gradient_into", D60, (4.0, "as TwoLayer::gradient"), "the same code"),
    // spectra
    row("symmetric_eigenvalues", "closed form of the second-difference matrix", (4.0, "n times the largest |eigenvalue|"), "backward stable reductions of a library"),
    row("symmetric_eigenvectors", "A v - lambda v, V V^T - I", (4.0, "n times the largest |eigenvalue|; n for the products"), "backward stable reductions of a library"),
    row("TwoLayer::reduce", "the given units", (8.0, "|w_j|; norm of the lifted row's difference"), "projections removed twice, one sum of r terms back (R.3)"),
    row("Reduction::lift", "the given units", (8.0, "as TwoLayer::reduce"), "a sum of r terms"),
    // critical points
    row("CriticalPoint::classify", "closed forms at the teacher (Z.24)", (4.0, "K d times the largest eigenvalue, each eigenvalue"), "one Hessian and a library's eigenvalues"),
    row("BlockFamily::loss", "the full problem, TwoLayer::loss", (4.0, "(sum of |w| and |v|)^2"), "the reference's rounding; three squares and small rests (Z.19)"),
    row("BlockFamily::loss#near", "XyPlane::loss_at, and 40 digits up to k = 1e6", (16.0, "J over the offset, at most 100 J"), "squares of differences that keep the digits of the coordinates (Z.19)"),
    row("BlockFamily::gradient", "the full problem, TwoLayer::gradient", (4.0, "sum of |w| and |v|, each entry"), "one term for each class (Z.16)"),
    row("BlockFamily::spectrum", "eigenvalues of the assembled Hessian", (16.0, "k times the largest |eigenvalue|"), "inner products in refined families (Z.22)"),
    row("BlockFamily::classify", "CriticalPoint::classify at the same points", (1.0, "as eigenvalue_error"), "isotypic blocks for the assembled Hessian"),
    row("BlockFamily::find", "published minimum of six units, 15 digits", (4.0, "1, the loss"), "the point's error enters squared"),
    row("BlockFamily::minima", "published minima", (4.0, "as BlockFamily::find"), "the same code"),
    row("BlockFamily::continue_to", "published limits", (4.0, "as BlockFamily::find"), "the same code"),
    // ensembles
    row("TwoLayerEnsemble::polish#gradient_norm", "zero, at isolated minima", (16.0, "the sum of the lengths of all units"), "Newton until the gradient's own rounding (B.10)"),
    row("TwoLayerEnsemble::polish#loss", "published minimum of six units, 15 digits", (4.0, "1, the loss"), "the point's error enters squared"),
    // Theorem 7's plane
    row("XyPlane::field", D60, (4.0, "K (1 + n), each component"), "a dozen terms of size K, the angles from atan2 (Y.9)"),
    row("XyPlane::field#near", D60, (4.0, "K |(x - 1, y)|, each component"), "no term exceeds the distance (Y.9)"),
    row("XyPlane::gradient", D60, (4.0, "as XyPlane::field"), "minus the field"),
    row("XyPlane::loss_at", D60, (4.0, "K^2 (1 + n^2)"), "the terms of (Y.13)"),
    row("XyPlane::loss_at#near", D60, (16.0, "J"), "no term exceeds the squared distance (Y.13)"),
    row("XyPlane::loss", D60, (4.0, "as XyPlane::loss_at"), "the same code"),
    row("XyPlane::jacobian", D60, (4.0, "K (1 + 1/n), each entry"), "the terms of (Y.14)"),
    row("XyPlane::saddle", D25, (4.0, "each value"), "closed form (Y.10), (Y.15)"),
    row("XyPlane::saddle#loss", D25, (64.0, "J"), "a sum of K terms that do not cancel much"),
    row("XyPlane::negative_saddle", "the Jacobian there", (64.0, "K / |x|, each eigenvalue"), "closed form (Y.10), (Y.15)"),
    row("XyPlane::find_spurious", D25, (5.0, "1, each coordinate"), "Newton to rounding (Y.17)"),
    row("XyPlane::find_spurious#loss", D25, (48.0, "1"), "the point's error enters squared; the sum's own remains"),
    row("XyPlane::linearisation", "the Jacobian at (1, 0)", (4.0, "K, each entry"), "closed form (Y.16)"),
    row("XyPlane::slowest_rate", "the spectrum at (1, 0)", (16.0, "1"), "determinant over the larger root (Y.16)"),
    row("XyPlane::spectrum", "power sums of the assembled Hessian", (512.0, "the sum of the absolute terms"), "K terms for each entry of a block of size at most 3 (Y.18), (Y.19)"),
    row("XyPlane::smallest_eigenvalue", "1/4 - 1/2pi at the teacher", (64.0, "1"), "one entry of the spectrum"),
    // orbits of finite groups
    row("GroupOrbit::reduced_gradient", D60, (1.0, "|P| (|w| + |v|), each entry"), "one pair difference for each element (Y.4)"),
    row("GroupOrbit::reduced_gradient#near", D60, (2.0, "|P| |w - g v|, each entry"), "permutations; no term exceeds the distance (Y.4)"),
    row("GroupOrbit::full_gradient", "pairwise gating functions", (32.0, "|P| (|w| + |v|), each entry"), "the rotated reduced gradient, and the pairs of the reference (Y.2)"),
    row("GroupOrbit::gradient", D60, (1.0, "as GroupOrbit::reduced_gradient"), "the same code"),
    row("GroupOrbit::full_loss", D60, (1.0, "|P|^2 (|w| + |v|)^2"), "three kernels for each element (Y.3)"),
    row("GroupOrbit::full_loss#near", D60, (45.0, "J"), "five nodes along the ray from the teacher (Y.5)"),
    row("GroupOrbit::loss", D60, (1.0, "as GroupOrbit::full_loss"), "the same code"),
    // the normal equation
    row("NormalEquation::student_side", D50, (1.0, "the sum of the terms of an entry"), "one product a term, sines of accurate angles (N.2)"),
    row("NormalEquation::teacher_side", D50, (4.0, "the entry"), "the supplement of an angle (N.2)"),
    row("NormalEquation::residual", "TwoLayer::gradient", (2.0, "|a_j| times the sum of |a_k w_k| and |b_m v_m|; norm of the row's error"), "K + M terms of a row (N.1)"),
    row("NormalEquation::radial_matrix", D50, (4.0, "1"), "h of an accurate angle (N.7)"),
    row("NormalEquation::radial_teacher_matrix", D50, (4.0, "1"), "as M_r (N.7)"),
    row("NormalEquation::projections", D50, (4.0, "1"), "two products of angle, sine and cosine (N.5)"),
    row("NormalEquation::teacher_projections", D50, (4.0, "1"), "as M (N.5)"),
    // L12
    row("l12_numerator", D150, (12.0, "F"), "a few terms of the size of the result, the zeros as factors (N.19)-(N.22)"),
    row("l12", D150, (12.0, "L12"), "F times sin(theta) / D"),
    row("l21", D150, (12.0, "L21"), "L12 of the mirror image (N.25)"),
    row("L12Map::value", D25, (12.0, "L12"), "distances from the zeros are whole numbers of steps"),
    row("L12Map::values_into", "L12Map::value", (12.0, "1"), "tables and addition formulas (N.26)-(N.29)"),
    // one ReLU
    row("single_relu_gradient", D60, (2.0, "|w| + |v|, each entry"), "three terms (S.2)"),
    row("single_relu_gradient#near", D60, (2.0, "|w - v|, each entry"), "no term exceeds the distance (S.2)"),
    row("single_relu_loss", D60, (8.0, "J"), "the angular part is of third order near v (S.3)"),
    row("distance_decrease", "the quadratic form", (16.0, "(|w| + |v|)^2"), "one product with the gradient (S.4)"),
    row("theorem5_matrix", D25, (4.0, "pi, each entry"), "the definition (S.4)"),
    row("theorem5_determinant", D25, (8.0, "det M up to 2 radians, 4 beyond"), "two squares (S.5)"),
    row("SingleReluFlow::angle", D25, (4.0, "(1 + t) theta"), "one atan2; exp(-t/2) loses t/2 (S.7)"),
    row("SingleReluFlow::conserved", D25, (8.0, "C"), "the definition (S.6)"),
    row("SingleReluFlow::radius", D25, (4.0, "(1 + t) r"), "as the position (S.8)"),
    row("SingleReluFlow::position", D25, (4.0, "(1 + t) |w(t)|, each entry"), "two terms (S.9)"),
    row("SingleReluFlow::deviation", D60, (4.0, "(1 + t) |w(t) - v|, each entry"), "decaying terms only (S.10)"),
    row("SingleReluFlow::loss", D60, (16.0, "(1 + t) J"), "the loss of the deviation (S.3), (S.10)"),
    row("SingleReluFlow::time_to_angle", "the flow itself", (5e6, "1 + t"), "the angle fixes the time to a factor |theta/theta'|"),
    row("SingleReluFlow::time_to_loss", "the flow itself", (5e3, "J at the returned time"), "bisection to neighbouring doubles"),
    row("ball_probability", D25, (4.0, "(1 + |ln P|) P"), "two incomplete beta functions in logs (S.15)"),
    row("gaussian_probability", D25, (64.0, "(1 + |ln P|) P"), "311 nodes of quadrature (S.18)"),
    row("theorem6_radius", D25, (2.0, "r"), "the definition"),
    row("theorem6_bound", D25, (2.0, "the bound"), "the definition"),
    // the incomplete beta function
    row("incomplete_beta", D60, (4.0, "(2 + |ln I|) I"), "positive terms, log-beta without differences (S.19)-(S.22)"),
    row("log_incomplete_beta", D60, (4.0, "2 + |ln I|"), "as the function itself"),
    // randomness and statistics
    row("RandomStream::normal", D50, (8.0, "the number"), "the inverse of the distribution function"),
    row("RandomStream::fill_sphere", DEFINITION, (1.0, "(d + 4) radius; the length"), "one normalisation of d entries"),
    row("normal_cdf", D60, (6.0, "Phi(x)"), "erfc, the rounding of its argument put back (M.6)"),
    row("normal_quantile", D60, (8.0, "z"), "Wichura's rational functions (M.5)"),
    row("two_sided_bound", D60, (8.0, "z"), "a quantile (M.7)"),
    row("wilson_interval", "the score equation that both ends solve", (4500.0, "distance from the share"), "the equation is divided by that distance (M.8)"),
    row("fit_line", "a line worked by hand", (32.0, "1 + |slope| + |intercept|"), "sums about the means (M.9)"),
    row("fit_line_weighted", "the line without the point of no weight", (64.0, "1 + |slope| + |intercept|"), "as unweighted (M.10)"),
    row("good_turing", DEFINITION, (4.0, "each number"), "a dozen operations (Z.12)"),
    row("extrapolate_to_zero", "a cubic polynomial", (64.0, "the limit"), "three columns of Neville's scheme (Z.27)"),
    row("Moments::mean", "two passes", (100.0, "the mean, 1000 numbers"), "one rounding a number (M.4)"),
    row("Moments::variance", "two passes", (1000.0, "the variance, 1000 numbers"), "as the mean (M.4)"),
    row("Moments::standard_error", "two passes", (1000.0, "the standard error, 1000 numbers"), "root of the variance"),
    row("SampleLaw::kappa", DEFINITION, (2.0, "as InputLaw::kappa"), "one product and one quotient (I.3)"),
    row("Network::eval", "the definition", (16.0, "sum of the sizes of its terms"), "one dot product a unit"),
    row("EmpiricalLoss::loss", "the plain sum", (64.0, "mean squared size of the residual's terms"), "partial sums of 256 samples (M.18)"),
    row("EmpiricalLoss::gradient", "the plain sum", (64.0, "mean squared size of the terms"), "as the loss (M.18)"),
    row("DeepNetwork::forward", D25, (32.0, "largest output"), "three layers (P.1)"),
    row("DeepNetwork::hidden_values", "the output", (64.0, "sum of |Q u|"), "five layers (P.3)"),
    row("DeepNetwork::path_weights", D25, (32.0, "largest Q"), "three layers (P.2)"),
    row("multilayer_gradient", D25, (32.0, "largest entry of a layer"), "three layers (P.4)"),
    row(
        "multilayer_gradient#random",
        "an independent backward pass",
        (4500.0, "largest entry of a layer, depth 2 to 5"),
        "cancellation in the residual, both forms (P.4), (P.5)",
    ),
    row(
        "BatchEvaluator::gradients_into",
        "one problem at a time",
        (8.0, "as TwoLayer::gradient#weights"),
        "both are within four of the truth",
    ),
];
