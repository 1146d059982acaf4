//! The field of eight students of one two-layer problem, every run in a lane of its own.
//!
//! Three passes: all cosines, all angles, all sums. A pair of students is visited once; the reciprocal of a length is taken
//! once for each student.

use super::angles::psi_sine;
use super::coordinates::Coordinates;
use super::problem::{EndPoint, LaneProblem, Measures};
use super::{EnsembleError, TwoLayerEnsemble};
use crate::eight::Eight;
use crate::lanes::{Lanes, fused};
use crate::{Evaluator, Level, MatrixView, Student, TwoLayer};
use fearless_simd::{Simd, SimdBase, SimdFloat, f64x8};
use std::f64::consts::{PI, TAU};

/// The kernel and its buffers; every entry of a buffer is eight lanes.
#[derive(Clone, Debug)]
pub(super) struct TwoLayerLanes<'e> {
    ensemble: &'e TwoLayerEnsemble,
    /// The problem at the level of the lanes, for the loss of ends.
    problem: TwoLayer,
    coordinates: Coordinates,
    k: usize,
    /// Teachers that are not zero, and coordinates of a student.
    m: usize,
    r: usize,
    /// `b_m |v_m|`.
    teachers: Vec<f64>,
    /// Directions of the teachers and `b_m v_m`, row by row; empty where teacher `m` is axis `m`.
    directions: Vec<f64>,
    rows: Vec<f64>,
    /// Output weights at the start, `K`.
    output: Vec<f64>,
    trained: bool,
    /// Whether all output weights are one for good.
    ones: bool,
    /// `2 pi` times the teacher's own energy.
    energy: f64,
    /// One over the lengths, the lengths, and `a_j |w_j|`, `K` each.
    inverses: Vec<Eight>,
    lengths: Vec<Eight>,
    weighted_lengths: Vec<Eight>,
    /// `a_j w_j`, `K r`; unused for ones.
    weighted: Vec<Eight>,
    /// Cosines, then `pi - theta`: for each student its teachers, then the students before it.
    angles: Vec<Eight>,
    sines: Vec<Eight>,
}

/// What the sums of one student give.
struct RowSums<S: Simd> {
    /// `|r_j|^2`.
    squares: f64x8<S>,
    /// `w_j . r_j`.
    along: f64x8<S>,
    /// `w_j` times the teachers' vectors in `r_j`.
    along_teachers: f64x8<S>,
}

/// Position of the first angle of student `j`, with `m` teachers.
#[inline(always)]
fn start_of(j: usize, m: usize) -> usize {
    j * m + j * j.saturating_sub(1) / 2
}

/// Inner product of two rows in eight lanes.
#[inline(always)]
fn product<S: Simd>(simd: S, u: &[Eight], v: &[Eight]) -> f64x8<S> {
    let mut sum = f64x8::splat(simd, 0.0);
    for (x, y) in u.iter().zip(v) {
        sum = fused(simd, x.load(simd), y.load(simd), sum);
    }
    sum
}

impl<'e> TwoLayerLanes<'e> {
    pub(super) fn new(
        ensemble: &'e TwoLayerEnsemble,
        lanes: Lanes,
        level: Level,
    ) -> Result<Self, EnsembleError> {
        let (coordinates, teacher) = ensemble.coordinates(lanes);
        let problem = ensemble.problem().clone().with_level(level)?;
        let (k, r, m) = (ensemble.students(), coordinates.r, teacher.weights.len());
        let pairs = k * m + k * (k - 1) / 2;
        let needed = 64 * (4 * k * r + 2 * pairs + 4 * k) as u128;
        if needed > u128::from(problem.memory_limit()) {
            return Err(EnsembleError::Memory { needed, limit: problem.memory_limit() });
        }
        let rows = teacher.directions.chunks_exact(r).zip(&teacher.weights);
        let rows = rows.flat_map(|(v, b)| v.iter().map(move |x| b * x)).collect();
        let output = ensemble.initial_output();
        let trained = ensemble.trains_output();
        let ones = !trained && output.iter().all(|a| *a == 1.0);
        let lane = |n: usize| vec![Eight::default(); n];
        let energy = TAU * problem.energy();
        Ok(Self {
            ensemble,
            problem,
            coordinates,
            k,
            m,
            r,
            teachers: teacher.weights,
            directions: teacher.directions,
            rows,
            output: if output.is_empty() { vec![1.0; k] } else { output },
            trained,
            ones,
            energy,
            inverses: lane(k),
            lengths: lane(k),
            weighted_lengths: lane(k),
            weighted: lane(if ones { 0 } else { k * r }),
            angles: lane(pairs),
            sines: lane(pairs),
        })
    }

    /// Output weight of a student in all lanes.
    #[inline(always)]
    fn output_of<S: Simd>(&self, simd: S, now: &[Eight], j: usize) -> f64x8<S> {
        if self.trained { now[self.k * self.r + j].load(simd) } else { f64x8::splat(simd, self.output[j]) }
    }

    /// Lengths and cosines; the smallest squared length.
    #[inline(always)]
    fn cosines<S: Simd>(&mut self, simd: S, now: &[Eight]) -> f64x8<S> {
        let (k, m, r) = (self.k, self.m, self.r);
        let one = f64x8::splat(simd, 1.0);
        let mut shortest = f64x8::splat(simd, f64::INFINITY);
        for j in 0..k {
            let row = &now[j * r..(j + 1) * r];
            let square = product(simd, row, row);
            shortest = shortest.min(square);
            let length = square.sqrt();
            let inverse = one / length;
            self.lengths[j].store(length);
            self.inverses[j].store(inverse);
            let start = start_of(j, m);
            let (teachers, students) = self.angles[start..start + m + j].split_at_mut(m);
            if self.directions.is_empty() {
                for (slot, x) in teachers.iter_mut().zip(row) {
                    slot.store(x.load(simd) * inverse);
                }
            } else {
                for (slot, v) in teachers.iter_mut().zip(self.directions.chunks_exact(r)) {
                    let mut sum = f64x8::splat(simd, 0.0);
                    for (x, v) in row.iter().zip(v) {
                        sum = fused(simd, x.load(simd), f64x8::splat(simd, *v), sum);
                    }
                    slot.store(sum * inverse);
                }
            }
            let others = now.chunks_exact(r).zip(&self.inverses);
            for (slot, (other, scale)) in students.iter_mut().zip(others) {
                slot.store(product(simd, row, other) * (inverse * scale.load(simd)));
            }
        }
        shortest
    }

    #[inline(always)]
    fn find_angles<S: Simd>(&mut self, simd: S) {
        for (angle, sine) in self.angles.iter_mut().zip(&mut self.sines) {
            let (psi, s) = psi_sine(simd, angle.load(simd));
            angle.store(psi);
            sine.store(s);
        }
    }

    /// Weighs lengths and rows by the output weights.
    #[inline(always)]
    fn weigh<S: Simd>(&mut self, simd: S, now: &[Eight]) {
        let r = self.r;
        for j in 0..self.k {
            let a = self.output_of(simd, now, j);
            let length = self.lengths[j].load(simd);
            self.weighted_lengths[j].store(if self.ones { length } else { a * length });
            if !self.ones {
                for i in j * r..(j + 1) * r {
                    self.weighted[i].store(a * now[i].load(simd));
                }
            }
        }
    }

    /// Sums of sines of student `j`: over the teachers, weighted, and over the other students.
    #[inline(always)]
    fn sines_of<S: Simd>(&self, simd: S, j: usize) -> (f64x8<S>, f64x8<S>) {
        let (k, m) = (self.k, self.m);
        let start = start_of(j, m);
        let mut teachers = f64x8::splat(simd, 0.0);
        for (weight, sine) in self.teachers.iter().zip(&self.sines[start..start + m]) {
            teachers = fused(simd, f64x8::splat(simd, *weight), sine.load(simd), teachers);
        }
        let mut students = f64x8::splat(simd, 0.0);
        for (weight, sine) in self.weighted_lengths.iter().zip(&self.sines[start + m..start + m + j]) {
            students = fused(simd, weight.load(simd), sine.load(simd), students);
        }
        for z in j + 1..k {
            let sine = self.sines[start_of(z, m) + m + j];
            students = fused(simd, self.weighted_lengths[z].load(simd), sine.load(simd), students);
        }
        (teachers, students)
    }

    /// Components `i .. i + C` of `r_j`, added to the state.
    #[inline(always)]
    fn components<S: Simd, const C: usize, const ALONG: bool>(
        &self,
        simd: S,
        (j, i): (usize, usize),
        (own, scale): (f64x8<S>, f64x8<S>),
        (now, next): (&[Eight], &mut [Eight]),
        sums: &mut RowSums<S>,
    ) {
        let (k, m, r) = (self.k, self.m, self.r);
        let start = start_of(j, m);
        let zero = f64x8::splat(simd, 0.0);
        let mut field = [zero; C];
        if self.directions.is_empty() {
            for c in 0..C {
                if i + c < m {
                    field[c] = self.angles[start + i + c].load(simd) * (-self.teachers[i + c]);
                }
            }
        } else {
            for (psi, v) in self.angles[start..start + m].iter().zip(self.rows.chunks_exact(r)) {
                let (psi, v) = (psi.load(simd), &v[i..i + C]);
                for c in 0..C {
                    field[c] = fused(simd, psi, f64x8::splat(simd, -v[c]), field[c]);
                }
            }
        }
        let row = &now[j * r + i..j * r + i + C];
        if ALONG {
            for c in 0..C {
                sums.along_teachers = fused(simd, row[c].load(simd), field[c], sums.along_teachers);
            }
        }
        let sources = if self.ones { now } else { &self.weighted[..] };
        for z in (0..k).filter(|z| *z != j) {
            let pair = if z < j { start + m + z } else { start_of(z, m) + m + j };
            let psi = self.angles[pair].load(simd);
            let source = &sources[z * r + i..z * r + i + C];
            for c in 0..C {
                field[c] = fused(simd, psi, source[c].load(simd), field[c]);
            }
        }
        let to = &mut next[j * r + i..j * r + i + C];
        for c in 0..C {
            let w = row[c].load(simd);
            let f = fused(simd, own, w, field[c]);
            sums.squares = fused(simd, f, f, sums.squares);
            if ALONG {
                sums.along = fused(simd, w, f, sums.along);
            }
            to[c].store(fused(simd, scale, f, w));
        }
    }

    /// All components of student `j`.
    #[inline(always)]
    fn row<S: Simd, const ALONG: bool>(
        &self,
        simd: S,
        j: usize,
        factors: (f64x8<S>, f64x8<S>),
        now: &[Eight],
        next: &mut [Eight],
    ) -> RowSums<S> {
        let zero = f64x8::splat(simd, 0.0);
        let mut sums = RowSums { squares: zero, along: zero, along_teachers: zero };
        let mut i = 0;
        while i < self.r {
            let (at, states, sums) = ((j, i), (now, &mut *next), &mut sums);
            match self.r - i {
                1 => self.components::<S, 1, ALONG>(simd, at, factors, states, sums),
                2 => self.components::<S, 2, ALONG>(simd, at, factors, states, sums),
                3 => self.components::<S, 3, ALONG>(simd, at, factors, states, sums),
                4 => self.components::<S, 4, ALONG>(simd, at, factors, states, sums),
                5 => self.components::<S, 5, ALONG>(simd, at, factors, states, sums),
                _ => self.components::<S, 6, ALONG>(simd, at, factors, states, sums),
            }
            i += 6;
        }
        sums
    }

    /// The sums of all students, and the step.
    #[inline(always)]
    fn sum<S: Simd, const LOSS: bool, const TRAINED: bool>(
        &self,
        simd: S,
        (now, next): (&[Eight], &mut [Eight]),
        scale: f64x8<S>,
        shortest: f64x8<S>,
    ) -> Measures<S> {
        let zero = f64x8::splat(simd, 0.0);
        let (mut total, mut largest, mut doubled) = (zero, zero, zero);
        for j in 0..self.k {
            let a = self.output_of(simd, now, j);
            let (teachers, students) = self.sines_of(simd, j);
            let own = fused(simd, students - teachers, self.inverses[j].load(simd), a * PI);
            let (factor, sums) = if self.ones {
                (
                    a,
                    if LOSS {
                        self.row::<S, true>(simd, j, (own, scale), now, next)
                    } else {
                        self.row::<S, false>(simd, j, (own, scale), now, next)
                    },
                )
            } else if LOSS || TRAINED {
                (a, self.row::<S, true>(simd, j, (own, scale * a), now, next))
            } else {
                (a, self.row::<S, false>(simd, j, (own, scale * a), now, next))
            };
            let mut squares = sums.squares;
            if !self.ones {
                squares = squares * (factor * factor);
            }
            if TRAINED {
                let along = sums.along;
                squares = fused(simd, along, along, squares);
                next[self.k * self.r + j].store(fused(simd, scale, along, a));
            }
            total += squares;
            largest = largest.max(squares);
            if LOSS {
                // w_j . r_j = A_j - B_j, and the loss is the sum of a_j (A_j / 2 - B_j) (E.7).
                let b = fused(simd, self.lengths[j].load(simd), teachers, -sums.along_teachers);
                doubled = fused(simd, a, sums.along - b, doubled);
            }
        }
        let loss = fused(simd, doubled, f64x8::splat(simd, 0.5), f64x8::splat(simd, self.energy));
        Measures { total, largest, shortest, loss }
    }
}

impl LaneProblem for TwoLayerLanes<'_> {
    const GROUPS: usize = 1;

    fn entries(&self) -> usize {
        self.k * self.r + if self.trained { self.k } else { 0 }
    }

    fn unit(&self) -> f64 {
        self.problem.kappa() / TAU
    }

    fn begin(&self, run: u64, out: &mut [f64]) {
        let mut start = vec![0.0; self.k * self.problem.input_dimension()];
        self.ensemble.draw(run, &mut start);
        let (weights, output) = out.split_at_mut(self.k * self.r);
        self.coordinates.of_start(&start, weights);
        if self.trained {
            output.copy_from_slice(&self.output);
        }
    }

    fn idle(&self, out: &mut [f64]) {
        out.fill(1.0);
    }

    #[inline(always)]
    fn step<S: Simd, const LOSS: bool>(
        &mut self,
        simd: S,
        now: &[Eight],
        next: &mut [Eight],
        scale: f64x8<S>,
    ) -> Measures<S> {
        let shortest = self.cosines(simd, now);
        self.find_angles(simd);
        self.weigh(simd, now);
        if self.trained {
            self.sum::<S, LOSS, true>(simd, (now, next), scale, shortest)
        } else {
            self.sum::<S, LOSS, false>(simd, (now, next), scale, shortest)
        }
    }

    fn loss_scale(&self) -> f64 {
        self.energy
    }

    fn end(&self, run: u64, state: &[f64]) -> EndPoint {
        let d = self.problem.input_dimension();
        let mut start = vec![0.0; self.k * d];
        self.ensemble.draw(run, &mut start);
        let (rows, output) = state.split_at(self.k * self.r);
        let weights = self.coordinates.lift(&start, rows);
        let a = if self.trained { output } else { &self.output[..] };
        let student = Student::new(MatrixView::from_parts(self.k, d, &weights)).with_output(a);
        let loss = Evaluator::new(&self.problem, self.k).loss(student).unwrap_or(f64::INFINITY);
        EndPoint { weights, output: output.to_vec(), loss }
    }
}
