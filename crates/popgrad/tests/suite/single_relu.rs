//! One student and one teacher: the exact flow, Theorems 5 and 6, the incomplete beta function.

use crate::fixture::{Worst, allowed, count, list, number, numbers, read};
use popgrad::{
    RandomStream, SingleReluFlow, THEOREM5_CRITICAL_ANGLE, ball_probability, distance_decrease, gating,
    gaussian_probability, in_omega, incomplete_beta, kernel, log_incomplete_beta, single_relu_gradient,
    single_relu_loss, theorem5_determinant, theorem5_matrix, theorem6_bound, theorem6_radius,
};
use proptest::prelude::*;
use std::f64::consts::PI;

const EPS: f64 = f64::EPSILON;

fn norm(u: &[f64]) -> f64 {
    u.iter().fold(0.0_f64, |m, x| m.hypot(*x))
}

#[test]
fn golden_loss_and_gradient() {
    let (mut gradient, mut near) = (Worst::new("single gradient"), Worst::new("single gradient near v"));
    let mut loss = Worst::new("single loss");
    for row in list(&read("single_relu_points.json")["static"]) {
        let (w, v, e) = (numbers(&row["w"]), numbers(&row["v"]), number(&row["e"]));
        let place = || format!("w = {w:?}");
        let want = numbers(&row["gradient"]);
        for (g, want) in single_relu_gradient(&w, &v).unwrap().iter().zip(&want) {
            gradient.check(*g, *want, allowed("single_relu_gradient", norm(&w) + norm(&v)), place);
            if e < 0.1 {
                near.check(*g, *want, allowed("single_relu_gradient#near", e), place);
            }
        }
        let want = number(&row["loss"]);
        loss.check(single_relu_loss(&w, &v).unwrap(), want, allowed("single_relu_loss", want), place);
    }
}

#[test]
fn golden_flow_of_the_table() {
    let (mut angle, mut position) = (Worst::new("flow angle"), Worst::new("flow position"));
    let mut conserved = Worst::new("flow conserved quantity");
    for case in list(&read("single_relu_flow.json")["cases"]) {
        let flow = SingleReluFlow::try_new(&numbers(&case["w0"]), &numbers(&case["v"])).unwrap();
        let want = number(&case["C"]);
        conserved.check(flow.conserved(), want, allowed("SingleReluFlow::conserved", want), || {
            format!("{}", case["w0"])
        });
        for point in list(&case["points"]) {
            let t = number(&point["t"]);
            let place = || format!("w0 = {}, t = {t}", case["w0"]);
            let theta = number(&point["theta"]);
            angle.check(
                flow.angle(t).unwrap().theta,
                theta,
                allowed("SingleReluFlow::angle", (1.0 + t) * theta),
                place,
            );
            let want = numbers(&point["w"]);
            for (g, w) in flow.position(t).unwrap().iter().zip(&want) {
                position.check(*g, *w, allowed("SingleReluFlow::position", (1.0 + t) * norm(&want)), place);
            }
            let r = norm(&want) / norm(&numbers(&case["v"]));
            position.check(
                flow.radius(t).unwrap(),
                r,
                allowed("SingleReluFlow::radius", (1.0 + t) * r),
                place,
            );
        }
    }
}

#[test]
fn golden_deviation_and_loss_along_the_flow() {
    let (mut deviation, mut loss) = (Worst::new("flow deviation"), Worst::new("flow loss"));
    for row in list(&read("single_relu_points.json")["flow"]) {
        let flow = SingleReluFlow::try_new(&numbers(&row["w0"]), &numbers(&row["v"])).unwrap();
        let t = number(&row["t"]);
        let place = || format!("w0 = {}, t = {t}", row["w0"]);
        let want = numbers(&row["deviation"]);
        for (g, w) in flow.deviation(t).unwrap().iter().zip(&want) {
            deviation.check(*g, *w, allowed("SingleReluFlow::deviation", (1.0 + t) * norm(&want)), place);
        }
        let want = number(&row["loss"]);
        loss.check(flow.loss(t).unwrap(), want, allowed("SingleReluFlow::loss", (1.0 + t) * want), place);
    }
}

#[test]
fn golden_theorem5() {
    let data = read("theorem5_6.json");
    assert_eq!(THEOREM5_CRITICAL_ANGLE, number(&data["theta_c"]));
    let (mut matrix, mut determinant) = (Worst::new("theorem 5 matrix"), Worst::new("theorem 5 determinant"));
    for row in list(&data["M"]) {
        let r = numbers(row);
        let [[a, b], [c, d]] = theorem5_matrix(r[0]).unwrap();
        assert_eq!(b, c);
        for (got, want) in [(a, r[1]), (b, r[2]), (d, r[3])] {
            matrix.check(got, want, allowed("theorem5_matrix", PI), || format!("theta = {}", r[0]));
        }
        let allowed = allowed("theorem5_determinant", if r[0] <= 2.0 { r[4] } else { 4.0 });
        determinant.check(theorem5_determinant(r[0]).unwrap(), r[4], allowed, || format!("theta = {}", r[0]));
    }
    let (below, above) = (THEOREM5_CRITICAL_ANGLE - 1e-14, THEOREM5_CRITICAL_ANGLE + 1e-14);
    assert!(theorem5_determinant(below).unwrap() > 0.0 && theorem5_determinant(above).unwrap() < 0.0);
}

#[test]
fn golden_ball_probability() {
    let mut worst = Worst::new("ball probability");
    let rows = read("theorem5_6.json")["ball_probability"].clone();
    let more = read("probabilities.json")["ball"].clone();
    for row in list(&rows).iter().chain(list(&more)) {
        let (d, r, want) = (count(&row[0]), number(&row[1]), number(&row[2]));
        let allowed = allowed("ball_probability", (1.0 + want.ln().abs()) * want);
        worst.check(ball_probability(d, r).unwrap(), want, allowed, || format!("d = {d}, r = {r}"));
    }
}

/// Theorem 6 as the paper states it, and its limit for many dimensions.
#[test]
fn paper_theorem6_bound_holds_and_is_not_tight() {
    let mut worst = Worst::new("theorem 6 rows");
    for row in list(&read("theorem5_6.json")["bound"]) {
        let (d, eps) = (count(&row[0]), number(&row[1]));
        let r = theorem6_radius(d, eps).unwrap();
        worst.check(r, number(&row[2]), allowed("theorem6_radius", r), || format!("{row}"));
        let (bound, p) = (theorem6_bound(eps).unwrap(), ball_probability(d, r).unwrap());
        worst.check(bound, number(&row[3]), allowed("theorem6_bound", bound), || format!("{row}"));
        worst.check(p, number(&row[4]), 16.0 * EPS * p, || format!("{row}"));
        assert!(p >= bound, "d = {d}, eps = {eps}: {p} < {bound}");
    }
    let far = ball_probability(1_000_000, theorem6_radius(1_000_000, 0.5).unwrap()).unwrap();
    let limit = 0.5 * libm::erfc(0.5 * PI.sqrt() / 2.0); // Phi(-eps sqrt(pi/2))
    assert!((far - limit).abs() < 1e-6, "{far} {limit}");
}

#[test]
fn golden_gaussian_probability() {
    let mut worst = Worst::new("gaussian probability");
    for row in list(&read("probabilities.json")["gaussian"]) {
        let (d, sd, want) = (count(&row[0]), number(&row[1]), number(&row[2]));
        let allowed = allowed("gaussian_probability", (1.0 + want.ln().abs()) * want);
        worst.check(gaussian_probability(d, sd).unwrap(), want, allowed, || format!("d = {d}, sd = {sd}"));
    }
}

#[test]
fn golden_incomplete_beta() {
    let (mut value, mut log) = (Worst::new("incomplete beta"), Worst::new("log incomplete beta"));
    for row in list(&read("probabilities.json")["beta"]) {
        let r = numbers(row);
        let place = || format!("p = {}, x = {:e}", r[0], r[2]);
        let scale = 2.0 + r[4].abs();
        let got = incomplete_beta(r[0], r[1], r[2]).unwrap();
        value.check(got, r[3], allowed("incomplete_beta", scale * r[3]), place);
        log.check(
            log_incomplete_beta(r[0], r[1], r[2]).unwrap(),
            r[4],
            allowed("log_incomplete_beta", scale),
            place,
        );
    }
}

/// With deviation `c / d` the chance has a limit: `P -> Phi(-c/2)`, as `|w|^2 -> c^2/d |v|^2` against `2 w.v`.
#[test]
fn paper_gaussian_starts_in_very_many_dimensions() {
    let d = 1_000_000;
    let p = gaussian_probability(d, 0.5 / d as f64).unwrap();
    let limit = 0.5 * libm::erfc(0.25 / 2.0_f64.sqrt());
    assert!((p - limit).abs() < 1e-6, "{p} {limit}");
}

/// Fractions of starts in Omega, counted: an independent check of (S.15) and (S.18) with a seeded stream.
#[test]
fn independent_monte_carlo_of_omega() {
    let draws = 200_000;
    for (d, r) in [(2, 0.7), (3, 1.6), (8, 0.3)] {
        let mut stream = RandomStream::new(20_250_101, d as u64);
        let mut v = vec![0.0; d];
        v[0] = 1.0;
        let (mut ball, mut gauss) = (0_u32, 0_u32);
        for _ in 0..draws {
            let w: Vec<f64> = (0..d).map(|_| stream.normal()).collect();
            // Radius from the inverse of its distribution function, (rho/r)^d.
            let length = r * stream.uniform().powf(1.0 / d as f64) / norm(&w);
            let inside: Vec<f64> = w.iter().map(|x| length * x).collect();
            ball += u32::from(in_omega(&inside, &v).unwrap());
            let scaled: Vec<f64> = w.iter().map(|x| r * x).collect();
            gauss += u32::from(in_omega(&scaled, &v).unwrap());
        }
        for (hits, p) in
            [(ball, ball_probability(d, r).unwrap()), (gauss, gaussian_probability(d, r).unwrap())]
        {
            let share = f64::from(hits) / f64::from(draws);
            let deviation = (p * (1.0 - p) / f64::from(draws)).sqrt();
            assert!((share - p).abs() < 5.0 * deviation, "d = {d}, r = {r}: {share} against {p}");
        }
    }
}

/// `J` by quadrature over the circle: for `d = 2`, `x = rho (cos, sin)` and the radial part is `E rho^2 = 2`.
#[test]
fn independent_quadrature_of_the_loss() {
    let (w, v) = ([0.3, -0.8], [1.1, 0.4]);
    let steps = 400_000;
    let sum: f64 = (0..steps)
        .map(|i| {
            let a = 2.0 * PI * (f64::from(i) + 0.5) / f64::from(steps);
            let out = |u: [f64; 2]| (u[0] * a.cos() + u[1] * a.sin()).max(0.0);
            let gap = out(w) - out(v);
            gap * gap
        })
        .sum();
    let want = 0.5 * 2.0 * sum / f64::from(steps);
    let got = single_relu_loss(&w, &v).unwrap();
    assert!((got - want).abs() < 1e-10, "{got} {want}"); // the midpoint rule errs by (2 pi/steps)^2 at the kinks
}

/// Weights in general position, and close to the two ends of the angle.
fn start() -> impl Strategy<Value = (Vec<f64>, Vec<f64>)> {
    let generic = (prop::array::uniform3(-1.5..1.5_f64), prop::array::uniform3(-1.5..1.5_f64))
        .prop_map(|(w, v)| (w.to_vec(), v.to_vec()));
    let near = (0.2..2.0_f64, -9.0..-1.0_f64, any::<bool>()).prop_map(|(r, log, opposite)| {
        (vec![if opposite { -r } else { r }, 10_f64.powf(log), 0.0], vec![1.0, 0.0, 0.0])
    });
    prop_oneof![generic, near].prop_filter("not tiny", |(w, v)| norm(w) > 0.05 && norm(v) > 0.05)
}

proptest! {
    // The solution satisfies dw/dt = -grad J: derivative family, central difference in time.
    #[test]
    fn the_solution_solves_the_flow((w, v) in start(), t in 0.01..8.0_f64) {
        let flow = SingleReluFlow::try_new(&w, &v).unwrap();
        let e = 1e-4;
        let (a, b) = (flow.position(t - e).unwrap(), flow.position(t + e).unwrap());
        let at = flow.position(t).unwrap();
        let g = single_relu_gradient(&at, &v).unwrap();
        // Third time derivative: of order (|w| + |v|) (|v|/|w|)^3.
        let (n, m) = (norm(&at), norm(&v));
        let allowed = 1e-9 * (n + m) * (1.0 + m / n).powi(3) + 1e-11 * m;
        for i in 0..3 {
            prop_assert!(((b[i] - a[i]) / (2.0 * e) + g[i]).abs() <= allowed, "entry {i}");
        }
    }

    // Going on from the middle gives the same end: the semigroup property.
    #[test]
    fn the_solution_is_a_semigroup((w, v) in start(), t in 0.0..5.0_f64, s in 0.0..5.0_f64) {
        let flow = SingleReluFlow::try_new(&w, &v).unwrap();
        prop_assume!(flow.angle(0.0).unwrap().psi > 1e-2);
        let middle = SingleReluFlow::try_new(&flow.position(t).unwrap(), &v).unwrap();
        let (a, b) = (flow.position(t + s).unwrap(), middle.position(s).unwrap());
        for (x, y) in a.iter().zip(&b) {
            prop_assert!((x - y).abs() <= 1e-11 * (norm(&w) + norm(&v)), "{x} {y}");
        }
    }

    #[test]
    fn times_to_angles_and_losses_come_back((w, v) in start(), t in 0.1..20.0_f64) {
        let flow = SingleReluFlow::try_new(&w, &v).unwrap();
        let at = flow.angle(t).unwrap().theta;
        prop_assume!(at > 0.0 && at < flow.angle(0.0).unwrap().theta && flow.angle(0.0).unwrap().psi > 1e-3);
        prop_assert!((flow.time_to_angle(at).unwrap() - t).abs() <= allowed("SingleReluFlow::time_to_angle", 1.0 + t));
        let time = flow.time_to_loss(flow.loss(t).unwrap()).unwrap();
        // The loss is flat where the student is nearly zero, so compare losses, not times.
        let (a, b) = (flow.loss(time).unwrap(), flow.loss(t).unwrap());
        prop_assert!((a - b).abs() <= allowed("SingleReluFlow::time_to_loss", b), "{time} {t}");
    }

    #[test]
    fn gradient_is_the_difference_of_gating_values((w, v) in start()) {
        let (own, other) = (gating(&w, &w).unwrap(), gating(&w, &v).unwrap());
        let g = single_relu_gradient(&w, &v).unwrap();
        for i in 0..3 {
            prop_assert!((own[i] - other[i] - g[i]).abs() <= 32.0 * EPS * (norm(&w) + norm(&v)));
        }
        let j = 0.5 * (kernel(&w, &w).unwrap() - 2.0 * kernel(&w, &v).unwrap() + kernel(&v, &v).unwrap());
        let size = norm(&w) + norm(&v);
        prop_assert!((single_relu_loss(&w, &v).unwrap() - j).abs() <= 16.0 * EPS * size * size);
    }

    // (S.4): the two forms of dV/dt, and its sign inside Omega.
    #[test]
    fn theorem5_is_the_decrease_of_the_distance((w, v) in start()) {
        let (n, m) = (norm(&w), norm(&v));
        let theta = popgrad::angle(&w, &v).unwrap().theta;
        let [[a, b], [_, d]] = theorem5_matrix(theta).unwrap();
        let want = -(a * n * n + 2.0 * b * n * m + d * m * m) / (2.0 * PI);
        let got = distance_decrease(&w, &v).unwrap();
        prop_assert!((got - want).abs() <= allowed("distance_decrease", (n + m) * (n + m)), "{got} {want}");
        if in_omega(&w, &v).unwrap() {
            prop_assert!(got <= 0.0 && theta < PI / 2.0);
        }
    }

    // The chance falls with the radius and stays below one half.
    #[test]
    fn probabilities_fall_with_the_radius(d in 1_usize..5000, r in 1e-4..2.5_f64, more in 1e-3..0.5_f64) {
        let (a, b) = (ball_probability(d, r).unwrap(), ball_probability(d, r + more).unwrap());
        prop_assert!(b <= a * (1.0 + 1e-13) && a <= 0.5 * (1.0 + 1e-13) && b >= 0.0, "{a} {b}");
        let sd = r / (d as f64).sqrt();
        let g = gaussian_probability(d, sd).unwrap();
        prop_assert!((0.0..=0.5 * (1.0 + 1e-12)).contains(&g));
    }
}

#[test]
fn the_line_through_the_teacher() {
    // theta = 0: r - 1 decays like exp(-t/2); theta = pi: the student shrinks to zero and never turns.
    let along = SingleReluFlow::try_new(&[3.0, 0.0], &[1.0, 0.0]).unwrap();
    let w = along.position(2.0).unwrap();
    assert!((w[0] - (1.0 + 2.0 * (-1.0_f64).exp())).abs() < 4.0 * EPS && w[1] == 0.0);
    assert_eq!(along.conserved(), f64::INFINITY);
    let against = SingleReluFlow::try_new(&[-3.0, 0.0], &[1.0, 0.0]).unwrap();
    assert!(!against.reaches_teacher());
    assert!((against.position(2.0).unwrap()[0] + 3.0 * (-1.0_f64).exp()).abs() < 4.0 * EPS);
    assert!((against.loss(2000.0).unwrap() - 0.25).abs() < EPS);
    assert!(against.time_to_loss(0.2).is_err() && against.time_to_angle(1.0).is_err());
    assert!(against.time_to_loss(0.3).is_ok());
}

#[test]
fn bad_arguments_are_refused_by_name() {
    assert_eq!(
        SingleReluFlow::try_new(&[0.0], &[1.0]).unwrap_err().to_string(),
        "w0 is the zero vector, which has no direction"
    );
    let flow = SingleReluFlow::try_new(&[0.5, 0.5], &[1.0, 0.0]).unwrap();
    assert_eq!(flow.angle(-1.0).unwrap_err().to_string(), "time t = -1 must be finite and not negative");
    assert!(flow.time_to_angle(2.0).is_err() && flow.time_to_loss(1e9).is_err());
    assert!(theorem5_matrix(4.0).is_err() && theorem5_determinant(f64::NAN).is_err());
    assert_eq!(ball_probability(3, -1.0).unwrap_err().to_string(), "radius = -1 must be positive and finite");
    assert!(ball_probability(0, 1.0).is_err() && gaussian_probability(2, f64::INFINITY).is_err());
    assert!(!in_omega(&[0.0, 0.0], &[1.0, 0.0]).unwrap());
}
