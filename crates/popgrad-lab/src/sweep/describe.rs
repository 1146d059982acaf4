//! What the classes are: the first end of each, polished and classified. This passes through linear algebra, so it lies outside the
//! promise of equal bits between machines; which runs belong to which class does not depend on it.

use super::cell::{Cell, Ensemble};
use super::part::Representative;
use popgrad::{
    Atlas, BlockFamily, CriticalPoint, CriticalSearch, Isotropy, Matrix, Nature, SearchOptions, SearchStatus,
    Student, Trained, TwoLayer, XyPlane,
};
use serde::{Deserialize, Serialize};

/// Most variables of a point whose spectrum is that of the assembled Hessian; beyond, that takes minutes.
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

impl Description {
    fn of(point: &CriticalPoint) -> Self {
        Self {
            loss: Some(point.loss),
            lambda_min: Some(point.lambda_min),
            index: Some(point.index as u64),
            nullity: Some(point.nullity as u64),
            nature: Some(point.nature.name().to_owned()),
            isotropy: None,
        }
    }
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
        let isotropy = atlas.isotropy_of(student).ok()?;
        let is_plain = *trained == Trained::Weights && cell.output(end).iter().all(|a| *a == 1.0);
        let point = is_plain.then(|| blocks(problem, &weights, &isotropy)).flatten();
        return Some(Description {
            isotropy: Some(isotropy.label()),
            ..point.as_ref().map(Description::of).unwrap_or_default()
        });
    }
    let options = SearchOptions { trained: *trained, ..SearchOptions::default() };
    let polished = CriticalSearch::try_new(problem, student, options).ok()?.run().ok()?;
    if polished.status != SearchStatus::Converged || has_moved(&end.weights, polished.weights.as_slice()) {
        return None;
    }
    atlas.add(&polished, false).ok()?;
    let class = atlas.classes().first()?;
    Some(Description { isotropy: Some(class.isotropy.label()), ..Description::of(&class.point) })
}

/// A point of block structure under an orthonormal teacher, polished and classified in its family, whose size does not depend on the
/// number of units.
fn blocks(problem: &TwoLayer, weights: &Matrix, isotropy: &Isotropy) -> Option<CriticalPoint> {
    let (family, start) = BlockFamily::of_point(problem, weights.view(), isotropy).ok()??;
    let point = family.find(&start, 0).ok()?;
    if has_moved(&start, &point.coordinates) {
        return None;
    }
    family.classify(problem, &point).ok()
}

fn has_moved(from: &[f64], to: &[f64]) -> bool {
    let moved = from.iter().zip(to).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    moved > MOVED * from.iter().fold(0.0_f64, |m, x| m.max(x.abs()))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::{Plan, Spec, ends_in_memory};
    use popgrad::Level;
    use std::collections::BTreeSet;
    use std::sync::atomic::AtomicBool;

    #[test]
    fn families_describe_a_class_as_the_assembled_hessian_does() {
        let text = "runs = 64\nseed = 3\n[problem]\nteacher = \"orthonormal:12\"\n[dynamics]\nstep = 0.4\n[stop]\ngradient_norm = 1e-11\n";
        let plan = Plan::resolve(&Spec::parse("a.toml", text).unwrap(), Level::detect()).unwrap();
        let ends = ends_in_memory(&plan, &AtomicBool::new(false), &Clone::clone).unwrap().unwrap();
        let cell = &plan.cells[0];
        let Ensemble::TwoLayer(ensemble, _) = &cell.ensemble else { panic!("a two-layer problem") };
        let atlas = Atlas::try_new(ensemble.problem(), Trained::Weights).unwrap();
        let mut seen = BTreeSet::new();
        for end in &ends[0] {
            let weights = Matrix::try_new(12, 12, end.weights.clone()).unwrap();
            let isotropy = atlas.isotropy_of(Student::new(weights.view())).unwrap();
            if !seen.insert(isotropy.label()) {
                continue;
            }
            let found = Description::of(&blocks(ensemble.problem(), &weights, &isotropy).unwrap());
            let found = Description { isotropy: Some(isotropy.label()), ..found };
            let want = describe(cell, &cell.representative(end));
            let near = |a: Option<f64>, b: Option<f64>| (a.unwrap() - b.unwrap()).abs() <= 1e-9;
            assert!(
                near(found.loss, want.loss) && near(found.lambda_min, want.lambda_min),
                "{found:?}\n{want:?}"
            );
            assert_eq!(
                (found.index, found.nullity, &found.nature, &found.isotropy),
                (want.index, want.nullity, &want.nature, &want.isotropy)
            );
        }
        assert!(seen.len() >= 4, "{seen:?}");
    }

    #[test]
    fn ends_of_more_than_a_thousand_variables_have_a_spectrum() {
        let text = "runs = 8\nseed = 3\n[problem]\nteacher = \"orthonormal:32\"\n[dynamics]\nstep = 0.15\n[stop]\ngradient_norm = 1e-10\n";
        let plan = Plan::resolve(&Spec::parse("a.toml", text).unwrap(), Level::detect()).unwrap();
        let ends = ends_in_memory(&plan, &AtomicBool::new(false), &Clone::clone).unwrap().unwrap();
        let cell = &plan.cells[0];
        for end in &ends[0] {
            let found = describe(cell, &cell.representative(end));
            assert!((found.loss.unwrap() - end.loss).abs() <= 1e-12, "{found:?} {}", end.loss);
            assert!(found.lambda_min.unwrap() > 0.0 && found.nature.unwrap().ends_with("minimum"));
        }
    }
}
