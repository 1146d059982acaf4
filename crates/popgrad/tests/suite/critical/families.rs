//! Families of an orthonormal teacher against the full problem, closed forms and published minima.

use super::orthonormal;
use crate::fixture;
use popgrad::accuracy::bound;
use popgrad::{
    Atlas, BlockFamily, Blocks, CriticalError, Matrix, RandomStream, Student, Trained, TwoLayer, XyPlane,
    extrapolate_to_zero, symmetric_eigenvalues,
};
use std::f64::consts::PI;

const STRUCTURES: [&[f64]; 8] = [
    &[5.0],
    &[1.0, 5.0],
    &[2.0, 2.0],
    &[3.0, 6.0],
    &[1.0, 1.0, 4.0],
    &[1.0, 2.0, 3.0],
    &[4.0, 2.0, 3.0],
    &[1.0, 1.0],
];

fn unit_count(sizes: &[f64]) -> usize {
    let whole = |p: &f64| (1..=12_u8).find(|i| f64::from(*i) == *p).map(usize::from);
    sizes.iter().map(|p| whole(p).unwrap()).sum()
}

#[test]
fn independent_loss_and_gradient_are_those_of_the_full_problem() {
    let (of_loss, of_gradient) =
        (bound("BlockFamily::loss").unwrap(), bound("BlockFamily::gradient").unwrap());
    for sizes in STRUCTURES {
        let (family, k) = (BlockFamily::try_new(sizes).unwrap(), unit_count(sizes));
        let problem = orthonormal(k, k);
        for draw in 0..10 {
            let x = family.random_start(&mut RandomStream::new(1, draw));
            let w = family.embed(&x).unwrap();
            let student = Student::new(w.view());
            let total: f64 =
                (0..k).map(|j| w.row(j).iter().map(|v| v * v).sum::<f64>().sqrt()).sum::<f64>() + k as f64;
            let (got, want) = (family.loss(&x).unwrap(), problem.loss(student).unwrap());
            assert!(of_loss.used(got, want, total * total) <= 1.0, "{sizes:?}: {got} vs {want}");
            // The gradient is fixed by the group, and its entries are those of the family.
            let (got, want) = (family.gradient(&x).unwrap(), problem.gradient(student).unwrap().weights);
            let embedded = family.embed(&got).unwrap();
            for (g, w) in embedded.as_slice().iter().zip(want.as_slice()) {
                assert!(of_gradient.used(*g, *w, total) <= 1.0, "{sizes:?}: {g} vs {w}");
            }
        }
    }
}

/// Students in a random order, and the teachers with them in another: the same point under other names.
fn renamed(w: &Matrix, stream: &mut RandomStream) -> Matrix {
    let k = w.rows();
    let mut order = |n: usize| {
        let mut keys: Vec<(f64, usize)> = (0..n).map(|i| (stream.uniform_centred(), i)).collect();
        keys.sort_by(|a, b| a.0.total_cmp(&b.0));
        keys.into_iter().map(|key| key.1).collect::<Vec<usize>>()
    };
    let (rows, columns) = (order(k), order(k));
    let mut out = Matrix::zeros(k, k);
    for r in 0..k {
        for c in 0..k {
            out.row_mut(r)[c] = w.row(rows[r])[columns[c]];
        }
    }
    out
}

fn sorted(entries: &[f64]) -> Vec<f64> {
    let mut out = entries.to_vec();
    out.sort_by(f64::total_cmp);
    out
}

#[test]
fn a_point_is_recognised_under_other_names() {
    let row = bound("BlockFamily::of_point").unwrap();
    for sizes in STRUCTURES.into_iter().chain([&[4.0, 4.0][..], &[2.0, 2.0, 7.0], &[1.0, 2.0, 2.0, 3.0]]) {
        let (family, k) = (BlockFamily::try_new(sizes).unwrap(), unit_count(sizes));
        let problem = orthonormal(k, k);
        let atlas = Atlas::try_new(&problem, Trained::Weights).unwrap();
        for draw in 0..10 {
            let mut stream = RandomStream::new(6, draw);
            let x = family.random_start(&mut stream);
            let w = renamed(&family.embed(&x).unwrap(), &mut stream);
            let isotropy = atlas.isotropy_of(Student::new(w.view())).unwrap();
            let (found, y) = BlockFamily::of_point(&problem, w.view(), &isotropy).unwrap().unwrap();
            assert_eq!(found.sizes(), sorted(sizes), "{sizes:?}");
            let longest = (0..k).map(|j| w.row(j).iter().map(|v| v * v).sum::<f64>().sqrt());
            let longest = longest.fold(0.0, f64::max);
            let (got, want) = (sorted(found.embed(&y).unwrap().as_slice()), sorted(w.as_slice()));
            for (got, want) in got.iter().zip(&want) {
                assert!(row.used(*got, *want, longest) <= 1.0, "{sizes:?}: {got} vs {want}");
            }
            // Equal entries do not make equal points; equal spectra do.
            let (got, want) = (found.spectrum(&y).unwrap(), family.spectrum(&x).unwrap());
            let all = |spectrum: &[popgrad::Eigenspace]| {
                sorted(&spectrum.iter().flat_map(|e| vec![e.value; e.multiplicity]).collect::<Vec<f64>>())
            };
            let (got, want) = (all(&got), all(&want));
            let largest = want.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
            for (got, want) in got.iter().zip(&want) {
                assert!((got - want).abs() <= 1e-13 * largest, "{sizes:?}: {got} vs {want}");
            }
        }
    }
}

#[test]
fn a_point_without_the_structure_is_not_recognised() {
    let problem = orthonormal(6, 6);
    let atlas = Atlas::try_new(&problem, Trained::Weights).unwrap();
    let family = BlockFamily::try_new(&[2.0, 4.0]).unwrap();
    let mut stream = RandomStream::new(8, 0);
    let mut w = family.embed(&family.random_start(&mut stream)).unwrap();
    let isotropy = atlas.isotropy_of(Student::new(w.view())).unwrap();
    assert!(BlockFamily::of_point(&problem, w.view(), &isotropy).unwrap().is_some());
    // Teachers in another position: both reflected at the same plane.
    let axis: Vec<f64> = (1..=6_u8).map(f64::from).collect();
    let square: f64 = axis.iter().map(|a| a * a).sum();
    let reflected = |m: &Matrix| {
        let mut out = m.clone();
        for r in 0..6 {
            let along: f64 = m.row(r).iter().zip(&axis).map(|(x, a)| x * a).sum();
            out.row_mut(r).iter_mut().zip(&axis).for_each(|(x, a)| *x -= 2.0 * along / square * a);
        }
        out
    };
    let turned = TwoLayer::try_new(reflected(&Matrix::identity(6, 6))).unwrap();
    let (found, got) = BlockFamily::of_point(&turned, reflected(&w).view(), &isotropy).unwrap().unwrap();
    let (straight, want) = BlockFamily::of_point(&problem, w.view(), &isotropy).unwrap().unwrap();
    assert_eq!(found, straight);
    assert!(got.iter().zip(&want).all(|(x, y)| (x - y).abs() <= 1e-14), "{got:?} {want:?}");
    // In more dimensions; not with a part outside the teachers' span.
    let wide = orthonormal(6, 8);
    let mut far = Matrix::zeros(6, 8);
    (0..6).for_each(|r| far.row_mut(r)[..6].copy_from_slice(w.row(r)));
    let (in_plane, same) = (BlockFamily::of_point(&problem, w.view(), &isotropy), isotropy.clone());
    assert_eq!(BlockFamily::of_point(&wide, far.view(), &same).unwrap(), in_plane.unwrap());
    far.row_mut(2)[7] = 0.01;
    assert_eq!(BlockFamily::of_point(&wide, far.view(), &same).unwrap(), None);
    // Another point than the one whose isotropy is given, and one with more blocks than a family has.
    w.row_mut(3)[4] += 0.1;
    assert_eq!(BlockFamily::of_point(&problem, w.view(), &isotropy).unwrap(), None);
    let seven = orthonormal(7, 7);
    let mut w = Matrix::zeros(7, 7);
    stream.fill_normal(w.as_mut_slice());
    let isotropy =
        Atlas::try_new(&seven, Trained::Weights).unwrap().isotropy_of(Student::new(w.view())).unwrap();
    assert_eq!(BlockFamily::of_point(&seven, w.view(), &isotropy).unwrap(), None);
    assert!(matches!(
        BlockFamily::of_point(&problem, w.view(), &isotropy),
        Err(CriticalError::NotOrthonormal { students: 7, teachers: 6, .. })
    ));
    // An isotropy of another number of units, and a student that does not fit.
    assert_eq!(BlockFamily::of_point(&seven, w.view(), &same).unwrap(), None);
    let narrow = Matrix::zeros(6, 5);
    assert!(matches!(BlockFamily::of_point(&problem, narrow.view(), &same), Err(CriticalError::Problem(_))));
}

#[test]
fn independent_spectrum_is_that_of_the_assembled_hessian() {
    let row = bound("BlockFamily::spectrum").unwrap();
    for sizes in STRUCTURES {
        let (family, k) = (BlockFamily::try_new(sizes).unwrap(), unit_count(sizes));
        let problem = orthonormal(k, k);
        for draw in 0..4 {
            let x = family.random_start(&mut RandomStream::new(2, draw));
            let w = family.embed(&x).unwrap();
            let hessian = problem.hessian(Student::new(w.view()), Blocks::Weights).unwrap();
            let want = symmetric_eigenvalues(hessian.view()).unwrap();
            let got: Vec<f64> = family
                .spectrum(&x)
                .unwrap()
                .iter()
                .flat_map(|e| std::iter::repeat_n(e.value, e.multiplicity))
                .collect();
            assert_eq!(got.len(), k * k, "{sizes:?}");
            let scale = k as f64 * want.iter().fold(1.0_f64, |m, v| m.max(v.abs()));
            for (g, w) in got.iter().zip(&want) {
                assert!(row.used(*g, *w, scale) <= 1.0, "{sizes:?}: {g} vs {w}");
            }
        }
    }
}

#[test]
fn independent_one_block_is_the_plane_of_theorem_7() {
    let row = bound("BlockFamily::loss#near").unwrap();
    for k in [2_usize, 5, 50] {
        let (family, plane) = (BlockFamily::try_new(&[k as f64]).unwrap(), XyPlane::try_new(k).unwrap());
        for offset in [1e-1, 1e-3, 1e-6] {
            let (x, y) = (1.0 + 0.3 * offset, -0.7 * offset);
            let (got, want) = (family.loss(&[x, y]).unwrap(), plane.loss_at(x, y).unwrap());
            assert!(
                row.used(got, want, want / offset.min(1e-2)) <= 1.0,
                "k = {k}, {offset}: {got:e} vs {want:e}"
            );
        }
    }
}

#[test]
fn golden_published_minima() {
    // Safran, Yehudai and Shamir's data: blocks, loss, smallest eigenvalue.
    let row = bound("BlockFamily::find").unwrap();
    for (sizes, loss, lambda) in [
        ([1.0, 5.0], 0.0250805810024635, 0.0047003),
        ([1.0, 6.0], 0.0232027149, 0.01405901),
        ([1.0, 7.0], 0.02150804, 0.021347),
        ([1.0, 9.0], 0.0187021946, 0.03196403),
        ([2.0, 8.0], 0.0353268803, 0.01599208),
        ([1.0, 19.0], 0.0112755819, 0.05509258),
        ([2.0, 18.0], 0.0219229735, 0.04434431),
        ([3.0, 17.0], 0.0321516199, 0.03851268),
        ([10.0, 10.0], 0.0739753861, 0.01148347),
    ] {
        let family = BlockFamily::try_new(&sizes).unwrap();
        let found = family.minima(60, 1).unwrap();
        let minimum = found
            .iter()
            .find(|m| (m.loss - loss).abs() < 6e-9)
            .unwrap_or_else(|| panic!("{sizes:?}: {:?}", found.iter().map(|m| m.loss).collect::<Vec<_>>()));
        let smallest = family.spectrum(&minimum.coordinates).unwrap()[0].value;
        assert!((smallest - lambda).abs() < 6e-7, "{sizes:?}: {smallest} vs {lambda}");
        if sizes == [1.0, 5.0] {
            assert!(row.used(minimum.loss, loss, 1.0) <= 1.0);
        }
    }
}

#[test]
fn property_minima_are_given_once_and_proper() {
    // [2, 3] holds the teacher with its students renamed, and [5]'s points: neither is one of its own.
    let family = BlockFamily::try_new(&[2.0, 3.0]).unwrap();
    for minimum in family.minima(200, 3).unwrap() {
        assert!(minimum.loss > 1e-3 && (minimum.loss - 0.04770838).abs() > 1e-6, "{minimum:?}");
    }
    let equal = BlockFamily::try_new(&[10.0, 10.0]).unwrap().minima(100, 3).unwrap();
    for (i, a) in equal.iter().enumerate() {
        assert!(equal[..i].iter().all(|b| (a.loss - b.loss).abs() > 1e-9));
    }
}

#[test]
fn golden_losses_with_40_digits() {
    // Sums over classes, up to a million units; the generator is golden/block_family.py.
    let row = bound("BlockFamily::loss#near").unwrap();
    let points = fixture::read("block_family.json");
    assert_eq!(fixture::list(&points["points"]).len(), 5);
    for point in fixture::list(&points["points"]) {
        let family = BlockFamily::try_new(&fixture::numbers(&point["sizes"])).unwrap();
        let got = family.loss(&fixture::numbers(&point["coordinates"])).unwrap();
        let want = fixture::number(&point["loss"]);
        assert!(row.used(got, want, 100.0 * want) <= 1.0, "{:?}: {got:e} vs {want:e}", family.sizes());
    }
}

#[test]
fn independent_classification_without_the_hessian() {
    // The family's way, and the general one, at the same points, in the plane and in more dimensions.
    for (sizes, d) in [([1.0, 5.0], 6), ([2.0, 6.0], 8), ([1.0, 4.0], 7)] {
        let (family, k) = (BlockFamily::try_new(&sizes).unwrap(), unit_count(&sizes));
        let problem = orthonormal(k, d);
        for draw in 0..12 {
            let start = family.random_start(&mut RandomStream::new(5, draw));
            let Ok(found) = family.find(&start, 1) else { continue };
            let ours = family.classify(&problem, &found).unwrap();
            let theirs = super::classify(&problem, &ours.weights);
            let key = |p: &popgrad::CriticalPoint| {
                (
                    p.nature,
                    p.index,
                    p.nullity,
                    p.manifold_dimension,
                    p.teachers_in_student_cone,
                    p.students_in_teacher_cone,
                )
            };
            assert_eq!(key(&ours), key(&theirs), "{sizes:?}, d = {d}");
            let error = ours.eigenvalue_error + theirs.eigenvalue_error;
            for (a, b) in super::all_eigenvalues(&ours).iter().zip(super::all_eigenvalues(&theirs)) {
                assert!((a - b).abs() <= error, "{a} vs {b}");
            }
        }
    }
    let two = popgrad::TwoLayer::try_new(popgrad::Matrix::from_rows(&[[1.0, 0.0], [0.6, 0.8]])).unwrap();
    let family = BlockFamily::try_new(&[2.0]).unwrap();
    let teacher = popgrad::FamilyPoint { coordinates: family.teacher(), loss: 0.0, gradient_norm: 0.0 };
    let refused = family.classify(&two, &teacher).unwrap_err();
    assert!(refused.to_string().contains("not orthonormal"), "{refused}");
}

#[test]
fn paper_limit_of_the_family_with_one_special_unit() {
    let small = BlockFamily::try_new(&[1.0, 99.0]).unwrap();
    let mut point = small.minima(40, 1).unwrap().remove(0);
    assert!((100.0 * point.loss - 0.274167).abs() < 1e-6);
    let (mut x, mut y) = (Vec::new(), Vec::new());
    let (mut family, mut k) = (small, 100.0);
    while k <= 1e6 {
        let next = BlockFamily::try_new(&[1.0, k - 1.0]).unwrap();
        point = family.continue_to(&point, &next).unwrap();
        (family, k) = (next, 4.0 * k);
        x.push(1.0 / family.units().sqrt());
        y.push(family.units() * point.loss);
    }
    let limit = extrapolate_to_zero(&x, &y).unwrap();
    let want = 0.5 - 2.0 / (PI * PI);
    assert!(limit.error < 1e-6, "{limit:?}");
    assert!((limit.value - want).abs() < 3.0 * limit.error.max(1e-9), "{limit:?} vs {want}");
}

#[test]
fn what_is_no_family_or_no_point_is_refused() {
    for sizes in [&[][..], &[0.5], &[f64::NAN], &[1.0; 7]] {
        assert!(matches!(BlockFamily::try_new(sizes), Err(CriticalError::Blocks { .. })), "{sizes:?}");
    }
    let family = BlockFamily::try_new(&[1.0, 5.0]).unwrap();
    let short = family.loss(&[1.0]).unwrap_err();
    assert!(short.to_string().contains("5 finite coordinates; 1 were given"), "{short}");
    assert!(family.loss(&[1.0, 0.0, f64::INFINITY, 0.0, 0.0]).is_err());
    let zero = family.loss(&[0.0, 0.0, 1.0, 0.0, 0.0]).unwrap_err();
    assert!(zero.to_string().contains("block 0 are zero"), "{zero}");
    let real = BlockFamily::try_new(&[1.0, 4.5]).unwrap();
    assert!(real.loss(&real.teacher()).unwrap() == 0.0 && real.spectrum(&real.teacher()).is_err());
}
