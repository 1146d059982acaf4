//! Theorem 2: critical points out of the teacher's plane, found by search, and their manifolds.

use super::{all_eigenvalues, atlas, classify, orthonormal, random_start};
use popgrad::{
    Blocks, CriticalPoint, InputLaw, Matrix, Nature, RandomStream, Student, Trained, TwoLayer,
    symmetric_eigenvalues,
};

/// `r q - r (r + 1) / 2`.
fn stiefel_dimension(r: usize, q: usize) -> usize {
    r * q - r * (r + 1) / 2
}

/// The point with its last `d - fixed` coordinates turned by a random rotation.
fn turned(w: &Matrix, fixed: usize, stream: &mut RandomStream) -> Matrix {
    let (k, d) = (w.rows(), w.cols());
    let q = d - fixed;
    let mut axes = vec![0.0; q * q];
    stream.fill_normal(&mut axes);
    for i in 0..q {
        for j in 0..i {
            let along: f64 = (0..q).map(|c| axes[i * q + c] * axes[j * q + c]).sum();
            (0..q).for_each(|c| axes[i * q + c] -= along * axes[j * q + c]);
        }
        let length = (0..q).map(|c| axes[i * q + c] * axes[i * q + c]).sum::<f64>().sqrt();
        (0..q).for_each(|c| axes[i * q + c] /= length);
    }
    let mut out = w.clone();
    for j in 0..k {
        for c in 0..q {
            out.row_mut(j)[fixed + c] = (0..q).map(|i| w.row(j)[fixed + i] * axes[i * q + c]).sum();
        }
    }
    out
}

fn gradient_norm(problem: &TwoLayer, w: &Matrix) -> f64 {
    let gradient = problem.gradient(Student::new(w.view())).unwrap().weights;
    gradient.as_slice().iter().map(|g| g * g).sum::<f64>().sqrt()
}

/// Rows in another dimension: cut off, or filled up with zeros.
fn resized(w: &Matrix, d: usize) -> Matrix {
    let mut out = Matrix::zeros(w.rows(), d);
    for j in 0..w.rows() {
        out.row_mut(j).iter_mut().zip(w.row(j)).for_each(|(o, x)| *o = *x);
    }
    out
}

#[test]
fn paper_theorem_2_two_units_in_four_dimensions() {
    let problem = orthonormal(2, 4);
    let atlas = atlas(&problem, 2, 60, 2);
    let class = atlas.classes().iter().find(|c| !c.point.is_in_plane()).expect("a point out of the plane");
    let point = &class.point;
    // math: w = (0.52457922, 0.52457922, +-0.40913248 u).
    for j in 0..2 {
        let row = point.weights.row(j);
        assert!((row[0] - 0.52457922).abs() < 1e-8 && (row[1] - 0.52457922).abs() < 1e-8, "{row:?}");
        assert!(((row[2] * row[2] + row[3] * row[3]).sqrt() - 0.40913248).abs() < 1e-8, "{row:?}");
    }
    let want = [-0.239237, 0.0, 0.004917, 0.230807, 0.439915, 0.644260, 0.679152, 0.956793];
    for (got, want) in all_eigenvalues(point).iter().zip(want) {
        assert!((got - want).abs() < 6e-7, "{got} vs {want}");
    }
    assert_eq!((point.nature, point.index, point.nullity), (Nature::Saddle, 1, 1));
}

#[test]
fn paper_theorem_2_the_nullity_is_the_dimension_of_the_stiefel_manifold() {
    let mut ranks = [0; 4];
    for (k, seed) in [(2, 0), (3, 0), (2, 7), (3, 8)] {
        // Teachers: orthonormal, and random ones in the first k dimensions.
        let mut rows = Matrix::identity(k, k + 2);
        if seed > 0 {
            rows = resized(&random_start(seed, 0, k, k), k + 2);
        }
        let problem = TwoLayer::try_new(rows.clone()).unwrap();
        let atlas = atlas(&problem, k, 160, 4);
        let mut stream = RandomStream::new(seed, 99);
        for class in atlas.classes().iter().filter(|c| !c.point.is_in_plane()) {
            let w = &class.point.weights;
            let r = class.point.out_of_plane_rank;
            ranks[r] += 1;
            for _ in 0..5 {
                let moved = turned(w, k, &mut stream);
                assert!(gradient_norm(&problem, &moved) < 1e-13, "the gradient stays zero along the orbit");
                assert!((problem.loss(Student::new(moved.view())).unwrap() - class.point.loss).abs() < 1e-14);
                let same = atlas.class_of(Student::new(moved.view())).unwrap().unwrap();
                assert_eq!(
                    atlas.classes()[same].point.loss,
                    class.point.loss,
                    "one class for the whole orbit"
                );
            }
            // The same point in more dimensions, and, where it has the room, in one less.
            for q in r..=5 {
                let wide = TwoLayer::try_new(resized(&rows, k + q)).unwrap();
                let flat = resized(&in_axes(w, k, r), k + q);
                let point = classify(&wide, &flat);
                assert_eq!(point.manifold_dimension, stiefel_dimension(r, q), "r = {r}, q = {q}");
                assert_eq!(point.nullity, point.manifold_dimension, "r = {r}, q = {q}");
                if q == 1 {
                    assert_eq!(point.nullity, 0, "d = dim + 1 has only a reflection");
                }
            }
        }
    }
    assert!(ranks[1] >= 4 && ranks[2] >= 1, "ranks met: {ranks:?}");
}

/// The out-of-plane part in its own `r` axes: `k + r` columns.
fn in_axes(w: &Matrix, k: usize, r: usize) -> Matrix {
    let q = w.cols() - k;
    let mut axes: Vec<Vec<f64>> = Vec::new();
    while axes.len() < r {
        // The row with the most left outside the axes so far.
        let rest = |j: usize| {
            let mut u = w.row(j)[k..].to_vec();
            for axis in &axes {
                let along: f64 = u.iter().zip(axis).map(|(x, y)| x * y).sum();
                u.iter_mut().zip(axis).for_each(|(x, y)| *x -= along * y);
            }
            let length = u.iter().map(|x| x * x).sum::<f64>().sqrt();
            (length, u)
        };
        let (length, mut u) = (0..w.rows()).map(rest).max_by(|a, b| a.0.total_cmp(&b.0)).unwrap();
        u.iter_mut().for_each(|x| *x /= length);
        axes.push(u);
    }
    let mut out = Matrix::zeros(w.rows(), k + r);
    for j in 0..w.rows() {
        out.row_mut(j)[..k].copy_from_slice(&w.row(j)[..k]);
        for (i, axis) in axes.iter().enumerate() {
            out.row_mut(j)[k + i] = (0..q).map(|c| w.row(j)[k + c] * axis[c]).sum();
        }
    }
    out
}

#[test]
fn property_the_same_points_under_a_rotation_invariant_law() {
    let problem = orthonormal(2, 4);
    let law = orthonormal(2, 4).with_law(InputLaw::StudentT { nu: 5.0 }).unwrap();
    let atlas = atlas(&problem, 2, 40, 2);
    for class in atlas.classes() {
        let (gauss, heavy) = (&class.point, classify(&law, &class.point.weights));
        assert_eq!((gauss.index, gauss.nullity, gauss.nature), (heavy.index, heavy.nullity, heavy.nature));
        for (a, b) in all_eigenvalues(gauss).iter().zip(all_eigenvalues(&heavy)) {
            // kappa = nu / (nu - 2)
            assert!((5.0 / 3.0 * a - b).abs() < 1e-12, "{a} {b}");
        }
    }
}

#[test]
fn property_a_covariance_keeps_the_manifold_and_bends_it() {
    // Sigma with a repeated eigenvalue outside the teacher's span; w = y / sqrt(sigma), entry by entry (Z.26).
    let white = orthonormal(2, 4);
    let y = atlas(&white, 2, 60, 2)
        .classes()
        .iter()
        .find(|c| !c.point.is_in_plane())
        .unwrap()
        .point
        .weights
        .clone();
    for sigma in [[1.0, 1.0, 4.0, 4.0], [1.0, 1.0, 0.25, 9.0]] {
        let mut diagonal = Matrix::zeros(4, 4);
        (0..4).for_each(|i| diagonal.row_mut(i)[i] = sigma[i]);
        let tilted = orthonormal(2, 4).with_covariance(&diagonal).unwrap();
        let mut stream = RandomStream::new(3, 1);
        for _ in 0..4 {
            let mut w = turned(&y, 2, &mut stream);
            for j in 0..2 {
                w.row_mut(j).iter_mut().zip(sigma).for_each(|(x, s)| *x /= f64::sqrt(s));
            }
            assert!(gradient_norm(&tilted, &w) < 1e-13, "the whole image of the circle is critical");
            let hessian = tilted.hessian(Student::new(w.view()), Blocks::Weights).unwrap();
            let values = symmetric_eigenvalues(hessian.view()).unwrap();
            let (index, zeros) = (
                values.iter().filter(|v| **v < -1e-12).count(),
                values.iter().filter(|v| v.abs() < 1e-12).count(),
            );
            assert_eq!((index, zeros), (1, 1));
            // A rotation of the input moves along the manifold only where it commutes with Sigma.
            let rotated = turned(&w, 2, &mut stream);
            let stays = gradient_norm(&tilted, &rotated) < 1e-13;
            assert_eq!(stays, sigma[2] == sigma[3]);
        }
    }
}

#[test]
fn property_an_in_plane_point_has_copies_of_the_outer_block() {
    // W = V with d > k: the outer block is 1/2 I + 1/4 (1 1^T - I), (Z.8).
    let point = CriticalPoint::classify(
        &orthonormal(3, 7),
        Student::new(Matrix::identity(3, 7).view()),
        Trained::Weights,
    )
    .unwrap();
    let of = |value: f64| -> usize {
        point.eigenvalues.iter().filter(|e| (e.value - value).abs() < 1e-14).map(|e| e.multiplicity).sum()
    };
    assert_eq!((of(0.25), of(1.0)), (8, 4));
    assert_eq!(all_eigenvalues(&point).len(), 21);
}
