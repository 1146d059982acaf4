//! Intervals against exact arithmetic, against twice the precision, and against golden values; no violation is allowed.
//!
//! Random arguments come from a fixed stream; the adversarial ones crowd zeros and extrema of the functions, the ends of
//! the range of doubles, powers of two with their neighbours, and cancelling pairs.

use crate::double_double::{self as reference, Dd};
use popgrad::RandomStream;
use popgrad_proof::Interval;
use std::f64::consts::{FRAC_PI_2, PI};

const SEED: u64 = 20_170_806;
/// Random pairs for each arithmetic operation, and random arguments for each function.
const PAIRS: usize = 200_000;
const ARGUMENTS: usize = 100_000;

fn point(x: f64) -> Interval {
    Interval::point(x)
}

/// A double with uniform bits of mantissa and an exponent in a range, either sign.
fn spread(stream: &mut RandomStream, exponents: std::ops::Range<i32>) -> f64 {
    let span = f64::from(exponents.end - exponents.start);
    let exponent = f64::from(exponents.start) + (stream.uniform() * span).floor();
    let sign = if stream.uniform() < 0.5 { -1.0 } else { 1.0 };
    sign * (1.0 + stream.uniform()) * exponent.exp2()
}

/// Values at which rounding goes wrong if it goes wrong at all.
fn hard_values() -> Vec<f64> {
    let mut values = vec![0.0, f64::MAX, 5e-324, f64::MIN_POSITIVE, 1.0 / 3.0, 0.1];
    for exponent in [-1074, -1060, -1022, -600, -540, -53, -52, -1, 0, 1, 52, 53, 540, 1023] {
        let x = f64::from(exponent).exp2();
        values.extend([x, x.next_up(), x.next_down()]);
    }
    let negative: Vec<f64> = values.iter().map(|x| -x).collect();
    values.extend(negative);
    values
}

fn pairs() -> Vec<(f64, f64)> {
    let hard = hard_values();
    let mut list: Vec<(f64, f64)> = hard.iter().flat_map(|a| hard.iter().map(|b| (*a, *b))).collect();
    let mut stream = RandomStream::new(SEED, 0);
    for n in 0..PAIRS {
        let wide = n % 2 == 0;
        let range = if wide { -1000..1000 } else { -3..4 };
        let a = spread(&mut stream, range.clone());
        // Every third second operand cancels the first one or repeats it.
        let b = match n % 3 {
            0 => -a * (1.0 + f64::EPSILON * (stream.uniform() * 8.0).floor()),
            _ => spread(&mut stream, range),
        };
        list.push((a, b));
    }
    list
}

/// Whether `x <= a * b` holds exactly, for finite numbers; none where the product's error underflows.
fn at_most_product(x: f64, a: f64, b: f64) -> Option<bool> {
    let p = a * b;
    if !p.is_finite() || (p != 0.0 && p.abs() < 1e-280) || (p == 0.0 && a != 0.0 && b != 0.0) {
        return None;
    }
    let error = a.mul_add(b, -p); // exact: the product is far from underflow
    Some(x < p || (x == p && error >= 0.0))
}

#[test]
fn sums_enclose_the_exact_sum() {
    let mut count = 0_u64;
    for (a, b) in pairs() {
        let sum = point(a) + point(b);
        let s = a + b;
        if !s.is_finite() {
            assert!(sum.lo() == f64::MAX || sum.hi() == f64::MIN, "{a:e} + {b:e}: {sum:?}");
            continue;
        }
        let t = s - a;
        let error = (a - (s - t)) + (b - t); // exact
        let (lo, hi) = (sum.lo(), sum.hi());
        assert!(lo < s || (lo == s && error >= 0.0), "{a:e} + {b:e}: {sum:?}");
        assert!(hi > s || (hi == s && error <= 0.0), "{a:e} + {b:e}: {sum:?}");
        count += 1;
    }
    println!("{count} sums");
}

#[test]
fn products_enclose_the_exact_product() {
    let mut count = 0_u64;
    for (a, b) in pairs() {
        let product = point(a) * point(b);
        let (lo, hi) = (product.lo(), product.hi());
        assert!(lo <= hi && !lo.is_nan() && !hi.is_nan(), "{a:e} * {b:e}");
        if let (Some(below), Some(above)) = (at_most_product(lo, a, b), at_most_product(-hi, -a, b)) {
            assert!(below && above, "{a:e} * {b:e}: {product:?}");
        } else {
            // Near underflow or overflow the sign and the size of the end points are what can be checked.
            let (p, positive) = (a * b, (a > 0.0) == (b > 0.0));
            assert!(lo <= p && p <= hi || !p.is_finite(), "{a:e} * {b:e}: {product:?}");
            assert!(if positive { hi > 0.0 && lo >= 0.0 } else { lo < 0.0 && hi <= 0.0 }, "{product:?}");
        }
        count += 1;
    }
    println!("{count} products");
}

#[test]
fn quotients_enclose_the_exact_quotient() {
    let mut count = 0_u64;
    for (a, b) in pairs() {
        let quotient = point(a) / point(b);
        if b == 0.0 {
            assert_eq!(quotient, Interval::ENTIRE);
            continue;
        }
        let (lo, hi) = (quotient.lo(), quotient.hi());
        assert!(lo <= hi && !lo.is_nan() && !hi.is_nan(), "{a:e} / {b:e}");
        // lo <= a/b  iff  lo |b| <= a sign(b), decided exactly where nothing underflows.
        let (target, size) = (a * b.signum(), b.abs());
        for (end, sign) in [(lo, 1.0), (hi, -1.0)] {
            let (end, target) = (sign * end, sign * target);
            let product = end * size;
            if end.is_finite() && product.is_finite() && product.abs() > 1e-280 {
                let error = end.mul_add(size, -product);
                assert!(
                    product < target || (product == target && error <= 0.0),
                    "{a:e} / {b:e}: {quotient:?}"
                );
            }
        }
        count += 1;
    }
    println!("{count} quotients");
}

#[test]
fn roots_and_squares_enclose_the_exact_values() {
    let mut stream = RandomStream::new(SEED, 1);
    let random = (0..PAIRS).map(|_| spread(&mut stream, -1000..1000).abs());
    let hard = hard_values().into_iter().filter(|x| *x >= 0.0);
    let mut count = 0_u64;
    for x in random.chain(hard) {
        let root = point(x).sqrt();
        let (lo, hi) = (root.lo(), root.hi());
        assert!(0.0 <= lo && lo <= hi);
        if x > 1e-280 {
            let (l, h) = (lo * lo, hi * hi);
            assert!(l < x || (l == x && lo.mul_add(lo, -l) <= 0.0), "sqrt {x:e}: {root:?}");
            assert!(h > x || (h == x && hi.mul_add(hi, -h) >= 0.0), "sqrt {x:e}: {root:?}");
        }
        let square = point(x).square();
        if let (Some(below), Some(above)) =
            (at_most_product(square.lo(), x, x), at_most_product(-square.hi(), -x, x))
        {
            assert!(below && above, "{x:e} squared: {square:?}");
        }
        count += 1;
    }
    println!("{count} roots and squares");
}

/// Arguments of the elementary functions up to `largest` in magnitude.
fn arguments(largest: f64, stream: u64) -> Vec<f64> {
    let mut list = Vec::new();
    // Multiples of pi/2 and pi/4 with their neighbours: zeros, extrema, ends of the reduction.
    for n in -1200..=1200_i32 {
        let x = f64::from(n) * (FRAC_PI_2 / 2.0);
        list.extend([x, x.next_up(), x.next_down(), x + 1e-9, x - 1e-9]);
    }
    for n in 1..=60_i32 {
        let x = f64::from(-n).exp2();
        list.extend([x, -x, x.next_up(), -x.next_down()]);
    }
    list.extend([0.78, 0.785, 0.79, 1.6, 4.49, 4.4934, 5.76, 2.0 * PI, 0.0, 1e-300, 5e-324]);
    let thresholds: Vec<f64> = list.iter().flat_map(|x| [x.next_up(), x.next_down()]).collect();
    list.extend(thresholds);
    let mut stream = RandomStream::new(SEED, stream);
    for n in 0..ARGUMENTS {
        list.push(match n % 4 {
            0 => (2.0 * stream.uniform() - 1.0) * largest,
            1 => (2.0 * stream.uniform() - 1.0) * 7.0,
            2 => spread(&mut stream, -40..3),
            _ => (2.0 * stream.uniform() - 1.0) * PI,
        });
    }
    list.retain(|x| x.abs() <= largest);
    list
}

fn every_point(name: &str, largest: f64, stream: u64, f: fn(Interval) -> Interval, want: impl Fn(f64) -> Dd) {
    let list = arguments(largest, stream);
    let mut widest = 0.0_f64;
    for x in &list {
        let (got, want) = (f(point(*x)), want(*x));
        assert!(want.between(got.lo(), got.hi()), "{name}({x:e}): {got:?} misses {want:?}");
        widest = widest.max(got.width() / (1e-16 + want.hi.abs()));
    }
    println!("{name}: {} arguments, largest width {widest:.1e} of the value", list.len());
}

#[test]
fn sine_and_cosine_enclose_the_exact_values() {
    every_point("sin", 524_288.0, 2, Interval::sin, |x| reference::sin_cos(x).0);
    every_point("cos", 524_288.0, 3, Interval::cos, |x| reference::sin_cos(x).1);
}

#[test]
fn kernels_enclose_the_exact_values() {
    every_point("sinc", 100.0, 4, Interval::sinc, reference::sinc);
    every_point("c2", 100.0, 5, Interval::c2, reference::c2);
    every_point("k3", 100.0, 6, Interval::k3, reference::k3);
    every_point("kappa3", 100.0, 7, Interval::kappa3, reference::kappa3);
}

#[test]
fn angles_enclose_the_exact_values() {
    let mut stream = RandomStream::new(SEED, 8);
    let mut count = 0_u64;
    for n in 0..ARGUMENTS {
        let c = match n % 3 {
            0 => 2.0 * stream.uniform() - 1.0,
            1 => 1.0 - spread(&mut stream, -53..0).abs().min(2.0),
            _ => spread(&mut stream, -53..0).abs().min(2.0) - 1.0,
        };
        let (got, want) = (point(c).acos(), reference::acos(c));
        assert!(want.between(got.lo(), got.hi()), "acos({c:e}): {got:?} misses {want:?}");
        let (y, x) = (spread(&mut stream, -30..30), spread(&mut stream, -30..30));
        let (got, want) = (Interval::atan2(point(y), point(x)), reference::atan2(y.into(), x.into()));
        assert!(want.between(got.lo(), got.hi()), "atan2({y:e}, {x:e}): {got:?} misses {want:?}");
        count += 2;
    }
    println!("{count} angles");
}

/// The value at a random member of a random interval lies in the enclosure of the interval.
#[test]
fn wide_arguments_enclose_the_values_of_their_members() {
    let mut stream = RandomStream::new(SEED, 9);
    let functions = [
        ("sin", Interval::sin as fn(Interval) -> Interval),
        ("cos", Interval::cos),
        ("sinc", Interval::sinc),
        ("c2", Interval::c2),
        ("k3", Interval::k3),
        ("kappa3", Interval::kappa3),
    ];
    for _ in 0..ARGUMENTS {
        let middle = (2.0 * stream.uniform() - 1.0) * 12.0;
        let radius = 10.0 * stream.uniform() * stream.uniform() * stream.uniform();
        let set = Interval::ball(middle, radius);
        let member = point(set.lo() + (set.hi() - set.lo()) * stream.uniform()).intersection(set);
        for (name, f) in functions {
            let (whole, part) = (f(set), f(member));
            // Both enclose the value at the member, so they overlap; the part may stick out by its own width.
            let slack = part.width();
            let inside = whole.lo() - slack <= part.lo() && part.hi() <= whole.hi() + slack;
            assert!(inside, "{name}({set:?}) = {whole:?} misses {part:?} at {member:?}");
        }
    }
}

/// `name argument [argument] high low`: bits of doubles in hexadecimal; the value is `high + low` to 106 bits.
#[test]
fn golden_values_are_enclosed() {
    let text = include_str!("../fixtures/intervals.txt");
    let bits = |word: &str| f64::from_bits(u64::from_str_radix(word, 16).unwrap());
    let mut count = 0_u64;
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let words: Vec<&str> = line.split(' ').collect();
        let numbers: Vec<f64> = words[1..].iter().map(|w| bits(w)).collect();
        let x = point(numbers[0]);
        let got = match words[0] {
            "sin" => x.sin(),
            "cos" => x.cos(),
            "sinc" => x.sinc(),
            "c2" => x.c2(),
            "k3" => x.k3(),
            "kappa3" => x.kappa3(),
            "acos" => x.acos(),
            "sqrt" => x.sqrt(),
            "atan2" => Interval::atan2(x, point(numbers[1])),
            other => panic!("{other} is no function"),
        };
        let [.., high, low] = numbers[..] else { panic!("{line}") };
        // Both differences are exact where the comparison is close.
        assert!(got.lo() - high <= low && low <= got.hi() - high, "{line}: {got:?}");
        count += 1;
    }
    assert!(count > 4000, "{count} values");
    println!("{count} golden values");
}
