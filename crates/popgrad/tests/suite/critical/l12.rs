//! `L12` and `L21`: golden values down to the ends of every range, and maps of values and signs.

use crate::fixture::{Worst, allowed, count, list, number, read, row};
use popgrad::{L12Error, L12Map, Level, SignAdvance, SignForm, SignSurvey, l12, l12_numerator, l21};

#[test]
fn golden_values_at_hard_doubles() {
    let mut worst = [Worst::new("l12_numerator"), Worst::new("l12"), Worst::new("l21")];
    for entry in list(&read("l12_points.json")["rows"]) {
        let [theta, phi, f, one, two] = [0, 1, 2, 3, 4].map(|i| number(&list(entry)[i]));
        let got = [l12_numerator(theta, phi), l12(theta, phi), l21(theta, phi)].map(Result::unwrap);
        for ((w, got), (name, want)) in
            worst.iter_mut().zip(got).zip([("l12_numerator", f), ("l12", one), ("l21", two)])
        {
            w.check(got, want, allowed(name, want), || format!("theta = {theta:e}, phi = {phi:e}"));
        }
    }
}

/// The published table stands on the grid of 1001 x 65 angles.
#[test]
fn golden_values_on_the_grid() {
    let map = L12Map::try_new(1001, 65).unwrap();
    let mut worst = Worst::new("L12Map::value");
    let mut rows = Worst::new("L12Map::values_into");
    let mut buffer = vec![0.0; 65];
    for entry in list(&read("l12_grid.json")["rows"]) {
        let (i, m) = (count(&list(entry)[0]), count(&list(entry)[1]));
        let (want, want_two) = (number(&list(entry)[2]), number(&list(entry)[3]));
        let place = || format!("row {i}, column {m}");
        worst.check(map.value(i, m).unwrap(), want, allowed("L12Map::value", want), place);
        map.values_into(i..i + 1, &mut buffer).unwrap();
        rows.check(buffer[m], want, allowed("L12Map::values_into", 1.0), place);
        // The rounded angles lie beside the grid's: relative to the distance from the nearest zero.
        let (theta, phi) = (map.theta(i), map.phi(m));
        let near = (phi - theta).abs().min(phi).min(theta).min(std::f64::consts::PI - theta);
        let loose = 64.0 * f64::EPSILON * want_two.abs() / near.min(1.0);
        assert!((l21(theta, phi).unwrap() - want_two).abs() <= loose, "{}", place());
    }
}

#[test]
fn zeros_are_exact() {
    for theta in [0.0, 1e-300, 1e-60, 1e-9, 1.0, 3.0, std::f64::consts::PI] {
        for phi in [0.0, theta] {
            assert_eq!(l12(theta, phi).unwrap(), 0.0);
            assert_eq!(l21(theta, phi).unwrap(), 0.0);
        }
        assert!(l12_numerator(theta, 5e-324).unwrap() >= 0.0);
    }
    assert_eq!(l12(0.0, 2.0).unwrap(), 0.0);
}

#[test]
fn angles_out_of_range_are_refused() {
    let message = l12(-0.1, 0.0).unwrap_err().to_string();
    assert_eq!(message, "theta = -0.1 radians is outside [0, 3.141592653589793]");
    for (theta, phi) in [(f64::NAN, 0.0), (1.0, f64::NAN), (1.0, 7.0), (1.0, -3.2), (4.0, 0.0)] {
        assert!(matches!(l21(theta, phi), Err(L12Error::Angle { .. })), "{theta} {phi}");
    }
    let message = L12Map::try_new(1, 5).unwrap_err().to_string();
    assert_eq!(message, "the grid has 1 x 5 angles; each number must be from 2 to 4000000");
    let map = L12Map::try_new(3, 4).unwrap();
    assert!(map.value(3, 0).is_err() && map.values_into(0..4, &mut [0.0; 16]).is_err());
    let message = map.values_into(0..2, &mut [0.0; 7]).unwrap_err().to_string();
    assert_eq!(message, "the buffer holds 7 entries; 2 rows of 4 need 8");
}

/// Property: on grids of every parity and shape, each value of the vectors is the scalar's, and each sign the conjectured.
#[test]
fn vectors_agree_with_the_scalar_form_on_many_grids() {
    let mut worst = Worst::new("L12Map::values_into");
    for (thetas, phis) in
        [(2, 2), (2, 9), (3, 3), (5, 9), (7, 64), (33, 65), (64, 100), (101, 1001), (257, 40)]
    {
        let map = L12Map::try_new(thetas, phis).unwrap();
        let (mut values, mut signs) = (vec![0.0; thetas * phis], vec![2; thetas * phis]);
        let mut plain = signs.clone();
        map.values_into(0..thetas, &mut values).unwrap();
        map.signs_into(0..thetas, SignForm::Certified, &mut signs).unwrap();
        map.signs_into(0..thetas, SignForm::Plain, &mut plain).unwrap();
        for i in 0..thetas {
            for m in 0..phis {
                let (at, want) = (i * phis + m, map.value(i, m).unwrap());
                let place = || format!("{thetas} x {phis}, row {i}, column {m}");
                worst.check(values[at], want, allowed("L12Map::values_into", 1.0), place);
                let sign = map.conjectured_sign(i, m);
                assert_eq!((signs[at], plain[at]), (sign, sign), "{}", place());
                assert_eq!(i8::from(values[at] > 0.0) - i8::from(values[at] < 0.0), sign, "{}", place());
                assert_eq!(i8::from(want > 0.0) - i8::from(want < 0.0), sign, "{}", place());
            }
        }
    }
}

#[test]
fn levels_and_cuts_change_no_bit() {
    let fast = L12Map::try_new(40, 333).unwrap();
    let (mut want, mut got) = (vec![0.0; 40 * 333], vec![0.0; 40 * 333]);
    fast.values_into(0..40, &mut want).unwrap();
    for level in Level::available() {
        fast.clone().with_level(level).unwrap().values_into(0..40, &mut got).unwrap();
        assert!(want.iter().zip(&got).all(|(a, b)| a.to_bits() == b.to_bits()), "{level:?}");
    }
    let whole = SignSurvey::new(fast.clone(), SignForm::Certified).run().unwrap();
    let mut pieces = SignSurvey::new(fast, SignForm::Certified);
    let mut steps = 0;
    let end = loop {
        match pieces.advance(7).unwrap() {
            SignAdvance::Running { done, total } => assert!(done < total),
            SignAdvance::Done(count) => break count,
        }
        steps += 1;
    };
    assert_eq!((end, steps), (whole, 5));
}

/// Paper: Fig. 10 (c), every seventeenth row of the full map here; the whole map is a claim of the reproduction.
#[test]
fn the_papers_map_has_no_false_sign() {
    let map = L12Map::try_new(10_000, 20_000).unwrap();
    let mut signs = vec![0; 20_000];
    let mut again = 0;
    for i in (0..10_000).step_by(17).chain([1, 2, 3, 9997, 9998, 9999]) {
        for form in [SignForm::Plain, SignForm::Certified] {
            again += map.signs_into(i..i + 1, form, &mut signs).unwrap();
            let wrong = (0..20_000).find(|&m| signs[m] != map.conjectured_sign(i, m));
            assert_eq!(wrong, None, "row {i}, {form:?}");
        }
    }
    println!("{again} points evaluated again");
    assert!(row("L12Map::value").factor < 1e6, "relative accuracy settles a sign");
}

/// The certified form must notice what it cannot decide: on this grid theta_20 and phi_1 are 4e-12 apart at 1.6e-5, where
/// the bound does not separate the computed value from zero; the point is evaluated again and comes out right.
#[test]
fn doubtful_points_are_settled() {
    let map = L12Map::try_new(4_000_000, 400_001).unwrap();
    let mut signs = vec![0; 400_001];
    let again = map.signs_into(20..21, SignForm::Certified, &mut signs).unwrap();
    assert_eq!(again, 1, "the bound bites at phi_1 only");
    let wrong = (0..400_001).find(|&m| signs[m] != map.conjectured_sign(20, m));
    assert_eq!(wrong, None);
}
