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
use crate::lanes::{on_lanes, psi_sine};
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
        let lanes = Eight {
            k,
            m,
            d,
            weights: lanes(k * d),
            output: lanes(k),
            inverses: lanes(k),
            lengths: lanes(k),
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
        check_entries("students", students, self.one.problem().input_dimension())?;
        check_optional("outputs", outputs, n * k, "one for each neuron of each student")?;
        let problem = self.one.problem();
        let plain = problem.factor.is_none() && problem.alpha == 0.0 && problem.skip.is_empty();
        let blocks = if plain { n / 8 } else { 0 };
        for block in 0..blocks {
            let weights = &students[block * 8 * size..(block + 1) * 8 * size];
            let output = outputs.get(block * 8 * k..(block + 1) * 8 * k).unwrap_or_default();
            let to = &mut out[block * 8 * size..(block + 1) * 8 * size];
            let lanes = &mut self.lanes;
            let careful = on_lanes!(problem.lanes, simd => lanes.evaluate(simd, problem, weights, output));
            self.lanes.store(problem.kappa / TAU, to);
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
        for j in 0..k {
            let row = &self.weights[j * d..(j + 1) * d];
            let mut square = f64x8::splat(simd, 0.0);
            for x in row {
                let x = f64x8::load_array_ref(simd, x);
                square = x.mul_add_precise(x, square);
            }
            safe = safe & square.simd_gt(low) & square.simd_lt(high);
            let length = square.sqrt();
            let inverse = one / length;
            length.store_array(&mut self.lengths[j]);
            inverse.store_array(&mut self.inverses[j]);
            let start = start_of(j, m);
            let teachers = problem.white.directions.as_slice().chunks_exact(d);
            for (slot, teacher) in self.angles[start..start + m].iter_mut().zip(teachers) {
                let mut product = f64x8::splat(simd, 0.0);
                for (x, v) in row.iter().zip(teacher) {
                    product = f64x8::load_array_ref(simd, x).mul_add_precise(f64x8::splat(simd, *v), product);
                }
                (product * inverse).store_array(slot);
            }
            let others = self.weights[..j * d].chunks_exact(d).zip(&self.inverses[..j]);
            for (slot, (other, scale)) in self.angles[start + m..start + m + j].iter_mut().zip(others) {
                let mut product = f64x8::splat(simd, 0.0);
                for (x, y) in row.iter().zip(other) {
                    product = f64x8::load_array_ref(simd, x)
                        .mul_add_precise(f64x8::load_array_ref(simd, y), product);
                }
                (product * inverse * f64x8::load_array_ref(simd, scale)).store_array(slot);
            }
        }
        let flags = safe.select(one, f64x8::splat(simd, 0.0)).to_array();
        flags.map(|x| x > 0.0)
    }

    /// The sums; says in which lanes they cancel.
    #[inline(always)]
    fn sum<S: Simd>(&mut self, simd: S, problem: &TwoLayer) -> [bool; 8] {
        let (k, m, d) = (self.k, self.m, self.d);
        let at = |x: &[f64; 8]| f64x8::load_array_ref(simd, x);
        let zero = f64x8::splat(simd, 0.0);
        let (mut squares, mut terms) = (zero, zero);
        for (b, v) in problem.output.iter().zip(&problem.white.lengths) {
            terms += f64x8::splat(simd, (b * v) * (b * v));
        }
        for j in 0..k {
            let start = start_of(j, m);
            let pair = |z: usize| if z < j { start + m + z } else { start_of(z, m) + m + j };
            let mut own = zero;
            for t in 0..m {
                let weight = f64x8::splat(simd, -problem.output[t] * problem.white.lengths[t]);
                own = weight.mul_add_precise(at(&self.sines[start + t]), own);
            }
            for z in (0..k).filter(|z| *z != j) {
                let weight = at(&self.output[z]) * at(&self.lengths[z]);
                own = weight.mul_add_precise(at(&self.sines[pair(z)]), own);
            }
            let a = at(&self.output[j]);
            let weighted = a * at(&self.lengths[j]);
            terms = weighted.mul_add_precise(weighted, terms);
            let own = (own * at(&self.inverses[j])) + a * f64x8::splat(simd, PI);
            for i in 0..d {
                let mut sum = own * at(&self.weights[j * d + i]);
                for (t, row) in problem.white.rows.as_slice().chunks_exact(d).enumerate() {
                    let factor = f64x8::splat(simd, -problem.output[t] * row[i]);
                    sum = at(&self.angles[start + t]).mul_add_precise(factor, sum);
                }
                for z in (0..k).filter(|z| *z != j) {
                    let factor = at(&self.output[z]) * at(&self.weights[z * d + i]);
                    sum = at(&self.angles[pair(z)]).mul_add_precise(factor, sum);
                }
                squares = sum.mul_add_precise(sum, squares);
                (sum * a).store_array(&mut self.field[j * d + i]);
            }
        }
        let share = f64x8::splat(simd, CANCELLING * CANCELLING * TAU * TAU * k as f64);
        let cancels = squares.simd_lt(share * terms);
        cancels.select(f64x8::splat(simd, 1.0), zero).to_array().map(|x| x > 0.0)
    }

    /// Writes the gradients of eight students.
    fn store(&self, scale: f64, out: &mut [f64]) {
        let size = self.k * self.d;
        for (i, lanes) in self.field.iter().enumerate() {
            for (l, x) in lanes.iter().enumerate() {
                out[l * size + i] = scale * x;
            }
        }
    }
}
