//! Orthonormal bases of few vectors, with a tolerance.

use crate::vector::{dot, power_of_two_scale};

/// The rest of the direction of `row` after its projection on the basis, removed twice.
fn rest(basis: &[Vec<f64>], row: &[f64]) -> Vec<f64> {
    let scale = power_of_two_scale(row);
    let mut rest: Vec<f64> = row.iter().map(|x| x * scale).collect();
    let length = dot(&rest, &rest).sqrt();
    if length > 0.0 {
        rest.iter_mut().for_each(|x| *x /= length);
    }
    for _ in 0..2 {
        for q in basis {
            let along = dot(q, &rest);
            for (r, x) in rest.iter_mut().zip(q) {
                *r = (-along).mul_add(*x, *r);
            }
        }
    }
    rest
}

/// The sine of the angle between a row and the span of a basis; 0 for a zero row.
pub(super) fn outside(basis: &[Vec<f64>], row: &[f64]) -> f64 {
    let rest = rest(basis, row);
    dot(&rest, &rest).sqrt()
}

/// An orthonormal basis of the span; a row whose sine from the others is at most `tolerance` adds nothing.
pub(super) fn basis<'r>(rows: impl Iterator<Item = &'r [f64]>, tolerance: f64) -> Vec<Vec<f64>> {
    let mut out: Vec<Vec<f64>> = Vec::new();
    for row in rows {
        let mut new = rest(&out, row);
        let sine = dot(&new, &new).sqrt();
        if sine > tolerance {
            new.iter_mut().for_each(|x| *x /= sine);
            out.push(new);
        }
    }
    out
}
