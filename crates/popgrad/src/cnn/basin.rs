//! Where a run ends, decided before it ends: sets of states that are proved to lead to one point.
//!
//! The proofs are in docs/theory/cnn_dynamics.md, Theorems 1 to 4 with the equations (W.59)-(W.72). The condition
//! "`phi` beyond the saddle's angle and `alpha < 0`" is not among the sets: runs that satisfy it turn back.

use super::geometry::FilterGeometry;
use super::state::{check, check_step};
use super::{CnnError, CnnState, ReducedCnn};
use std::f64::consts::{PI, TAU};

/// Distance kept from the boundary of a proved set, relative to the size of the terms: rounding cannot cross it.
const MARGIN: f64 = 256.0 * f64::EPSILON;

/// Which point a run is proved to reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CnnBasin {
    /// The teacher: `phi -> 0`, `a -> |w*| a*`, loss 0.
    Global,
    /// The spurious point: `phi -> pi`.
    Spurious,
    /// None of the proved sets holds the state.
    Undecided,
}

impl CnnBasin {
    /// The name used in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::Spurious => "spurious",
            Self::Undecided => "undecided",
        }
    }
}

/// On which side of the surfaces of (W.59) a state lies.
struct Side {
    geometry: FilterGeometry,
    /// `h(phi) - h_c`.
    beyond_saddle: f64,
    /// `s (S*^2 + (h - 1) |a*|^2) - S* S_a`, which is `2 pi dalpha/dt` at `alpha = 0`.
    lift: f64,
    /// Size of the terms of `lift`.
    scale: f64,
}

impl ReducedCnn {
    /// The point that the gradient flow from a state reaches, if one of the proved sets decides it.
    ///
    /// ```text
    /// Global:    alpha >= 0,  h(phi) >= h_c,  S* S_a <= s (S*^2 + (h(phi) - 1) |a*|^2),       or
    ///            J_r < J(saddle) and h(phi) > h_c,   or phi < pi above the threshold,         or phi = 0
    /// Spurious:  alpha <= 0,  h(phi) <= h_c,  S* S_a >= s (S*^2 + (h(phi) - 1) |a*|^2),       or
    ///            J_r < J(saddle) and h(phi) < h_c,                                            or phi = pi
    /// ```
    ///
    /// `J_r` is the loss without the part of `r`, and the saddle itself is in neither set. Every start that satisfies
    /// the conditions of Du et al. (2018) is in the first.
    ///
    /// Source: docs/theory/cnn_dynamics.md, Theorems 1 to 3, (W.59)-(W.66).
    ///
    /// - Domain: finite states whose filter is not zero.
    /// - Accuracy: a state closer to the boundary of a set than rounding can tell is [`CnnBasin::Undecided`].
    ///
    /// # Errors
    ///
    /// [`CnnError::NonFinite`], [`CnnError::ZeroFilter`].
    ///
    /// # Examples
    ///
    /// ```
    /// use popgrad::{CnnBasin, CnnState, ReducedCnn};
    /// let problem = ReducedCnn::try_new(25, 1.0, 2.0, 1.0)?;
    /// assert_eq!(problem.flow_basin(&CnnState::at_angle(1.0, 1.5, 0.1, 1.0))?, CnnBasin::Global);
    /// assert_eq!(problem.flow_basin(&problem.spurious_state(1.0))?, CnnBasin::Spurious);
    /// # Ok::<(), popgrad::CnnError>(())
    /// ```
    pub fn flow_basin(&self, state: &CnnState) -> Result<CnnBasin, CnnError> {
        check(state)?;
        if state.y == 0.0 {
            return Ok(if state.x > 0.0 { CnnBasin::Global } else { CnnBasin::Spurious });
        }
        if self.saddle_h() < -MARGIN * (1.0 + self.ratio()) {
            return Ok(CnnBasin::Global);
        }
        let side = self.side(state);
        match self.wedge(state, &side) {
            CnnBasin::Undecided => Ok(self.below_pass(state, &side)),
            decided => Ok(decided),
        }
    }

    /// The largest step of gradient descent for which basins are proved, as far as the output weights go.
    ///
    /// ```text
    /// eta <= 2 pi / (k + pi - 1)
    /// ```
    ///
    /// Source: docs/theory/cnn_dynamics.md, (W.69).
    ///
    /// - Units: a step per sample.
    /// - Accuracy: below the exact number, by `8 EPSILON` of it at most.
    pub fn largest_basin_step(&self) -> f64 {
        // The factor outweighs the three roundings, so that a coefficient 1 - eta rate is not negative.
        (1.0 - 4.0 * f64::EPSILON) * (TAU / self.width())
    }

    /// The point that gradient descent with a step `eta` reaches from a state, if the proof covers the step.
    ///
    /// ```text
    /// the two sets of three inequalities of flow_basin, and
    /// eta (k + pi - 1) <= 2 pi,   eta s alpha_max <= 2 |v|^2
    /// ```
    ///
    /// `alpha_max` bounds `|alpha|` for the rest of the run, from the present state (W.70). Larger steps may be as good,
    /// but nothing is proved about them: the answer is then [`CnnBasin::Undecided`].
    ///
    /// Source: docs/theory/cnn_dynamics.md, Theorem 4, (W.67)-(W.72).
    ///
    /// - Units: `eta` per sample.
    /// - Domain: finite states whose filter is not zero, `eta > 0`.
    /// - Accuracy: as [`ReducedCnn::flow_basin`].
    ///
    /// # Errors
    ///
    /// [`CnnError::NonFinite`], [`CnnError::ZeroFilter`], [`CnnError::NotPositive`].
    pub fn descent_basin(&self, state: &CnnState, step: f64) -> Result<CnnBasin, CnnError> {
        check(state)?;
        check_step(step)?;
        let side = self.side(state);
        let norm = side.geometry.norm;
        let turned = step * self.filter_norm() * self.overlap_bound(state);
        // The second condition needs no margin: arctan(tau) < tau leaves room for its rounding.
        if step > self.largest_basin_step() || turned > 2.0 * norm * norm {
            return Ok(CnnBasin::Undecided);
        }
        if state.y == 0.0 {
            return Ok(if state.x > 0.0 { CnnBasin::Global } else { CnnBasin::Spurious });
        }
        Ok(self.wedge(state, &side))
    }

    /// The largest `|alpha|` that a run from this state can meet, under the flow and under descent with
    /// `eta (k + pi - 1) <= 2 pi`.
    ///
    /// ```text
    /// S* S_a / k  stays between  min(S* S_a, s S*^2 (k - 1)/(k + pi - 1)) / k  and  max(S* S_a, s S*^2) / k
    /// beta        stays between  min(beta, -s B / (pi - 1))  and  max(beta, s B),   beta = alpha - S* S_a / k
    /// ```
    ///
    /// Source: docs/theory/cnn_dynamics.md, (W.70).
    ///
    /// - Accuracy: a bound; evaluated with a few roundings.
    pub fn overlap_bound(&self, state: &CnnState) -> f64 {
        let (s, k, sum) = (self.filter_norm(), self.k(), self.output_sum());
        let (mean, square) = (sum * state.sum / k, sum * sum / k);
        let centred = state.overlap - mean;
        let b = self.centred_square();
        let high = mean.max(s * square) + centred.max(s * b);
        let low = mean.min(s * square * (k - 1.0) / self.width()) + centred.min(-s * b / (PI - 1.0));
        high.max(-low)
    }

    fn side(&self, state: &CnnState) -> Side {
        let geometry = FilterGeometry::of(state);
        let (s, sum, square) = (self.filter_norm(), self.output_sum(), self.output_square());
        // s (S*^2 + (h - 1) |a*|^2) with h - 1 = (pi - 1) - (pi - h).
        let above = s * (sum * sum + (PI - 1.0 - geometry.gap) * square);
        let scale = s * (sum * sum + PI * square) + (sum * state.sum).abs();
        let beyond_saddle = PI - geometry.gap - self.saddle_h();
        Side { beyond_saddle, lift: above - sum * state.sum, scale, geometry }
    }

    /// Theorems 1 and 2: the two wedges that meet at the saddle.
    fn wedge(&self, state: &CnnState, side: &Side) -> CnnBasin {
        let (angle, lift) = (MARGIN * (1.0 + self.ratio()), MARGIN * side.scale);
        if state.overlap >= 0.0 && side.beyond_saddle > angle && side.lift > lift {
            CnnBasin::Global
        } else if state.overlap <= 0.0 && side.beyond_saddle < -angle && side.lift < -lift {
            CnnBasin::Spurious
        } else {
            CnnBasin::Undecided
        }
    }

    /// Theorem 3: below the loss of the saddle no run changes sides.
    fn below_pass(&self, state: &CnnState, side: &Side) -> CnnBasin {
        let Some(pass) = self.saddle_loss() else {
            return CnnBasin::Undecided;
        };
        let loss = self.loss_unchecked(&CnnState { rest: 0.0, ..*state });
        let s = self.filter_norm();
        let square = self.output_norm_squared(&CnnState { rest: 0.0, ..*state });
        let scale = state.sum * state.sum + PI * square + s * s * self.k() * PI * self.output_square();
        if loss >= pass - MARGIN * scale {
            return CnnBasin::Undecided;
        }
        // No margin here: so far below the pass h is from h_c by the root of the difference of the losses (W.64).
        if side.beyond_saddle > 0.0 { CnnBasin::Global } else { CnnBasin::Spurious }
    }
}
