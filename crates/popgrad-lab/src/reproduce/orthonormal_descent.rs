//! Gradient descent with an orthonormal teacher, with a sound test of where it ends.

use super::maths::Maths;
use popgrad::{Evaluator, Matrix, RandomStream, Student, TwoLayer, TwoLayerError, XyPlane};
use std::f64::consts::PI;

/// Plain sums serve wherever the gradient is not tiny; a descent is decided long before.
const PAIRS_BELOW: f64 = 1e-9;

/// Where a student network stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In the ball around the teacher in which descent converges to it.
    Teacher,
    /// In the same ball around the teacher with its units exchanged.
    Exchanged,
    /// In none of these balls.
    Elsewhere,
}

/// Radius of a ball around an orthonormal teacher in which gradient descent converges to it.
///
/// ```text
/// R = q / (1 + q),   q = (pi - 2) / (6 sqrt(K))
/// ```
///
/// Source: docs/theory/symmetric.md, (Y.21).
/// The radius is a Frobenius norm; steps up to `1 / K` or less are covered, see [`step_is_covered`].
pub(super) fn ball_radius(units: usize) -> f64 {
    let q = (PI - 2.0) / (6.0 * (units as f64).sqrt());
    q / (1.0 + q)
}

/// Whether the statement of (Y.21) covers a step: it is below `2 / (lambda_max + lambda_min)` at the teacher.
pub(super) fn step_is_covered(units: usize, step: f64) -> Result<bool, popgrad::XyError> {
    let spectrum = XyPlane::try_new(units)?.spectrum(1.0, 0.0)?;
    let largest = spectrum.iter().fold(f64::NEG_INFINITY, |m, e| m.max(e.value));
    let smallest = spectrum.iter().fold(f64::INFINITY, |m, e| m.min(e.value));
    Ok(step * (largest + smallest) < 2.0)
}

/// A start of Conjecture 2: `x0` on the diagonal, `y0` off it, and normal noise of standard deviation `sd` on each
/// entry.
pub(super) fn noisy_start(stream: &mut RandomStream, units: usize, [x0, y0]: [f64; 2], sd: f64) -> Matrix {
    let mut start = Matrix::zeros(units, units);
    stream.fill_normal(start.as_mut_slice());
    for (i, z) in start.as_mut_slice().iter_mut().enumerate() {
        *z = sd.mul_add(*z, if i % (units + 1) == 0 { x0 } else { y0 });
    }
    start
}

/// One descent, reusable for many starts.
pub(super) struct Descent<'p> {
    evaluator: Evaluator<'p>,
    maths: Maths,
    step: f64,
    radius: f64,
    gradient: Vec<f64>,
    taken: Vec<bool>,
    /// The students.
    pub(super) weights: Matrix,
}

impl<'p> Descent<'p> {
    /// Descent with the given step for a problem whose teacher is orthonormal, with as many students.
    pub(super) fn new(problem: &'p TwoLayer, maths: Maths, step: f64) -> Self {
        let (units, d) = (problem.teacher().rows(), problem.input_dimension());
        Self {
            evaluator: Evaluator::new(problem, units).with_pairs_below(PAIRS_BELOW),
            maths,
            step,
            radius: ball_radius(units),
            gradient: vec![0.0; units * d],
            taken: vec![false; units],
            weights: Matrix::zeros(units, d),
        }
    }

    /// Takes `steps` steps.
    pub(super) fn advance(&mut self, steps: usize) -> Result<(), TwoLayerError> {
        for _ in 0..steps {
            self.evaluate()?;
            for (w, g) in self.weights.as_mut_slice().iter_mut().zip(&self.gradient) {
                *w -= self.step * g;
            }
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<(), TwoLayerError> {
        self.evaluator.gradient_into(Student::new(self.weights.view()), &mut self.gradient)?;
        self.maths.bend(&mut self.gradient, self.weights.as_slice());
        Ok(())
    }

    /// Norm of the gradient where the descent stands.
    pub(super) fn gradient_norm(&mut self) -> Result<f64, TwoLayerError> {
        self.evaluate()?;
        Ok(self.gradient.iter().map(|g| g * g).sum::<f64>().sqrt())
    }

    /// Distance to the teacher.
    pub(super) fn distance(&self) -> f64 {
        let teacher = self.evaluator.problem().teacher();
        let pairs = self.weights.as_slice().iter().zip(teacher.as_slice());
        pairs.map(|(w, v)| (w - v) * (w - v)).sum::<f64>().sqrt()
    }

    /// In which ball the descent stands, if any. The teachers are the first unit vectors.
    pub(super) fn place(&mut self) -> Place {
        let mut squared = 0.0;
        let mut exchanged = false;
        self.taken.fill(false);
        for j in 0..self.taken.len() {
            let row = self.weights.row(j);
            let mut nearest = 0;
            for c in 1..self.taken.len() {
                if row[c] > row[nearest] {
                    nearest = c;
                }
            }
            if std::mem::replace(&mut self.taken[nearest], true) {
                return Place::Elsewhere;
            }
            exchanged |= nearest != j;
            let own = row[nearest];
            squared += row.iter().map(|w| w * w).sum::<f64>() - own * own + (own - 1.0) * (own - 1.0);
        }
        if squared >= self.radius * self.radius {
            Place::Elsewhere
        } else if exchanged {
            Place::Exchanged
        } else {
            Place::Teacher
        }
    }

    /// Descends until a ball is entered, `check` steps between two looks, at most `limit` steps; the place and
    /// the steps taken.
    pub(super) fn decide(&mut self, check: usize, limit: usize) -> Result<(Place, usize), TwoLayerError> {
        let mut steps = 0;
        loop {
            let place = self.place();
            if place != Place::Elsewhere || steps >= limit {
                return Ok((place, steps));
            }
            self.advance(check)?;
            steps += check;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use popgrad::{Blocks, symmetric_eigenvalues};

    #[test]
    fn the_hessian_changes_by_no_more_than_the_bound() {
        for units in [2, 3, 5] {
            let problem = TwoLayer::try_new(Matrix::identity(units, units)).unwrap();
            let hessian = |w: &Matrix| problem.hessian(Student::new(w.view()), Blocks::Weights).unwrap();
            let at_teacher = hessian(&Matrix::identity(units, units));
            for (i, r) in [0.02, 0.1, 0.3].into_iter().enumerate() {
                let mut stream = RandomStream::new(4, (10 * units + i) as u64);
                let mut offset = vec![0.0; units * units];
                stream.fill_sphere(r, &mut offset);
                let mut w = Matrix::identity(units, units);
                w.as_mut_slice().iter_mut().zip(&offset).for_each(|(a, b)| *a += b);
                let mut change = hessian(&w);
                change.as_mut_slice().iter_mut().zip(at_teacher.as_slice()).for_each(|(a, b)| *a -= b);
                let values = symmetric_eigenvalues(change.view()).unwrap();
                let norm = values.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
                let bound = 3.0 * (units as f64).sqrt() * r / (PI * (1.0 - r));
                assert!(norm <= bound && norm > bound / 50.0, "K = {units}, r = {r}: {norm:e} {bound:e}");
            }
        }
    }

    #[test]
    fn descent_from_the_edge_of_the_ball_shortens_the_distance_to_the_teacher() {
        for units in [2, 5, 10] {
            let problem = TwoLayer::try_new(Matrix::identity(units, units)).unwrap();
            let step = 2.0 / units as f64;
            assert!(step_is_covered(units, step).unwrap());
            for index in 0..20 {
                let mut descent = Descent::new(&problem, Maths::exact(), step);
                let mut offset = vec![0.0; units * units];
                RandomStream::new(5, index).fill_sphere(0.999 * ball_radius(units), &mut offset);
                descent.weights = Matrix::identity(units, units);
                descent.weights.as_mut_slice().iter_mut().zip(&offset).for_each(|(a, b)| *a += b);
                assert_eq!(descent.place(), Place::Teacher);
                for _ in 0..50 {
                    let before = descent.distance();
                    descent.advance(1).unwrap();
                    assert!(descent.distance() < before);
                }
            }
        }
    }

    #[test]
    fn an_exchange_of_units_is_told_from_the_teacher() {
        let problem = TwoLayer::try_new(Matrix::identity(3, 3)).unwrap();
        let mut descent = Descent::new(&problem, Maths::exact(), 0.5);
        descent.weights = Matrix::from_rows(&[[0.0, 1.01, 0.0], [0.99, 0.0, 0.0], [0.0, 0.02, 1.0]]);
        assert_eq!(descent.place(), Place::Exchanged);
        descent.weights = Matrix::from_rows(&[[0.9, 1.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]);
        assert_eq!(descent.place(), Place::Elsewhere);
    }
}
