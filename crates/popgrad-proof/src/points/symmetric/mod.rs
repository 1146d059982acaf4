//! Points that permutations of the axes leave alone: existence in the fixed subspace, index by subgroups.
//!
//! docs/theory/certified_points.md, section 6. For orthonormal teachers along the axes a group `G` of permutations, a product of
//! symmetric groups, acts on axes and students together. At a point that `G` fixes, the gradient is fixed too, so a zero of
//! its part in the fixed subspace is a zero; that subspace has a few dimensions however many units there are. And every
//! eigenvalue of the Hessian is one of its restriction to the vectors that a smaller Young subgroup fixes.

mod orbits;
mod stored;
mod structure;

use super::error::PointReason;
use super::existence::{Found, contracting_ball};
use super::index::{Spectrum, smallest_eigenvalue};
use crate::Interval;
use crate::enclosed_matrix::{EnclosedMatrix, norm_up, raised};
use crate::landscape::Landscape;
use orbits::Orbits;
use popgrad::{Matrix, MatrixView, symmetric_eigenvectors};
pub(super) use structure::Structure;

/// Newton steps in the fixed subspace.
const MOST_STEPS: usize = 30;
/// A step this small, relative to the point, is rounding.
const ROUNDING: f64 = 8.0 * f64::EPSILON;

/// Eigenvectors as rows and eigenvalues of a matrix of middles.
fn eigen(matrix: &EnclosedMatrix) -> Result<(Vec<f64>, Vec<f64>), PointReason> {
    let n = matrix.size();
    let middles = (0..n * n).map(|at| matrix.entry(at / n, at % n).middle()).collect();
    let middles = Matrix::try_new(n, n, middles).map_err(|_| PointReason::Eigenvalues)?;
    let (values, vectors) = symmetric_eigenvectors(middles.view()).map_err(|_| PointReason::Eigenvalues)?;
    Ok((values, vectors.into_vec()))
}

/// A symmetric point to be certified.
pub(super) struct Symmetric<'a> {
    pub(super) landscape: &'a Landscape,
    pub(super) structure: &'a Structure,
}

impl Symmetric<'_> {
    /// The zero of the gradient near a point, in the fixed subspace; its box; its distance bounds are those of the box.
    pub(super) fn prove(&self, point: MatrixView<'_>) -> Result<(Found, Vec<Interval>), PointReason> {
        let orbits = Orbits::of(self.structure, &self.structure.whole());
        let guess = self.polished(&orbits, orbits.averages(point))?;
        let gradient = orbits.gradient(self.landscape, &orbits.spread(&guess, 0.0))?;
        let hessian = orbits.hessian(self.landscape, &orbits.spread(&guess, 0.0))?;
        let (values, frame) = eigen(&hessian)?;
        let m = values.len();
        let gram = EnclosedMatrix::exact(m, m, frame.clone()).transposed().times_left(&frame);
        let skew = gram.distance_from_identity(&vec![1.0; m]);
        let steps: Vec<f64> = values.iter().map(|x| 1.0 / x).collect();
        let along = EnclosedMatrix::from_intervals(m, 1, &gradient).times_left(&frame);
        let parts: Vec<f64> = steps
            .iter()
            .enumerate()
            .map(|(i, s)| raised(along.entry(i, 0).magnitude() * s.abs(), 1))
            .collect();
        let residual = norm_up(&parts);
        let failed = |factor| PointReason::NoContraction { residual, factor, near_zero: 0, explained: 0 };
        if !residual.is_finite() || skew >= 0.1 || skew.is_nan() {
            return Err(failed(f64::INFINITY));
        }
        let turned = |ball: f64| {
            let over = orbits.spread(&guess, raised(ball * (1.0 + skew), 4));
            orbits.hessian(self.landscape, &over).ok().map(|h| h.congruent(&frame))
        };
        let size =
            norm_up(orbits.spread(&guess, 0.0).iter().map(|x| x.middle()).collect::<Vec<_>>().as_slice());
        let (ball, factor) = contracting_ball(size, residual, &steps, turned).map_err(failed)?;
        let radius = raised(residual / (1.0 - raised(factor, 1)) * (1.0 + skew), 8);
        let center: Vec<f64> = orbits.spread(&guess, 0.0).iter().map(|x| x.middle()).collect();
        let center =
            Matrix::try_new(point.rows(), point.cols(), center).map_err(|_| PointReason::Eigenvalues)?;
        let enclosure = orbits.spread(&guess, radius);
        Ok((Found { center, radius, unique_radius: ball * (1.0 - 2.0 * skew) }, enclosure))
    }

    /// Newton's method on the values of the orbits, in floating point.
    fn polished(&self, orbits: &Orbits, mut guess: Vec<f64>) -> Result<Vec<f64>, PointReason> {
        let mut last = f64::INFINITY;
        for _ in 0..MOST_STEPS {
            let at = orbits.spread(&guess, 0.0);
            let gradient = orbits.gradient(self.landscape, &at)?;
            let (values, vectors) = eigen(&orbits.hessian(self.landscape, &at)?)?;
            let m = values.len();
            let mut step = vec![0.0; m];
            for (value, vector) in values.iter().zip(vectors.chunks_exact(m)) {
                let along: f64 = gradient.iter().zip(vector).map(|(g, v)| g.middle() * v).sum();
                step.iter_mut().zip(vector).for_each(|(s, v)| *s += along / value * v);
            }
            let scale = orbits.norm(&guess);
            let size = step.iter().map(|x| x * x).sum::<f64>().sqrt();
            if size <= ROUNDING * scale || (size <= 1e-11 * scale && size >= 0.25 * last) {
                return Ok(guess);
            }
            if !size.is_finite() {
                break;
            }
            orbits.subtract(&mut guess, &step);
            last = size;
        }
        Err(PointReason::NewtonLeft { steps: MOST_STEPS, distance: f64::NAN, step: last })
    }

    /// Index and smallest eigenvalue over a box of fixed points: (V.14), (V.15).
    pub(super) fn spectrum(&self, enclosure: &[Interval]) -> Result<Spectrum, PointReason> {
        let choices = self.structure.subgroups();
        let (mut open, mut smallest) = (0, Interval::ENTIRE);
        let mut negative = Vec::with_capacity(choices.len());
        for (number, blocks) in choices.iter().enumerate() {
            let orbits = Orbits::of(self.structure, blocks);
            let hessian = orbits.hessian(self.landscape, enclosure)?;
            let (_, frame) = eigen(&hessian)?;
            let m = orbits.len();
            let skew = EnclosedMatrix::exact(m, m, frame.clone())
                .transposed()
                .times_left(&frame)
                .distance_from_identity(&vec![1.0; m]);
            let discs = hessian.congruent(&frame).discs();
            let below = discs.iter().filter(|x| x.is_certainly_negative()).count();
            let above = discs.iter().filter(|x| x.is_certainly_positive()).count();
            open = open.max(if skew < 0.5 { m - below - above } else { m });
            negative.push(below);
            // The last subgroup is the smallest: its fixed vectors see every eigenvalue.
            if number + 1 == choices.len() {
                smallest = smallest_eigenvalue(&discs, &discs, skew);
            }
        }
        let index = if open == 0 { self.structure.total(&negative) } else { None };
        let size = enclosure.len();
        let certain = index.map_or([0, 0], |i| [i, size - i]);
        Ok(Spectrum { index, open, certain, forced: 0, smallest })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::points::existence::Existence;
    use crate::points::gauge::Complement;
    use crate::points::newton::Guess;

    /// The first `k - 1` students are `a` on their axis, `b` off it and `c` on the last one; the last is `d`, and `e` on its own.
    fn block(k: usize, [a, b, c, d, e]: [f64; 5]) -> Matrix {
        let entry = |j: usize, i: usize| match (j == k - 1, i == k - 1) {
            (false, false) => {
                if i == j {
                    a
                } else {
                    b
                }
            }
            (false, true) => c,
            (true, false) => d,
            (true, true) => e,
        };
        Matrix::try_new(k, k, (0..k * k).map(|at| entry(at / k, at % k)).collect()).unwrap()
    }

    /// The general proof and the one by orbits agree on loss, index and smallest eigenvalue; minima and saddles.
    #[test]
    fn orbits_and_the_whole_hessian_agree() {
        let mut indices = Vec::new();
        for (k, entries) in [
            (4, [0.89060, -0.14278, 0.48403, 0.40740, -0.48981]),
            (5, [0.96161, -0.07908, 0.37607, 0.28755, -0.55978]),
            (5, [-0.59408, 0.39673, 0.39673, 0.39673, -0.59408]),
            (5, [1.09852, -0.07906, 0.21075, 0.16027, 0.12890]),
            (6, [0.98670, -0.05041, 0.30801, 0.22452, -0.60151]),
            (6, [-0.66340, 0.33071, 0.33071, 0.33071, -0.66340]),
        ] {
            let landscape = Landscape::new(Matrix::identity(k, k), vec![1.0; k], vec![1.0; k]);
            let start = block(k, entries);
            let structure = Structure::of(&landscape, start.view(), 1e-6).unwrap();
            let symmetric = Symmetric { landscape: &landscape, structure: &structure };
            let (found, enclosure) = symmetric.prove(start.view()).unwrap();
            let by_orbits = symmetric.spectrum(&enclosure).unwrap();
            let guess = Guess::polished(&landscape, found.center.view(), 1e-3).unwrap();
            let gauge = Complement::of(landscape.teacher()).gauge(guess.weights.view());
            let (whole, frame) =
                Existence { landscape: &landscape, guess: &guess, gauge: &gauge }.prove().unwrap();
            let around = crate::points::existence::around(&whole.center, whole.radius);
            let by_hessian = Spectrum::certified(&landscape, &around, &frame, 0).unwrap();
            assert!(by_orbits.index.is_some(), "{k} {entries:?}");
            assert_eq!(by_orbits.index, by_hessian.index, "{k} {entries:?}");
            assert!(!by_orbits.smallest.intersection(by_hessian.smallest).is_empty(), "{k} {entries:?}");
            let apart =
                whole.center.as_slice().iter().zip(found.center.as_slice()).map(|(x, y)| (x - y).abs());
            assert!(apart.fold(0.0, f64::max) <= found.radius + whole.radius, "{k} {entries:?}");
            indices.push(by_orbits.index.unwrap());
        }
        assert_eq!(indices, [2, 3, 6, 1, 0, 0]);
    }
}
