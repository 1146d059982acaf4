//! Starts from which success is certain, the choice of signs that makes one, and restarts.
//!
//! Derivation: docs/theory/cnn_dynamics.md, section 6, equations (W.76)-(W.78).

use super::state::check;
use super::{CnnError, CnnState, ReducedCnn};

/// The signs to give the filter and the output weights of a start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CnnSigns {
    /// Whether `v` becomes `-v`.
    pub flip_filter: bool,
    /// Whether `a` becomes `-a`.
    pub flip_output: bool,
}

impl CnnSigns {
    /// The start with these signs.
    pub fn apply(self, state: &CnnState) -> CnnState {
        let sign = |flip: bool| if flip { -1.0 } else { 1.0 };
        let (filter, output) = (sign(self.flip_filter), sign(self.flip_output));
        CnnState { x: filter * state.x, overlap: output * state.overlap, sum: output * state.sum, ..*state }
    }

    /// All four choices: neither, the output, the filter, both.
    pub fn all() -> [Self; 4] {
        [(false, false), (false, true), (true, false), (true, true)]
            .map(|(flip_filter, flip_output)| Self { flip_filter, flip_output })
    }
}

impl ReducedCnn {
    /// Whether a start satisfies the sufficient conditions of Du et al. (2018) for convergence to the teacher.
    ///
    /// ```text
    /// a.a* > 0,   |1.a| <= |w*| |1.a*|,   phi < pi/2
    /// ```
    ///
    /// Where `1.a* = 0` the second condition leaves `1.a = 0` only, and where moreover `a = 0` the first cannot hold;
    /// `a.a* = 0` is allowed in that case, as `phi < pi/2` then makes `a.a*` positive at once.
    ///
    /// Source: Du et al. (2018), Theorem 4.1; docs/theory/cnn_dynamics.md, (W.76). Under the flow every such start is in the
    /// set of [`ReducedCnn::flow_basin`] that leads to the teacher, and under descent with the steps of
    /// [`ReducedCnn::descent_basin`] too.
    ///
    /// - Domain: finite states whose filter is not zero. The comparisons are those of the numbers as given.
    ///
    /// # Errors
    ///
    /// [`CnnError::NonFinite`], [`CnnError::ZeroFilter`].
    ///
    /// # Examples
    ///
    /// ```
    /// use popgrad::{CnnState, ReducedCnn};
    /// let problem = ReducedCnn::try_new(4, 1.0, 1.0, 1.0)?;
    /// assert!(problem.is_sufficient_start(&CnnState::at_angle(1.0, 1.5, 0.1, -0.9))?);
    /// assert!(!problem.is_sufficient_start(&CnnState::at_angle(1.0, 1.6, 0.1, -0.9))?);
    /// # Ok::<(), popgrad::CnnError>(())
    /// ```
    pub fn is_sufficient_start(&self, state: &CnnState) -> Result<bool, CnnError> {
        check(state)?;
        let bound = self.filter_norm() * self.output_sum().abs();
        let silent = bound == 0.0 && state.sum == 0.0 && state.overlap == 0.0;
        Ok((state.overlap > 0.0 || silent) && state.sum.abs() <= bound && state.x > 0.0)
    }

    /// The signs of `v` and `a` that turn a start into one from which success is certain.
    ///
    /// ```text
    /// flip v iff v.w* < 0,   flip a iff a.a* < 0
    /// ```
    ///
    /// Of the four starts `(+-v, +-a)` exactly one satisfies [`ReducedCnn::is_sufficient_start`], provided
    /// `|1.a| <= |w*| |1.a*|` and neither `v.w*` nor `a.a*` is zero. With `1.a* = 0` and `a = 0` the sign of `v` alone decides.
    /// `None` where no choice satisfies the conditions.
    ///
    /// Source: Du et al. (2018), section 4; docs/theory/cnn_dynamics.md, (W.77).
    ///
    /// # Errors
    ///
    /// [`CnnError::NonFinite`], [`CnnError::ZeroFilter`].
    ///
    /// # Examples
    ///
    /// ```
    /// use popgrad::{CnnState, ReducedCnn};
    /// let problem = ReducedCnn::try_new(4, 1.0, 1.0, 1.0)?;
    /// let start = CnnState::at_angle(1.0, 2.0, -0.3, 0.5);
    /// let signs = problem.sufficient_signs(&start)?.expect("one of the four");
    /// assert!(signs.flip_filter && signs.flip_output);
    /// assert!(problem.is_sufficient_start(&signs.apply(&start))?);
    /// # Ok::<(), popgrad::CnnError>(())
    /// ```
    pub fn sufficient_signs(&self, state: &CnnState) -> Result<Option<CnnSigns>, CnnError> {
        check(state)?;
        let signs = CnnSigns { flip_filter: state.x < 0.0, flip_output: state.overlap < 0.0 };
        Ok(self.is_sufficient_start(&signs.apply(state))?.then_some(signs))
    }
}

/// Probability that at least one of `restarts` independent starts succeeds.
///
/// ```text
/// 1 - (1 - q)^r
/// ```
///
/// Source: docs/theory/cnn_dynamics.md, (W.78).
///
/// - Domain: `0 <= q <= 1`.
/// - Accuracy (measured, against 25 digits): relative error at most `8 EPSILON`, also for tiny `q`.
///
/// # Errors
///
/// [`CnnError::Probability`].
///
/// # Examples
///
/// ```
/// assert!((popgrad::restart_success(0.5, 3)? - 0.875).abs() < 1e-15);
/// # Ok::<(), popgrad::CnnError>(())
/// ```
pub fn restart_success(success: f64, restarts: u32) -> Result<f64, CnnError> {
    if !(0.0..=1.0).contains(&success) {
        return Err(CnnError::Probability { value: success });
    }
    if restarts == 0 || success == 0.0 {
        return Ok(0.0);
    }
    Ok(-libm::expm1(f64::from(restarts) * libm::log1p(-success)))
}
