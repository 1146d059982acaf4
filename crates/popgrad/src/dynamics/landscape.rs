//! What the dynamics need to know of a loss: its dimension, its gradient, its value, and where its students lie.

use std::ops::Range;

/// A differentiable loss on `R^n` that gradient descent and the gradient flow move on.
///
/// The state is one flat vector. An implementor says how its students (neurons) lie in it, so that a student
/// shrinking to zero, where the gradient has no limit, can be located and reported.
///
/// # Examples
///
/// ```
/// use popgrad::Landscape;
///
/// /// `J(y) = |y|^2 / 2`, a single student whose vanishing is no event.
/// struct Bowl;
/// impl Landscape for Bowl {
///     fn dimension(&self) -> usize {
///         2
///     }
///     fn gradient(&mut self, point: &[f64], out: &mut [f64]) {
///         out.copy_from_slice(point);
///     }
///     fn loss(&mut self, point: &[f64]) -> f64 {
///         0.5 * (point[0] * point[0] + point[1] * point[1])
///     }
/// }
/// let mut gradient = [0.0; 2];
/// Bowl.gradient(&[3.0, 4.0], &mut gradient);
/// assert_eq!(gradient, [3.0, 4.0]);
/// ```
pub trait Landscape {
    /// Number of entries of the state.
    fn dimension(&self) -> usize;

    /// Writes the gradient of the loss at `point` into `out`; both have [`Landscape::dimension`] entries.
    ///
    /// The slice of a student that is exactly zero is to be zero in `out`: there the gradient depends on the
    /// direction of approach, and the convention `relu'(0) = 0` picks this value. A point at which the gradient
    /// cannot be formed (overflow) is to give a NaN, which the dynamics report as divergence. `out` is written
    /// in full; its old entries mean nothing.
    fn gradient(&mut self, point: &[f64], out: &mut [f64]);

    /// The loss at `point`.
    fn loss(&mut self, point: &[f64]) -> f64;

    /// The slices of the state whose vanishing is the zero-student event, in the order of the students; none
    /// by default. Slices do not overlap.
    fn students(&self) -> Vec<Range<usize>> {
        Vec::new()
    }
}

impl<L: Landscape + ?Sized> Landscape for &mut L {
    fn dimension(&self) -> usize {
        (**self).dimension()
    }
    fn gradient(&mut self, point: &[f64], out: &mut [f64]) {
        (**self).gradient(point, out);
    }
    fn loss(&mut self, point: &[f64]) -> f64 {
        (**self).loss(point)
    }
    fn students(&self) -> Vec<Range<usize>> {
        (**self).students()
    }
}

impl<L: Landscape + ?Sized> Landscape for Box<L> {
    fn dimension(&self) -> usize {
        (**self).dimension()
    }
    fn gradient(&mut self, point: &[f64], out: &mut [f64]) {
        (**self).gradient(point, out);
    }
    fn loss(&mut self, point: &[f64]) -> f64 {
        (**self).loss(point)
    }
    fn students(&self) -> Vec<Range<usize>> {
        (**self).students()
    }
}
