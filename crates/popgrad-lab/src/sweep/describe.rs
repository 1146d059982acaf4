//! What the classes are: the first end of each, polished and classified. This passes through linear algebra, so it lies outside the
//! promise of equal bits between machines; which runs belong to which class does not depend on it.

use super::cell::{Cell, Ensemble};
use super::part::Representative;
use popgrad::{Atlas, CriticalSearch, Matrix, SearchOptions, SearchStatus, Student, XyPlane};
use serde::{Deserialize, Serialize};

/// Most variables of a point that is polished and whose spectrum is computed; beyond, that takes minutes.
const MOST_VARIABLES: usize = 1000;
/// A polished point whose units moved by more than this share of the longest is another one.
const MOVED: f64 = 1e-3;

/// What a class is, as far as it was computed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Description {
    /// Loss of the polished point.
    pub(super) loss: Option<f64>,
    pub(super) lambda_min: Option<f64>,
    pub(super) index: Option<u64>,
    pub(super) nullity: Option<u64>,
    pub(super) nature: Option<String>,
    pub(super) isotropy: Option<String>,
}

/// Polishes and classifies an end; what cannot be said stays empty.
pub(super) fn describe(cell: &Cell, end: &Representative) -> Description {
    match &cell.ensemble {
        Ensemble::TwoLayer(..) => two_layer(cell, end).unwrap_or_default(),
        Ensemble::Xy(ensemble) => xy(ensemble.plane(), end),
        Ensemble::Cnn(cell) => cell.describe(end),
    }
}

fn two_layer(cell: &Cell, end: &Representative) -> Option<Description> {
    let Ensemble::TwoLayer(ensemble, trained) = &cell.ensemble else { return None };
    let (problem, k) = (ensemble.problem(), ensemble.students());
    let d = problem.input_dimension();
    let weights = Matrix::try_new(k, d, end.weights.clone()).ok()?;
    let student = Student::new(weights.view()).with_output(cell.output(end));
    let mut atlas = Atlas::try_new(problem, *trained).ok()?;
    if k * (d + 1) > MOST_VARIABLES {
        let isotropy = Some(atlas.isotropy_of(student).ok()?.label());
        return Some(Description { isotropy, ..Description::default() });
    }
    let options = SearchOptions { trained: *trained, ..SearchOptions::default() };
    let polished = CriticalSearch::try_new(problem, student, options).ok()?.run().ok()?;
    let moved = polished.weights.as_slice().iter().zip(&end.weights).map(|(a, b)| (a - b).abs());
    let size = end.weights.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
    if polished.status != SearchStatus::Converged || moved.fold(0.0, f64::max) > MOVED * size {
        return None;
    }
    atlas.add(&polished, false).ok()?;
    let class = atlas.classes().first()?;
    Some(Description {
        loss: Some(class.point.loss),
        lambda_min: Some(class.point.lambda_min),
        index: Some(class.point.index as u64),
        nullity: Some(class.point.nullity as u64),
        nature: Some(class.point.nature.name().to_owned()),
        isotropy: Some(class.isotropy.label()),
    })
}

/// In the plane: the eigenvalues of minus the field's Jacobian, the Hessian within the plane.
fn xy(plane: XyPlane, end: &Representative) -> Description {
    let [x, y] = [end.weights[0], end.weights[1]];
    let Ok([[a, b], [c, d]]) = plane.jacobian(x, y) else { return Description::default() };
    // The field is minus the gradient with respect to (x, sqrt(K - 1) y): similar to a symmetric matrix.
    let (half, spread) = (-0.5 * (a + d), 0.5 * ((a - d) * (a - d) + 4.0 * b * c).max(0.0).sqrt());
    let (low, high) = (half - spread, half + spread);
    let index = u64::from(low < 0.0) + u64::from(high < 0.0);
    Description {
        loss: plane.loss_at(x, y).ok(),
        lambda_min: Some(low),
        index: Some(index),
        nullity: None, // the other directions of the network are not looked at
        nature: Some(if index == 0 { "minimum" } else { "saddle" }.to_owned()),
        isotropy: None,
    }
}
