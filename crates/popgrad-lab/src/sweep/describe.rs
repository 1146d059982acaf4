//! What the classes are: the first end of each, polished and classified. This passes through linear algebra, so it lies outside the
//! promise of equal bits between machines; which runs belong to which class does not depend on it.

use super::cell::{Cell, Ensemble};
use super::part::Representative;
use popgrad::{Atlas, CriticalSearch, Matrix, Nature, SearchOptions, SearchStatus, Student, XyPlane};
use serde::{Deserialize, Serialize};

/// Most variables of a point that is polished and whose spectrum is computed; beyond, that takes minutes.
const MOST_VARIABLES: usize = 1000;
/// A polished point whose units moved by more than this share of the longest is another one.
const MOVED: f64 = 1e-3;
/// Eigenvalues below this share of the largest count as zero: ends lie within the bound on the gradient of their point.
const FLAT: f64 = 1e-8;

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
        Ensemble::Xy(ensemble) => xy(ensemble.plane(), end, cell.global_loss),
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

/// In the plane: the spectrum of the whole network's Hessian there.
fn xy(plane: XyPlane, end: &Representative, global_loss: f64) -> Description {
    let [x, y] = [end.weights[0], end.weights[1]];
    let Ok(spectrum) = plane.spectrum(x, y) else { return Description::default() };
    let largest = spectrum.iter().fold(0.0_f64, |m, space| m.max(space.value.abs()));
    let count = |which: &dyn Fn(f64) -> bool| {
        spectrum.iter().filter(|space| which(space.value)).map(|space| space.multiplicity as u64).sum::<u64>()
    };
    let (index, nullity) =
        (count(&|value| value < -FLAT * largest), count(&|value| value.abs() <= FLAT * largest));
    let nature = match (index, nullity) {
        _ if end.loss < global_loss => Nature::GlobalMinimum,
        (0, 0) => Nature::Minimum,
        (0, _) => Nature::Degenerate,
        _ => Nature::Saddle,
    };
    Description {
        loss: plane.loss_at(x, y).ok(),
        lambda_min: plane.smallest_eigenvalue(x, y).ok(),
        index: Some(index),
        nullity: Some(nullity),
        nature: Some(nature.name().to_owned()),
        isotropy: None,
    }
}
