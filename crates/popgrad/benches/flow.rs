//! Workload W3: the gradient flow of ten students and an orthonormal teacher in ten dimensions until the gradient
//! norm is below 1e-8, at rtol 1e-8 and atol 1e-10. How long does a whole flow take, what does a step cost beside its
//! gradients, and what does a gradient cost at the start and at the end?
//!
//! `cargo bench -p popgrad --bench flow`. The start is the one that the peers take, so steps and seconds compare.
#![allow(clippy::unwrap_used, clippy::print_stdout)] // a bench fails by panicking and prints what it timed

use divan::Bencher;
use divan::counter::ItemsCount;
use popgrad::{
    AbsoluteTolerance, FlowOptions, GradientFlow, Landscape, Matrix, Outcome, Status, StopRule, TwoLayer,
    TwoLayerLandscape,
};
use std::ops::Range;

fn main() {
    divan::main();
}

fn start() -> Vec<f64> {
    let text = include_str!("../tests/fixtures/w3_start.json");
    let json: serde_json::Value = serde_json::from_str(text).expect("the fixture is JSON");
    let numbers = json["w0"].as_array().expect("the fixture holds w0");
    numbers.iter().map(|x| x.as_f64().expect("a number")).collect()
}

fn options() -> FlowOptions {
    FlowOptions {
        rtol: 1e-8,
        atol: AbsoluteTolerance::Fixed(1e-10),
        stop: StopRule { gradient_norm: Some(1e-8), ..StopRule::default() },
        ..FlowOptions::default()
    }
}

fn problem() -> TwoLayer {
    TwoLayer::try_new(Matrix::identity(10, 10)).expect("the identity is a teacher")
}

fn flow(problem: &TwoLayer, start: &[f64]) -> Outcome {
    let flow = GradientFlow::try_new(TwoLayerLandscape::new(problem, 10), start, options());
    flow.expect("the start fits").run()
}

/// The whole run; items are steps.
#[divan::bench]
fn whole_flow(bencher: Bencher) {
    let (problem, start) = (problem(), start());
    let end = flow(&problem, &start);
    assert_eq!(end.status, Status::Converged);
    bencher.counter(ItemsCount::new(end.steps + end.rejected)).bench(|| flow(&problem, &start));
}

/// Gradients at the start (far from the teacher) and at the end (near it); items are gradients.
#[divan::bench(args = ["start", "end"])]
fn gradients(bencher: Bencher, place: &str) {
    const COUNT: usize = 1000;
    let problem = problem();
    let point = if place == "end" { flow(&problem, &start()).point } else { start() };
    let mut landscape = TwoLayerLandscape::new(&problem, 10);
    let mut out = vec![0.0; 100];
    bencher.counter(ItemsCount::new(COUNT)).bench_local(|| {
        for _ in 0..COUNT {
            landscape.gradient(divan::black_box(&point), &mut out);
        }
    });
}

/// A landscape whose gradient costs a copy.
struct Bowl;

impl Landscape for Bowl {
    fn dimension(&self) -> usize {
        100
    }
    fn gradient(&mut self, point: &[f64], out: &mut [f64]) {
        out.copy_from_slice(point);
    }
    fn loss(&mut self, _: &[f64]) -> f64 {
        0.0
    }
    fn students(&self) -> Vec<Range<usize>> {
        (0..10).map(|j| 10 * j..10 * j + 10).collect()
    }
}

/// What a step costs beside its gradients; items are steps.
#[divan::bench]
fn steps_alone(bencher: Bencher) {
    const COUNT: u64 = 1000;
    let start = start();
    let stop = StopRule { steps: Some(COUNT), ..StopRule::default() };
    let options = FlowOptions { max_step: 1e-3, stop, ..options() };
    bencher
        .counter(ItemsCount::new(COUNT))
        .bench(|| GradientFlow::try_new(Bowl, &start, options.clone()).expect("the start fits").run());
}
