//! Gradients of many students of one small problem at once: eight problems in the lanes.
//!
//! Three passes over eight problems: all inner products, all angles, all sums. A student pair is visited once. Problems
//! that need care (near the teacher, extreme lengths) are handed to the evaluator of one problem, so that the accuracy
//! is that of [`crate::Evaluator::gradient_into`]; from about twenty neurons on that evaluator is as fast.

use super::TwoLayerError;
use super::evaluator::{CANCELLING, Evaluator};
use super::field_lanes::SAFE_SQUARE;
use super::problem::TwoLayer;
use super::student::{Student, check_entries, check_optional};
use crate::MatrixView;
use crate::lanes::{fused, on_lanes, psi_sine};
use fearless_simd::{Select, Simd, SimdBase, SimdFloat, f64x8};
use std::f64::consts::{PI, TAU};

/// Evaluates one problem at many students of `K` neurons, eight at a time.
///
/// ```
/// use popgrad::{BatchEvaluator, Matrix, TwoLayer};
/// let problem = TwoLayer::try_new(Matrix::identity(2, 2))?;
/// let mut batch = BatchEvaluator::new(&problem, 2);
/// let students = [[2.0, 0.0, 0.0, 2.0], [1.0, 0.0, 0.0, 1.0]].concat();
/// let mut gradients = [0.0; 8];
/// batch.gradients_into(&students, &[], &mut gradients)?;
/// assert_eq!(gradients[4..], [0.0; 4]); // the second student is the teacher
/// # Ok::<(), popgrad::TwoLayerError>(())
/// ```
#[derive(Clone, Debug)]
pub struct BatchEvaluator<'p> {
    one: Evaluator<'p>,
    k: usize,
    lanes: Eight,
}

/// Buffers of eight problems; every entry is eight lanes.
#[derive(Clone, Debug)]
struct Eight {
    k: usize,
    m: usize,
    d: usize,
    /// Weights, `K d`.
    weights: Vec<[f64; 8]>,
    /// Output weights, `K`.
    output: Vec<[f64; 8]>,
    /// One over the lengths, and the lengths, `K` each.
    inverses: Vec<[f64; 8]>,
    lengths: Vec<[f64; 8]>,
    /// `a_j |w_j|`, `K`, and `a_j w_j`, `K d`.
    weighted_lengths: Vec<[f64; 8]>,
    weighted: Vec<[f64; 8]>,
    /// `-b_m v_m`, `M d`.
    teachers: Vec<f64>,
    /// Cosines, then `pi - theta`: for each student `j` its teachers, then the students before it.
    angles: Vec<[f64; 8]>,
    sines: Vec<[f64; 8]>,
    /// The field, `K d`.
    field: Vec<[f64; 8]>,
}

impl<'p> BatchEvaluator<'p> {
    /// Buffers for students of `k` neurons.
    pub fn new(problem: &'p TwoLayer, k: usize) -> Self {
        let (m, d) = (problem.teacher().rows(), problem.input_dimension());
        let lanes = |n: usize| vec![[0.0; 8]; n];
        let pairs = k * m + k * k.saturating_sub(1) / 2;
        let rows = problem.white.rows.as_slice().chunks_exact(d).zip(&problem.output);
        let teachers = rows.flat_map(|(row, b)| row.iter().map(move |x| -b * x)).collect();
        let lanes = Eight {
            k,
            m,
            d,
            weights: lanes(k * d),
            output: lanes(k),
            inverses: lanes(k),
            lengths: lanes(k),
            weighted_lengths: lanes(k),
            weighted: lanes(k * d),
            teachers,
            angles: lanes(pairs),
            sines: lanes(pairs),
            field: lanes(k * d),
        };
        Self { one: Evaluator::new(problem, k), k, lanes }
    }

    /// Gradients with respect to the hidden weights of every student, written to `out`.
    ///
    /// Source: as [`crate::Evaluator::gradient_into`], whose accuracy and treatment of zero students it shares.
    ///
    /// - Shapes: `students` is `n x K x d`, row by row; `outputs` is `n x K`, or empty for ones; `out` is `n x K x d`.
    /// - Speed: covariance, leaky slope and skip are evaluated one problem at a time.
    ///
    /// # Errors
    ///
    /// Wrong shapes and entries that are not finite: [`TwoLayerError`]. Nothing is written then.
    pub fn gradients_into(
        &mut self,
        students: &[f64],
        outputs: &[f64],
        out: &mut [f64],
    ) -> Result<(), TwoLayerError> {
        let (k, size) = (self.k, self.k * self.one.problem().input_dimension());
        let n = students.len() / size;
        for (name, got) in [("students", students.len()), ("the gradients' buffer", out.len())] {
            if got != n * size {
                let why = "whole students of K x d weights";
                return Err(TwoLayerError::Length { name, got, want: n * size, why });
            }
        }
        let d = self.one.problem().input_dimension();
        on_lanes!(self.one.problem().lanes, _simd => check_entries("students", students, d))?;
        check_optional("outputs", outputs, n * k, "one for each neuron of each student")?;
        let problem = self.one.problem();
        let plain = problem.factor.is_none() && problem.alpha == 0.0 && problem.skip.is_empty();
        let blocks = if plain { n / 8 } else { 0 };
        for block in 0..blocks {
            let weights = &students[block * 8 * size..(block + 1) * 8 * size];
            let output = outputs.get(block * 8 * k..(block + 1) * 8 * k).unwrap_or_default();
            let to = &mut out[block * 8 * size..(block + 1) * 8 * size];
            let lanes = &mut self.lanes;
            let careful = on_lanes!(problem.lanes, simd => {
                let careful = lanes.evaluate(simd, problem, weights, output);
                lanes.store(problem.kappa / TAU, to);
                careful
            });
            for lane in (0..8).filter(|l| careful[*l]) {
                let part = lane * size..(lane + 1) * size;
                let output = output.get(lane * k..(lane + 1) * k).unwrap_or_default();
                self.single(&weights[part.clone()], output, &mut to[part])?;
            }
        }
        for i in blocks * 8..n {
            let part = i * size..(i + 1) * size;
            let output = outputs.get(i * k..(i + 1) * k).unwrap_or_default();
            self.single(&students[part.clone()], output, &mut out[part])?;
        }
        Ok(())
    }

    fn single(&mut self, weights: &[f64], output: &[f64], out: &mut [f64]) -> Result<(), TwoLayerError> {
        let view = MatrixView::from_parts(self.k, self.one.problem().input_dimension(), weights);
        self.one.gradient_into(Student::new(view).with_output(output), out).map(|_| ())
    }
}

/// Inner products of two rows in eight lanes.
#[inline(always)]
fn product<S: Simd>(simd: S, u: &[[f64; 8]], v: &[[f64; 8]]) -> f64x8<S> {
    let mut sum = f64x8::splat(simd, 0.0);
    for (x, y) in u.iter().zip(v) {
        sum = fused(simd, f64x8::load_array_ref(simd, x), f64x8::load_array_ref(simd, y), sum);
    }
    sum
}

/// Position of the first angle of student `j`, with `m` teachers.
#[inline(always)]
fn start_of(j: usize, m: usize) -> usize {
    j * m + j * j.saturating_sub(1) / 2
}

impl Eight {
    /// `2 pi` times the fields of eight students; says which lanes need the evaluator of one problem.
    #[inline(always)]
    fn evaluate<S: Simd>(
        &mut self,
        simd: S,
        problem: &TwoLayer,
        students: &[f64],
        outputs: &[f64],
    ) -> [bool; 8] {
        self.load(students, outputs);
        let safe = self.cosines(simd, problem);
        for (angle, sine) in self.angles.iter_mut().zip(&mut self.sines) {
            let (psi, s) = psi_sine(simd, f64x8::load_array_ref(simd, angle));
            psi.store_array(angle);
            s.store_array(sine);
        }
        let cancels = self.sum(simd, problem);
        std::array::from_fn(|l| !safe[l] || (self.k == self.m && cancels[l]))
    }

    /// Brings eight students to lanes.
    #[inline(always)]
    fn load(&mut self, students: &[f64], outputs: &[f64]) {
        let size = self.k * self.d;
        for (i, lanes) in self.weights.iter_mut().enumerate() {
            *lanes = std::array::from_fn(|l| students[l * size + i]);
        }
        for (j, lanes) in self.output.iter_mut().enumerate() {
            *lanes = std::array::from_fn(|l| outputs.get(l * self.k + j).copied().unwrap_or(1.0));
        }
    }

    /// Lengths and cosines; says which lanes have all squares in the safe range.
    #[inline(always)]
    fn cosines<S: Simd>(&mut self, simd: S, problem: &TwoLayer) -> [bool; 8] {
        let (k, m, d) = (self.k, self.m, self.d);
        let one = f64x8::splat(simd, 1.0);
        let (low, high) = (f64x8::splat(simd, SAFE_SQUARE.start), f64x8::splat(simd, SAFE_SQUARE.end));
        let mut safe = one.simd_gt(f64x8::splat(simd, 0.0));
        let teachers = problem.white.directions.as_slice();
        for j in 0..k {
            let row = &self.weights[j * d..(j + 1) * d];
            let square = product(simd, row, row);
            safe = safe & square.simd_gt(low) & square.simd_lt(high);
            let length = square.sqrt();
            let inverse = one / length;
            length.store_array(&mut self.lengths[j]);
            inverse.store_array(&mut self.inverses[j]);
            let start = start_of(j, m);
            for (slot, v) in self.angles[start..start + m].iter_mut().zip(teachers.chunks_exact(d)) {
                let mut sum = f64x8::splat(simd, 0.0);
                for (x, v) in row.iter().zip(v) {
                    sum = fused(simd, f64x8::load_array_ref(simd, x), f64x8::splat(simd, *v), sum);
                }
                (sum * inverse).store_array(slot);
            }
            let others = self.weights[..j * d].chunks_exact(d).zip(&self.inverses[..j]);
            for (slot, (other, scale)) in self.angles[start + m..start + m + j].iter_mut().zip(others) {
                (product(simd, row, other) * inverse * f64x8::load_array_ref(simd, scale)).store_array(slot);
            }
        }
        let flags = safe.select(one, f64x8::splat(simd, 0.0)).to_array();
        flags.map(|x| x > 0.0)
    }

    /// The sums; says in which lanes they cancel.
    #[inline(always)]
    fn sum<S: Simd>(&mut self, simd: S, problem: &TwoLayer) -> [bool; 8] {
        let (k, d) = (self.k, self.d);
        let zero = f64x8::splat(simd, 0.0);
        let (mut squares, mut terms) = (zero, zero);
        for (b, v) in problem.output.iter().zip(&problem.white.lengths) {
            terms += f64x8::splat(simd, (b * v) * (b * v));
        }
        for j in 0..k {
            let a = f64x8::load_array_ref(simd, &self.output[j]);
            let weighted = a * f64x8::load_array_ref(simd, &self.lengths[j]);
            terms = fused(simd, weighted, weighted, terms);
            weighted.store_array(&mut self.weighted_lengths[j]);
            for i in j * d..(j + 1) * d {
                (a * f64x8::load_array_ref(simd, &self.weights[i])).store_array(&mut self.weighted[i]);
            }
        }
        for j in 0..k {
            let own = self.axis(simd, problem, j);
            let mut i = 0;
            while i < d {
                let part;
                (part, i) = match d - i {
                    1 => (self.components::<S, 1>(simd, j, own, i), i + 1),
                    2 => (self.components::<S, 2>(simd, j, own, i), i + 2),
                    3 => (self.components::<S, 3>(simd, j, own, i), i + 3),
                    4 => (self.components::<S, 4>(simd, j, own, i), i + 4),
                    5 => (self.components::<S, 5>(simd, j, own, i), i + 5),
                    _ => (self.components::<S, 6>(simd, j, own, i), i + 6),
                };
                squares += part;
            }
        }
        let share = f64x8::splat(simd, CANCELLING * CANCELLING * TAU * TAU * k as f64);
        let cancels = squares.simd_lt(share * terms);
        cancels.select(f64x8::splat(simd, 1.0), zero).to_array().map(|x| x > 0.0)
    }

    /// Coefficient of `w_j` in its own field: its own angle `pi` and the sines.
    #[inline(always)]
    fn axis<S: Simd>(&self, simd: S, problem: &TwoLayer, j: usize) -> f64x8<S> {
        let (k, m) = (self.k, self.m);
        let start = start_of(j, m);
        let mut own = f64x8::splat(simd, 0.0);
        for (t, sine) in self.sines[start..start + m].iter().enumerate() {
            let weight = f64x8::splat(simd, -problem.output[t] * problem.white.lengths[t]);
            own = fused(simd, weight, f64x8::load_array_ref(simd, sine), own);
        }
        let before = &self.sines[start + m..start + m + j];
        for (weight, sine) in self.weighted_lengths.iter().zip(before) {
            own = fused(simd, f64x8::load_array_ref(simd, weight), f64x8::load_array_ref(simd, sine), own);
        }
        for z in j + 1..k {
            let (weight, sine) = (&self.weighted_lengths[z], &self.sines[start_of(z, m) + m + j]);
            own = fused(simd, f64x8::load_array_ref(simd, weight), f64x8::load_array_ref(simd, sine), own);
        }
        let (inverse, a) = (&self.inverses[j], &self.output[j]);
        own * f64x8::load_array_ref(simd, inverse) + f64x8::load_array_ref(simd, a) * f64x8::splat(simd, PI)
    }

    /// Components `i .. i + C` of the field of student `j`; returns the sum of their squares.
    #[inline(always)]
    fn components<S: Simd, const C: usize>(
        &mut self,
        simd: S,
        j: usize,
        own: f64x8<S>,
        i: usize,
    ) -> f64x8<S> {
        let (k, m, d) = (self.k, self.m, self.d);
        let start = start_of(j, m);
        let mut sums = [f64x8::splat(simd, 0.0); C];
        let row = &self.weights[j * d + i..j * d + i + C];
        for c in 0..C {
            sums[c] = own * f64x8::load_array_ref(simd, &row[c]);
        }
        for (psi, v) in self.angles[start..start + m].iter().zip(self.teachers.chunks_exact(d)) {
            let (psi, v) = (f64x8::load_array_ref(simd, psi), &v[i..i + C]);
            for c in 0..C {
                sums[c] = fused(simd, psi, f64x8::splat(simd, v[c]), sums[c]);
            }
        }
        for z in (0..k).filter(|z| *z != j) {
            let pair = if z < j { start + m + z } else { start_of(z, m) + m + j };
            let psi = f64x8::load_array_ref(simd, &self.angles[pair]);
            let row = &self.weighted[z * d + i..z * d + i + C];
            for c in 0..C {
                sums[c] = fused(simd, psi, f64x8::load_array_ref(simd, &row[c]), sums[c]);
            }
        }
        let a = f64x8::load_array_ref(simd, &self.output[j]);
        let mut squares = f64x8::splat(simd, 0.0);
        for c in 0..C {
            squares = fused(simd, sums[c], sums[c], squares);
            (sums[c] * a).store_array(&mut self.field[j * d + i + c]);
        }
        squares
    }

    /// Writes the gradients of eight students.
    #[inline(always)]
    fn store(&self, scale: f64, out: &mut [f64]) {
        for (l, student) in out.chunks_exact_mut(self.k * self.d).enumerate() {
            for (to, from) in student.iter_mut().zip(&self.field) {
                *to = scale * from[l];
            }
        }
    }
}
