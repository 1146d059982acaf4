//! The cost of a gradient against the input dimension, in the span of the units and in the original coordinates.

use crate::arrays::Arrays;
use crate::clock::{Timing, once, time};
use crate::report;
use popgrad::{Evaluator, Matrix, RandomStream, Student, TwoLayer};
use popgrad_lab::figure::{Axis, Dash, Figure, Layer, Mark, Panel};

/// Input dimensions of the figure.
const DIMENSIONS: [usize; 11] = [10, 20, 40, 100, 300, 1000, 3000, 10_000, 30_000, 100_000, 1_000_000];

/// Times `k` students and teachers in every dimension; draws `cost_per_step.svg` beside the arrays.
pub(crate) fn run(arrays: &Arrays, k: usize) -> Result<(), String> {
    let (mut reduced, mut direct, mut forming) = (Vec::new(), Vec::new(), Vec::new());
    for d in DIMENSIONS {
        let mut stream = RandomStream::new(7, d as u64);
        let (v, w) = (normal(&mut stream, k, d)?, normal(&mut stream, k, d)?);
        let problem = TwoLayer::try_new(v).map_err(|e| e.to_string())?;
        let student = Student::new(w.view());
        let (reduction, basis) = once(|| problem.reduce(student));
        let reduction = reduction.map_err(|e| e.to_string())?;
        let size = format!("{k},{k},{d}");
        let step = gradient(reduction.problem(), reduction.student());
        report("flat", &format!("in the span, d = {d}"), &size, step, &[("basis_seconds", basis)]);
        let whole = gradient(&problem, student);
        report("flat", &format!("all coordinates, d = {d}"), &size, whole, &[]);
        let at = d as f64;
        reduced.push((at, step.cpu_seconds));
        direct.push((at, whole.cpu_seconds));
        forming.push((at, basis));
    }
    let path = arrays.0.join("cost_per_step.svg");
    std::fs::write(&path, figure(k, &reduced, &direct, &forming))
        .map_err(|e| format!("{}: {e}", path.display()))
}

fn normal(stream: &mut RandomStream, rows: usize, cols: usize) -> Result<Matrix, String> {
    let mut data = vec![0.0; rows * cols];
    stream.fill_normal(&mut data);
    Matrix::try_new(rows, cols, data).map_err(|e| e.to_string())
}

fn gradient(problem: &TwoLayer, student: Student<'_>) -> Timing {
    let mut evaluator = Evaluator::new(problem, student.neurons());
    let mut out = vec![0.0; student.weights().as_slice().len()];
    time(|| evaluator.gradient_into(student, &mut out).map(<[usize]>::len))
}

type Points = [(f64, f64)];

fn figure(k: usize, reduced: &Points, direct: &Points, forming: &Points) -> String {
    let series = |i: usize, points: &Points, label: &str| {
        let line =
            Layer::line(points.iter().copied()).colour(popgrad_lab::figure::Colour::series(i)).label(label);
        let marks = Layer::marks(points.iter().copied(), Mark::series(i))
            .colour(popgrad_lab::figure::Colour::series(i));
        (line, marks)
    };
    let title = format!("K = M = {k}");
    let mut panel = Panel::new(&title, Axis::log("input dimension d"), Axis::log("seconds, one thread"));
    let rows = [
        (reduced, "one gradient in the span of the units"),
        (direct, "one gradient in all coordinates"),
        (forming, "forming the basis, once"),
    ];
    for (i, (points, label)) in rows.into_iter().enumerate() {
        let (line, marks) = series(i, points, label);
        panel = panel.with(if i == 2 { line.dash(Dash::Dashed) } else { line }).with(marks);
    }
    let name = "Seconds a gradient takes against the input dimension";
    Figure::new(name, 1).panel_size(420.0, 300.0).with(panel).to_svg()
}
