//! Covariances and skips: search, merge and classify in the plain problem, with the symmetry that is left.

use super::{atlas, classify, orthonormal, random_start};
use popgrad::{
    Atlas, Blocks, CriticalError, CriticalPoint, CriticalSearch, InputLaw, Matrix, Nature, SearchOptions,
    SearchStatus, Student, Trained, TwoLayer, symmetric_eigenvalues,
};

fn diagonal(entries: &[f64]) -> Matrix {
    let mut out = Matrix::zeros(entries.len(), entries.len());
    entries.iter().enumerate().for_each(|(i, s)| out.row_mut(i)[i] = *s);
    out
}

fn tilted(sigma: &[f64]) -> TwoLayer {
    orthonormal(2, 4).with_covariance(&diagonal(sigma)).unwrap()
}

/// The atlas from starts that are the same in the plain problem for every diagonal covariance.
fn whitened_atlas(problem: &TwoLayer, sigma: &[f64], k: usize, starts: u64) -> Atlas {
    let mut found = Atlas::try_new(problem, Trained::Weights).unwrap();
    for i in 0..starts {
        let mut start = random_start(1, i, k, sigma.len());
        for j in 0..k {
            start.row_mut(j).iter_mut().zip(sigma).for_each(|(x, s)| *x /= s.sqrt());
        }
        let options = SearchOptions { index: usize::try_from(i % 3).unwrap(), ..SearchOptions::default() };
        let search = CriticalSearch::try_new(problem, Student::new(start.view()), options).unwrap();
        found.add(&search.run().unwrap(), true).unwrap();
    }
    found
}

/// Index, nullity, dimension of the manifold, and the loss, class by class in the order of the loss.
fn signatures(atlas: &Atlas) -> Vec<(usize, usize, usize, f64)> {
    let classes = atlas.by_loss().into_iter().map(|i| &atlas.classes()[i].point);
    classes.map(|p| (p.index, p.nullity, p.manifold_dimension, p.loss)).collect()
}

#[test]
fn paper_closing_question_of_section_5() {
    // The out-of-plane circle of two orthonormal teachers in four dimensions, under covariances that are white on the teachers'
    // plane: the manifold stays, the rotations stay where the eigenvalue outside is repeated.
    for (sigma, rotations) in [
        ([1.0, 1.0, 1.0, 1.0], 1),
        ([1.0, 1.0, 4.0, 4.0], 1),
        ([1.0, 1.0, 0.25, 9.0], 0),
        ([1.0, 1.0, 1.0, 9.0], 0),
    ] {
        let problem = tilted(&sigma);
        let found = whitened_atlas(&problem, &sigma, 2, 60);
        let point = found.classes().iter().map(|c| &c.point).find(|p| !p.is_in_plane()).unwrap();
        assert_eq!(
            (point.index, point.nullity, point.manifold_dimension, point.rotation_dimension),
            (1, 1, 1, rotations),
            "{sigma:?}"
        );
        // The same classes as for white input: nothing is lost but the rotations.
        let white = atlas(&orthonormal(2, 4), 2, 60, 2);
        assert_eq!(signatures(&found).len(), signatures(&white).len());
        for (a, b) in signatures(&found).iter().zip(signatures(&white)) {
            assert_eq!((a.0, a.1, a.2), (b.0, b.1, b.2));
            assert!((a.3 - b.3).abs() < 1e-12, "{sigma:?}");
        }
    }
}

#[test]
fn property_eigenvalues_are_those_of_the_hessian_in_the_original_weights() {
    let sigma = Matrix::from_rows(&[[2.0, 0.5, 0.1], [0.5, 1.0, -0.3], [0.1, -0.3, 1.5]]);
    let teacher = Matrix::from_rows(&[[1.0, 0.2, 0.0], [-0.3, 0.9, 0.4]]);
    let problem = TwoLayer::try_new(teacher)
        .unwrap()
        .with_leaky(0.1)
        .unwrap()
        .with_law(InputLaw::StudentT { nu: 6.0 })
        .unwrap()
        .with_covariance(&sigma)
        .unwrap();
    let found = atlas(&problem, 2, 40, 2);
    assert!(found.classes().len() >= 3);
    for class in found.classes() {
        let point = &class.point;
        let student = Student::new(point.weights.view());
        let gradient = problem.gradient(student).unwrap().weights;
        let norm = gradient.as_slice().iter().map(|g| g * g).sum::<f64>().sqrt();
        assert!(norm < 1e-12 && (norm - point.gradient_norm).abs() < 1e-13, "{norm:e}");
        let hessian = problem.hessian(student, Blocks::Weights).unwrap();
        let values = symmetric_eigenvalues(hessian.view()).unwrap();
        let negative = values.iter().filter(|v| **v < -point.eigenvalue_error).count();
        let zero = values.iter().filter(|v| v.abs() <= point.eigenvalue_error).count();
        assert_eq!((negative, zero), (point.index, point.nullity));
        for (space, value) in point.eigenvalues.iter().zip(&values) {
            assert!((space.value - value).abs() <= 1e-14 * values.len() as f64);
        }
    }
}

#[test]
fn property_teachers_are_exchanged_only_by_rotations_that_commute() {
    // Three orthonormal teachers of the plain problem, where rotations permute them all; under the covariance a rotation has to keep
    // the share of each eigenspace, and exchanges the first two only.
    let teacher = diagonal(&[1.0, 1.0, 0.5]);
    let sigma = [1.0, 1.0, 4.0];
    let uneven = TwoLayer::try_new(teacher).unwrap().with_covariance(&diagonal(&sigma)).unwrap();
    let white = orthonormal(3, 3);
    let (few, many) = (whitened_atlas(&white, &[1.0; 3], 3, 150), whitened_atlas(&uneven, &sigma, 3, 150));
    let mut split = 0;
    for class in few.classes().iter().filter(|c| c.hits >= 20) {
        let parts: Vec<_> =
            many.classes().iter().filter(|c| (c.point.loss - class.point.loss).abs() < 1e-10).collect();
        let configurations: u128 = parts.iter().map(|c| c.orbit_size.exact.unwrap()).sum();
        assert_eq!(configurations, class.orbit_size.exact.unwrap(), "as many configurations");
        assert_eq!(parts.iter().map(|c| c.hits).sum::<u64>(), class.hits);
        split += usize::from(parts.len() > 1);
    }
    assert!(split >= 1, "a class that the third teacher's exchange does not fix falls into several");
    let at_teacher = |found: &Atlas| {
        let best = &found.classes()[found.by_loss()[0]];
        (best.isotropy.order.exact.unwrap(), best.orbit_size.exact.unwrap())
    };
    assert_eq!((at_teacher(&few), at_teacher(&many)), ((6, 6), (2, 6)));
}

#[test]
fn property_a_skip_is_two_teachers_more() {
    let teacher = Matrix::from_rows(&[[1.0, 0.0, 0.2], [0.3, 0.8, 0.0]]);
    let gap = [0.3, -0.2, 0.5];
    for alpha in [0.0, 0.3, -1.0] {
        let plain = TwoLayer::try_new(teacher.clone()).unwrap().with_leaky(alpha).unwrap();
        let problem = plain.clone().with_teacher_skip(gap.to_vec()).unwrap();
        let start = random_start(5, 1, 2, 3);
        let student = Student::new(start.view()).with_skip(&[0.1, 0.1, 0.1]);
        let end =
            CriticalSearch::try_new(&problem, student, SearchOptions::default()).unwrap().run().unwrap();
        assert_eq!(end.status, SearchStatus::Converged, "alpha = {alpha}");
        let student = Student::new(end.weights.view()).with_skip(&[0.1, 0.1, 0.1]);
        let gradient = problem.gradient(student).unwrap().weights;
        assert!(gradient.as_slice().iter().all(|g| g.abs() < 1e-13), "alpha = {alpha}: {gradient:?}");
        let point = CriticalPoint::classify(&problem, student, Trained::Weights).unwrap();
        assert_eq!(point.loss, problem.loss(student).unwrap());
        let hessian = problem.hessian(student, Blocks::Weights).unwrap();
        let lowest = symmetric_eigenvalues(hessian.view()).unwrap()[0];
        assert!((point.eigenvalues[0].value - lowest).abs() < 1e-12);
        // Even units have nothing in common with an odd skip: it leaves the teacher itself critical.
        if alpha == -1.0 {
            let at_teacher = classify(&problem, &teacher);
            assert!(at_teacher.gradient_norm < 1e-14 && at_teacher.loss > 0.1);
            assert_eq!(at_teacher.nature, Nature::Minimum);
        }
    }
}

#[test]
fn a_singular_covariance_is_refused() {
    let problem = orthonormal(2, 2);
    let flat = problem.with_covariance(&Matrix::from_rows(&[[2.0, 2.0], [2.0, 2.0]])).unwrap();
    let w = Matrix::identity(2, 2);
    let refused = CriticalPoint::classify(&flat, Student::new(w.view()), Trained::Weights).unwrap_err();
    assert_eq!(refused, CriticalError::SingularCovariance { row: 1 });
    assert!(Atlas::try_new(&flat, Trained::Weights).is_err());
}
