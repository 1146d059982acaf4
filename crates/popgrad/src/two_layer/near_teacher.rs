//! The field near the teacher, without cancellation.
//!
//! Where every student has a teacher of its own nearby, the field is a sum of small differences. Output weights are
//! absorbed first, `w -> |a| w`, `v -> |b| v`, so that only the sign `s_k` common to `a_k` and `b_k` is left:
//!
//! ```text
//! r_j = sum_k s_k [F(w_j, w_k) - F(w_j, v_k)]
//! 2pi [F(e, w) - F(e, v)] = -(pi - theta_w) D + (theta_v - theta_w) v - (p_v - p_w) e,   D = v - w
//! ```
//!
//! with `q = w.e`, `p = |w - q e|` and both differences formed from `D` alone (docs/theory/two_layer.md, (T.8)-(T.10)).
//! So the neighbourhood is that of the whole manifold `a_k w_k = b_k v_k` on which the student is the teacher, where
//! trained output weights converge. Each student is paired with the closest free teacher (T.11).
//!
//! Accuracy (measured): relative to the norm of the gradient, at most 1e-15.

use super::TwoLayer;
use super::field_lanes::LaneField;
use crate::lanes::{atan2, fused, padded, psi_sine, sum_lanes};
use crate::panels::Panels;
use crate::vector::{dot, norm, power_of_two_scale};
use fearless_simd::{Select, Simd, SimdBase, SimdFloat, SimdMask, f64x8};
use std::f64::consts::{FRAC_2_PI, FRAC_PI_2, PI, TAU};

/// Pairs are formed up to this sum of the squared distances of the scaled units, relative to the squared lengths of the
/// scaled teachers.
const NEAR_SQUARE: f64 = 0.7;

/// Pairs are formed down to this length of a scaled student, relative to the longest scaled teacher.
const SHORTEST: f64 = 1e-30;

/// Lengths for which products of four lengths, the shortest included, stay far inside the range of doubles.
const MODERATE: std::ops::Range<f64> = 1e-30..1e30;

/// What a squared distance formed from lengths and a rounded cosine may be off by, relative to the squared lengths.
const BLUR: f64 = 1e-14;

/// What a small angle of a rounded cosine may be off by: the root of twice [`BLUR`], rounded up.
const ANGLE_BLUR: f64 = 2e-7;

/// Above this cosine of two units the parts across are formed component by component.
const PARALLEL_COSINE: f64 = 0.9;

/// Below this share of the squares of a student and of its offset a teacher counts as short.
const SHORT: f64 = 0.1;

/// Up to this number of units the distances between teachers are used.
const FEW: usize = 32;

/// A square of a half, less what rounding may add.
const CLEARLY_HALF_SQUARE: f64 = 0.24;

/// Buffers of the field near the teacher.
#[derive(Clone, Debug)]
pub(super) struct NearField {
    k: usize,
    d: usize,
    /// Pairs, rounded up to whole vectors.
    kp: usize,
    dp: usize,
    /// Teacher of each student. That of the last call is tried first, which changes no result.
    teacher_of: Vec<usize>,
    taken: Vec<bool>,
    /// A power of two that brings the longest teacher near one where squares would leave the range of doubles; all
    /// scaled units and offsets carry it.
    pub(super) unit: f64,
    /// Signs of the output weights, student and teacher alike.
    pub(super) signs: Vec<f64>,
    /// `|a| w` in white coordinates, `K x d`.
    scaled: Vec<f64>,
    /// `D = |b| v - |a| w` in white coordinates, `K x d`.
    pub(super) offsets: Vec<f64>,
    students: Panels,
    offset_columns: Panels,
    /// Offsets, then teachers: `2 kp x dp`.
    rows: Panels,
    /// `w_k . e_j` and `D_k . e_j`: `K x kp` each.
    student_along: Vec<f64>,
    offset_along: Vec<f64>,
    products: Vec<f64>,
    /// Scaled teachers in the students' order, `K x d`.
    teachers: Vec<f64>,
    /// Per pair, of the scaled units: `1/|w|`, `|w|`, `D.w`, `D.D`, sign.
    inverse_lengths: Vec<f64>,
    lengths: Vec<f64>,
    offset_student: Vec<f64>,
    offset_offset: Vec<f64>,
    sign_lanes: Vec<f64>,
    /// Whether a whole vector of pairs holds a short teacher, whose length the squares above do not give.
    short: Vec<bool>,
    /// Coefficient of `e_j`.
    axis: Vec<f64>,
    /// Length of each offset across its student.
    ways_across: Vec<f64>,
}

impl NearField {
    /// Buffers for `k` students of a teacher with as many neurons.
    pub(super) fn new(k: usize, d: usize) -> Self {
        let (kp, dp) = (padded(k), padded(d));
        Self {
            k,
            d,
            kp,
            dp,
            teacher_of: (0..k).collect(),
            taken: vec![false; k],
            unit: 1.0,
            signs: vec![1.0; k],
            scaled: vec![0.0; k * d],
            offsets: vec![0.0; k * d],
            students: Panels::zeros(d, k),
            offset_columns: Panels::zeros(d, k),
            rows: Panels::zeros(2 * kp, d),
            student_along: vec![0.0; k * kp],
            offset_along: vec![0.0; k * kp],
            products: vec![0.0; k * 2 * kp],
            teachers: vec![0.0; k * d],
            inverse_lengths: vec![0.0; kp],
            lengths: vec![0.0; kp],
            offset_student: vec![0.0; kp],
            offset_offset: vec![0.0; kp],
            sign_lanes: vec![0.0; kp],
            short: vec![false; kp / 8],
            axis: vec![0.0; k],
            ways_across: vec![0.0; k],
        }
    }

    /// Finds the teacher of each student and the offsets; false where they are too far apart in all.
    ///
    /// `psi` is `pi - theta` of a student and a teacher; `original` are the weights before whitening, `w` after.
    #[inline(always)]
    pub(super) fn pair(
        &mut self,
        problem: &TwoLayer,
        (original, w): (&[f64], &[f64]),
        a: &[f64],
        psi: impl Fn(usize, usize) -> f64,
    ) -> bool {
        let d = self.d;
        self.taken.fill(false);
        let lengths = problem.white.lengths.iter().zip(&problem.output);
        let longest = lengths.fold(0.0_f64, |m, (v, b)| m.max(v * b.abs()));
        self.unit = if MODERATE.contains(&longest) { 1.0 } else { power_of_two_scale(&[longest]) };
        let shortest = SHORTEST * self.unit * longest;
        let (mut apart, mut size) = (0.0, 0.0);
        for j in 0..self.k {
            let student = &original[j * d..(j + 1) * d];
            let row = &w[j * d..(j + 1) * d];
            let t = match self.teacher_of[j] {
                t if self.is_certainly_nearest(problem, t, row, a[j]) => t,
                _ => match self.nearest_free(problem, row, a[j], |t| psi(j, t)) {
                    Some(t) => t,
                    None => return false,
                },
            };
            self.taken[t] = true;
            self.teacher_of[j] = t;
            let (x, y) = (self.unit * a[j].abs(), self.unit * problem.output[t].abs());
            self.signs[j] = 1.0_f64.copysign(a[j]);
            let offset = &mut self.offsets[j * d..(j + 1) * d];
            for ((o, v), w) in offset.iter_mut().zip(problem.teacher().row(t)).zip(student) {
                *o = product_difference(y, *v, x, *w);
            }
            if let Some(l) = &problem.factor {
                let plain = offset.to_vec();
                super::covariance::whiten(l, &plain, offset);
            }
            let scaled = &mut self.scaled[j * d..(j + 1) * d];
            for (s, w) in scaled.iter_mut().zip(&w[j * d..(j + 1) * d]) {
                *s = x * w;
            }
            // A student of length zero has no direction for the differences to be taken along.
            if dot(scaled, scaled) < shortest * shortest {
                return false;
            }
            apart += dot(offset, offset);
            size += (y * problem.white.lengths[t]) * (y * problem.white.lengths[t]);
        }
        apart <= NEAR_SQUARE * size
    }

    /// Whether a free teacher, whose output has the sign of `a`, is closer to a student than half its own way to any other
    /// teacher, so that no other can be the closest. Known for few teachers only; with many the search costs little beside the
    /// field.
    #[inline(always)]
    fn is_certainly_nearest(&self, problem: &TwoLayer, t: usize, student: &[f64], a: f64) -> bool {
        if self.k > FEW || self.unit != 1.0 || self.taken[t] || a * problem.output[t] <= 0.0 {
            return false;
        }
        let gap = self.gap(problem, t, student, a.abs());
        gap < CLEARLY_HALF_SQUARE * problem.separations()[t]
    }

    /// The teacher for a student of output `a` among those without one whose output has the same sign: the one whose
    /// scaled weight is closest. A wrong choice makes large offsets that cancel in the sum.
    #[inline(always)]
    fn nearest_free(
        &self,
        problem: &TwoLayer,
        student: &[f64],
        a: f64,
        psi: impl Fn(usize) -> f64,
    ) -> Option<usize> {
        let free = || (0..self.k).filter(|t| !self.taken[*t] && a * problem.output[*t] > 0.0);
        let (mut best, mut first, mut second) = (None, f64::NEG_INFINITY, FRAC_PI_2);
        for t in free() {
            let x = psi(t);
            if x > first {
                (best, first, second) = (Some(t), x, second.max(first));
            } else {
                second = second.max(x);
            }
        }
        // Every other teacher is at least |w| sin(theta) >= |w| theta 2/pi away, for the second angle or a right one.
        let reach = (PI - second - ANGLE_BLUR).max(0.0) * FRAC_2_PI;
        let (scale, square) = (self.unit * a.abs(), dot(student, student));
        match best {
            Some(t) if self.gap(problem, t, student, scale) > reach * reach * scale * scale * square => {
                self.nearest_of(problem, student, scale, psi, free)
            }
            _ => best,
        }
    }

    /// The squared distance of a student from a teacher, both scaled.
    #[inline(always)]
    fn gap(&self, problem: &TwoLayer, t: usize, student: &[f64], scale: f64) -> f64 {
        let other = self.unit * problem.output[t].abs();
        let rows = problem.white.rows.row(t).iter().zip(student);
        rows.map(|(v, w)| other * v - scale * w).fold(0.0, |sum, x: f64| x.mul_add(x, sum))
    }

    /// The closest teacher. Lengths and angle give the distance up to the root of the rounding error; teachers that they do
    /// not tell apart are compared entry by entry.
    fn nearest_of<F: Iterator<Item = usize>>(
        &self,
        problem: &TwoLayer,
        student: &[f64],
        scale: f64,
        psi: impl Fn(usize) -> f64,
        free: impl Fn() -> F,
    ) -> Option<usize> {
        let length = scale * norm(student);
        let distance = |t: usize| {
            let other = self.unit * problem.output[t].abs() * problem.white.lengths[t];
            let gap = length - other;
            gap * gap + length * other * squared_chord(PI - psi(t))
        };
        let smallest = free().map(distance).fold(f64::INFINITY, f64::min);
        let most = smallest + BLUR * (length * length + smallest);
        let rivals = free().filter(|t| distance(*t) <= most);
        let gaps = rivals.map(|t| (t, self.gap(problem, t, student, scale)));
        gaps.reduce(|best, other| if other.1 < best.1 { other } else { best }).map(|best| best.0)
    }

    /// Overwrites the field of `lane` (whose units and lengths are those of `w`) with the accurate one.
    #[inline(always)]
    pub(super) fn evaluate<S: Simd, const WIDE: bool>(&mut self, simd: S, a: &[f64], lane: &mut LaneField) {
        self.load(simd, &lane.lengths, a);
        let (k, kp, dp) = (self.k, self.kp, self.dp);
        let along = (&mut self.student_along[..], kp);
        self.students.multiply::<S, WIDE>(simd, 1.0, k, (&lane.units, dp), along);
        let along = (&mut self.offset_along[..], kp);
        self.offset_columns.multiply::<S, WIDE>(simd, 1.0, k, (&lane.units, dp), along);
        for j in 0..k {
            let own = j * kp + j;
            self.ways_across[j] = self.way_across(simd, j, self.offset_along[own], &lane.units);
            let mut axis = f64x8::splat(simd, 0.0);
            for at in (0..kp).step_by(8) {
                axis += self.pair_block(simd, j, at);
            }
            self.axis[j] = sum_lanes(axis) / (TAU * self.unit);
        }
        let to = (&mut lane.field[..], dp);
        self.rows.multiply::<S, WIDE>(simd, 1.0 / (TAU * self.unit), k, (&self.products, 2 * kp), to);
        for j in 0..k {
            let axis = f64x8::splat(simd, self.axis[j]);
            let units = lane.units[j * dp..(j + 1) * dp].chunks_exact(8);
            for (field, unit) in lane.field[j * dp..(j + 1) * dp].chunks_exact_mut(8).zip(units) {
                let sum = fused(simd, axis, f64x8::from_slice(simd, unit), f64x8::from_slice(simd, field));
                sum.store_slice(field);
            }
        }
    }

    /// The scaled students with the way to their teachers.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&[f64], &[f64])> {
        self.scaled.chunks_exact(self.d).zip(self.offsets.chunks_exact(self.d))
    }

    #[inline(always)]
    fn load<S: Simd>(&mut self, simd: S, lengths: &[f64], a: &[f64]) {
        let (k, d) = (self.k, self.d);
        self.students.set_columns(0, &self.scaled, d);
        self.offset_columns.set_columns(0, &self.offsets, d);
        for ((t, w), o) in self.teachers.iter_mut().zip(&self.scaled).zip(&self.offsets) {
            *t = w + o;
        }
        self.rows.set_rows(simd, 0, &self.offsets, d);
        self.rows.set_rows(simd, self.kp, &self.teachers, d);
        for j in 0..k {
            self.lengths[j] = lengths[j] * (self.unit * a[j].abs());
            self.inverse_lengths[j] = 1.0 / self.lengths[j];
        }
        for at in (0..self.kp).step_by(8) {
            let (mut product, mut square) = (f64x8::splat(simd, 0.0), f64x8::splat(simd, 0.0));
            for i in 0..d {
                let offset = self.offset_columns.vector(simd, i, at);
                product = fused(simd, offset, self.students.vector(simd, i, at), product);
                square = fused(simd, offset, offset, square);
            }
            product.store_slice(&mut self.offset_student[at..at + 8]);
            square.store_slice(&mut self.offset_offset[at..at + 8]);
        }
        self.short.fill(false);
        for j in 0..k {
            let square = self.lengths[j] * self.lengths[j];
            self.short[j / 8] |= is_short(square, self.offset_student[j], self.offset_offset[j]);
        }
        self.sign_lanes[..k].copy_from_slice(&self.signs);
    }

    /// Products of student `j` with the pairs `at .. at + 8`; returns their part of the coefficient of `e_j`.
    #[inline(always)]
    fn pair_block<S: Simd>(&mut self, simd: S, j: usize, at: usize) -> f64x8<S> {
        let lanes = |x: &[f64]| f64x8::from_slice(simd, &x[at..at + 8]);
        let row = j * self.kp + at;
        let mut q = f64x8::from_slice(simd, &self.student_along[row..row + 8]);
        let dq = f64x8::from_slice(simd, &self.offset_along[row..row + 8]);
        let length = lanes(&self.lengths);
        let index = f64x8::load_array(simd, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
        let own = index.simd_eq(f64x8::splat(simd, j as f64 - at as f64));
        q = own.select(length, q);
        let zero = f64x8::splat(simd, 0.0);
        let cosine = q * lanes(&self.inverse_lengths);
        let rivals = own.select(zero, cosine.abs());
        let parallel = rivals.simd_gt(f64x8::splat(simd, PARALLEL_COSINE)).any_true();
        let (psi, p, p_teacher, excess) = if parallel || self.short[at / 8] {
            let (p, p_teacher, excess) = self.across(simd, j, at, own);
            (atan2(simd, p, -q), p, p_teacher, excess)
        } else {
            let (psi, sine) = psi_sine(simd, cosine);
            let p = length * sine;
            let twice = lanes(&self.offset_student) - dq * q;
            let excess = twice + twice + (lanes(&self.offset_offset) - dq * dq);
            let square = fused(simd, p, p, excess);
            // The student's own pair: it lies on the axis, and the way to its teacher is taken across it once.
            let way = f64x8::splat(simd, self.ways_across[j]);
            let p_teacher = own.select(way, square.max(zero).sqrt());
            (
                own.select(f64x8::splat(simd, PI), psi),
                own.select(zero, p),
                p_teacher,
                own.select(way * way, excess),
            )
        };
        let sum = p + p_teacher;
        let dp = sum.simd_gt(zero).select(excess / sum, zero);
        let sine = dp * q - dq * p;
        let cosine = fused(simd, q + dq, q, p_teacher * p);
        // A difference of angles in [0, pi] beyond a right angle has the sign of the first cosine, also at pi.
        let wide = cosine.simd_lt(zero);
        let sine = wide.select(q.simd_lt(zero).select(-sine.abs(), sine.abs()), sine);
        let turn = atan2(simd, sine, cosine);
        let sign = lanes(&self.sign_lanes);
        let slot = j * 2 * self.kp + at;
        (-(sign * psi)).store_slice(&mut self.products[slot..slot + 8]);
        (sign * turn).store_slice(&mut self.products[slot + self.kp..slot + self.kp + 8]);
        -(sign * dp)
    }

    /// `|D_j - (D_j.e_j) e_j|`.
    #[inline(always)]
    fn way_across<S: Simd>(&self, simd: S, j: usize, along: f64, units: &[f64]) -> f64 {
        let unit = units[j * self.dp..(j + 1) * self.dp].chunks_exact(8);
        let (slope, zero) = (f64x8::splat(simd, -along), f64x8::splat(simd, 0.0));
        let index = f64x8::load_array(simd, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
        let mut square = zero;
        for (v, e) in unit.enumerate() {
            let delta = fused(simd, slope, f64x8::from_slice(simd, e), self.rows.vector(simd, j, 8 * v));
            // Beyond the last dimension a row holds whatever follows.
            let inside = index.simd_lt(f64x8::splat(simd, self.d as f64 - 8.0 * v as f64));
            let delta = inside.select(delta, zero);
            square = fused(simd, delta, delta, square);
        }
        sum_lanes(square).sqrt()
    }

    /// `p_w`, `p_v` and `p_v^2 - p_w^2` from the parts across `w_j`, formed twice with fused multiply-adds; the
    /// student's own part (`own`) is zero.
    #[inline(always)]
    fn across<S: Simd>(
        &self,
        simd: S,
        j: usize,
        at: usize,
        own: fearless_simd::mask64x8<S>,
    ) -> (f64x8<S>, f64x8<S>, f64x8<S>) {
        let axis = &self.scaled[j * self.d..(j + 1) * self.d];
        let row = j * self.kp + at;
        let inverse = f64x8::splat(simd, self.inverse_lengths[j]);
        let first = -(f64x8::from_slice(simd, &self.student_along[row..row + 8]) * inverse);
        let offset = -(f64x8::from_slice(simd, &self.offset_along[row..row + 8]) * inverse);
        let zero = f64x8::splat(simd, 0.0);
        let mut left = zero;
        for (i, x) in axis.iter().enumerate() {
            let x = f64x8::splat(simd, *x);
            let r = fused(simd, first, x, self.students.vector(simd, i, at));
            left = fused(simd, r, x, left);
        }
        let second = -(left * inverse * inverse);
        let (mut student, mut teacher, mut excess) = (zero, zero, zero);
        for (i, x) in axis.iter().enumerate() {
            let x = f64x8::splat(simd, *x);
            let r = fused(simd, first, x, self.students.vector(simd, i, at));
            let r = own.select(zero, fused(simd, second, x, r));
            let delta = fused(simd, offset, x, self.offset_columns.vector(simd, i, at));
            let moved = r + delta;
            student = fused(simd, r, r, student);
            teacher = fused(simd, moved, moved, teacher);
            excess = fused(simd, delta, r + moved, excess);
        }
        (student.sqrt(), teacher.sqrt(), excess)
    }
}

/// Whether a teacher is so much shorter than the way to it that its length, formed from the squares of the student's length
/// and of the offset and from their product, has lost digits.
pub(super) fn is_short(length: f64, product: f64, offset: f64) -> bool {
    length + (2.0 * product + offset) < SHORT * (length + offset)
}

/// `b v - a w` with one rounding error of the result's own size.
#[inline(always)]
fn product_difference(b: f64, v: f64, a: f64, w: f64) -> f64 {
    let (p, q) = (b * v, a * w);
    (p - q) + (b.mul_add(v, -p) - a.mul_add(w, -q))
}

/// `2 (1 - cos t)` for `t` in `[0, pi]`, to one part in a thousand: five terms of its series.
fn squared_chord(t: f64) -> f64 {
    let z = t * t;
    z * (1.0
        - z * (1.0 / 12.0) * (1.0 - z * (1.0 / 30.0) * (1.0 - z * (1.0 / 56.0) * (1.0 - z * (1.0 / 90.0)))))
}
