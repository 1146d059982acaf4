//! The loss near the teacher, without cancellation.
//!
//! With output weights absorbed (`near_teacher`), `u_k = w_k`, `u'_k = v_k = w_k + D_k` and signs `s_k`,
//!
//! ```text
//! J = 1/2 sum_k [|D_k|^2/2 - |w_k||v_k| c1(theta_k)/pi] + sum_{k<l} s_k s_l DD_kl
//! DD_kl = k(w_k, w_l) - k(w_k, v_l) - k(v_k, w_l) + k(v_k, v_l)
//! ```
//!
//! `DD_kl` is a mixed second difference of `2pi k(u, v) = (pi - theta) P + S`, `P = u.v`, `S = |u ^ v|`. It is formed from
//! the inner products of `D_k`, `D_l`, `w_k`, `w_l` by the product rule of differences, so that nothing of the size of `k`
//! is ever subtracted (docs/theory/two_layer.md, (T.12)-(T.16)). Where two units are nearly parallel the rule divides by
//! small sines and is evaluated in double-double; where they coincide to 1e-8 the first term of a series takes its place; past
//! a short teacher first differences are subtracted. Accuracy (measured): relative, at most 2e-15, unless the single units'
//! differences cancel; see [`TwoLayer::loss`](crate::TwoLayer::loss).

use super::near_teacher::{NearField, is_short};
use crate::angular_c1;
use crate::double_double::Dd;
use crate::vector::dot;
use std::f64::consts::{PI, TAU};
use std::ops::{Add, Div, Mul, Neg, Sub};

/// Below this sine between units, students or teachers, the second difference is evaluated in double-double.
const SMALL_SINE: f64 = 0.5;

/// Below this sine at all four corners the angular part is replaced by the first term of its series: the next one is
/// smaller by the square, which is below the last digit. A larger value loses digits there, a smaller one loses them in
/// the general form, whose double-doubles carry an absolute error of 1e-33 of the product of the lengths.
const TINY_SINE: f64 = 1e-8;

/// The arithmetic of [`second_difference`]: doubles, and double-doubles for nearly parallel units.
trait Real:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self> + Neg<Output = Self>
{
    fn of(x: f64) -> Self;
    fn sqrt(self) -> Self;
    fn atan2(y: Self, x: Self) -> Self;
    fn is_positive(self) -> bool;
    /// Inner product of two vectors.
    fn dot(u: &[f64], v: &[f64]) -> Self;
}

impl Real for f64 {
    fn of(x: f64) -> Self {
        x
    }
    fn sqrt(self) -> Self {
        self.max(0.0).sqrt()
    }
    fn atan2(y: Self, x: Self) -> Self {
        libm::atan2(y, x)
    }
    fn is_positive(self) -> bool {
        self > 0.0
    }
    fn dot(u: &[f64], v: &[f64]) -> Self {
        dot(u, v)
    }
}

impl Real for Dd {
    fn of(x: f64) -> Self {
        Self::from(x)
    }
    fn sqrt(self) -> Self {
        Dd::sqrt(self)
    }
    fn atan2(y: Self, x: Self) -> Self {
        Dd::atan2(y, x)
    }
    fn is_positive(self) -> bool {
        self.value() > 0.0
    }
    fn dot(u: &[f64], v: &[f64]) -> Self {
        u.iter().zip(v).fold(Dd::ZERO, |sum, (a, b)| sum + Dd::product(*a, *b))
    }
}

/// Inner products of two pairs `(u, u + d)` and `(v, v + e)`.
#[derive(Clone, Copy)]
struct Products<T> {
    uu: T,
    ud: T,
    dd: T,
    vv: T,
    ve: T,
    ee: T,
    uv: T,
    ue: T,
    dv: T,
    de: T,
}

/// `2 pi DD` from the inner products; (T.13)-(T.16).
///
/// Indices: first `u` (0) or `u + d` (1), second `v` (0) or `v + e` (1). `p` are inner products, `s` areas, `q = s^2`;
/// `j0`, `j1` are differences in the second index at first index 0, 1; `i0`, `i1` the other way; `ij` mixed.
#[inline(always)]
fn second_difference<T: Real>(g: Products<T>) -> T {
    let two = T::of(2.0);
    let half = T::of(0.5);
    let over = |a: T, b: T| if b.is_positive() { a / b } else { T::of(0.0) };
    // Inner products and their differences.
    let (p_j0, p_i0, p_ij) = (g.ue, g.dv, g.de);
    let (p_j1, p_i1) = (p_j0 + p_ij, p_i0 + p_ij);
    let (p00, p01, p10) = (g.uv, g.uv + p_j0, g.uv + p_i0);
    let p11 = p10 + p_j1;
    // Squared areas |u|^2 |v|^2 - (u.v)^2 and their differences.
    let (u_i, v_j) = (two * g.ud + g.dd, two * g.ve + g.ee);
    let (uu1, vv1) = (g.uu + u_i, g.vv + v_j);
    let q_j0 = g.uu * v_j - p_j0 * (p00 + p01);
    let q_j1 = uu1 * v_j - p_j1 * (p10 + p11);
    let q_i0 = g.vv * u_i - p_i0 * (p00 + p10);
    let q_i1 = vv1 * u_i - p_i1 * (p01 + p11);
    let q_ij = u_i * v_j - (p_ij * (p10 + p11) + p_j0 * (p_i0 + p_i1));
    let s00 = (g.uu * g.vv - p00 * p00).sqrt();
    let s01 = (g.uu * vv1 - p01 * p01).sqrt();
    let s10 = (uu1 * g.vv - p10 * p10).sqrt();
    let s11 = (uu1 * vv1 - p11 * p11).sqrt();
    // Differences of the areas themselves.
    let (sum0, sum1) = (s00 + s01, s10 + s11);
    let (s_j0, s_j1) = (over(q_j0, sum0), over(q_j1, sum1));
    let (s_i0, s_i1) = (over(q_i0, s00 + s10), over(q_i1, s01 + s11));
    let s_ij = over(q_ij * sum0 - q_j0 * (s_i0 + s_i1), sum0 * sum1);
    let longest = (g.uu * g.vv).sqrt();
    let tiny = |s: T| !(s - T::of(TINY_SINE) * longest).is_positive();
    if tiny(s00) && tiny(s01) && tiny(s10) && tiny(s11) {
        // S - theta P = S^3 / 3P^2 + ..., and pi P where the units are parallel; (T.16).
        let square = |x: T, y: T| x * x + x * y + y * y;
        let mixed_square = s_i1 * (s11 + s01) + (s_i1 * s10 + s01 * s_i0) + s_i0 * (s10 + s00);
        let cubes = s_ij * square(s00, s01) + s_j1 * mixed_square;
        let corners = [p00, p01, p10, p11];
        if corners.iter().all(|p| p.is_positive()) {
            return T::of(PI) * p_ij + over(cubes, T::of(3.0) * p00 * p00);
        }
        if corners.iter().all(|p| (-*p).is_positive()) {
            return over(cubes, T::of(3.0) * p00 * p00);
        }
        return T::of(PI) * positive_difference([p00, p01, p10, p11], [p_i0, p_i1, p_j0, p_j1]);
    }
    // Differences of the angles: tangents of differences, n / m.
    let (n0, m0) = (s_j0 * p00 - p_j0 * s00, p00 * p01 + s00 * s01);
    let (n1, m1) = (s_j1 * p10 - p_j1 * s10, p10 * p11 + s10 * s11);
    let n_i = s_ij * p10 + s_j0 * p_i0 - (p_ij * s10 + p_j0 * s_i0);
    let m_i = p_i0 * p11 + p00 * p_i1 + s_i0 * s11 + s00 * s_i1;
    let (t_j0, t_j1) = (turn(n0, m0, p00), turn(n1, m1, p10));
    let plain = t_j1 - t_j0;
    let small = (half * T::of(PI) - plain).is_positive() && (half * T::of(PI) + plain).is_positive();
    let t_ij = if small { T::atan2(n_i * m0 - n0 * m_i, m1 * m0 + n1 * n0) } else { plain };
    let t_i0 = turn(s_i0 * p00 - p_i0 * s00, p00 * p10 + s00 * s10, p00);
    let t_i1 = turn(s_i1 * p01 - p_i1 * s01, p01 * p11 + s01 * s11, p01);
    // The product rule for (pi - theta) P, and S.
    let psi = T::atan2(s00, -p00) - half * half * (t_j0 + t_i0 + (t_i0 + t_j1));
    let mean = |a: T, b: T| half * (a + b);
    let p_mean = half * half * ((p00 + p01) + (p10 + p11));
    psi * p_ij - mean(t_i0, t_i1) * mean(p_j0, p_j1) - mean(t_j0, t_j1) * mean(p_i0, p_i1) - t_ij * p_mean
        + s_ij
}

/// The difference of two angles in `[0, pi]` from multiples of its sine and cosine; `p` has the sign of the cosine of the
/// angle that is subtracted. A difference beyond a right angle has that sign, also where it is `pi` and the sine is zero.
#[inline(always)]
fn turn<T: Real>(sine: T, cosine: T, p: T) -> T {
    let angle = T::atan2(sine, cosine);
    if !(-cosine).is_positive() || angle.is_positive() == p.is_positive() {
        return angle;
    }
    -angle
}

/// The mixed second difference of `max(p, 0)` for inner products of different signs: a unit passes through zero on the
/// way to its teacher. Differences along the index that keeps the sign are taken from their own values.
fn positive_difference<T: Real>([p00, p01, p10, p11]: [T; 4], [p_i0, p_i1, p_j0, p_j1]: [T; 4]) -> T {
    let zero = T::of(0.0);
    let part = |x: T| if x.is_positive() { x } else { zero };
    let difference = |x: T, y: T, step: T| match (x.is_positive(), y.is_positive()) {
        (true, true) => step,
        (false, false) => zero,
        _ => part(y) - part(x),
    };
    if p00.is_positive() == p10.is_positive() && p01.is_positive() == p11.is_positive() {
        difference(p01, p11, p_i1) - difference(p00, p10, p_i0)
    } else {
        difference(p10, p11, p_j1) - difference(p00, p01, p_j0)
    }
}

/// `2 pi [k(u, v + e) - k(u, v)]` from the inner products; the first line of (T.13).
#[inline(always)]
fn first_difference<T: Real>((uu, uv, ue): (T, T, T), (vv, ve, ee): (T, T, T)) -> T {
    let (two, half) = (T::of(2.0), T::of(0.5));
    let step = two * ve + ee;
    let moved = uv + ue;
    let square = uu * step - ue * (uv + moved);
    let (s0, s1) = ((uu * vv - uv * uv).sqrt(), (uu * (vv + step) - moved * moved).sqrt());
    let change = if (s0 + s1).is_positive() { square / (s0 + s1) } else { T::of(0.0) };
    let t = turn(change * uv - ue * s0, uv * moved + s0 * s1, uv);
    (T::atan2(s0, -uv) - half * t) * ue - half * t * (uv + moved) + change
}

/// `2 pi DD` where the first teacher `u + d` is short or zero: its part is small beside the student's, so that first
/// differences may be subtracted.
fn short_difference<T: Real>(g: Products<T>) -> T {
    let teacher = (g.uu + (T::of(2.0) * g.ud + g.dd), g.uv + g.dv, g.ue + g.de);
    let step = (g.vv, g.ve, g.ee);
    first_difference(teacher, step) - first_difference((g.uu, g.uv, g.ue), step)
}

/// The smallest sine among the four angles of two pairs.
fn smallest_sine(g: &Products<f64>) -> f64 {
    let (uu1, vv1) = (g.uu + (2.0 * g.ud + g.dd), g.vv + (2.0 * g.ve + g.ee));
    let corners = [
        (g.uu, g.vv, g.uv),
        (g.uu, vv1, g.uv + g.ue),
        (uu1, g.vv, g.uv + g.dv),
        (uu1, vv1, g.uv + g.ue + (g.dv + g.de)),
    ];
    corners.iter().fold(1.0, |m: f64, (u, v, p)| m.min((1.0 - (p / u) * (p / v)).max(0.0).sqrt()))
}

/// Inner products of one pair with itself: `w.w`, `w.D`, `D.D`.
#[derive(Clone, Copy)]
struct Own<T> {
    ww: T,
    wd: T,
    dd: T,
}

/// One pair: the scaled student, and the way to its teacher.
type Pair<'a> = (&'a [f64], &'a [f64]);

#[inline(always)]
fn own<T: Real>((w, d): Pair<'_>) -> Own<T> {
    Own { ww: T::dot(w, w), wd: T::dot(w, d), dd: T::dot(d, d) }
}

/// The products of two pairs in the given arithmetic.
#[inline(always)]
fn products<T: Real>((u, d): Pair<'_>, (v, e): Pair<'_>, a: Own<T>, b: Own<T>) -> Products<T> {
    let (uv, ue, dv, de) = (T::dot(u, v), T::dot(u, e), T::dot(d, v), T::dot(d, e));
    Products { uu: a.ww, ud: a.wd, dd: a.dd, vv: b.ww, ve: b.wd, ee: b.dd, uv, ue, dv, de }
}

/// `2 pi` times the mixed second difference of two pairs, in the arithmetic that their angles need.
#[inline(always)]
fn pair_difference(left: Pair<'_>, right: Pair<'_>, a: Own<f64>, b: Own<f64>) -> f64 {
    let g = products(left, right, a, b);
    if is_short(a.ww, a.wd, a.dd) {
        return short_difference(products::<Dd>(left, right, own(left), own(right))).value();
    }
    if is_short(b.ww, b.wd, b.dd) {
        return short_difference(products::<Dd>(right, left, own(right), own(left))).value();
    }
    if smallest_sine(&g) >= SMALL_SINE {
        return second_difference(g);
    }
    second_difference(products::<Dd>(left, right, own(left), own(right))).value()
}

/// `|D|^2/2 - |w||v| c1(theta)/pi = E[(relu(v.x) - relu(w.x))^2]`; (T.12).
#[inline(always)]
fn own_term((w, d): Pair<'_>, own: Own<f64>) -> f64 {
    let length = own.ww.sqrt();
    let slope = -(own.wd / own.ww);
    let across =
        w.iter().zip(d).map(|(x, y)| slope.mul_add(*x, *y)).fold(0.0, |s, r: f64| r.mul_add(r, s)).sqrt();
    let along = length + own.wd / length;
    let teacher = along.mul_add(along, across * across).sqrt();
    0.5 * own.dd - length * teacher * angular_c1(libm::atan2(across, along)) / PI
}

/// The ReLU part of the loss of paired students, for white Gaussian input.
#[inline(always)]
pub(super) fn loss(near: &NearField) -> f64 {
    let pairs: Vec<Pair<'_>> = near.pairs().collect();
    let owns: Vec<Own<f64>> = pairs.iter().map(|p| own(*p)).collect();
    let (mut diagonal, mut mixed) = (0.0, 0.0);
    for k in 0..pairs.len() {
        diagonal += own_term(pairs[k], owns[k]);
        for l in 0..k {
            let sign = near.signs[k] * near.signs[l];
            mixed += sign * pair_difference(pairs[k], pairs[l], owns[k], owns[l]);
        }
    }
    (0.5 * diagonal + mixed / TAU) / near.unit / near.unit
}
