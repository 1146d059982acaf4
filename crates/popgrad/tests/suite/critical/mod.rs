//! Critical points: the normal equation, Theorem 3, `L12` and its map; search, classes modulo symmetry, classification, families
//! of an orthonormal teacher.

mod classes; // merging, orbits, isotropy, what was not seen, descents
mod families; // block structures against the full problem and published minima
mod l12; // golden values of L12 and L21, exact zeros, the signs of Conjecture 1 on grids
mod normal_equation; // golden values, the gradient, Proposition 1, Theorems 3 and 4, error bounds, degenerate points
mod out_of_plane; // Theorem 2: manifolds of points out of the teacher's plane
mod points; // known points: section 5.3's saddles, the teacher itself, degenerate points, refusals
mod surplus; // more students than teachers
mod tilted; // covariances and skips: the plain problem, what is left of the symmetry

use popgrad::{
    Atlas, CriticalPoint, CriticalSearch, Matrix, RandomStream, SearchOptions, Student, Trained, TwoLayer,
};

/// The problem of an orthonormal teacher.
fn orthonormal(k: usize, d: usize) -> TwoLayer {
    TwoLayer::try_new(Matrix::identity(k, d)).unwrap()
}

/// Classifies a point with output weights one.
fn classify(problem: &TwoLayer, w: &Matrix) -> CriticalPoint {
    CriticalPoint::classify(problem, Student::new(w.view()), Trained::Weights).unwrap()
}

/// Every eigenvalue as often as it occurs, ascending.
fn all_eigenvalues(point: &CriticalPoint) -> Vec<f64> {
    point.eigenvalues.iter().flat_map(|e| std::iter::repeat_n(e.value, e.multiplicity)).collect()
}

/// A start with entries of variance `1/d`.
fn random_start(seed: u64, i: u64, k: usize, d: usize) -> Matrix {
    let mut w = vec![0.0; k * d];
    RandomStream::new(seed, i).fill_normal(&mut w);
    w.iter_mut().for_each(|x| *x /= (d as f64).sqrt());
    Matrix::try_new(k, d, w).unwrap()
}

/// The atlas of a number of starts, steered for the indices from 0 to `top` in turn.
fn atlas(problem: &TwoLayer, k: usize, starts: u64, top: u64) -> Atlas {
    let mut atlas = Atlas::try_new(problem, Trained::Weights).unwrap();
    for i in 0..starts {
        let start = random_start(1, i, k, problem.input_dimension());
        let index = usize::try_from(i % (top + 1)).unwrap();
        let options = SearchOptions { index, ..SearchOptions::default() };
        let search = CriticalSearch::try_new(problem, Student::new(start.view()), options).unwrap();
        atlas.add(&search.run().unwrap(), true).unwrap();
    }
    atlas
}
