//! Ends of descents, merged modulo the problem's symmetries.

use super::CriticalError;
use super::atlas::{essential, is_same_loss};
use super::configuration::Configuration;
use crate::{Student, Trained, TwoLayer};

/// Classes of students that are one configuration up to the problem's symmetries, whatever these points are.
///
/// Where [`crate::Atlas`] says what a critical point is, this only tells points apart, from inner products alone: two students are
/// of one class if a permutation of equal students and one of the teacher's own carries all inner products of one into the
/// other's to within a tolerance, relative to the longest unit's square.
///
/// Domain: white input without skips; a covariance or a skip leaves fewer symmetries, which are not looked at here.
///
/// Source: docs/theory/critical.md, (Z.4)-(Z.6). Repeatability: only `+ - * /` and square roots in a fixed order, so the
/// classes of given points are the same on any machine.
///
/// # Examples
///
/// ```
/// use popgrad::{EndClasses, Matrix, Student, Trained, TwoLayer};
/// let problem = TwoLayer::try_new(Matrix::identity(2, 2))?;
/// let mut classes = EndClasses::new(&problem, Trained::Weights, 1e-5);
/// let (one, other) = (Matrix::identity(2, 2), Matrix::from_rows(&[[0.0, 1.0], [1.0, 1e-9]]));
/// assert_eq!(classes.add(Student::new(one.view()), 0.0)?, 0);
/// assert_eq!(classes.add(Student::new(other.view()), 0.0)?, 0); // students exchanged
/// assert_eq!(classes.len(), 1);
/// # Ok::<(), popgrad::CriticalError>(())
/// ```
#[derive(Clone, Debug)]
pub struct EndClasses {
    problem: TwoLayer,
    trained: Trained,
    tolerance: f64,
    /// Loss and configuration of the first member of each class.
    first: Vec<(f64, Configuration)>,
}

impl EndClasses {
    /// No classes yet; `tolerance` is relative to the square of the longest unit.
    pub fn new(problem: &TwoLayer, trained: Trained, tolerance: f64) -> Self {
        Self { problem: problem.clone(), trained, tolerance, first: Vec::new() }
    }

    /// The number of classes.
    pub fn len(&self) -> usize {
        self.first.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.first.is_empty()
    }

    /// The class of a student with this loss, the first that fits; a new one if none does. Classes are numbered from zero in the
    /// order of their first members.
    ///
    /// # Errors
    ///
    /// [`CriticalError::Problem`] for a student that does not fit the problem.
    pub fn add(&mut self, student: Student<'_>, loss: f64) -> Result<usize, CriticalError> {
        student.check(self.problem.input_dimension())?;
        let (weights, output) = essential(student, self.trained);
        let end = Configuration::new(&self.problem, weights.view(), &output, &[]);
        let same = |(other, first): &(f64, Configuration)| {
            is_same_loss(loss, *other) && end.matches(first, self.tolerance).is_some()
        };
        if let Some(class) = self.first.iter().position(same) {
            return Ok(class);
        }
        self.first.push((loss, end));
        Ok(self.first.len() - 1)
    }
}
