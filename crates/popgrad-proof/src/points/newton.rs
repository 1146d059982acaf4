//! Floating-point guesses: Newton's method with the library's gradient and Hessian, and eigenvectors. Nothing here is proved.

use super::PointReason;
use crate::Interval;
use crate::landscape::Landscape;
use popgrad::{Blocks, Matrix, MatrixView, Student, TwoLayer, symmetric_eigenvectors};

/// More steps than a point within the quadratic region needs.
const MOST_STEPS: usize = 20;
/// Steps this small, relative to the point, are rounding.
const ROUNDING: f64 = 4.0 * f64::EPSILON;
/// Eigenvalues below this share of the largest one are not inverted in a step, and are counted as near zero.
pub(super) const NEAR_ZERO: f64 = 1e-6;

/// A point where Newton's method has settled, and the eigenvectors of its Hessian.
pub(super) struct Guess {
    pub(super) weights: Matrix,
    /// Eigenvalues, by falling magnitude.
    pub(super) values: Vec<f64>,
    /// Eigenvectors as rows, in the same order.
    pub(super) vectors: Vec<Vec<f64>>,
}

fn library(landscape: &Landscape) -> Result<TwoLayer, PointReason> {
    TwoLayer::try_new(landscape.teacher().to_matrix())
        .and_then(|p| p.with_teacher_output(landscape.teacher_output().to_vec()))
        .map(|p| p.with_memory_limit(u64::MAX))
        .map_err(|_| PointReason::Eigenvalues)
}

/// Gradient and Hessian in floating point: of the library for ReLU units and white input, and the middles of enclosures otherwise.
enum Guesses<'a> {
    Library(Box<TwoLayer>, &'a Landscape),
    Middles(&'a Landscape),
}

fn points(weights: MatrixView<'_>) -> Vec<Interval> {
    weights.as_slice().iter().map(|x| Interval::point(*x)).collect()
}

impl<'a> Guesses<'a> {
    fn of(landscape: &'a Landscape) -> Result<Self, PointReason> {
        if landscape.setting().is_plain() {
            Ok(Self::Library(Box::new(library(landscape)?), landscape))
        } else {
            Ok(Self::Middles(landscape))
        }
    }

    fn gradient(&self, weights: MatrixView<'_>) -> Result<Vec<f64>, PointReason> {
        match self {
            Self::Library(problem, landscape) => {
                let student = Student::new(weights).with_output(landscape.student_output());
                Ok(problem.gradient(student).map_err(|_| PointReason::Eigenvalues)?.weights.into_vec())
            }
            Self::Middles(landscape) => {
                Ok(landscape.gradient(&points(weights))?.into_iter().map(Interval::middle).collect())
            }
        }
    }

    fn hessian(&self, weights: MatrixView<'_>) -> Result<Matrix, PointReason> {
        match self {
            Self::Library(problem, landscape) => {
                let student = Student::new(weights).with_output(landscape.student_output());
                problem.hessian(student, Blocks::Weights).map_err(|_| PointReason::Eigenvalues)
            }
            Self::Middles(landscape) => {
                let middles: Vec<f64> =
                    landscape.hessian(&points(weights))?.into_iter().map(Interval::middle).collect();
                let n = weights.as_slice().len();
                Matrix::try_new(n, n, middles).map_err(|_| PointReason::Eigenvalues)
            }
        }
    }
}

fn spectrum(
    guesses: &Guesses<'_>,
    weights: MatrixView<'_>,
) -> Result<(Vec<f64>, Vec<Vec<f64>>), PointReason> {
    let hessian = guesses.hessian(weights)?;
    let (values, vectors) = symmetric_eigenvectors(hessian.view()).map_err(|_| PointReason::Eigenvalues)?;
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|i, j| values[*j].abs().total_cmp(&values[*i].abs()));
    let sorted = order.iter().map(|i| values[*i]).collect();
    Ok((sorted, order.iter().map(|i| vectors.row(*i).to_vec()).collect()))
}

/// Eigenvectors at a point as rows, the `forced` ones of smallest eigenvalue first.
pub(super) fn eigenbasis(
    landscape: &Landscape,
    weights: MatrixView<'_>,
    forced: usize,
) -> Result<Vec<f64>, PointReason> {
    let (_, vectors) = spectrum(&Guesses::of(landscape)?, weights)?;
    let split = vectors.len().saturating_sub(forced);
    Ok(vectors[split..].iter().chain(&vectors[..split]).flatten().copied().collect())
}

impl Guess {
    /// Newton steps from `start` until they are rounding; fails beyond `leash` from it.
    pub(super) fn polished(
        landscape: &Landscape,
        start: MatrixView<'_>,
        leash: f64,
    ) -> Result<Self, PointReason> {
        let guesses = Guesses::of(landscape)?;
        let mut weights = start.to_matrix();
        let mut last = f64::INFINITY;
        for steps in 0.. {
            let gradient = guesses.gradient(weights.view())?;
            let (values, vectors) = spectrum(&guesses, weights.view())?;
            let step = newton_step(&gradient, &values, &vectors);
            let size = norm(&step);
            // A step that no longer shrinks is rounding, once it is small.
            let settled = size <= ROUNDING * norm(weights.as_slice())
                || (size <= 1e-11 * norm(weights.as_slice()) && size >= 0.25 * last);
            if settled {
                return Ok(Self { weights, values, vectors });
            }
            for (x, s) in weights.as_mut_slice().iter_mut().zip(&step) {
                *x -= s;
            }
            let moved: Vec<f64> =
                weights.as_slice().iter().zip(start.as_slice()).map(|(x, y)| x - y).collect();
            let distance = norm(&moved);
            if distance > leash || distance.is_nan() || steps == MOST_STEPS {
                return Err(PointReason::NewtonLeft { steps: steps + 1, distance, step: size });
            }
            last = size;
        }
        unreachable!("the loop ends by returning")
    }

    /// Eigenvalues near zero.
    pub(super) fn near_zero(&self) -> usize {
        let largest = self.values.first().map_or(0.0, |x| x.abs());
        self.values.iter().filter(|x| x.abs() < NEAR_ZERO * largest).count()
    }
}

fn newton_step(gradient: &[f64], values: &[f64], vectors: &[Vec<f64>]) -> Vec<f64> {
    let largest = values.first().map_or(0.0, |x| x.abs());
    let mut step = vec![0.0; gradient.len()];
    for (value, vector) in values.iter().zip(vectors).filter(|(x, _)| x.abs() >= NEAR_ZERO * largest) {
        let along: f64 = gradient.iter().zip(vector).map(|(g, v)| g * v).sum();
        step.iter_mut().zip(vector).for_each(|(s, v)| *s += along / value * v);
    }
    step
}

fn norm(x: &[f64]) -> f64 {
    x.iter().map(|x| x * x).sum::<f64>().sqrt()
}
