//! Training from small noisy starts, with the output weights of Fig. 9, and the fate of each run.

use super::claim::{Bench, Failure};
use popgrad::{
    Blocks, Landscape, Matrix, RandomStream, Student, Trained, TwoLayer, TwoLayerLandscape,
    symmetric_eigenvectors,
};
use rayon::prelude::*;

/// Relative mean squared error of the network's output below which a run has converged.
pub(super) const CONVERGED: f64 = 1e-12;
/// Size of the teacher's part of the start.
pub(super) const SIGNAL: f64 = 1e-3;
/// Gradient, relative to that at zero, below which descent no longer moves.
const AT_REST: f64 = 1e-10;
/// Steps between two looks at the loss.
const LOOK: usize = 25;
/// Longest step of Newton's method, in lengths of a teacher.
const NEWTON_STEP: f64 = 0.25;
/// Most steps of Newton's method.
const NEWTON_STEPS: usize = 60;

/// The law of the teacher's output weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum OutputLaw {
    /// All ones.
    Ones,
    /// Uniform between two ends.
    Uniform(f64, f64),
    /// Standard normal.
    Normal,
}

/// One experiment: teacher orthonormal with `units` of `dimension` coordinates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Setting {
    pub(super) units: usize,
    pub(super) dimension: usize,
    /// Standard deviation of the noise on each entry of the start.
    pub(super) noise: f64,
    pub(super) output: OutputLaw,
    pub(super) trained: Trained,
}

/// What became of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Fate {
    /// The error fell below [`CONVERGED`]; with units exchanged or not, after so many steps.
    Converged { exchanged: bool, steps: usize },
    /// Newton's method leads from where the run stands, through positive Hessians, to zero loss.
    Slow,
    /// It leads to a strict minimum with this relative error.
    Stuck { error: f64 },
    /// The Hessian is not positive where the run stands: it is still moving, or at a saddle.
    Moving,
}

/// The teacher, the start and the step of run `index`.
pub(super) struct Run {
    problem: TwoLayer,
    setting: Setting,
    output: Vec<f64>,
    step: f64,
    start: Matrix,
    /// Loss of the zero network.
    scale: f64,
}

impl Run {
    pub(super) fn try_new(setting: Setting, stream: &mut RandomStream) -> Result<Self, Failure> {
        let Setting { units, dimension, .. } = setting;
        let output: Vec<f64> = (0..units)
            .map(|_| match setting.output {
                OutputLaw::Ones => 1.0,
                OutputLaw::Uniform(low, high) => (high - low).mul_add(stream.uniform(), low),
                OutputLaw::Normal => stream.normal(),
            })
            .collect();
        let teacher = Matrix::identity(units, dimension);
        let mut start = Matrix::zeros(units, dimension);
        stream.fill_normal(start.as_mut_slice());
        for (z, v) in start.as_mut_slice().iter_mut().zip(teacher.as_slice()) {
            *z = SIGNAL.mul_add(*v, setting.noise * *z);
        }
        let problem = TwoLayer::try_new(teacher)?.with_teacher_output(output.clone())?;
        let scale = problem.loss(Student::new(Matrix::zeros(units, dimension).view()))?;
        let mut curvature: f64 = output.iter().map(|a| a * a).sum();
        if setting.trained != Trained::Weights {
            curvature += units as f64;
        }
        Ok(Self { problem, setting, output, step: 2.0 / curvature, start, scale })
    }

    fn landscape(&self) -> Result<TwoLayerLandscape<'_>, Failure> {
        let landscape = TwoLayerLandscape::new(&self.problem, self.setting.units);
        Ok(landscape.with_output(self.output.clone())?.with_trained(self.setting.trained))
    }

    /// Relative mean squared error of the output after each of the given numbers of steps, which ascend.
    pub(super) fn errors(&self, bench: &Bench<'_>, marks: &[usize]) -> Result<Vec<f64>, Failure> {
        let mut landscape = self.landscape()?;
        let mut point = landscape.state(self.start.view())?;
        let mut gradient = vec![0.0; point.len()];
        let (mut errors, mut done) = (Vec::new(), 0);
        for mark in marks {
            for _ in done..*mark {
                self.step(bench, &mut landscape, &mut point, &mut gradient);
            }
            done = *mark;
            errors.push(landscape.loss(&point) / self.scale);
        }
        Ok(errors)
    }

    fn step(
        &self,
        bench: &Bench<'_>,
        landscape: &mut TwoLayerLandscape<'_>,
        point: &mut [f64],
        gradient: &mut [f64],
    ) {
        landscape.gradient(point, gradient);
        bench.maths.bend(gradient, point);
        for (x, g) in point.iter_mut().zip(gradient) {
            *x -= self.step * *g;
        }
    }

    /// Descends at most `limit` steps and says what became of the run.
    pub(super) fn fate(&self, bench: &Bench<'_>, limit: usize) -> Result<Fate, Failure> {
        let mut landscape = self.landscape()?;
        let mut point = landscape.state(self.start.view())?;
        let mut gradient = vec![0.0; point.len()];
        self.step(bench, &mut landscape, &mut point, &mut gradient);
        let rest = AT_REST * norm(&gradient);
        let mut steps = 1;
        while steps < limit {
            for _ in 0..LOOK {
                self.step(bench, &mut landscape, &mut point, &mut gradient);
            }
            steps += LOOK;
            if landscape.loss(&point) <= CONVERGED * self.scale {
                return Ok(Fate::Converged { exchanged: self.exchanged(&point), steps });
            }
            if norm(&gradient) <= rest {
                break;
            }
        }
        self.by_newton(bench, &mut landscape, point)
    }

    /// Whether some student lies nearest to another's teacher.
    fn exchanged(&self, point: &[f64]) -> bool {
        let (k, d) = (self.setting.units, self.setting.dimension);
        let largest = |row: &[f64]| (1..k).fold(0, |best, c| if row[c] > row[best] { c } else { best });
        point[..k * d].chunks_exact(d).enumerate().any(|(j, row)| largest(row) != j)
    }

    /// Follows Newton's method as long as the Hessian is positive.
    fn by_newton(
        &self,
        bench: &Bench<'_>,
        landscape: &mut TwoLayerLandscape<'_>,
        mut point: Vec<f64>,
    ) -> Result<Fate, Failure> {
        if point.iter().any(|x| !x.is_finite()) {
            return Ok(Fate::Moving);
        }
        let mut gradient = vec![0.0; point.len()];
        for _ in 0..NEWTON_STEPS {
            landscape.gradient(&point, &mut gradient);
            bench.maths.bend(&mut gradient, &point);
            let Some(mut step) = self.newton_step(&point, &gradient)? else {
                return Ok(Fate::Moving);
            };
            let length = norm(&step);
            if length > NEWTON_STEP {
                step.iter_mut().for_each(|s| *s *= NEWTON_STEP / length);
            }
            point.iter_mut().zip(&step).for_each(|(x, s)| *x -= s);
            let error = landscape.loss(&point) / self.scale;
            if error <= CONVERGED {
                return Ok(Fate::Slow);
            }
            if length <= 1e-9 {
                return Ok(Fate::Stuck { error });
            }
        }
        Ok(Fate::Moving)
    }

    /// The inverse of the Hessian times the gradient; nothing where the Hessian is not positive.
    ///
    /// With trained output weights the loss does not change under `w_j -> c w_j`, `a_j -> a_j / c`; the gradient has
    /// no part along that direction, and the Hessian is taken on what is orthogonal to it.
    fn newton_step(&self, point: &[f64], gradient: &[f64]) -> Result<Option<Vec<f64>>, Failure> {
        let (k, d) = (self.setting.units, self.setting.dimension);
        let weights = Matrix::try_new(k, d, point[..k * d].to_vec())?;
        let output = if point.len() > k * d { &point[k * d..] } else { &self.output };
        let student = Student::new(weights.view()).with_output(output);
        let both = point.len() > k * d;
        let mut hessian = self.problem.hessian(student, if both { Blocks::All } else { Blocks::Weights })?;
        let size = point.len();
        for j in 0..if both { k } else { 0 } {
            let mut along = vec![0.0; size];
            along[j * d..(j + 1) * d].copy_from_slice(weights.row(j));
            along[k * d + j] = -output[j];
            let squared: f64 = along.iter().map(|x| x * x).sum();
            for (p, row) in hessian.as_mut_slice().chunks_exact_mut(size).enumerate() {
                row.iter_mut().zip(&along).for_each(|(h, x)| *h += along[p] * x / squared);
            }
        }
        let (values, vectors) = symmetric_eigenvectors(hessian.view())?;
        if values[0] <= 0.0 {
            return Ok(None);
        }
        let mut step = vec![0.0; size];
        for (c, value) in values.iter().enumerate() {
            let along: f64 = vectors.row(c).iter().zip(gradient).map(|(v, g)| v * g).sum();
            step.iter_mut().zip(vectors.row(c)).for_each(|(s, v)| *s += along / value * v);
        }
        Ok(Some(step))
    }
}

/// The fates of `count` runs of one setting; run `i` draws from stream `first + i`.
pub(super) fn fates(
    bench: &Bench<'_>,
    setting: Setting,
    (first, count, limit): (u64, u64, usize),
) -> Result<Vec<Fate>, Failure> {
    (0..count)
        .into_par_iter()
        .map(|i| {
            bench.pause()?;
            Run::try_new(setting, &mut bench.stream(first + i))?.fate(bench, limit)
        })
        .collect()
}

fn norm(x: &[f64]) -> f64 {
    x.iter().map(|v| v * v).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::super::maths::Maths;
    use super::super::plan::Profile;
    use super::*;
    use std::sync::atomic::AtomicBool;

    fn setting(units: usize, output: OutputLaw, trained: Trained) -> Setting {
        Setting { units, dimension: units + 1, noise: 0.5 * SIGNAL, output, trained }
    }

    fn with_bench<T>(maths: Maths, run: impl FnOnce(&Bench<'_>) -> T) -> T {
        let flag = AtomicBool::new(false);
        run(&Bench::new("test", Profile::Quick, 1, maths, &flag))
    }

    #[test]
    fn two_units_converge_whether_the_output_is_trained_or_not() {
        with_bench(Maths::exact(), |bench| {
            for trained in [Trained::Weights, Trained::WeightsAndOutput] {
                for fate in fates(bench, setting(2, OutputLaw::Ones, trained), (0, 8, 5000)).unwrap() {
                    assert!(matches!(fate, Fate::Converged { .. }), "{fate:?}");
                }
            }
        });
    }

    #[test]
    fn a_wrong_gradient_is_not_taken_for_convergence() {
        with_bench(Maths::with_defect(1e-3), |bench| {
            for fate in fates(bench, setting(2, OutputLaw::Ones, Trained::Weights), (0, 8, 2000)).unwrap() {
                assert!(!matches!(fate, Fate::Converged { .. }), "{fate:?}");
            }
        });
    }

    #[test]
    fn a_run_cut_short_is_slow_and_one_at_a_spurious_minimum_is_stuck() {
        with_bench(Maths::exact(), |bench| {
            let mut run =
                Run::try_new(setting(6, OutputLaw::Ones, Trained::Weights), &mut bench.stream(0)).unwrap();
            let plane = popgrad::XyPlane::try_new(6).unwrap();
            let point = plane.find_spurious().unwrap();
            let place = |x: f64, y: f64| {
                let square = plane.embed(x, y);
                let mut start = Matrix::zeros(6, 7);
                (0..6).for_each(|j| start.row_mut(j)[..6].copy_from_slice(square.row(j)));
                start.row_mut(0)[6] = 1e-3;
                start
            };
            run.start = place(0.98, 0.01);
            assert_eq!(run.fate(bench, 2).unwrap(), Fate::Slow);
            run.start = place(point.x, point.y);
            let Fate::Stuck { error } = run.fate(bench, 200).unwrap() else { panic!("not stuck") };
            assert!((error - point.loss / run.scale).abs() < 1e-12, "{error:e}");
        });
    }

    #[test]
    fn small_output_weights_slow_training_by_their_square_and_do_nothing_else() {
        with_bench(Maths::exact(), |bench| {
            let errors = |low: f64, high: f64| {
                let setting = setting(3, OutputLaw::Uniform(low, high), Trained::Weights);
                Run::try_new(setting, &mut bench.stream(3)).unwrap().errors(bench, &[1, 10, 50]).unwrap()
            };
            for (a, b) in errors(0.1, 1.1).into_iter().zip(errors(0.01, 0.11)) {
                assert!((a - b).abs() <= 1e-10 * a, "{a:e} {b:e}");
            }
        });
    }
}
