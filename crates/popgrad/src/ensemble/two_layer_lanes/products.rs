//! Lengths, cosines and angles: the first two passes over eight students.

use super::TwoLayerLanes;
use crate::eight::Eight;
use crate::ensemble::angles::{find_angles, sine, supplement};
use crate::lanes::fused;
use fearless_simd::{Simd, SimdBase, SimdFloat, f64x8};

/// Students in a block of inner products: four rows times four rows keep sixteen sums in registers.
const BLOCK: usize = 4;

/// Position of the first pair of student `j` with the students before it.
#[inline(always)]
pub(super) fn pairs_before(j: usize) -> usize {
    j * j.saturating_sub(1) / 2
}

/// Rows `j .. j + A` of `r` entries each.
#[inline(always)]
fn rows<const A: usize>(state: &[Eight], r: usize, j: usize) -> [&[Eight]; A] {
    let mut out = [&[][..]; A];
    for a in 0..A {
        out[a] = &state[(j + a) * r..(j + a + 1) * r][..r];
    }
    out
}

/// Cosines of a student with two axes, from its coordinates and the inverse of its length, and their sines.
#[inline(always)]
fn cosines_and_sines<S: Simd>(simd: S, row: &[Eight], inverse: f64x8<S>) -> [(f64x8<S>, f64x8<S>); 2] {
    let (first, second) = (row[0].load(simd) * inverse, row[1].load(simd) * inverse);
    [(first, sine(simd, first)), (second, sine(simd, second))]
}

impl TwoLayerLanes<'_> {
    /// Lengths, their reciprocals, and the cosines of all pairs of students; the smallest squared length.
    #[inline(always)]
    pub(super) fn students_products<S: Simd>(&mut self, simd: S, now: &[Eight]) -> f64x8<S> {
        let (k, whole) = (self.k, self.k / BLOCK * BLOCK);
        let mut shortest = f64x8::splat(simd, f64::INFINITY);
        let mut j = 0;
        while j < whole {
            shortest = shortest.min(self.block::<S, BLOCK>(simd, now, j));
            j += BLOCK;
        }
        match k - whole {
            1 => shortest = shortest.min(self.block::<S, 1>(simd, now, whole)),
            2 => shortest = shortest.min(self.block::<S, 2>(simd, now, whole)),
            3 => shortest = shortest.min(self.block::<S, 3>(simd, now, whole)),
            _ => {}
        }
        let mut q = 0;
        while q + BLOCK < k {
            let mut j = q + BLOCK;
            while j < whole {
                self.blocks::<S, BLOCK>(simd, now, j, q);
                j += BLOCK;
            }
            match k - whole {
                1 => self.blocks::<S, 1>(simd, now, whole, q),
                2 => self.blocks::<S, 2>(simd, now, whole, q),
                3 => self.blocks::<S, 3>(simd, now, whole, q),
                _ => {}
            }
            q += BLOCK;
        }
        shortest
    }

    /// Students `j .. j + A` among themselves.
    #[inline(always)]
    fn block<S: Simd, const A: usize>(&mut self, simd: S, now: &[Eight], j: usize) -> f64x8<S> {
        let zero = f64x8::splat(simd, 0.0);
        let rows = rows::<A>(now, self.r, j);
        let mut sums = [[zero; A]; A];
        for i in 0..self.r {
            for a in 0..A {
                let x = rows[a][i].load(simd);
                for b in 0..=a {
                    sums[a][b] = fused(simd, x, rows[b][i].load(simd), sums[a][b]);
                }
            }
        }
        let mut shortest = sums[0][0];
        let mut inverses = [zero; A];
        for a in 0..A {
            shortest = shortest.min(sums[a][a]);
            let length = sums[a][a].sqrt();
            inverses[a] = f64x8::splat(simd, 1.0) / length;
            self.lengths[j + a].store(length);
            self.inverses[j + a].store(inverses[a]);
        }
        for a in 1..A {
            let to = &mut self.pairs[pairs_before(j + a) + j..][..a];
            for b in 0..a {
                to[b].store(sums[a][b] * (inverses[a] * inverses[b]));
            }
        }
        shortest
    }

    /// Students `j .. j + A` with the students `q .. q + BLOCK` before them.
    #[inline(always)]
    fn blocks<S: Simd, const A: usize>(&mut self, simd: S, now: &[Eight], j: usize, q: usize) {
        let zero = f64x8::splat(simd, 0.0);
        let (late, early) = (rows::<A>(now, self.r, j), rows::<BLOCK>(now, self.r, q));
        let mut sums = [[zero; BLOCK]; A];
        for i in 0..self.r {
            let mut y = [zero; BLOCK];
            for b in 0..BLOCK {
                y[b] = early[b][i].load(simd);
            }
            for a in 0..A {
                let x = late[a][i].load(simd);
                for b in 0..BLOCK {
                    sums[a][b] = fused(simd, x, y[b], sums[a][b]);
                }
            }
        }
        for a in 0..A {
            let inverse = self.inverses[j + a].load(simd);
            let to = &mut self.pairs[pairs_before(j + a) + q..][..BLOCK];
            let inverses = &self.inverses[q..q + BLOCK];
            for b in 0..BLOCK {
                to[b].store(sums[a][b] * (inverse * inverses[b].load(simd)));
            }
        }
    }

    /// Angles of all pairs of students, and for each student the sum of its sines with the others, weighted.
    #[inline(always)]
    pub(super) fn student_angles<S: Simd>(&mut self, simd: S) {
        let k = self.k;
        for filling in &mut self.pairs[pairs_before(k)..] {
            *filling = Eight::default();
        }
        find_angles(simd, &mut self.pairs, &mut self.sines);
        // Each student's sum over those before it, and beside it the sum over those after it, row by row of the triangle.
        for after in &mut self.student_sines {
            after.store(f64x8::splat(simd, 0.0));
        }
        for j in 0..k {
            let weight = self.weighted_lengths[j].load(simd);
            let mut before = f64x8::splat(simd, 0.0);
            let row = &self.sines[pairs_before(j)..][..j];
            let (weights, after) = (&self.weighted_lengths[..j], &mut self.student_sines[..j]);
            for z in 0..j {
                let sine = row[z].load(simd);
                before = fused(simd, weights[z].load(simd), sine, before);
                after[z].store(fused(simd, weight, sine, after[z].load(simd)));
            }
            self.own[j].store(before);
        }
        for (sum, before) in self.student_sines.iter_mut().zip(&self.own) {
            sum.store(before.load(simd) + sum.load(simd));
        }
    }

    /// Angles with the teachers: the teachers' part of every field goes to `next`, and for each student the weighted sum
    /// of its sines is kept.
    #[inline(always)]
    pub(super) fn teacher_angles<S: Simd>(&mut self, simd: S, now: &[Eight], next: &mut [Eight]) {
        if self.directions.is_empty() && self.teachers.iter().all(|b| *b == 1.0) {
            self.angles_with_axes::<S, true>(simd, now, next);
        } else if self.directions.is_empty() {
            self.angles_with_axes::<S, false>(simd, now, next);
        } else {
            self.angles_with_rows(simd, now, next);
        }
    }

    /// Teacher `m` is axis `m`: its cosine is a coordinate over the length, and its vector has one component. Two pairs at
    /// a time, while the roots of the next two are under way. `UNIT` says that all teachers have length and output one,
    /// which saves products and changes no bit.
    #[inline(always)]
    fn angles_with_axes<S: Simd, const UNIT: bool>(&mut self, simd: S, now: &[Eight], next: &mut [Eight]) {
        let (k, m, r) = (self.k, self.m, self.r);
        let whole = m / 2 * 2;
        let zero = f64x8::splat(simd, 0.0);
        let mut ready = [(zero, zero); 2];
        if whole > 0 {
            ready = cosines_and_sines(simd, &now[..2], self.inverses[0].load(simd));
        }
        for j in 0..k {
            let (row, to) = (&now[j * r..(j + 1) * r], &mut next[j * r..(j + 1) * r]);
            let inverse = self.inverses[j].load(simd);
            let mut sum = zero;
            let mut i = 0;
            while i + 2 < whole {
                let coming = cosines_and_sines(simd, &row[i + 2..i + 4], inverse);
                self.two_axes::<S, UNIT>(simd, ready, i, &mut to[i..i + 2], &mut sum);
                ready = coming;
                i += 2;
            }
            let last = (whole < m).then(|| {
                let c = row[whole].load(simd) * inverse;
                (c, sine(simd, c))
            });
            if whole > 0 {
                let later = (j + 1).min(k - 1);
                let first = &now[later * r..later * r + 2];
                let coming = cosines_and_sines(simd, first, self.inverses[later].load(simd));
                self.two_axes::<S, UNIT>(simd, ready, i, &mut to[i..i + 2], &mut sum);
                ready = coming;
            }
            if let Some(last) = last {
                self.axis::<S, UNIT>(simd, last, whole, &mut to[whole], &mut sum);
            }
            for slot in &mut to[m..] {
                slot.store(zero);
            }
            self.teacher_sines[j].store(sum);
        }
    }

    /// Angles with teachers `i` and `i + 1`, from their cosines and sines.
    #[inline(always)]
    fn two_axes<S: Simd, const UNIT: bool>(
        &self,
        simd: S,
        pairs: [(f64x8<S>, f64x8<S>); 2],
        i: usize,
        to: &mut [Eight],
        sum: &mut f64x8<S>,
    ) {
        self.axis::<S, UNIT>(simd, pairs[0], i, &mut to[0], sum);
        self.axis::<S, UNIT>(simd, pairs[1], i + 1, &mut to[1], sum);
    }

    /// The angle with teacher `i`, from its cosine and sine: the teacher's part of a component of the field, and its share of the
    /// weighted sines.
    #[inline(always)]
    fn axis<S: Simd, const UNIT: bool>(
        &self,
        simd: S,
        (c, s): (f64x8<S>, f64x8<S>),
        i: usize,
        to: &mut Eight,
        sum: &mut f64x8<S>,
    ) {
        let psi = supplement(simd, c, s);
        if UNIT {
            to.store(-psi);
            *sum += s;
        } else {
            to.store(psi * -self.teachers[i]);
            *sum = fused(simd, f64x8::splat(simd, self.teachers[i]), s, *sum);
        }
    }

    /// Teachers in any directions: inner products, angles, and sums of vectors.
    #[inline(always)]
    fn angles_with_rows<S: Simd>(&mut self, simd: S, now: &[Eight], next: &mut [Eight]) {
        let (m, r) = (self.m, self.r);
        let zero = f64x8::splat(simd, 0.0);
        for j in 0..self.k {
            let row = &now[j * r..(j + 1) * r];
            let inverse = self.inverses[j].load(simd);
            for (slot, v) in self.crossed[..m].iter_mut().zip(self.directions.chunks_exact(r)) {
                let mut sum = zero;
                for (x, v) in row.iter().zip(v) {
                    sum = fused(simd, x.load(simd), f64x8::splat(simd, *v), sum);
                }
                slot.store(sum * inverse);
            }
            let (angles, sines) = self.crossed.split_at_mut(m);
            find_angles(simd, angles, sines);
            let mut sum = zero;
            for (weight, s) in self.teachers.iter().zip(&*sines) {
                sum = fused(simd, f64x8::splat(simd, *weight), s.load(simd), sum);
            }
            self.teacher_sines[j].store(sum);
            let to = &mut next[j * r..(j + 1) * r];
            let mut i = 0;
            while i < r {
                match r - i {
                    1 => self.teacher_part::<S, 1>(simd, i, to),
                    2 => self.teacher_part::<S, 2>(simd, i, to),
                    3 => self.teacher_part::<S, 3>(simd, i, to),
                    _ => self.teacher_part::<S, 4>(simd, i, to),
                }
                i += 4;
            }
        }
    }

    /// Components `i .. i + C` of the teachers' part of one student's field.
    #[inline(always)]
    fn teacher_part<S: Simd, const C: usize>(&self, simd: S, i: usize, to: &mut [Eight]) {
        let mut field = [f64x8::splat(simd, 0.0); C];
        for (psi, row) in self.crossed.iter().zip(self.rows.chunks_exact(self.r)) {
            let (psi, row) = (psi.load(simd), &row[i..i + C]);
            for c in 0..C {
                field[c] = fused(simd, psi, f64x8::splat(simd, -row[c]), field[c]);
            }
        }
        for (slot, field) in to[i..i + C].iter_mut().zip(field) {
            slot.store(field);
        }
    }
}
