//! The loss at a matrix of block structure, without cancellation between students and teacher.
//!
//! ```text
//! h(t) = 1 + pi/2 c + c^2/2 + q(c),  q(c) = c^4/24 + ... even:
//! 4 pi J = (sum |w| - k)^2 + pi/2 |sum w - sum v|^2 + 1/2 |sum w w^T/|w| - I|^2 + the terms of q
//! ```
//!
//! The first three are squares of small numbers near the teacher, and `q` is small for every pair but a student and its own
//! teacher (docs/theory/critical.md, (Z.18), (Z.19)). Summed kernel by kernel, a loss of `0.3/k` would drown in the rounding of
//! `k^2` terms.

use super::field::Geometry;
use super::structure::{BlockMatrix, Sizes};
use crate::angular_c1;
use std::f64::consts::{FRAC_PI_2, PI};

/// Below this cosine `q` is summed as a series.
const SERIES_BELOW: f64 = 0.5;
/// Terms of the series; the last one is below 1e-18 of the first at the bound.
const TERMS: usize = 30;
/// `q(1) = pi/2 - 3/2`.
const AT_ONE: f64 = FRAC_PI_2 - 1.5;

/// `q(c) = sqrt(1 - c^2) + c asin(c) - 1 - c^2/2` for `|c| <= 1`.
fn quartic(c: f64) -> f64 {
    let square = c * c;
    if c.abs() < SERIES_BELOW {
        // sum_{n >= 1} C(2n, n) / (4^n (2n+1)(2n+2)) c^(2n+2)
        let (mut coefficient, mut power, mut sum) = (1.0, square, 0.0);
        for n in 1..TERMS {
            let m = n as f64;
            coefficient *= (2.0 * m - 1.0) / (2.0 * m);
            power *= square;
            sum += coefficient * power / ((2.0 * m + 1.0) * (2.0 * m + 2.0));
        }
        return sum;
    }
    let sine = ((1.0 - c) * (1.0 + c)).max(0.0).sqrt();
    sine + c * libm::atan2(c, sine) - 1.0 - 0.5 * square
}

/// `q(1) - q(cos t)`, with relative accuracy for small `t`.
fn quartic_gap(cosine: f64, sine: f64) -> f64 {
    if cosine < SERIES_BELOW {
        return AT_ONE - quartic(cosine);
    }
    let t = libm::atan2(sine, cosine);
    let half = libm::sin(0.5 * t);
    PI * half * half - 0.5 * sine * sine - angular_c1(t)
}

pub(super) fn loss(sizes: &Sizes, w: &BlockMatrix, geometry: &Geometry<'_>) -> f64 {
    let b = sizes.blocks();
    let p = &sizes.0;
    let lengths = &geometry.lengths;
    // |w| - 1, from the square of the length.
    let excess: Vec<f64> = (0..b)
        .map(|i| {
            let mut others = w.clone();
            others.own[i] = 0.0;
            let square = (w.own[i] - 1.0) * (w.own[i] + 1.0) + sizes.dot_self(i, &others, &others);
            square / (lengths[i] + 1.0)
        })
        .collect();
    let first: f64 = (0..b).map(|i| p[i] * excess[i]).sum();
    let second: f64 = (0..b).map(|i| p[i] * column_sum(sizes, w, i) * column_sum(sizes, w, i)).sum();
    let third = squared_second_moment(sizes, w, lengths);
    let mut rest = 0.0;
    for i in 0..b {
        let turn = geometry.own_turn(i);
        let own = AT_ONE * excess[i] * excess[i] + 2.0 * lengths[i] * quartic_gap(turn.cosine, turn.sine);
        rest += p[i] * own;
        rest -= 2.0 * p[i] * (p[i] - 1.0) * lengths[i] * quartic(geometry.units.same[i]);
        for j in 0..b {
            rest += p[i] * sizes.others(i, j) * lengths[i] * lengths[j] * quartic(geometry.pair(i, j).cosine);
            if j != i {
                rest -= 2.0 * p[i] * p[j] * lengths[i] * quartic(geometry.units.c(i, j));
            }
        }
    }
    (first * first + FRAC_PI_2 * second + 0.5 * third + rest) / (4.0 * PI)
}

/// An entry of `sum w - sum v` in a column of block `i`.
fn column_sum(sizes: &Sizes, w: &BlockMatrix, i: usize) -> f64 {
    let others: f64 = (0..sizes.blocks()).filter(|j| *j != i).map(|j| sizes.0[j] * w.c(j, i)).sum();
    (w.own[i] - 1.0) + (sizes.0[i] - 1.0) * w.same[i] + others
}

/// `|sum_r w_r w_r^T / |w_r| - I|^2`.
fn squared_second_moment(sizes: &Sizes, w: &BlockMatrix, lengths: &[f64]) -> f64 {
    let b = sizes.blocks();
    let p = &sizes.0;
    let from_others = |i: usize, l: usize| -> f64 {
        (0..b).filter(|j| *j != i && *j != l).map(|j| p[j] * w.c(j, i) * w.c(j, l) / lengths[j]).sum()
    };
    let mut sum = 0.0;
    for i in 0..b {
        let (own, same, n) = (w.own[i], w.same[i], lengths[i]);
        let others = from_others(i, i);
        let diagonal = (own * own - n) / n + (p[i] - 1.0) * same * same / n + others;
        let rest = (2.0 * own * same + (p[i] - 2.0) * same * same) / n + others;
        sum += p[i] * diagonal * diagonal + p[i] * (p[i] - 1.0) * rest * rest;
        for l in (0..b).filter(|l| *l != i) {
            let of_rows = |r: usize, c: usize| (w.own[r] + (p[r] - 1.0) * w.same[r]) * w.c(r, c) / lengths[r];
            let cross = of_rows(i, l) + of_rows(l, i) + from_others(i, l);
            sum += p[i] * p[l] * cross * cross;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_forms_of_q_meet_and_the_gap_keeps_its_digits() {
        for c in [0.49, 0.4999999] {
            let sine = (1.0_f64 - c * c).sqrt();
            let direct = sine + c * libm::asin(c) - 1.0 - 0.5 * c * c;
            // The direct form's terms are of size one, each rounded.
            assert!((quartic(c) - direct).abs() < 2.0 * f64::EPSILON, "{c}");
            assert!((quartic(-c) - quartic(c)).abs() == 0.0);
        }
        assert!((quartic(1.0) - AT_ONE).abs() < 1e-16);
        // Leading terms (pi/4 - 1/2) t^2 - t^3/3.
        for t in [1e-3, 1e-5] {
            let want = (PI / 4.0 - 0.5) * t * t - t * t * t / 3.0;
            let got = quartic_gap(libm::cos(t), libm::sin(t));
            assert!((got / want - 1.0).abs() < t * t, "{t}: {got:e} {want:e}");
        }
    }
}
