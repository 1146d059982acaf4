//! The sums over the students, and the step: the third pass over eight students.

use super::TwoLayerLanes;
use crate::eight::Eight;
use crate::ensemble::problem::{Measures, Step};
use crate::lanes::fused;
use fearless_simd::{Simd, SimdBase, f64x8};
use std::f64::consts::PI;

/// The most components of a pair of rows that are summed at a time; twice as many sums fit into the registers.
const WIDEST: usize = 10;

impl TwoLayerLanes<'_> {
    /// Adds the students' parts to the teachers' parts in `next`, takes the step, and measures.
    #[inline(always)]
    pub(super) fn sum<S: Simd, const ALONG: bool>(
        &mut self,
        simd: S,
        now: &[Eight],
        next: &mut [Eight],
        step: Step<S>,
        shortest: f64x8<S>,
    ) -> Measures<S> {
        let zero = f64x8::splat(simd, 0.0);
        for j in 0..self.k {
            let sines = self.student_sines[j].load(simd) - self.teacher_sines[j].load(simd);
            let own = self.output_of(simd, now, j) * PI;
            self.own[j].store(fused(simd, sines, self.inverses[j].load(simd), own));
            self.squares[j].store(zero);
            if ALONG {
                self.along[j].store(zero);
                self.along_teachers[j].store(zero);
            }
        }
        let width = self.r.div_ceil(self.r.div_ceil(WIDEST));
        let mut i = 0;
        while i < self.r {
            match width.min(self.r - i) {
                1 => self.columns::<S, 1, ALONG>(simd, now, next, i, step),
                2 => self.columns::<S, 2, ALONG>(simd, now, next, i, step),
                3 => self.columns::<S, 3, ALONG>(simd, now, next, i, step),
                4 => self.columns::<S, 4, ALONG>(simd, now, next, i, step),
                5 => self.columns::<S, 5, ALONG>(simd, now, next, i, step),
                6 => self.columns::<S, 6, ALONG>(simd, now, next, i, step),
                7 => self.columns::<S, 7, ALONG>(simd, now, next, i, step),
                8 => self.columns::<S, 8, ALONG>(simd, now, next, i, step),
                9 => self.columns::<S, 9, ALONG>(simd, now, next, i, step),
                _ => self.columns::<S, 10, ALONG>(simd, now, next, i, step),
            }
            i += width;
        }
        self.measure::<S, ALONG>(simd, now, next, step, shortest)
    }

    /// Components `i .. i + C` of all fields, two students at a time.
    #[inline(always)]
    fn columns<S: Simd, const C: usize, const ALONG: bool>(
        &mut self,
        simd: S,
        now: &[Eight],
        next: &mut [Eight],
        i: usize,
        step: Step<S>,
    ) {
        let mut j = 0;
        while j + 2 <= self.k {
            self.components::<S, 2, C, ALONG>(simd, now, next, (j, i), step);
            j += 2;
        }
        if j < self.k {
            self.components::<S, 1, C, ALONG>(simd, now, next, (j, i), step);
        }
    }

    /// Components `i .. i + C` of the fields of students `j .. j + A`, and of their steps.
    #[inline(always)]
    fn components<S: Simd, const A: usize, const C: usize, const ALONG: bool>(
        &mut self,
        simd: S,
        now: &[Eight],
        next: &mut [Eight],
        (j, i): (usize, usize),
        step: Step<S>,
    ) {
        let (k, r) = (self.k, self.r);
        let zero = f64x8::splat(simd, 0.0);
        let mut field = [[zero; C]; A];
        let mut slots = [&[][..]; A];
        for a in 0..A {
            let teachers = &next[(j + a) * r + i..(j + a) * r + i + C];
            for c in 0..C {
                field[a][c] = teachers[c].load(simd);
            }
            slots[a] = &self.slots[(j + a) * k..(j + a + 1) * k];
            if ALONG {
                let row = &now[(j + a) * r + i..(j + a) * r + i + C];
                let mut sum = self.along_teachers[j + a].load(simd);
                for c in 0..C {
                    sum = fused(simd, row[c].load(simd), field[a][c], sum);
                }
                self.along_teachers[j + a].store(sum);
            }
        }
        let sources = if self.ones { now } else { &self.weighted[..] };
        for (from, to) in [(0, j), (j + A, k)] {
            for z in from..to {
                let source = &sources[z * r + i..z * r + i + C];
                let mut psi = [zero; A];
                for a in 0..A {
                    psi[a] = self.pairs[slots[a][z] as usize].load(simd);
                }
                for c in 0..C {
                    let w = source[c].load(simd);
                    for a in 0..A {
                        field[a][c] = fused(simd, psi[a], w, field[a][c]);
                    }
                }
            }
        }
        if A == 2 {
            let psi = self.pairs[slots[0][j + 1] as usize].load(simd);
            let (first, second) =
                (&sources[j * r + i..j * r + i + C], &sources[(j + 1) * r + i..(j + 1) * r + i + C]);
            for c in 0..C {
                field[0][c] = fused(simd, psi, second[c].load(simd), field[0][c]);
                field[A - 1][c] = fused(simd, psi, first[c].load(simd), field[A - 1][c]);
            }
        }
        for a in 0..A {
            self.take::<S, C, ALONG>(simd, now, next, (j + a, i), step, field[a]);
        }
    }

    /// Adds the student's own term, takes the step of `C` components, and collects their squares.
    #[inline(always)]
    fn take<S: Simd, const C: usize, const ALONG: bool>(
        &mut self,
        simd: S,
        now: &[Eight],
        next: &mut [Eight],
        (j, i): (usize, usize),
        step: Step<S>,
        field: [f64x8<S>; C],
    ) {
        let at = j * self.r + i;
        let (row, to) = (&now[at..at + C], &mut next[at..at + C]);
        let own = self.own[j].load(simd);
        let scale = if self.ones { step.scale } else { step.scale * self.output_of(simd, now, j) };
        let mut squares = self.squares[j].load(simd);
        let mut along = self.along[j].load(simd);
        for c in 0..C {
            let w = row[c].load(simd);
            let f = fused(simd, own, w, field[c]);
            squares = fused(simd, f, f, squares);
            if ALONG {
                along = fused(simd, w, f, along);
            }
            let base = if step.moves { w } else { f64x8::splat(simd, 0.0) };
            to[c].store(fused(simd, scale, f, base));
        }
        self.squares[j].store(squares);
        if ALONG {
            self.along[j].store(along);
        }
    }

    /// Norms, the step of trained output weights, and the loss.
    #[inline(always)]
    fn measure<S: Simd, const ALONG: bool>(
        &self,
        simd: S,
        now: &[Eight],
        next: &mut [Eight],
        step: Step<S>,
        shortest: f64x8<S>,
    ) -> Measures<S> {
        let zero = f64x8::splat(simd, 0.0);
        let (mut total, mut largest, mut doubled) = (zero, zero, zero);
        for j in 0..self.k {
            let mut squares = self.squares[j].load(simd);
            let a = self.output_of(simd, now, j);
            if !self.ones {
                squares *= a * a;
            }
            let along = self.along[j].load(simd);
            if self.trained {
                squares = fused(simd, along, along, squares);
                let base = if step.moves { a } else { zero };
                next[self.k * self.r + j].store(fused(simd, step.scale, along, base));
            }
            total += squares;
            largest = largest.max(squares);
            if ALONG {
                // w_j . r_j = A_j - B_j, and the loss is the sum of a_j (A_j / 2 - B_j) (B.7).
                let sines = self.lengths[j].load(simd) * self.teacher_sines[j].load(simd);
                let b = sines - self.along_teachers[j].load(simd);
                doubled = fused(simd, a, along - b, doubled);
            }
        }
        let loss = fused(simd, doubled, f64x8::splat(simd, 0.5), f64x8::splat(simd, self.energy));
        Measures { total, largest, shortest, loss, basin: f64x8::splat(simd, 0.0) }
    }
}
