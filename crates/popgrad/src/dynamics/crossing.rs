//! Functions of the state whose change of sign is an event, and the search for the place of a change.

use std::fmt;

/// Which changes of sign count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// Both.
    #[default]
    Either,
    /// From negative to positive.
    Rising,
    /// From positive to negative.
    Falling,
}

/// The caller's `f(t, y)`.
type Function = Box<dyn FnMut(f64, &[f64]) -> f64 + Send>;

/// A function `f(t, y)` of time and state whose change of sign is an event of the gradient flow.
///
/// The sign is looked at after every step; a function that changes it twice within a step goes unnoticed, which
/// a smaller `max_step` prevents. The place is then found on the dense output, to 1e-12 of the step.
///
/// # Examples
///
/// ```
/// use popgrad::{Direction, EventFunction};
/// let first_weight_turns_positive =
///     EventFunction::new(|_, y| y[0]).with_direction(Direction::Rising).ending_the_run();
/// ```
pub struct EventFunction {
    function: Function,
    direction: Direction,
    pub(super) ends: bool,
    pub(super) before: f64,
}

impl EventFunction {
    /// An event at every change of sign of `function`, which does not end the run.
    pub fn new(function: impl FnMut(f64, &[f64]) -> f64 + Send + 'static) -> Self {
        Self { function: Box::new(function), direction: Direction::Either, ends: false, before: 0.0 }
    }

    /// Counts changes of sign in one direction only.
    #[must_use]
    pub fn with_direction(self, direction: Direction) -> Self {
        Self { direction, ..self }
    }

    /// Makes the event end the run, as [`crate::Status::Event`].
    #[must_use]
    pub fn ending_the_run(self) -> Self {
        Self { ends: true, ..self }
    }

    pub(super) fn eval(&mut self, time: f64, point: &[f64]) -> f64 {
        (self.function)(time, point)
    }

    /// Whether going from `before` to `after` is a change of sign that counts. Leaving zero is none, so an
    /// event at the very start, or one just located, is not found again.
    pub(super) fn crosses(&self, after: f64) -> bool {
        let rising = self.before < 0.0 && after >= 0.0;
        let falling = self.before > 0.0 && after <= 0.0;
        match self.direction {
            Direction::Either => rising || falling,
            Direction::Rising => rising,
            Direction::Falling => falling,
        }
    }
}

impl fmt::Debug for EventFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventFunction")
            .field("direction", &self.direction)
            .field("ends", &self.ends)
            .finish_non_exhaustive()
    }
}

/// Width of the final bracket, as a share of the step.
const LOCATED: f64 = 1e-12;

/// Finds where `function` changes sign between 0 and 1, given its values there, and returns the upper end of a
/// bracket narrower than [`LOCATED`]: the change has happened there.
///
/// False position with the Illinois weighting, and bisection whenever three rounds have not halved the bracket:
/// superlinear for smooth functions, never worse than three times bisection (docs/theory/dynamics.md, (D.10)).
pub(crate) fn locate(at_zero: f64, at_one: f64, mut function: impl FnMut(f64) -> f64) -> f64 {
    let (mut low, mut high) = ((0.0, at_zero), (1.0, at_one));
    let (mut checkpoint, mut rounds) = (1.0, 0);
    let mut side = 0;
    while high.0 - low.0 > LOCATED {
        rounds += 1;
        let width = high.0 - low.0;
        let mut middle = high.0 - high.1 * width / (high.1 - low.1);
        if rounds % 3 == 0 {
            if width > 0.5 * checkpoint {
                middle = low.0 + 0.5 * width;
            }
            checkpoint = width;
        }
        // Stay inside by half the final width, so that the bracket closes from both sides.
        let margin = (0.5 * LOCATED).min(0.25 * width);
        middle = middle.clamp(low.0 + margin, high.0 - margin);
        let value = function(middle);
        if value * at_zero.signum() > 0.0 {
            low = (middle, value);
            if side == -1 {
                high.1 *= 0.5;
            }
            side = -1;
        } else {
            high = (middle, value);
            if side == 1 {
                low.1 *= 0.5;
            }
            side = 1;
        }
    }
    high.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_found_from_the_far_side_with_few_evaluations() {
        type Case = (fn(f64) -> f64, f64, u32);
        let cases: [Case; 4] = [
            (|x| x * x - 0.25, 0.5, 12),
            (|x| 0.1 - x, 0.1, 12),
            (|x| libm::exp(-30.0 * x) - 1e-6, 0.4605170185988091, 40),
            (|x| if x < 0.7 { -1.0 } else { 2.0 }, 0.7, 60),
        ];
        for (f, root, most) in cases {
            let mut count = 0;
            let got = locate(f(0.0), f(1.0), |x| {
                count += 1;
                f(x)
            });
            assert!((got - root).abs() <= 2.0 * LOCATED, "{got} instead of {root}");
            assert!(f(got) * f(0.0) <= 0.0, "the change of sign lies before {got}");
            assert!(count <= most, "{count} evaluations for the root {root}");
        }
    }
}
