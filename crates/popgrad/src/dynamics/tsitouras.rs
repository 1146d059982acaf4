//! The explicit Runge-Kutta pair of order 5(4) of Tsitouras (2011), with its interpolant of order 4.
//!
//! Source: Ch. Tsitouras, Runge-Kutta pairs of order 5(4) satisfying only the first column simplifying
//! assumption, Computers & Mathematics with Applications 62 (2011) 770-775. Seven stages, of which the last is
//! the first of the next step, so a step costs six gradients. The order conditions that the numbers below must
//! meet are checked by the tests of this file; docs/theory/dynamics.md, (D.3)-(D.5) and (D.9).

/// Row 2 of the tableau.
pub(crate) const A2: [f64; 1] = [0.161];
/// Row 3 of the tableau.
pub(crate) const A3: [f64; 2] = [-0.008480655492356989, 0.335480655492357];
/// Row 4 of the tableau.
pub(crate) const A4: [f64; 3] = [2.8971530571054935, -6.359448489975075, 4.3622954328695815];
/// Row 5 of the tableau.
pub(crate) const A5: [f64; 4] =
    [5.325864828439257, -11.748883564062828, 7.4955393428898365, -0.09249506636175525];
/// Row 6 of the tableau.
pub(crate) const A6: [f64; 5] =
    [5.86145544294642, -12.92096931784711, 8.159367898576159, -0.071584973281401, -0.028269050394068383];
/// Weights of the solution of order 5; row 7 of the tableau as well (the last stage is the next first one).
pub(crate) const B: [f64; 6] =
    [0.09646076681806523, 0.01, 0.4798896504144996, 1.379008574103742, -3.290069515436081, 2.324710524099774];
/// Weights of order 5 minus weights of order 4: what the local error is estimated with.
pub(crate) const ERROR: [f64; 7] = [
    0.001780011052225777,
    0.0008164344596567469,
    -0.007880878010261995,
    0.1447110071732629,
    -0.5823571654525552,
    0.45808210592918697,
    -1.0 / 66.0,
];

/// Weights of the interpolant at the fraction `s` of a step: `y(t + s h) = y(t) + h sum_i b_i(s) k_i`.
///
/// ```text
/// b_i(0) = 0,   b_i(1) = b_i;   error O(h^5) within the step
/// ```
///
/// Source: Tsitouras (2011), section 4; docs/theory/dynamics.md, (D.9).
pub(crate) fn interpolant(s: f64) -> [f64; 7] {
    let square = s * s;
    [
        -1.0530884977290216
            * s
            * (s - 1.329989018975141)
            * (square - 1.436402854171635 * s + 0.7139816917074209),
        0.1017 * square * (square - 2.1966568338249754 * s + 1.2949852507374631),
        2.490627285651253 * square * (square - 2.3853564547206166 * s + 1.578034682080925),
        -16.548102889244902 * (s - 1.2171292729553325) * (s - 0.6162040603780009) * square,
        47.37952196281928 * (s - 1.2030712083723626) * (s - 0.6580472926535474) * square,
        -34.87065786149661 * (s - 1.2) * (s - 2.0 / 3.0) * square,
        2.5 * (s - 1.0) * (s - 0.6) * square,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The full tableau as a lower triangle, row 7 being the weights.
    fn rows() -> Vec<Vec<f64>> {
        vec![vec![], A2.to_vec(), A3.to_vec(), A4.to_vec(), A5.to_vec(), A6.to_vec(), B.to_vec()]
    }

    fn apply(x: &[f64; 7]) -> [f64; 7] {
        let a = rows();
        std::array::from_fn(|i| a[i].iter().zip(x).map(|(a, x)| a * x).sum())
    }

    fn product(x: &[f64; 7], y: &[f64; 7]) -> [f64; 7] {
        std::array::from_fn(|i| x[i] * y[i])
    }

    /// Elementary weights of all rooted trees with at most five nodes, with the density 1/gamma of each
    /// (Butcher's tables): `weights . phi = s^order / gamma` at the fraction `s` of the step.
    fn trees() -> Vec<(i32, [f64; 7], f64)> {
        let one = [1.0; 7];
        let c = apply(&one);
        let ac = apply(&c);
        let cc = product(&c, &c);
        let (acc, aac, ccc) = (apply(&cc), apply(&ac), product(&c, &cc));
        vec![
            (1, one, 1.0),
            (2, c, 2.0),
            (3, cc, 3.0),
            (3, ac, 6.0),
            (4, ccc, 4.0),
            (4, product(&c, &ac), 8.0),
            (4, acc, 12.0),
            (4, aac, 24.0),
            (5, product(&cc, &cc), 5.0),
            (5, product(&cc, &ac), 10.0),
            (5, product(&ac, &ac), 20.0),
            (5, product(&c, &acc), 15.0),
            (5, product(&c, &aac), 30.0),
            (5, apply(&ccc), 20.0),
            (5, apply(&product(&c, &ac)), 40.0),
            (5, apply(&acc), 60.0),
            (5, apply(&aac), 120.0),
        ]
    }

    fn defect(weights: &[f64; 7], phi: &[f64; 7], want: f64) -> f64 {
        (weights.iter().zip(phi).map(|(w, p)| w * p).sum::<f64>() - want).abs()
    }

    // The weights reach 13 in size, so a sum of seven terms carries about 7 * 13 EPSILON = 2e-14.
    const ROUNDING: f64 = 2e-14;

    #[test]
    fn solution_meets_all_conditions_of_order_five_and_the_embedded_one_of_order_four_only() {
        let mut b = [0.0; 7];
        b[..6].copy_from_slice(&B);
        let embedded: [f64; 7] = std::array::from_fn(|i| b[i] - ERROR[i]);
        let mut worst_of_five = 0.0_f64;
        for (order, phi, gamma) in trees() {
            let got = defect(&b, &phi, 1.0 / gamma);
            assert!(got < ROUNDING, "order {order}, gamma {gamma}: defect {got:e}");
            let got = defect(&embedded, &phi, 1.0 / gamma);
            if order < 5 {
                assert!(got < ROUNDING, "embedded, order {order}, gamma {gamma}: defect {got:e}");
            } else {
                worst_of_five = worst_of_five.max(got);
            }
        }
        assert!(worst_of_five > 1e-4, "the embedded solution must not be of order 5: {worst_of_five:e}");
    }

    #[test]
    fn nodes_are_the_published_ones() {
        let c = apply(&[1.0; 7]);
        for (got, want) in c.iter().zip([0.0, 0.161, 0.327, 0.9, 0.9800255409045097, 1.0, 1.0]) {
            assert!((got - want).abs() < ROUNDING, "{got} instead of {want}");
        }
    }

    #[test]
    fn interpolant_is_of_order_four_throughout_and_ends_in_the_solution() {
        for step in 0..=16 {
            let s = f64::from(step) / 16.0;
            let weights = interpolant(s);
            for (order, phi, gamma) in trees().into_iter().filter(|(order, ..)| *order < 5) {
                let got = defect(&weights, &phi, libm::pow(s, f64::from(order)) / gamma);
                // The published decimals of the interpolant carry 16 digits of numbers up to 47.
                assert!(got < 2e-13, "s = {s}, order {order}, gamma {gamma}: defect {got:e}");
            }
        }
        for (i, weight) in interpolant(1.0).into_iter().enumerate() {
            let want = B.get(i).copied().unwrap_or(0.0);
            assert!((weight - want).abs() < 2e-14, "b_{i}(1) = {weight} instead of {want}");
        }
    }
}
