//! The accuracy table: one row per public numeric quantity, read by the tests and quoted by the documentation.
//!
//! A row says against what reference the error is taken, how large it may be, and why. The allowed error is
//! `factor * EPSILON * scale`, where the scale is a number that the row describes in words and the caller supplies:
//! the reference value itself for a relative bound, a sum of norms for a bound relative to the terms. Golden tests
//! measure with [`Bound::used`]; `docs/accuracy.md` is [`page`] written to a file.

use std::fmt::Write as _;

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Bound {
    /// The public path of the function, `kernel` or `InputLaw::kappa`, with `#part` where it returns several.
    pub name: &'static str,
    /// What the value is compared with.
    pub reference: &'static str,
    /// The allowed error in units of `EPSILON * scale`.
    pub factor: f64,
    /// What the error is measured against, in words.
    pub scale: &'static str,
    /// Why the bound is what it is.
    pub reason: &'static str,
}

impl Bound {
    /// The allowed error for a scale, `factor * EPSILON * |scale|`.
    pub fn allowed(&self, scale: f64) -> f64 {
        self.factor * f64::EPSILON * scale.abs()
    }

    /// The share of the allowed error that is used up, at most 1 where the bound is kept.
    ///
    /// Equal numbers use 0, also when the scale is zero; a NaN uses infinity, so that it never passes.
    pub fn used(&self, got: f64, want: f64, scale: f64) -> f64 {
        if got == want {
            return 0.0;
        }
        let share = (got - want).abs() / self.allowed(scale);
        if share.is_nan() { f64::INFINITY } else { share }
    }
}

const DIGITS: &str = "150 digits, golden table";
const SIXTY: &str = "60 digits, golden table";
const DIGITS25: &str = "25 digits, golden table";
const ANALYTIC: &str = "the definition";

const fn row(
    name: &'static str,
    reference: &'static str,
    (factor, scale): (f64, &'static str),
    reason: &'static str,
) -> Bound {
    Bound { name, reference, factor, scale, reason }
}

/// The table, in the order of the modules.
pub const TABLE: &[Bound] = &[
    row(
        "angle#theta",
        DIGITS,
        (4.0, "theta + EPSILON"),
        "two-pass orthogonal part with fma, one atan2 (K.2)",
    ),
    row("angle#psi", DIGITS, (4.0, "psi + EPSILON"), "its own atan2, never pi - theta (K.2)"),
    row("angular_c1", DIGITS, (4.0, "c1(t)"), "series below 1, no cancellation above (K.4)"),
    row("angular_h", DIGITS, (4.0, "h(t)"), "c1 of the supplement above 1.2 (K.3)"),
    row("kernel", DIGITS, (8.0, "k(u, v) + EPSILON^3 |u||v|"), "k ~ psi^3 near pi, and the norms"),
    row("joint_activation", DIGITS, (5.0, "the probability + EPSILON"), "the supplement divided once"),
    row(
        "gating",
        DIGITS,
        (8.0, "|w|, Euclidean norm of the error"),
        "two terms of size |w|/2 and their axes (K.6)",
    ),
    row("kernel_hessian#own", DIGITS, (4.0, "|u|/|w|, each entry"), "products of three unit axes (K.8)"),
    row("kernel_hessian#cross", DIGITS, (4.0, "1, each entry"), "products of three unit axes (K.9)"),
    row("InputLaw::kappa", ANALYTIC, (2.0, "kappa"), "one product and one quotient"),
    row(
        "XyPlane::field",
        SIXTY,
        (4.0, "K (1 + n), each component"),
        "a dozen terms of size K, the angles from atan2 (Y.9)",
    ),
    row(
        "XyPlane::field#near",
        SIXTY,
        (4.0, "K |(x - 1, y)|, each component"),
        "no term exceeds the distance (Y.9)",
    ),
    row("XyPlane::loss_at", SIXTY, (4.0, "K^2 (1 + n^2)"), "the terms of (Y.13)"),
    row("XyPlane::loss_at#near", SIXTY, (16.0, "J"), "no term exceeds the squared distance (Y.13)"),
    row("XyPlane::jacobian", SIXTY, (4.0, "K (1 + 1/n), each entry"), "the terms of (Y.14)"),
    row("XyPlane::saddle", DIGITS25, (4.0, "each value"), "closed form (Y.10), (Y.15)"),
    row(
        "XyPlane::negative_saddle",
        "the Jacobian there",
        (64.0, "K / |x|, each eigenvalue"),
        "closed form (Y.10), (Y.15)",
    ),
    row("XyPlane::linearisation", "the Jacobian at (1, 0)", (4.0, "K, each entry"), "closed form (Y.16)"),
    row(
        "XyPlane::slowest_rate",
        "the spectrum at (1, 0)",
        (16.0, "1"),
        "determinant over the larger root (Y.16)",
    ),
    row("XyPlane::find_spurious", DIGITS25, (5.0, "1, each coordinate"), "Newton to rounding (Y.17)"),
    row(
        "XyPlane::spectrum",
        "power sums of the assembled Hessian",
        (512.0, "the sum of the absolute terms"),
        "K terms for each entry of a block of size at most 3 (Y.18), (Y.19)",
    ),
    row(
        "XyPlane::smallest_eigenvalue",
        "1/4 - 1/2pi at the teacher",
        (64.0, "1"),
        "one entry of the spectrum",
    ),
    row(
        "GroupOrbit::reduced_gradient",
        SIXTY,
        (1.0, "|P| (|w| + |v|), each entry"),
        "one pair difference for each element (Y.4)",
    ),
    row(
        "GroupOrbit::reduced_gradient#near",
        SIXTY,
        (2.0, "|P| |w - g v|, each entry"),
        "permutations; no term exceeds the distance (Y.4)",
    ),
    row(
        "GroupOrbit::full_gradient",
        "pairwise gating functions",
        (32.0, "|P| (|w| + |v|), each entry"),
        "the rotated reduced gradient, and the pairs of the reference (Y.2)",
    ),
    row("GroupOrbit::full_loss", SIXTY, (1.0, "|P|^2 (|w| + |v|)^2"), "three kernels for each element (Y.3)"),
    row("GroupOrbit::full_loss#near", SIXTY, (45.0, "J"), "five nodes along the ray from the teacher (Y.5)"),
    row("single_relu_gradient", SIXTY, (2.0, "|w| + |v|, each entry"), "three terms (S.2)"),
    row(
        "single_relu_gradient#near",
        SIXTY,
        (2.0, "|w - v|, each entry"),
        "no term exceeds the distance (S.2)",
    ),
    row("single_relu_loss", SIXTY, (8.0, "J"), "the angular part is of third order near v (S.3)"),
    row(
        "distance_decrease",
        "the quadratic form",
        (16.0, "(|w| + |v|)^2"),
        "one product with the gradient (S.4)",
    ),
    row("theorem5_matrix", DIGITS25, (4.0, "pi, each entry"), "the definition (S.4)"),
    row("theorem5_determinant", DIGITS25, (8.0, "det M up to 2 radians, 4 beyond"), "two squares (S.5)"),
    row("SingleReluFlow::angle", DIGITS25, (4.0, "(1 + t) theta"), "one atan2; exp(-t/2) loses t/2 (S.7)"),
    row("SingleReluFlow::conserved", DIGITS25, (8.0, "C"), "the definition (S.6)"),
    row("SingleReluFlow::radius", DIGITS25, (4.0, "(1 + t) r"), "as the position (S.8)"),
    row("SingleReluFlow::position", DIGITS25, (4.0, "(1 + t) |w(t)|, each entry"), "two terms (S.9)"),
    row(
        "SingleReluFlow::deviation",
        SIXTY,
        (4.0, "(1 + t) |w(t) - v|, each entry"),
        "decaying terms only (S.10)",
    ),
    row("SingleReluFlow::loss", SIXTY, (16.0, "(1 + t) J"), "the loss of the deviation (S.3), (S.10)"),
    row(
        "SingleReluFlow::time_to_angle",
        "the flow itself",
        (5e6, "1 + t"),
        "the angle fixes the time to a factor |theta/theta'|",
    ),
    row(
        "SingleReluFlow::time_to_loss",
        "the flow itself",
        (5e3, "J at the returned time"),
        "bisection to neighbouring doubles",
    ),
    row(
        "ball_probability",
        DIGITS25,
        (4.0, "(1 + |ln P|) P"),
        "two incomplete beta functions in logs (S.15)",
    ),
    row("gaussian_probability", DIGITS25, (64.0, "(1 + |ln P|) P"), "311 nodes of quadrature (S.18)"),
    row("theorem6_radius", DIGITS25, (2.0, "r"), "the definition"),
    row("theorem6_bound", DIGITS25, (2.0, "the bound"), "the definition"),
    row(
        "incomplete_beta",
        SIXTY,
        (4.0, "(2 + |ln I|) I"),
        "positive terms, log-beta without differences (S.19)-(S.22)",
    ),
    row("log_incomplete_beta", SIXTY, (4.0, "2 + |ln I|"), "as the function itself"),
    row("normal_cdf", SIXTY, (6.0, "Phi(x)"), "erfc, the rounding of its argument put back (M.6)"),
    row("normal_quantile", SIXTY, (8.0, "z"), "Wichura's rational functions (M.5)"),
    row("two_sided_bound", SIXTY, (8.0, "z"), "a quantile (M.7)"),
    row(
        "wilson_interval",
        "the score equation that both ends solve",
        (4500.0, "distance from the share"),
        "the equation is divided by that distance (M.8)",
    ),
    row(
        "fit_line",
        "a line worked by hand",
        (32.0, "1 + |slope| + |intercept|"),
        "sums about the means (M.9)",
    ),
    row(
        "fit_line_weighted",
        "the line without the point of no weight",
        (64.0, "1 + |slope| + |intercept|"),
        "as unweighted (M.10)",
    ),
    row("Moments::mean", "two passes", (100.0, "the mean, 1000 numbers"), "one rounding a number (M.4)"),
    row("Moments::variance", "two passes", (1000.0, "the variance, 1000 numbers"), "as the mean (M.4)"),
    row(
        "Moments::standard_error",
        "two passes",
        (1000.0, "the standard error, 1000 numbers"),
        "root of the variance",
    ),
    row("SampleLaw::kappa", ANALYTIC, (2.0, "kappa"), "one product and one quotient (I.3)"),
    row("Network::eval", "the definition", (16.0, "sum of the sizes of its terms"), "one dot product a unit"),
    row(
        "EmpiricalLoss::loss",
        "the plain sum",
        (64.0, "mean squared size of the residual's terms"),
        "partial sums of 256 samples (M.18)",
    ),
    row(
        "EmpiricalLoss::gradient",
        "the plain sum",
        (64.0, "mean squared size of the terms"),
        "as the loss (M.18)",
    ),
    row("DeepNetwork::forward", DIGITS25, (32.0, "largest output"), "three layers (P.1)"),
    row("DeepNetwork::hidden_values", "the output", (64.0, "sum of |Q u|"), "five layers (P.3)"),
    row("DeepNetwork::path_weights", DIGITS25, (32.0, "largest Q"), "three layers (P.2)"),
    row("multilayer_gradient", DIGITS25, (32.0, "largest entry of a layer"), "three layers (P.4)"),
    row(
        "multilayer_gradient#random",
        "an independent backward pass",
        (4500.0, "largest entry of a layer, depth 2 to 5"),
        "cancellation in the residual, both forms (P.4), (P.5)",
    ),
];

/// The row of a name, or `None` if the table has none.
///
/// ```
/// let bound = popgrad::accuracy::bound("kernel").expect("the kernel has a row");
/// assert_eq!(bound.allowed(2.0), 16.0 * f64::EPSILON);
/// ```
pub fn bound(name: &str) -> Option<&'static Bound> {
    TABLE.iter().find(|b| b.name == name)
}

/// The table as a page of Markdown, the text of `docs/accuracy.md`.
pub fn page() -> String {
    let mut text = String::from(
        "# Accuracy of the public functions\n\n\
         Generated from `crates/popgrad/src/accuracy.rs` by `cargo xtask docs`; the golden tests read the same table.\n\
         The allowed error is the factor times EPSILON = 2^-52 times the scale. All bounds are measured, not proved,\n\
         against the reference named; inputs are taken as exact.\n\n\
         | function | reference | allowed error | scale | reason |\n|---|---|---|---|---|\n",
    );
    for b in TABLE {
        let cells = [b.name, b.reference, &format!("{} EPSILON", b.factor), b.scale, b.reason];
        let cells = cells.map(|c| c.replace('|', "\\|"));
        // Writing to a string cannot fail.
        let _ =
            writeln!(text, "| `{}` | {} | {} | {} | {} |", cells[0], cells[1], cells[2], cells[3], cells[4]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stands_once_and_every_field_says_something() {
        for (i, b) in TABLE.iter().enumerate() {
            assert!(TABLE[..i].iter().all(|other| other.name != b.name), "{} stands twice", b.name);
            assert!(b.factor > 0.0 && b.factor.is_finite(), "{}", b.name);
            assert!(!b.reference.is_empty() && !b.scale.is_empty() && !b.reason.is_empty(), "{}", b.name);
        }
    }

    #[test]
    fn nan_and_an_error_above_the_bound_are_caught() {
        let b = bound("InputLaw::kappa").unwrap();
        assert_eq!(b.used(1.0, 1.0, 0.0), 0.0);
        assert_eq!(b.used(1.0 + 2.0 * f64::EPSILON, 1.0, 1.0), 1.0);
        assert!(b.used(1.0 + 4.0 * f64::EPSILON, 1.0, 1.0) > 1.0);
        assert_eq!(b.used(f64::NAN, 1.0, 1.0), f64::INFINITY);
        assert_eq!(b.used(1e-300, 0.0, 0.0), f64::INFINITY);
    }
}
