//! The field of eight students of one two-layer problem, every run in a lane of its own.
//!
//! Three passes: lengths and cosines (`products`), angles (`products`), sums and the step (`sums`). A pair of students is
//! visited once; the reciprocal of a length is taken once for each student.

mod products;
mod sums;

use self::products::pairs_before;
use super::angles::GROUP;
use super::coordinates::Coordinates;
use super::problem::{EndPoint, LaneProblem, Measures, Step};
use super::{EnsembleError, NormKind, TwoLayerEnsemble};
use crate::eight::Eight;
use crate::lanes::Lanes;
use crate::{Evaluator, MatrixView, Student};
use fearless_simd::{Simd, SimdBase, f64x8};
use std::f64::consts::TAU;
use std::ops::Range;

/// The kernel and its buffers; every entry of a buffer is eight lanes.
#[derive(Clone, Debug)]
pub(super) struct TwoLayerLanes<'e> {
    ensemble: &'e TwoLayerEnsemble,
    /// The loss of ends, one run at a time.
    evaluator: Evaluator<'e>,
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
    /// `a_j w_j`, `K r`; empty for ones.
    weighted: Vec<Eight>,
    /// Cosines, then `pi - theta`, of each student with those before it, filled up to whole groups; and their sines.
    pairs: Vec<Eight>,
    sines: Vec<Eight>,
    /// Where the pair of students `(j, z)` lies in these, `K x K`.
    slots: Vec<u32>,
    /// `pi - theta` and sines of one student with all teachers, where these are not axes.
    crossed: Vec<Eight>,
    /// Weighted sums of sines with the other students and with the teachers, and the coefficient of `w_j` in `r_j`.
    student_sines: Vec<Eight>,
    teacher_sines: Vec<Eight>,
    own: Vec<Eight>,
    /// `|r_j|^2`, `w_j . r_j`, and the teachers' part of it.
    squares: Vec<Eight>,
    along: Vec<Eight>,
    along_teachers: Vec<Eight>,
}

/// Where each pair of `k` students lies among the pairs; the diagonal is not used.
fn slots(k: usize) -> Vec<u32> {
    let mut out = vec![0; k * k];
    let mut slot = 0;
    for j in 0..k {
        debug_assert_eq!(slot as usize, pairs_before(j), "rows of the triangle follow each other");
        for z in 0..j {
            (out[j * k + z], out[z * k + j]) = (slot, slot);
            slot += 1;
        }
    }
    out
}

impl<'e> TwoLayerLanes<'e> {
    pub(super) fn new(ensemble: &'e TwoLayerEnsemble, lanes: Lanes) -> Result<Self, EnsembleError> {
        let (coordinates, teacher) = ensemble.coordinates(lanes);
        let problem = ensemble.problem();
        let (k, r, m) = (ensemble.students(), coordinates.r, teacher.weights.len());
        let pairs = k * (k - 1) / 2;
        let needed = 64 * (3 * k * r + 2 * pairs + 2 * m + 9 * k) as u128 + 4 * (k * k) as u128;
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
        let crossed = if teacher.directions.is_empty() { 0 } else { 2 * m };
        Ok(Self {
            ensemble,
            evaluator: Evaluator::new(problem, k),
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
            pairs: lane(pairs.next_multiple_of(GROUP)),
            sines: lane(pairs.next_multiple_of(GROUP)),
            slots: slots(k),
            crossed: lane(crossed),
            student_sines: lane(k),
            teacher_sines: lane(k),
            own: lane(k),
            squares: lane(k),
            along: lane(k),
            along_teachers: lane(k),
        })
    }

    /// Output weight of a student in all lanes.
    #[inline(always)]
    fn output_of<S: Simd>(&self, simd: S, now: &[Eight], j: usize) -> f64x8<S> {
        if self.trained { now[self.k * self.r + j].load(simd) } else { f64x8::splat(simd, self.output[j]) }
    }

    /// Weighs lengths and rows by the output weights.
    #[inline(always)]
    fn weigh<S: Simd>(&mut self, simd: S, now: &[Eight]) {
        let r = self.r;
        for j in 0..self.k {
            let length = self.lengths[j].load(simd);
            if self.ones {
                self.weighted_lengths[j].store(length);
                continue;
            }
            let a = self.output_of(simd, now, j);
            self.weighted_lengths[j].store(a * length);
            for i in j * r..(j + 1) * r {
                self.weighted[i].store(a * now[i].load(simd));
            }
        }
    }

    /// The three passes.
    #[inline(always)]
    fn three_passes<S: Simd>(
        &mut self,
        simd: S,
        now: &[Eight],
        next: &mut [Eight],
        step: Step<S>,
    ) -> Measures<S> {
        let shortest = self.students_products(simd, now);
        self.weigh(simd, now);
        self.teacher_angles(simd, now, next);
        self.student_angles(simd);
        if step.loss || self.trained {
            self.sum::<S, true>(simd, now, next, step, shortest)
        } else {
            self.sum::<S, false>(simd, now, next, step, shortest)
        }
    }
}

impl LaneProblem for TwoLayerLanes<'_> {
    const GROUPS: usize = 1;

    fn entries(&self) -> usize {
        self.k * self.r + if self.trained { self.k } else { 0 }
    }

    fn unit(&self) -> f64 {
        self.ensemble.problem().kappa() / TAU
    }

    fn begin(&self, run: u64, out: &mut [f64]) {
        let mut start = vec![0.0; self.k * self.ensemble.problem().input_dimension()];
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

    type Prepared<S: Simd> = ();

    fn prepare<S: Simd>(&self, _simd: S, _now: &[Eight]) {}

    // Compiled once for each level, and called from every kind of dynamics.
    fn step<S: Simd>(
        &mut self,
        simd: S,
        _prepared: (),
        (now, next): (&[Eight], &mut [Eight]),
        step: Step<S>,
    ) -> Measures<S> {
        simd.vectorize(
            #[inline(always)]
            || self.three_passes(simd, now, next, step),
        )
    }

    fn loss_scale(&self) -> f64 {
        self.energy
    }

    fn end(&mut self, run: u64, state: &[f64]) -> EndPoint {
        let d = self.ensemble.problem().input_dimension();
        let mut start = vec![0.0; self.k * d];
        self.ensemble.draw(run, &mut start);
        let (rows, output) = state.split_at(self.k * self.r);
        let weights = self.coordinates.lift(&start, rows);
        let a = if self.trained { output } else { &self.output[..] };
        let student = Student::new(MatrixView::from_parts(self.k, d, &weights)).with_output(a);
        let loss = self.evaluator.loss(student).unwrap_or(f64::INFINITY);
        EndPoint { weights, output: output.to_vec(), loss }
    }

    fn students(&self) -> Vec<Range<usize>> {
        (0..self.k).map(|j| j * self.r..(j + 1) * self.r).collect()
    }

    fn norm_with_zeros(&mut self, end: &EndPoint, norm: NormKind) -> f64 {
        let d = self.ensemble.problem().input_dimension();
        let a = if self.trained { &end.output } else { &self.output };
        let student = Student::new(MatrixView::from_parts(self.k, d, &end.weights)).with_output(a);
        let Ok(gradient) = self.evaluator.gradient(student) else { return f64::INFINITY };
        let outputs = gradient.output.iter().map(|g| if self.trained { g * g } else { 0.0 });
        let rows = (0..self.k).map(|j| gradient.weights.row(j).iter().map(|g| g * g).sum::<f64>());
        let squares = rows.zip(outputs).map(|(row, output)| row + output);
        match norm {
            NormKind::Frobenius => squares.sum::<f64>().sqrt(),
            NormKind::LargestNeuron => squares.fold(0.0, f64::max).sqrt(),
        }
    }
}
