//! Families with more students than teachers, against the full problem and published end points.

use super::{classify, orthonormal};
use popgrad::{CriticalError, Matrix, RandomStream, SearchStatus, Student, SurplusFamily, TwoLayer};

#[test]
fn property_ends_are_critical_in_the_full_problem_and_in_other_axes() {
    // Orthonormal teachers that are no axes, with one dimension to spare.
    let s = std::f64::consts::FRAC_1_SQRT_2;
    let rows =
        [[s, s, 0.0, 0.0, 0.0], [s, -s, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 1.0, 0.0, 0.0]];
    let problem = TwoLayer::try_new(Matrix::from_rows(&rows)).unwrap();
    let family = SurplusFamily::try_new(&[1, 3], 2).unwrap();
    assert_eq!((family.students(), family.dimension(), family.blocks()), (6, 9, &[1, 3][..]));
    let mut ends = 0;
    for i in 0..20 {
        let start = family.random_start(&mut RandomStream::new(4, i));
        let end = family.find(&problem, &start, 0).unwrap();
        if end.status != SearchStatus::Converged {
            continue;
        }
        ends += 1;
        let gradient = problem.gradient(Student::new(end.weights.view())).unwrap().weights;
        let norm = gradient.as_slice().iter().map(|g| g * g).sum::<f64>().sqrt();
        assert!(norm < 1e-12, "{norm:e}");
    }
    assert!(ends >= 5, "{ends}");
}

#[test]
fn golden_published_end_points_of_nine_and_sixteen_students() {
    // Safran and Shamir's data: blocks with one student more, loss, smallest eigenvalue, index.
    for (blocks, loss, lambda, index) in
        [([1, 7], 0.020_560_79, 0.005_944_6, 0), ([4, 11], 0.027_503_2, 0.002_668, 0)]
    {
        let family = SurplusFamily::try_new(&blocks, 1).unwrap();
        let problem = orthonormal(blocks.iter().sum(), blocks.iter().sum());
        let found = (0..60).find_map(|i| {
            let end = family.find(&problem, &family.random_start(&mut RandomStream::new(1, i)), 0).unwrap();
            let at = problem.loss(Student::new(end.weights.view())).unwrap();
            (end.status == SearchStatus::Converged && (at - loss).abs() < 6e-8).then_some(end)
        });
        let point = classify(&problem, &found.expect("a search that reaches the minimum").weights);
        assert_eq!(point.index, index);
        assert!((point.lambda_min - lambda).abs() < 6e-7, "{}", point.lambda_min);
    }
}

#[test]
fn what_is_no_family_is_refused() {
    assert!(matches!(SurplusFamily::try_new(&[], 1), Err(CriticalError::Blocks { .. })));
    assert!(matches!(SurplusFamily::try_new(&[2, 0], 1), Err(CriticalError::Blocks { .. })));
    let family = SurplusFamily::try_new(&[2], 1).unwrap();
    let start = [1.0, 0.1, 0.3];
    let refused = family.find(&orthonormal(3, 3), &start, 0).unwrap_err();
    assert!(matches!(refused, CriticalError::NotOrthonormal { .. }), "{refused}");
    let refused = family.find(&orthonormal(2, 2), &start[..2], 0).unwrap_err();
    assert!(refused.to_string().contains("3 finite coordinates; 2 were given"), "{refused}");
}
