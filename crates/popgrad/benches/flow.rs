//! Workload W3: the gradient flow of ten students and an orthonormal teacher in ten dimensions until the gradient
//! norm is below 1e-8, at rtol 1e-8 and atol 1e-10. How long does a whole flow take, and a step?
//!
//! `cargo bench -p popgrad --bench flow`. The start is the one that the peers take, so steps and seconds compare.
#![allow(clippy::unwrap_used, clippy::print_stdout)] // a bench fails by panicking and prints what it timed

use divan::Bencher;
use popgrad::{
    AbsoluteTolerance, Evaluator, FlowOptions, GradientFlow, Landscape, Matrix, MatrixView, Outcome, Status,
    StopRule, Student, TwoLayer,
};
use std::ops::Range;

struct L<'p>(Evaluator<'p>);
impl Landscape for L<'_> {
    fn dimension(&self) -> usize {
        100
    }
    fn gradient(&mut self, y: &[f64], out: &mut [f64]) {
        let s = Student::new(MatrixView::try_new(10, 10, y).unwrap());
        if self.0.gradient_into(s, out).is_err() {
            out.fill(f64::NAN);
        }
    }
    fn loss(&mut self, _: &[f64]) -> f64 {
        0.0
    }
    fn students(&self) -> Vec<Range<usize>> {
        (0..10).map(|j| 10 * j..10 * j + 10).collect()
    }
}

fn main() {
    divan::main();
}

fn start() -> Vec<f64> {
    let json: serde_json::Value = serde_json::from_str(include_str!("data/w3_start.json")).unwrap();
    json["w0"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

fn options() -> FlowOptions {
    FlowOptions {
        rtol: 1e-8,
        atol: AbsoluteTolerance::Fixed(1e-10),
        stop: StopRule { gradient_norm: Some(1e-8), ..StopRule::default() },
        ..FlowOptions::default()
    }
}

fn flow(problem: &TwoLayer, start: &[f64]) -> Outcome {
    GradientFlow::try_new(L(Evaluator::new(problem, 10)), start, options()).unwrap().run()
}

#[divan::bench]
fn whole_flow(bencher: Bencher) {
    let problem = TwoLayer::try_new(Matrix::identity(10, 10)).unwrap();
    let start = start();
    let end = flow(&problem, &start);
    assert_eq!(end.status, Status::Converged);
    println!("{} steps, {} rejected, {} gradients, t {}", end.steps, end.rejected, end.gradients, end.time);
    bencher.bench(|| flow(&problem, &start));
}

#[divan::bench]
fn grad_start(bencher: Bencher) {
    let problem = TwoLayer::try_new(Matrix::identity(10, 10)).unwrap();
    let start = start();
    let mut l = L(Evaluator::new(&problem, 10));
    let mut out = vec![0.0; 100];
    bencher.bench_local(|| {
        for _ in 0..1000 {
            l.gradient(divan::black_box(&start), &mut out);
        }
    });
}
#[divan::bench]
fn grad_end(bencher: Bencher) {
    let problem = TwoLayer::try_new(Matrix::identity(10, 10)).unwrap();
    let end = flow(&problem, &start());
    let mut l = L(Evaluator::new(&problem, 10));
    let mut out = vec![0.0; 100];
    bencher.bench_local(|| {
        for _ in 0..1000 {
            l.gradient(divan::black_box(&end.point), &mut out);
        }
    });
}

struct Cheap;
impl Landscape for Cheap {
    fn dimension(&self) -> usize {
        100
    }
    fn gradient(&mut self, y: &[f64], out: &mut [f64]) {
        out.copy_from_slice(y);
    }
    fn loss(&mut self, _: &[f64]) -> f64 {
        0.0
    }
    fn students(&self) -> Vec<Range<usize>> {
        (0..10).map(|j| 10 * j..10 * j + 10).collect()
    }
}
#[divan::bench]
fn overhead_1000_steps(bencher: Bencher) {
    let start = start();
    let o = FlowOptions {
        max_step: 1e-3,
        stop: StopRule { steps: Some(1000), ..StopRule::default() },
        ..options()
    };
    bencher.bench(|| GradientFlow::try_new(Cheap, &start, o.clone()).unwrap().run());
}
