//! Ends of one cell's runs, merged into classes in the order of the runs.

use super::cell::{Cell, Ensemble};
use super::cnn::CnnCell;
use super::error::SweepError;
use super::part::{Class, Representative};
use popgrad::{EndClasses, MatrixView, Student};

/// Classes beyond which they mean nothing.
const MOST_CLASSES: usize = 100_000;

/// Classes being gathered.
#[derive(Debug)]
pub(super) struct Classes<'c> {
    cell: &'c Cell,
    known: Known<'c>,
    representatives: Vec<Representative>,
}

#[derive(Debug)]
enum Known<'c> {
    /// Up to the symmetries of the problem.
    TwoLayer(Box<EndClasses>),
    /// Points of the plane as they are.
    Xy,
    /// Critical points of a convolutional network, and ends that are none.
    Cnn(&'c CnnCell),
}

impl<'c> Classes<'c> {
    pub(super) fn new(cell: &'c Cell) -> Self {
        let known = match &cell.ensemble {
            Ensemble::TwoLayer(ensemble, trained) => {
                Known::TwoLayer(Box::new(EndClasses::new(ensemble.problem(), *trained, cell.tolerance)))
            }
            Ensemble::Xy(_) => Known::Xy,
            Ensemble::Cnn(cell) => Known::Cnn(cell),
        };
        Self { cell, known, representatives: Vec::new() }
    }

    /// The class of an end, the first that fits; a new one if none does.
    pub(super) fn add(&mut self, end: &Representative) -> Result<Class, SweepError> {
        let class = match &mut self.known {
            Known::TwoLayer(classes) => {
                let k = self.cell.students();
                let fail = |message: String| SweepError::Cell {
                    cell: self.cell.number,
                    message: format!("run {}: {message}", end.run),
                    kind: popgrad::Kind::Input,
                };
                let weights = MatrixView::try_new(k, end.weights.len() / k.max(1), &end.weights)
                    .map_err(|e| fail(e.to_string()))?;
                let student = Student::new(weights).with_output(self.cell.output(end));
                classes.add(student, end.loss).map_err(|e| fail(e.to_string()))?
            }
            Known::Xy => {
                let near = |other: &Representative| {
                    other.weights.iter().zip(&end.weights).all(|(a, b)| (a - b).abs() <= self.cell.tolerance)
                };
                self.representatives.iter().position(near).unwrap_or(self.representatives.len())
            }
            Known::Cnn(cell) => {
                let near = |other: &Representative| {
                    let pair = [(&*other.weights, &*other.output), (&*end.weights, &*end.output)];
                    cell.is_near(pair, self.cell.tolerance)
                };
                self.representatives.iter().position(near).unwrap_or(self.representatives.len())
            }
        };
        if class == self.representatives.len() {
            if class == MOST_CLASSES {
                let (cell, most) = (self.cell.number, MOST_CLASSES);
                return Err(SweepError::Classes { cell, most, tolerance: self.cell.tolerance });
            }
            self.representatives.push(end.clone());
        }
        Ok(Class::Number(u32::try_from(class).unwrap_or(u32::MAX)))
    }

    /// The first end of each class.
    pub(super) fn into_representatives(self) -> Vec<Representative> {
        self.representatives
    }
}
