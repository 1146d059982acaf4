//! Classes modulo the problem's symmetries.

use super::{atlas, orthonormal, random_start};
use popgrad::{
    Atlas, CriticalSearch, EndClasses, Matrix, Nature, RandomStream, SearchAdvance, SearchEnd, SearchOptions,
    SearchStatus, Student, Trained, TwoLayer, good_turing,
};

/// A permutation of `0..n` and its matrix's rows.
fn permuted(a: &Matrix, rows: &[usize], columns: &[usize]) -> Matrix {
    let mut out = Matrix::zeros(a.rows(), a.cols());
    for i in 0..a.rows() {
        for j in 0..a.cols() {
            out.row_mut(i)[j] = a.row(rows[i])[columns[j]];
        }
    }
    out
}

fn shuffled(n: usize, stream: &mut RandomStream) -> Vec<usize> {
    let mut keys: Vec<(f64, usize)> = (0..n).map(|i| (stream.uniform(), i)).collect();
    keys.sort_by(|a, b| a.0.total_cmp(&b.0));
    keys.into_iter().map(|k| k.1).collect()
}

#[test]
fn property_renaming_units_and_axes_does_not_change_the_class() {
    let problem = orthonormal(6, 6);
    let atlas = atlas(&problem, 6, 60, 3);
    assert!(atlas.classes().len() >= 5, "{} classes", atlas.classes().len());
    let mut stream = RandomStream::new(4, 0);
    for (i, class) in atlas.classes().iter().enumerate() {
        for _ in 0..4 {
            let (rows, columns) = (shuffled(6, &mut stream), shuffled(6, &mut stream));
            let w = permuted(&class.point.weights, &rows, &columns);
            assert_eq!(atlas.class_of(Student::new(w.view())).unwrap(), Some(i));
            let isotropy = atlas.isotropy_of(Student::new(w.view())).unwrap();
            assert_eq!(isotropy.label(), class.isotropy.label());
        }
        // Not every rotation is a symmetry: mixing two axes of a teacher leaves the class.
        let mut w = class.point.weights.clone();
        for j in 0..6 {
            let (x, y) = (w.row(j)[0], w.row(j)[1]);
            (w.row_mut(j)[0], w.row_mut(j)[1]) = (0.8 * x - 0.6 * y, 0.6 * x + 0.8 * y);
        }
        assert_eq!(atlas.class_of(Student::new(w.view())).unwrap(), None);
    }
}

#[test]
fn golden_orbits_and_isotropy_of_an_orthonormal_teacher() {
    let problem = orthonormal(6, 6);
    let atlas = atlas(&problem, 6, 60, 3);
    // The teacher: 6! configurations; the spurious minimum [1, 5]: 6! 6! / (1! 5!).
    let of = |loss: f64| atlas.classes().iter().find(|c| (c.point.loss - loss).abs() < 1e-9).unwrap();
    let teacher = of(0.0);
    assert_eq!((teacher.isotropy.blocks(), teacher.orbit_size.exact), (Some(vec![6]), Some(720)));
    let spurious = of(0.0250805810024635);
    assert_eq!((spurious.isotropy.blocks(), spurious.orbit_size.exact), (Some(vec![1, 5]), Some(4320)));
    assert_eq!((spurious.point.nature, spurious.isotropy.label()), (Nature::Minimum, "[1,5]".to_owned()));
}

#[test]
fn property_automorphisms_of_a_general_teacher_are_found() {
    // An equilateral triangle of teachers in the plane: six symmetries; with one output weight changed, two.
    let (c, s) = (-0.5, 0.75_f64.sqrt());
    let teacher = Matrix::from_rows(&[[1.0, 0.0], [c, s], [c, -s]]);
    let problem = TwoLayer::try_new(teacher.clone()).unwrap();
    let mut atlas = Atlas::try_new(&problem, Trained::Weights).unwrap();
    let end = |w: &Matrix| SearchEnd {
        status: SearchStatus::Converged,
        weights: w.clone(),
        output: vec![1.0; 3],
        gradient_norm: 0.0,
        steps: 0,
    };
    atlas.add(&end(&teacher), true).unwrap();
    assert_eq!(atlas.classes()[0].orbit_size.exact, Some(6));
    assert_eq!(atlas.classes()[0].isotropy.order.exact, Some(6));
    let uneven = problem.with_teacher_output(vec![1.0, 1.0, 2.0]).unwrap();
    let mut atlas = Atlas::try_new(&uneven, Trained::WeightsAndOutput).unwrap();
    let student = SearchEnd { output: vec![1.0, 1.0, 2.0], ..end(&teacher) };
    atlas.add(&student, true).unwrap();
    assert_eq!(atlas.classes()[0].isotropy.order.exact, Some(2));
}

#[test]
fn property_a_segment_of_collinear_saddles_is_one_class() {
    let problem = orthonormal(2, 2);
    let mut atlas = Atlas::try_new(&problem, Trained::Weights).unwrap();
    let direction = std::f64::consts::FRAC_1_SQRT_2;
    let total = 2.0 * popgrad::angular_h(std::f64::consts::FRAC_PI_4) / std::f64::consts::PI;
    for share in [0.5, 0.2, 0.9] {
        let along = |x: f64| [x * total * direction, x * total * direction];
        let w = Matrix::from_rows(&[along(share), along(1.0 - share)]);
        let search =
            CriticalSearch::try_new(&problem, Student::new(w.view()), SearchOptions::default()).unwrap();
        atlas.add(&search.run().unwrap(), true).unwrap();
    }
    assert_eq!((atlas.classes().len(), atlas.classes()[0].hits), (1, 3));
    assert_eq!(atlas.classes()[0].point.manifold_dimension, 1);
}

#[test]
fn property_descents_from_saddles_end_at_the_teacher() {
    let problem = orthonormal(2, 4);
    let mut atlas = atlas(&problem, 2, 60, 3);
    let count = atlas.classes().len();
    for class in 0..count {
        let (nature, index) = (atlas.classes()[class].point.nature, atlas.classes()[class].point.index);
        let ends = atlas.descend(class, 2).unwrap();
        let expected = if nature == Nature::Saddle { 2 * index.min(2) } else { 0 };
        assert_eq!(ends.len(), expected);
        for end in ends {
            // Two units have no spurious minima: descents end at the teacher or at a lower saddle.
            let reached = &atlas.classes()[end.class.unwrap()].point;
            assert!(reached.loss < atlas.classes()[class].point.loss - 1e-6);
            assert!(end.eigenvalue < 0.0 && end.status == SearchStatus::Converged);
        }
    }
    assert!(count >= 3);
}

#[test]
fn property_a_search_does_not_depend_on_where_it_is_cut() {
    let problem = orthonormal(4, 6);
    let start = random_start(2, 5, 4, 6);
    let options = SearchOptions { index: 2, ..SearchOptions::default() };
    let new = || CriticalSearch::try_new(&problem, Student::new(start.view()), options).unwrap();
    let whole = new().run().unwrap();
    let mut cut = new();
    let end = loop {
        if let SearchAdvance::Done(end) = cut.advance(3).unwrap() {
            break end;
        }
    };
    assert_eq!(end, whole);
    assert_eq!(whole.status, SearchStatus::Converged);
}

#[test]
fn golden_estimate_of_what_was_not_seen() {
    let row = popgrad::accuracy::bound("good_turing").unwrap();
    let got = good_turing(&[50, 30, 10, 2, 2, 1, 1, 1, 1, 2]).unwrap();
    // N = 100, n1 = 4, n2 = 3.
    for (got, want) in [
        (got.unseen_share, 0.04),
        (got.standard_error, (4.0_f64 * 0.96 + 6.0).sqrt() / 100.0),
        (got.unseen_classes, 0.99 * 12.0 / 8.0),
    ] {
        assert!(row.used(got, want, want) <= 1.0, "{got} vs {want}");
    }
}

#[test]
fn golden_extrapolation_of_a_polynomial() {
    let row = popgrad::accuracy::bound("extrapolate_to_zero").unwrap();
    let x = [0.5_f64, 0.25, 0.125, 0.0625];
    let y = x.map(|x| 2.0 - 3.0 * x + x * x * x);
    let limit = popgrad::extrapolate_to_zero(&x, &y).unwrap();
    assert!(row.used(limit.value, 2.0, 2.0) <= 1.0, "{limit:?}");
    assert!(popgrad::extrapolate_to_zero(&x[..2], &y[..2]).is_err());
    assert!(popgrad::extrapolate_to_zero(&[0.1, 0.0, 0.2], &y[..3]).is_err());
    assert!(popgrad::extrapolate_to_zero(&x, &[1.0, f64::NAN, 1.0, 1.0]).is_err());
}

#[test]
fn property_ends_are_told_apart_as_the_atlas_tells_them() {
    let problem = orthonormal(6, 6);
    let atlas = atlas(&problem, 6, 60, 3);
    let mut ends = EndClasses::new(&problem, Trained::Weights, 1e-5);
    assert!(ends.is_empty());
    let mut stream = RandomStream::new(8, 0);
    for round in 0..3 {
        for (i, class) in atlas.classes().iter().enumerate() {
            let (rows, columns) = (shuffled(6, &mut stream), shuffled(6, &mut stream));
            let mut w = permuted(&class.point.weights, &rows, &columns);
            // Ends of descents are not exact.
            w.as_mut_slice().iter_mut().for_each(|x| *x += 1e-9 * stream.normal());
            assert_eq!(ends.add(Student::new(w.view()), class.point.loss).unwrap(), i, "round {round}");
        }
    }
    assert_eq!(ends.len(), atlas.classes().len());
    let wrong = Matrix::identity(6, 5);
    assert!(ends.add(Student::new(wrong.view()), 0.0).is_err());
}
