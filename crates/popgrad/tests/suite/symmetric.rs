//! The plane of Theorem 7 and networks that are orbits of a group: golden values, properties, independent sums.

use crate::fixture::{Worst, allowed, count, list, number, numbers, read};
use popgrad::{FiniteGroup, GroupOrbit, Matrix, XyEnd, XyPlane, gating, kernel, kernel_hessian};
use proptest::prelude::*;

const EPS: f64 = f64::EPSILON;

/// Rows `[K, x, y, dx/dt, dy/dt, J]` of both fixtures.
fn field_rows() -> Vec<(usize, [f64; 5])> {
    let mut rows = vec![];
    for row in list(&read("dynamics2d.json")["field"]) {
        let at = |key: &str| number(&row[key]);
        rows.push((count(&row["K"]), [at("x"), at("y"), at("dx_dt"), at("dy_dt"), at("loss")]));
    }
    for row in list(&read("symmetric_points.json")["field"]) {
        let r = numbers(row);
        rows.push((count(&row[0]), [r[1], r[2], r[3], r[4], r[5]]));
    }
    rows
}

/// Distance to the teacher, where the point is close to it.
fn closeness(units: usize, x: f64, y: f64) -> f64 {
    let direct = (x - 1.0).hypot(y);
    if units == 2 { direct.min((y - 1.0).hypot(x)) } else { direct }
}

#[test]
fn golden_field_and_loss() {
    let (mut field, mut near) = (Worst::new("field"), Worst::new("field near the teacher"));
    let (mut loss, mut near_loss) = (Worst::new("plane loss"), Worst::new("plane loss near the teacher"));
    for (units, [x, y, dx, dy, j]) in field_rows() {
        let plane = XyPlane::try_new(units).unwrap();
        let k = units as f64;
        let n = x.hypot((k - 1.0).sqrt() * y);
        let place = || format!("K = {units}, ({x:e}, {y:e})");
        let got = plane.field(x, y).unwrap();
        let distance = closeness(units, x, y);
        for (g, w) in got.into_iter().zip([dx, dy]) {
            field.check(g, w, allowed("XyPlane::field", k * (1.0 + n)), place);
            if distance < 0.02 {
                near.check(g, w, allowed("XyPlane::field#near", k * distance), place);
            }
        }
        let got = plane.loss_at(x, y).unwrap();
        loss.check(got, j, allowed("XyPlane::loss_at", k * k * (1.0 + n * n)), place);
        if distance < 0.02 {
            near_loss.check(got, j, allowed("XyPlane::loss_at#near", j), place);
        }
    }
}

#[test]
fn golden_jacobian() {
    let mut worst = Worst::new("plane jacobian");
    for row in list(&read("symmetric_points.json")["jacobian"]) {
        let (units, r) = (count(&row[0]), numbers(row));
        let got = XyPlane::try_new(units).unwrap().jacobian(r[1], r[2]).unwrap();
        let allowed = allowed("XyPlane::jacobian", units as f64 * (1.0 + 1.0 / r[1].hypot(r[2])));
        for (g, w) in got.as_flattened().iter().zip(&r[3..]) {
            worst.check(*g, *w, allowed, || format!("{row}"));
        }
    }
}

#[test]
fn golden_critical_points() {
    let data = read("dynamics2d.json");
    let mut saddle = Worst::new("saddle");
    for row in list(&data["saddles"]) {
        let point = XyPlane::try_new(count(&row["K"])).unwrap().saddle();
        let pairs = [
            (point.x, "x_s"),
            (point.eigenvalues[0], "lambda_stable"),
            (point.eigenvalues[1], "lambda_unstable"),
        ];
        for (got, key) in pairs {
            let want = number(&row[key]);
            saddle.check(got, want, allowed("XyPlane::saddle", want), || format!("{key}, K = {}", row["K"]));
        }
        let want = number(&row["loss"]);
        saddle.check(point.loss, want, allowed("XyPlane::saddle#loss", want), || {
            format!("loss, K = {}", row["K"])
        });
    }
    let mut spurious = Worst::new("spurious point");
    for row in list(&data["other_critical"]) {
        let units = count(&row["K"]);
        let point = XyPlane::try_new(units).unwrap().find_spurious().unwrap();
        for (got, key) in [(point.x, "x"), (point.y, "y")] {
            spurious.check(got, number(&row[key]), allowed("XyPlane::find_spurious", 1.0), || {
                format!("{key}, K = {units}")
            });
        }
        let most = allowed("XyPlane::find_spurious#loss", 1.0);
        spurious.check(point.loss, number(&row["loss"]), most, || format!("loss, K = {units}"));
        assert!(point.eigenvalues[1] < 0.0, "the point attracts the half plane");
    }
}

/// Smallest eigenvalue and number of negative ones: Tian's teacher, K as in docs/theory/symmetric.md, table 1.
#[test]
fn the_spurious_point_is_a_local_minimum_from_six_units_on() {
    let table = [(3, -0.04448, 1), (4, -0.01754, 3), (5, -0.00583, 6), (6, 0.00150, 0), (8, 0.01106, 0)];
    for (units, smallest, negative) in table.into_iter().chain([(10, 0.01749, 0), (20, 0.03447, 0)]) {
        let plane = XyPlane::try_new(units).unwrap();
        let point = plane.find_spurious().unwrap();
        let spectrum = plane.spectrum(point.x, point.y).unwrap();
        let got = plane.smallest_eigenvalue(point.x, point.y).unwrap();
        assert!((got - smallest).abs() < 6e-6, "K = {units}: {got}");
        let below: usize = spectrum.iter().filter(|e| e.value < 0.0).map(|e| e.multiplicity).sum();
        assert_eq!(below, negative, "K = {units}");
    }
}

#[test]
fn newton_finds_the_spurious_point_for_very_many_units() {
    for units in [3, 7, 100, 1000, 1_000_000] {
        let plane = XyPlane::try_new(units).unwrap();
        let point = plane.find_spurious().unwrap();
        let [dx, dy] = plane.field(point.x, point.y).unwrap();
        assert!(dx.hypot(dy) < 1e-15 * units as f64, "K = {units}: {dx:e} {dy:e}");
        assert!(point.x < 0.0 && point.y > 0.0 && point.loss > 0.0);
    }
}

/// The full Hessian, assembled from the second derivatives of single pairs.
fn full_hessian(weights: &Matrix, teacher: &Matrix) -> Vec<Vec<f64>> {
    let (k, d) = (weights.rows(), weights.cols());
    let mut full = vec![vec![0.0; k * d]; k * d];
    let mut add = |j: usize, m: usize, block: &Matrix, factor: f64| {
        for a in 0..d {
            for b in 0..d {
                full[j * d + a][m * d + b] += factor * block.row(a)[b];
            }
        }
    };
    for j in 0..k {
        add(j, j, &Matrix::identity(d, d), 0.5);
        for m in (0..k).filter(|m| *m != j) {
            let pair = kernel_hessian(weights.row(j), weights.row(m)).unwrap();
            add(j, j, &pair.own, 1.0);
            add(j, m, &pair.cross, 1.0);
        }
        for m in 0..teacher.rows() {
            add(j, j, &kernel_hessian(weights.row(j), teacher.row(m)).unwrap().own, -1.0);
        }
    }
    full
}

/// `trace H^p` for `p = 1..=4`.
fn power_traces(h: &[Vec<f64>]) -> [f64; 4] {
    let n = h.len();
    let square: Vec<Vec<f64>> =
        (0..n).map(|i| (0..n).map(|j| (0..n).map(|m| h[i][m] * h[m][j]).sum()).collect()).collect();
    let inner = |a: &[Vec<f64>], b: &[Vec<f64>]| -> f64 {
        a.iter().zip(b).map(|(x, y)| x.iter().zip(y).map(|(p, q)| p * q).sum::<f64>()).sum()
    };
    [(0..n).map(|i| h[i][i]).sum(), inner(h, h), inner(&square, h), inner(&square, &square)]
}

/// Determinant of `H - t` by elimination with row exchanges, relative to the sizes of its pivots.
fn smallest_pivot(h: &[Vec<f64>], shift: f64) -> f64 {
    let n = h.len();
    let mut a: Vec<Vec<f64>> = h.to_vec();
    for (i, row) in a.iter_mut().enumerate() {
        row[i] -= shift;
    }
    let mut smallest = f64::INFINITY;
    for c in 0..n {
        // Complete pivoting makes the last pivots small exactly when the matrix is singular.
        let (mut pr, mut pc) = (c, c);
        for i in c..n {
            for j in c..n {
                if a[i][j].abs() > a[pr][pc].abs() {
                    (pr, pc) = (i, j);
                }
            }
        }
        a.swap(c, pr);
        for row in &mut a {
            row.swap(c, pc);
        }
        smallest = smallest.min(a[c][c].abs());
        if a[c][c] == 0.0 {
            return 0.0;
        }
        for i in c + 1..n {
            let f = a[i][c] / a[c][c];
            for j in c..n {
                let v = a[c][j];
                a[i][j] -= f * v;
            }
        }
    }
    smallest
}

#[test]
fn the_spectrum_is_that_of_the_assembled_hessian() {
    for units in [2, 3, 4, 5, 7] {
        let plane = XyPlane::try_new(units).unwrap();
        for (x, y) in [(1.0, 0.0), (0.3, 0.1), (-0.4, 0.6), (0.5, 0.5), (0.2, -0.7), (0.4, 0.4 + 1e-9)] {
            let full = full_hessian(&plane.embed(x, y), &plane.teacher());
            let spectrum = plane.spectrum(x, y).unwrap();
            assert_eq!(spectrum.iter().map(|e| e.multiplicity).sum::<usize>(), units * units);
            for (p, want) in power_traces(&full).into_iter().enumerate() {
                let power = |v: f64| (0..=p).fold(1.0, |m, _| m * v);
                let got: f64 = spectrum.iter().map(|e| e.multiplicity as f64 * power(e.value)).sum();
                let size: f64 = spectrum.iter().map(|e| e.multiplicity as f64 * power(e.value).abs()).sum();
                let allowed = allowed("XyPlane::spectrum", size);
                assert!(
                    (got - want).abs() <= allowed,
                    "K = {units}, ({x}, {y}), power {}: {got} {want}",
                    p + 1
                );
            }
            for e in spectrum {
                let pivot = smallest_pivot(&full, e.value);
                assert!(pivot < 1e-12, "K = {units}, ({x}, {y}): {} is no eigenvalue, {pivot:e}", e.value);
            }
        }
    }
}

/// Gradient of every student by single pairs: an independent sum for eqs. 8, 17 and 18.
fn pairwise_gradient(students: &Matrix, teacher: &Matrix) -> Matrix {
    let mut out = Matrix::zeros(students.rows(), students.cols());
    for j in 0..students.rows() {
        for (rows, sign) in [(students, 1.0), (teacher, -1.0)] {
            for m in 0..rows.rows() {
                let f = gating(students.row(j), rows.row(m)).unwrap();
                out.row_mut(j).iter_mut().zip(f).for_each(|(o, f)| *o += sign * f);
            }
        }
    }
    out
}

fn pairwise_loss(students: &Matrix, teacher: &Matrix) -> f64 {
    let sum = |a: &Matrix, b: &Matrix| -> f64 {
        (0..a.rows())
            .flat_map(|i| (0..b.rows()).map(move |j| (i, j)))
            .map(|(i, j)| kernel(a.row(i), b.row(j)).unwrap())
            .sum()
    };
    0.5 * (sum(students, students) - 2.0 * sum(students, teacher) + sum(teacher, teacher))
}

proptest! {
    // (Y.7): the field of the plane is the full gradient at the embedded point.
    #[test]
    fn the_plane_is_the_full_network(units in 2_usize..9, x in -1.5..1.5_f64, y in -1.5..1.5_f64) {
        let plane = XyPlane::try_new(units).unwrap();
        let full = pairwise_gradient(&plane.embed(x, y), &plane.teacher());
        let [dx, dy] = plane.field(x, y).unwrap();
        let k = units as f64;
        let allowed = 32.0 * k * EPS * (1.0 + k.sqrt() * 1.5);
        for i in 0..units {
            for j in 0..units {
                let got = if i == j { dx } else { dy };
                prop_assert!((got + full.row(i)[j]).abs() <= allowed, "entry ({i}, {j})");
            }
        }
        let loss = pairwise_loss(&plane.embed(x, y), &plane.teacher());
        prop_assert!((plane.loss_at(x, y).unwrap() - loss).abs() <= 16.0 * k * k * EPS * (1.0 + 2.25 * k));
    }

    // On the diagonal the two components have the same bits.
    #[test]
    fn the_diagonal_is_invariant_to_the_last_bit(units in 2_usize..200, x in -3.0..3.0_f64) {
        prop_assume!(x != 0.0);
        let [dx, dy] = XyPlane::try_new(units).unwrap().field(x, x).unwrap();
        prop_assert_eq!(dx.to_bits(), dy.to_bits());
    }

    // Close to the diagonal dx/dt - dy/dt is proportional to x - y, with the sign of the instability.
    #[test]
    fn near_the_diagonal_the_difference_keeps_its_digits(
        units in 2_usize..50, x in 0.05..2.0_f64, log_gap in -13.0..-9.0_f64, side in prop::bool::ANY,
    ) {
        let plane = XyPlane::try_new(units).unwrap();
        let gap = x * 10_f64.powf(log_gap);
        let y = if side { x + gap } else { x - gap };
        let [dx, dy] = plane.field(x, y).unwrap();
        // (Y.15): rate of the difference at a point of the diagonal; corrections are of order gap / x.
        let k = units as f64;
        let rate = k / (std::f64::consts::TAU * (k - 1.0).sqrt() * x);
        let want = rate * (x - y);
        // Each component is rounded at the size of the field, so that is what the difference may lose.
        let allowed = 4.0 * EPS * (dx.abs() + dy.abs()) + 20.0 * (k / x) * gap * gap + 1e-13 * want.abs();
        prop_assert!(((dx - dy) - want).abs() <= allowed, "{:e} {want:e}", dx - dy);
    }

    // K g_x and K (K-1) g_y are the derivatives of J, so the cross derivatives agree.
    #[test]
    fn the_jacobian_is_symmetric_in_its_metric(units in 2_usize..50, x in -2.0..2.0_f64, y in -2.0..2.0_f64) {
        let [[_, b], [c, _]] = XyPlane::try_new(units).unwrap().jacobian(x, y).unwrap();
        let k = units as f64;
        prop_assert!((b - (k - 1.0) * c).abs() <= 64.0 * k * EPS * (1.0 + 1.0 / x.hypot(y)), "{b} {c}");
    }

    // Derivative family: central differences of the loss give the field.
    #[test]
    fn the_field_is_the_derivative_of_the_loss(units in 2_usize..12, x in 0.1..1.5_f64, y in -1.0..1.0_f64) {
        let plane = XyPlane::try_new(units).unwrap();
        let [dx, dy] = plane.field(x, y).unwrap();
        let (k, e) = (units as f64, 1e-5);
        let at = |x, y| plane.loss_at(x, y).unwrap();
        let by_x = (at(x + e, y) - at(x - e, y)) / (2.0 * e);
        let by_y = (at(x, y + e) - at(x, y - e)) / (2.0 * e);
        // Truncation e^2 K^2 / n^2 and rounding EPS K^2 n^2 / e.
        let allowed = 1e-10 * k * k * (10.0 + 1.0 / (x * x));
        prop_assert!((by_x + k * dx).abs() <= allowed && (by_y + k * (k - 1.0) * dy).abs() <= allowed);
    }

    // Eq. 17 with P_j G(w) on one side and the gradient of every student by pairs on the other.
    #[test]
    fn every_student_has_the_rotated_gradient(order in 1_usize..9, a in -2.0..2.0_f64, b in 0.1..2.0_f64) {
        let network = GroupOrbit::try_new(FiniteGroup::rotations(order).unwrap(), &[1.0, 0.3]).unwrap();
        let got = network.full_gradient(&[a, b]).unwrap();
        let want = pairwise_gradient(&network.students(&[a, b]).unwrap(), &network.teacher());
        let allowed = allowed("GroupOrbit::full_gradient", order as f64 * (a.hypot(b) + 1.1));
        for (g, w) in got.as_slice().iter().zip(want.as_slice()) {
            prop_assert!((g - w).abs() <= allowed, "{g} {w}");
        }
        let loss = pairwise_loss(&network.students(&[a, b]).unwrap(), &network.teacher());
        let n = order as f64;
        let size = a.hypot(b) + 1.1;
        prop_assert!((network.full_loss(&[a, b]).unwrap() - loss).abs() <= 8.0 * n * n * EPS * size * size);
    }

    // The cyclic group on an orthonormal teacher contains the plane.
    #[test]
    fn the_cyclic_orbit_of_a_plane_point_is_the_plane(units in 2_usize..8, x in 0.2..1.2_f64, y in -0.5..0.5_f64) {
        let mut teacher = vec![0.0; units];
        teacher[0] = 1.0;
        let network = GroupOrbit::try_new(FiniteGroup::cyclic(units).unwrap(), &teacher).unwrap();
        let mut w = vec![y; units];
        w[0] = x;
        let g = network.reduced_gradient(&w).unwrap();
        let plane = XyPlane::try_new(units).unwrap();
        let [dx, dy] = plane.field(x, y).unwrap();
        let allowed = 32.0 * units as f64 * EPS * 3.0;
        prop_assert!((g[0] + dx).abs() <= allowed);
        prop_assert!(g[1..].iter().all(|c| (c + dy).abs() <= allowed));
    }
}

#[test]
fn golden_orbits_of_permutation_groups() {
    let (mut far, mut near) = (Worst::new("orbit gradient"), Worst::new("orbit gradient near the teacher"));
    let (mut loss, mut near_loss) = (Worst::new("orbit loss"), Worst::new("orbit loss near the teacher"));
    for row in list(&read("symmetric_points.json")["orbit"]) {
        let images: Vec<Vec<usize>> =
            list(&row["images"]).iter().map(|p| list(p).iter().map(count).collect()).collect();
        let network =
            GroupOrbit::try_new(FiniteGroup::permutations(&images).unwrap(), &numbers(&row["v"])).unwrap();
        let (w, want) = (numbers(&row["w"]), numbers(&row["G"]));
        let (n, e) = (images.len() as f64, number(&row["e"]));
        let place = || format!("{} e = {e:e} copy {}", row["group"], row["copy"]);
        let size = |u: &[f64]| u.iter().map(|x| x * x).sum::<f64>().sqrt();
        let scale = size(&w) + size(&numbers(&row["v"]));
        let got = network.reduced_gradient(&w).unwrap();
        for (g, want) in got.iter().zip(&want) {
            far.check(*g, *want, allowed("GroupOrbit::reduced_gradient", n * scale), place);
            if e < 0.1 {
                near.check(*g, *want, allowed("GroupOrbit::reduced_gradient#near", n * e), place);
            }
        }
        let (got, want) = (network.full_loss(&w).unwrap(), number(&row["loss"]));
        loss.check(got, want, allowed("GroupOrbit::full_loss", n * n * scale * scale), place);
        if e < 0.032 {
            near_loss.check(got, want, allowed("GroupOrbit::full_loss#near", want), place);
        }
    }
}

#[test]
fn the_second_saddle_is_a_rest_point_with_the_stated_eigenvalues() {
    for units in [2, 3, 5, 10, 100] {
        let plane = XyPlane::try_new(units).unwrap();
        let point = plane.negative_saddle();
        assert!(point.x < 0.0);
        assert_eq!(plane.field(point.x, point.x).unwrap(), [0.0, 0.0]);
        let k = units as f64;
        let allowed = allowed("XyPlane::negative_saddle", k / point.x.abs());
        let [[a, b], [_, d]] = plane.jacobian(point.x, point.x).unwrap();
        // (1, 1) is an eigenvector; the other eigenvalue is the rest of the trace.
        assert!((a + b - point.eigenvalues[0]).abs() < allowed);
        assert!((a + d - point.eigenvalues[0] - point.eigenvalues[1]).abs() < allowed);
    }
}

/// Fourth-order Runge-Kutta steps, to see where starts end.
fn flow_end(plane: XyPlane, mut x: f64, mut y: f64, time: f64) -> (f64, f64) {
    let k = plane.units() as f64;
    let mut t = 0.0;
    while t < time {
        let n = x.hypot((k - 1.0).sqrt() * y);
        let h = (0.05 * n).min(0.4 / k).min(time - t);
        let f = |x: f64, y: f64| plane.field(x, y).unwrap();
        let [a, b] = f(x, y);
        let [c, d] = f(x + 0.5 * h * a, y + 0.5 * h * b);
        let [e, g] = f(x + 0.5 * h * c, y + 0.5 * h * d);
        let [p, q] = f(x + h * e, y + h * g);
        x += h / 6.0 * (a + 2.0 * c + 2.0 * e + p);
        y += h / 6.0 * (b + 2.0 * d + 2.0 * g + q);
        t += h;
    }
    (x, y)
}

#[test]
fn starts_on_a_grid_end_where_the_separatrix_says() {
    for units in [2, 3, 6, 10] {
        let plane = XyPlane::try_new(units).unwrap();
        for i in -4..=4 {
            for j in -4..=4 {
                let (x, y) = (0.3 * f64::from(i), 0.3 * f64::from(j));
                if i == 0 && j == 0 {
                    continue;
                }
                let (a, b) = flow_end(plane, x, y, 60.0);
                let (p, q) = match plane.end_of(x, y).unwrap() {
                    XyEnd::Teacher => (1.0, 0.0),
                    XyEnd::Saddle => (plane.saddle().x, plane.saddle().y),
                    XyEnd::NegativeSaddle => (plane.negative_saddle().x, plane.negative_saddle().y),
                    XyEnd::Exchanged => (0.0, 1.0),
                    XyEnd::Spurious => plane.find_spurious().map(|p| (p.x, p.y)).unwrap(),
                };
                assert!(
                    (a - p).hypot(b - q) < 1e-4,
                    "K = {units}: ({x}, {y}) ends at ({a}, {b}), not ({p}, {q})"
                );
            }
        }
    }
}

#[test]
fn golden_flow_and_descent_of_the_plane() {
    let data = read("dynamics2d.json");
    for row in list(&data["trajectories"]) {
        let plane = XyPlane::try_new(count(&row["K"])).unwrap();
        let (x, y) = flow_end(plane, number(&row["x0"]), number(&row["y0"]), number(&row["T"]));
        // Fourth order with steps of 1/20 of the local scale, independent of the crate's integrator.
        assert!(
            (x - number(&row["x"])).abs() < 1e-6 && (y - number(&row["y"])).abs() < 1e-6,
            "{row}: {x} {y}"
        );
    }
    let mut worst = Worst::new("gradient descent of the plane");
    for row in list(&data["gradient_descent"]) {
        let plane = XyPlane::try_new(count(&row["K"])).unwrap();
        let mut point = [number(&row["x0"]), number(&row["y0"])];
        let (mut g, eta) = ([0.0; 2], number(&row["eta"]));
        for _ in 0..count(&row["steps"]) {
            plane.gradient(&point, &mut g);
            point = [point[0] - eta * g[0], point[1] - eta * g[1]];
        }
        worst.check(point[0], number(&row["x"]), 1e-14, || format!("{row}"));
        worst.check(point[1], number(&row["y"]), 1e-14, || format!("{row}"));
    }
}

#[test]
fn bad_points_are_refused_by_name() {
    let plane = XyPlane::try_new(3).unwrap();
    assert_eq!(plane.field(f64::NAN, 0.0).unwrap_err().to_string(), "x = NaN is not finite");
    assert!(plane.field(0.0, 0.0).is_err() && plane.loss_at(0.0, 0.0).is_ok());
    assert!(XyPlane::try_new(1).is_err());
    assert!(XyPlane::try_new(2).unwrap().find_spurious().is_err());
    let network = GroupOrbit::try_new(FiniteGroup::cyclic(2).unwrap(), &[1.0, 0.0]).unwrap();
    assert!(network.reduced_gradient(&[0.0, 0.0]).is_err());
    assert!(network.full_loss(&[0.0, 0.0]).unwrap() > 0.0);
    assert!(network.reduced_gradient(&[0.0, f64::INFINITY]).is_err());
}

#[test]
fn the_linearisation_is_minus_the_jacobian_and_holds_the_slowest_rate() {
    for units in [2, 3, 5, 10, 100] {
        let plane = XyPlane::try_new(units).unwrap();
        let (at, minus) = (plane.jacobian(1.0, 0.0).unwrap(), plane.linearisation());
        for (a, b) in at.as_flattened().iter().zip(minus.as_flattened()) {
            assert!((a + b).abs() <= allowed("XyPlane::linearisation", units as f64), "K = {units}: {a} {b}");
        }
        let spectrum = plane.spectrum(1.0, 0.0).unwrap();
        let slowest = spectrum[0].value.min(spectrum[1].value);
        assert!(
            (plane.slowest_rate() - slowest).abs() <= allowed("XyPlane::slowest_rate", 1.0),
            "K = {units}"
        );
        let smallest = plane.smallest_eigenvalue(1.0, 0.0).unwrap();
        let want = 0.25 - 0.5 / std::f64::consts::PI;
        assert!((smallest - want).abs() <= allowed("XyPlane::smallest_eigenvalue", 1.0), "K = {units}");
    }
}

/// Both implementors of `Landscape`: the crate's gradient flow against the golden end points, for starts down to 1e-3.
#[test]
fn golden_trajectories_by_the_gradient_flow_of_the_crate() {
    use popgrad::{FlowOptions, GradientFlow, Status, StopRule};
    for row in list(&read("dynamics2d.json")["trajectories"]) {
        let units = count(&row["K"]);
        let at = |key: &str| number(&row[key]);
        let stop = StopRule { time: Some(at("T")), ..StopRule::default() };
        let options = || FlowOptions { rtol: 1e-11, stop, ..FlowOptions::default() };
        let plane = XyPlane::try_new(units).unwrap();
        let end = GradientFlow::try_new(plane, &[at("x0"), at("y0")], options()).unwrap().run();
        assert_eq!(end.status, Status::TimeLimit);
        // The local errors of some hundred steps, magnified by at most the detour past the saddle.
        assert!((end.point[0] - at("x")).hypot(end.point[1] - at("y")) < 1e-8, "{row}: {:?}", end.point);
        let (mut axis, mut start) = (vec![0.0; units], vec![at("y0"); units]);
        (axis[0], start[0]) = (1.0, at("x0"));
        let orbit = GroupOrbit::try_new(FiniteGroup::cyclic(units).unwrap(), &axis).unwrap();
        let end = GradientFlow::try_new(orbit, &start, options()).unwrap().run();
        assert!((end.point[0] - at("x")).hypot(end.point[1] - at("y")) < 1e-8, "{row}: {:?}", end.point);
    }
}

/// A start of size 1e-12 loses its length at first and keeps its later path: the end matches that from 1e-3 on the axis.
#[test]
fn starts_of_size_one_in_a_million_millions_are_no_trouble() {
    use popgrad::{FlowOptions, GradientFlow, Status, StopRule};
    for units in [2, 5, 50] {
        let plane = XyPlane::try_new(units).unwrap();
        let stop = StopRule { gradient_norm: Some(1e-12), ..StopRule::default() };
        let options = FlowOptions { stop, ..FlowOptions::default() };
        let end = GradientFlow::try_new(plane, &[1e-12, 3e-13], options).unwrap().run();
        assert_eq!(end.status, Status::Converged, "K = {units}");
        assert!((end.point[0] - 1.0).hypot(end.point[1]) < 1e-10, "K = {units}: {:?}", end.point);
    }
}
