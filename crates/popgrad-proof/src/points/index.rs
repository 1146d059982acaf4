//! Signs of the Hessian's eigenvalues over a box, by Gershgorin's discs in a frame of approximate eigenvectors.
//!
//! docs/theory/certified_points.md, (V.9)-(V.12).

use super::PointReason;
use crate::Interval;
use crate::enclosed_matrix::EnclosedMatrix;
use crate::landscape::Landscape;
use popgrad::{Matrix, MatrixView, symmetric_eigenvectors};

/// What is known about the eigenvalues of the Hessian at the critical point.
pub(super) struct Spectrum {
    /// Negative eigenvalues, if all but the forced ones have a certain sign.
    pub(super) index: Option<usize>,
    /// Eigenvalues of unknown sign beyond the forced ones.
    pub(super) open: usize,
    /// Eigenvalues that are certainly below zero, and certainly above it; at least as many, if some are open.
    pub(super) certain: [usize; 2],
    /// Eigenvalues that are zero because the point moves along a manifold of critical points.
    pub(super) forced: usize,
    /// The smallest eigenvalue but for the forced ones.
    pub(super) smallest: Interval,
}

impl Spectrum {
    /// `frame` has `n` approximate eigenvectors as rows, those along the manifold first.
    pub(super) fn certified(
        landscape: &Landscape,
        enclosure: &[Interval],
        frame: &[f64],
        forced: usize,
    ) -> Result<Self, PointReason> {
        let n = enclosure.len();
        let hessian = landscape.hessian(enclosure)?;
        let turned = EnclosedMatrix::from_intervals(n, n, &hessian).congruent(frame);
        let skew = skewness(n, frame);
        let whole = turned.discs();
        let across = turned.trailing(forced).discs();
        let negative = across.iter().filter(|x| x.is_certainly_negative()).count();
        let positive = across.iter().filter(|x| x.is_certainly_positive()).count();
        let certain = if skew < 0.5 { [negative, positive] } else { [0, 0] };
        let open = across.len() - certain[0] - certain[1];
        let index = (open == 0).then_some(negative);
        let smallest = match index {
            Some(0) => smallest_eigenvalue(&whole, &across, skew),
            _ => smallest_eigenvalue(&whole, &whole, skew),
        };
        Ok(Self { index, open, certain, forced, smallest })
    }
}

/// How far the Gram matrix of a frame is from the identity.
fn skewness(n: usize, frame: &[f64]) -> f64 {
    EnclosedMatrix::exact(n, n, frame.to_vec())
        .transposed()
        .times_left(frame)
        .distance_from_identity(&vec![1.0; n])
}

/// (V.11), (V.12): the smallest eigenvalue of `H`, or the smallest above those that the manifold forces to zero, from the discs
/// of `V H V^T` in the whole frame and in the part of it across the manifold. `V V^T` is within `skew` of the identity.
pub(super) fn smallest_eigenvalue(whole: &[Interval], across: &[Interval], skew: f64) -> Interval {
    if skew >= 0.5 || skew.is_nan() {
        return Interval::ENTIRE;
    }
    let forced = whole.len() - across.len();
    let lowest = across.iter().map(|x| x.lo()).fold(f64::INFINITY, f64::min);
    // The Rayleigh quotients on the span of the manifold and one more row bound from above.
    let middle = |i: &usize| whole[*i].middle();
    let least = (forced..whole.len()).min_by(|i, j| middle(i).total_cmp(&middle(j)));
    let highest = (0..forced).chain(least).map(|i| whole[i].hi()).fold(f64::NEG_INFINITY, f64::max);
    let stretch = Interval::ball(1.0, skew);
    let (low, high) = (Interval::point(lowest) / stretch, Interval::point(highest) / stretch);
    Interval::new(low.lo(), high.hi()).unwrap_or(Interval::ENTIRE)
}

/// A lower bound of the smallest eigenvalue of `V V^T` for the rows `V`; none if an eigenvalue iteration fails.
pub(super) fn smallest_eigenvalue_of_gram(rows: MatrixView<'_>) -> Option<f64> {
    let m = rows.rows();
    let entry = |at: usize| {
        let pair = rows.row(at / m).iter().zip(rows.row(at % m));
        Interval::sum(pair.map(|(a, b)| Interval::point(*a) * *b))
    };
    let gram: Vec<Interval> = (0..m * m).map(entry).collect();
    let middles = Matrix::try_new(m, m, gram.iter().map(|x| x.middle()).collect()).ok()?;
    let (_, vectors) = symmetric_eigenvectors(middles.view()).ok()?;
    let discs = EnclosedMatrix::from_intervals(m, m, &gram).congruent(vectors.as_slice()).discs();
    Some(smallest_eigenvalue(&discs, &discs, skewness(m, vectors.as_slice())).lo())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_eigenvalue_of_a_gram_matrix_is_bounded_from_below() {
        let rows = Matrix::from_rows(&[[1.0, 0.0, 1.0], [0.0, 2.0, 0.0]]);
        let bound = smallest_eigenvalue_of_gram(rows.view()).unwrap();
        assert!(bound <= 2.0 && bound > 2.0 - 1e-13, "{bound}");
        let dependent = Matrix::from_rows(&[[1.0, 2.0], [2.0, 4.0]]);
        assert!(smallest_eigenvalue_of_gram(dependent.view()).unwrap() <= 0.0);
    }
}
