//! Angle, kernel, gating function, second derivatives and laws of the input: golden values, scaling, derivatives.

use crate::fixture::{Worst, allowed, count, list, number, numbers, read};
use popgrad::{InputLaw, angle, angular_c1, angular_h, gating, joint_activation, kernel, kernel_hessian};
use proptest::prelude::*;
use serde_json::Value;

fn norm(u: &[f64]) -> f64 {
    u.iter().fold(0.0_f64, |m, x| m.hypot(*x))
}

fn distance(u: &[f64], v: &[f64]) -> f64 {
    u.iter().zip(v).fold(0.0_f64, |m, (a, b)| m.hypot(a - b))
}

/// The fixture's pairs of vectors that both have a direction.
fn pairs(each: impl Fn(&str, &[f64], &[f64], &Value)) {
    let file = read("kernel_pairs.json");
    let cases = list(&file["cases"]);
    assert!(cases.len() >= 39, "the fixture is not whole");
    for case in cases {
        each(case["label"].as_str().unwrap(), &numbers(&case["u"]), &numbers(&case["v"]), case);
    }
}

#[test]
fn golden_angle_kernel_and_probability() {
    let names = ["angle#theta", "angle#psi", "kernel", "joint_activation"];
    let worst = names.map(|n| std::cell::RefCell::new(Worst::new(n)));
    pairs(|label, u, v, case| {
        let a = angle(u, v).unwrap();
        let got = [a.theta, a.psi, kernel(u, v).unwrap(), joint_activation(u, v).unwrap()];
        let want = ["theta", "pi_minus_theta", "kernel", "gate_prob"].map(|key| number(&case[key]));
        let cube = f64::EPSILON * f64::EPSILON * f64::EPSILON * norm(u) * norm(v);
        let floors = [f64::EPSILON, f64::EPSILON, cube, f64::EPSILON];
        for i in 0..4 {
            let most = allowed(names[i], want[i] + floors[i]);
            worst[i].borrow_mut().check(got[i], want[i], most, || label.into());
        }
    });
}

#[test]
fn golden_gating_function() {
    let worst = std::cell::RefCell::new(Worst::new("gating"));
    pairs(|label, u, v, case| {
        for (e, w, key) in [(u, v, "F_u_v"), (v, u, "F_v_u")] {
            let error = distance(&gating(e, w).unwrap(), &numbers(&case[key]));
            worst.borrow_mut().check(error, 0.0, allowed("gating", norm(w)), || format!("{label}, {key}"));
        }
    });
}

#[test]
fn golden_second_derivatives() {
    let own = std::cell::RefCell::new(Worst::new("kernel_hessian#own"));
    let cross = std::cell::RefCell::new(Worst::new("kernel_hessian#cross"));
    pairs(|label, u, v, case| {
        let got = kernel_hessian(u, v).unwrap();
        let ratio = norm(v) / norm(u);
        for i in 0..u.len() {
            for j in 0..u.len() {
                let place = || format!("{label}, entry ({i}, {j})");
                let want = number(&case["H1_u"][i][j]);
                own.borrow_mut().check(got.own.row(i)[j], want, allowed("kernel_hessian#own", ratio), place);
                let want = number(&case["H2_uv"][i][j]);
                cross.borrow_mut().check(
                    got.cross.row(i)[j],
                    want,
                    allowed("kernel_hessian#cross", 1.0),
                    place,
                );
            }
        }
    });
}

#[test]
fn golden_scalar_functions() {
    let (mut c1, mut h) = (Worst::new("angular_c1"), Worst::new("angular_h"));
    for case in list(&read("scalar_functions.json")["rows"]) {
        let t = number(&case["t"]);
        let (want_c1, want_h) = (number(&case["c1"]), number(&case["h"]));
        c1.check(angular_c1(t), want_c1, allowed("angular_c1", want_c1), || format!("t = {t:e}"));
        // The fixture holds h at the double t; at the double nearest pi that is h(pi - 1.2e-16), not 0.
        h.check(angular_h(t), want_h, allowed("angular_h", want_h), || format!("t = {t:e}"));
    }
}

#[test]
fn golden_kappa() {
    let mut worst = Worst::new("InputLaw::kappa");
    for case in list(&read("leaky_skip.json")["kappa"]) {
        let law = match case["law"].as_str().unwrap().split(' ').collect::<Vec<_>>()[..] {
            ["uniform", "on", ..] => InputLaw::Sphere { radius: number(&case["R"]) },
            ["uniform", "in", ..] => InputLaw::Ball { radius: number(&case["R"]) },
            ["multivariate", ..] => InputLaw::StudentT { nu: number(&case["nu"]) },
            _ => InputLaw::Kappa(number(&case["kappa"])),
        };
        let want = number(&case["kappa"]);
        let got = law.kappa(count(&case["d"])).unwrap();
        worst.check(got, want, allowed("InputLaw::kappa", want), || format!("{law:?}"));
    }
}

/// Pairs at a small angle from 0 or pi, exact by construction: `u` on an axis, `v` a little off it.
fn near_parallel() -> impl Strategy<Value = (Vec<f64>, Vec<f64>)> {
    (1.0_f64..2.0, 1.0_f64..2.0, -15.0_f64..-1.0, any::<bool>()).prop_map(|(a, b, exponent, opposite)| {
        let off = libm::exp10(exponent);
        (vec![a, 0.0, 0.0], vec![if opposite { -b } else { b }, off, off / 2.0])
    })
}

/// Pairs in general position.
fn generic() -> impl Strategy<Value = (Vec<f64>, Vec<f64>)> {
    let entries = || prop::collection::vec(-1.0_f64..1.0, 4).prop_filter("not tiny", |x| norm(x) > 0.1);
    (entries(), entries())
}

/// Powers of two within 1e-150..1e150: scaling by them is exact.
fn power_of_two() -> impl Strategy<Value = f64> {
    (-498_i32..=498).prop_map(|e| libm::ldexp(1.0, e))
}

proptest! {
    #[test]
    fn property_scaling_by_powers_of_two_moves_the_last_bits_at_most(
        (u, v) in prop_oneof![generic(), near_parallel()], s in power_of_two(), t in power_of_two()
    ) {
        let (us, vt): (Vec<f64>, Vec<f64>) =
            (u.iter().map(|x| x * s).collect(), v.iter().map(|x| x * t).collect());
        prop_assert_eq!(angle(&us, &vt).unwrap(), angle(&u, &v).unwrap());
        let k = kernel(&u, &v).unwrap() * s * t;
        prop_assert!((kernel(&us, &vt).unwrap() - k).abs() <= allowed("kernel", k));
        let scaled: Vec<f64> = gating(&u, &v).unwrap().iter().map(|x| x * t).collect();
        let moved = distance(&gating(&us, &vt).unwrap(), &scaled);
        prop_assert!(moved <= allowed("gating", norm(&v) * t));
    }

    #[test]
    fn property_kernel_is_symmetric_and_its_gradient_is_the_gating_function(
        (u, v) in prop_oneof![generic(), near_parallel()]
    ) {
        let (there, back) = (kernel(&u, &v).unwrap(), kernel(&v, &u).unwrap());
        prop_assert!((there - back).abs() <= 2.0 * allowed("kernel", there));
        // Euler: u . F(u, v) = k(u, v), for F(u, v) = dk/du of degree 0 in u.
        let along: f64 = gating(&u, &v).unwrap().iter().zip(&u).map(|(f, x)| f * x).sum();
        prop_assert!((along - there).abs() <= 2.0 * allowed("gating", norm(&u) * norm(&v)));
    }

    #[test]
    fn derivative_gating_function_against_differences_of_the_kernel((u, v) in generic()) {
        let f = gating(&u, &v).unwrap();
        let h = 1e-5; // truncation ~ h^2 |v| / |u|^2, rounding ~ EPSILON |u| |v| / h: both below 1e-8 here
        for i in 0..u.len() {
            let at = |sign: f64| {
                let mut moved = u.clone();
                moved[i] += sign * h;
                kernel(&moved, &v).unwrap()
            };
            prop_assert!(((at(1.0) - at(-1.0)) / (2.0 * h) - f[i]).abs() < 1e-8 / norm(&u));
        }
    }
}
