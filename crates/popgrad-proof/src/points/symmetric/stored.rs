//! A stored ball in the subspace that permutations fix.

use super::super::claim::Ball;
use super::super::error::PointReason;
use super::orbits::Orbits;
use super::{Symmetric, eigen};
use crate::Interval;
use popgrad::MatrixView;

impl Symmetric<'_> {
    /// The distance within which a stored ball holds one zero of the gradient, and a box around that zero.
    pub(in crate::points) fn zero_in(
        &self,
        center: MatrixView<'_>,
        unique: f64,
    ) -> Result<(f64, Vec<Interval>), PointReason> {
        let orbits = Orbits::of(self.structure, &self.structure.whole());
        let values = orbits.averages(center);
        let at = orbits.spread(&values, 0.0);
        let (_, frame) = eigen(&orbits.hessian(self.landscape, &at)?)?;
        let ball = Ball { gradient: orbits.gradient(self.landscape, &at)?, unique, forced: 0, frame: &frame };
        let radius = ball.zero(|radius| orbits.hessian(self.landscape, &orbits.spread(&values, radius)))?;
        Ok((radius, orbits.spread(&values, radius)))
    }
}
