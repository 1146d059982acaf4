//! The plane of Theorem 7 and orbit networks as landscapes for gradient descent and gradient flow.

use super::{GroupOrbit, XyPlane};
use crate::Landscape;
use std::ops::Range;

/// The state is `(x, y)`. The gradient is that of the first student, `(g_x, g_y)`, so that steps and times are those of
/// the full network; it is the gradient of `J / K` in the metric `dx^2 + (K-1) dy^2`. The loss is the network's `J`.
/// The zero-student event is the origin.
impl Landscape for XyPlane {
    fn dimension(&self) -> usize {
        2
    }

    fn gradient(&mut self, point: &[f64], out: &mut [f64]) {
        XyPlane::gradient(self, point, out);
    }

    fn loss(&mut self, point: &[f64]) -> f64 {
        XyPlane::loss(self, point)
    }

    fn students(&self) -> Vec<Range<usize>> {
        std::iter::once(0..2).collect()
    }
}

/// The state is the first student `w`. The gradient is `G(w)`, that of the first student, so that steps and times are
/// those of the full network; the loss is the network's `J = |P| j`, whose gradient in `w` is `|P| G(w)`.
impl Landscape for GroupOrbit {
    fn dimension(&self) -> usize {
        self.group().dimension()
    }

    fn gradient(&mut self, point: &[f64], out: &mut [f64]) {
        GroupOrbit::gradient(self, point, out);
    }

    fn loss(&mut self, point: &[f64]) -> f64 {
        GroupOrbit::loss(self, point)
    }

    fn students(&self) -> Vec<Range<usize>> {
        std::iter::once(0..self.group().dimension()).collect()
    }
}
