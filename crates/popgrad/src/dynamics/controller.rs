//! The step-size controller of the gradient flow.

/// Exponent of the present error. With [`EXPONENT_BEFORE`] it makes a proportional-integral controller: the
/// integral gain is their difference, 0.10, and the proportional gain is 0.08. Gains this low keep the step
/// steady where stability limits it (the tail of every run), at no cost where accuracy does.
const EXPONENT: f64 = 0.18;
/// Exponent of the error before.
const EXPONENT_BEFORE: f64 = 0.08;
/// Logarithm of the safety factor. The steady error is `exp(LOG_SAFETY / 0.10) = 0.80` of the tolerance; nearer
/// to one more steps are rejected than the longer steps save.
const LOG_SAFETY: f64 = -0.022;
/// Smallest and largest factor between two steps.
const FACTORS: (f64, f64) = (0.2, 10.0);
/// Logarithm of 1e-4: errors below this count as this, so that one lucky step does not brake the next.
const LOG_LEAST_ERROR: f64 = -9.210_340_371_976_182;
/// A rejected step shrinks by the law of order 5 with this safety.
const SAFETY_OF_REJECTION: f64 = 0.9;

/// Proportional-integral control (Gustafsson; Hairer & Wanner, II.4): docs/theory/dynamics.md, (D.7).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Controller {
    log_error_before: f64,
    after_rejection: bool,
}

impl Controller {
    pub(crate) fn new() -> Self {
        Self { log_error_before: LOG_LEAST_ERROR, after_rejection: false }
    }

    /// The factor from an accepted step with error norm `error <= 1` to the next.
    pub(crate) fn accept(&mut self, error: f64) -> f64 {
        let log_error = libm::log(error.max(1e-30));
        let factor = libm::exp(LOG_SAFETY - EXPONENT * log_error + EXPONENT_BEFORE * self.log_error_before);
        let most = if self.after_rejection { 1.0 } else { FACTORS.1 };
        self.log_error_before = log_error.max(LOG_LEAST_ERROR);
        self.after_rejection = false;
        factor.clamp(FACTORS.0, most)
    }

    /// The factor by which a step with error norm above one shrinks; NaN shrinks by the most.
    pub(crate) fn reject(&mut self, error: f64) -> f64 {
        self.after_rejection = true;
        if error.is_finite() {
            (SAFETY_OF_REJECTION * libm::pow(error, -0.2)).max(FACTORS.0)
        } else {
            FACTORS.0
        }
    }
}
