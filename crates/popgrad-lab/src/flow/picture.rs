//! The picture of a set of trajectories.

use crate::figure::{Anchor, Axis, Colour, Dash, Figure, Layer, LegendPlace, Mark, Panel};
use crate::storage::TrajectoryRow;

/// Points kept of each run; a line drawn through more looks the same.
const POINTS: usize = 1200;

/// Runs drawn in full colour with an entry in the legend; more are drawn thin.
const NAMED: usize = 6;

/// Collects what is drawn of trajectories: loss, gradient norm, angles to the teacher, and the path in a plane.
#[derive(Clone, Debug, Default)]
pub struct TrajectoryPicture {
    runs: Vec<Series>,
    plane: Option<usize>,
}

#[derive(Clone, Debug, Default)]
struct Series {
    points: Vec<Point>,
    stride: usize,
    seen: usize,
}

#[derive(Clone, Debug)]
struct Point {
    t: f64,
    loss: f64,
    grad_norm: f64,
    /// For each student, the smallest angle to a teacher.
    angles: Vec<f64>,
    /// The first two weights.
    plane: (f64, f64),
    /// `alpha` of a convolutional network.
    alpha: Option<f64>,
}

impl TrajectoryPicture {
    /// A picture of runs of `K` and `d` weights; `plane` names K for runs that stay in the plane of Theorem 7, whose
    /// path is drawn.
    pub fn new(plane: Option<usize>) -> Self {
        Self { runs: Vec::new(), plane }
    }

    /// Adds a row of a run; long runs are thinned evenly.
    pub fn push(&mut self, row: &TrajectoryRow) {
        let run = usize::try_from(row.run).unwrap_or(0);
        if self.runs.len() <= run {
            self.runs.resize(run + 1, Series { stride: 1, ..Series::default() });
        }
        self.runs[run].push(row);
    }

    /// The figure as SVG.
    pub fn to_svg(&self) -> String {
        let convolution = self.is_convolution();
        let columns = if self.plane.is_some() || convolution { 2 } else { 3 };
        let mut figure = Figure::new("Trajectories", columns).panel_size(420.0, 320.0);
        figure.push(self.loss_panel());
        figure.push(self.gradient_panel());
        figure.push(self.angle_panel());
        if let Some(units) = self.plane {
            figure.push(self.plane_panel(units));
        }
        if convolution {
            figure.push(self.overlap_panel());
        }
        figure.to_svg()
    }

    fn is_convolution(&self) -> bool {
        self.runs.iter().flat_map(|run| &run.points).any(|p| p.alpha.is_some())
    }

    fn loss_panel(&self) -> Panel {
        let mut panel =
            Panel::new("Loss", Axis::linear("time t"), Axis::log("J")).legend(LegendPlace::TopRight);
        self.lines(&mut panel, |p| (p.t, p.loss));
        panel
    }

    fn gradient_panel(&self) -> Panel {
        let mut panel = Panel::new("Norm of the gradient", Axis::linear("time t"), Axis::log("|grad J|"));
        panel = panel.legend(LegendPlace::TopRight);
        self.lines(&mut panel, |p| (p.t, p.grad_norm));
        panel
    }

    /// One line a student of each run: in the colour of the run, or, of a single run, in colours of their own.
    fn angle_panel(&self) -> Panel {
        let (title, label) = if self.is_convolution() {
            ("Filter", "angle \u{3c6} of v to w*")
        } else {
            ("Students", "angle to the nearest teacher")
        };
        let y = Axis::linear(label);
        let mut panel = Panel::new(title, Axis::linear("time t"), y).legend(LegendPlace::TopRight);
        for (i, run) in self.runs.iter().enumerate() {
            let students = run.points.first().map_or(0, |p| p.angles.len());
            for j in 0..students {
                let points = run.points.iter().map(|p| (p.t, p.angles[j]));
                let series = if self.runs.len() == 1 { j } else { i };
                panel.push(self.style(Layer::line(points), series));
            }
        }
        panel
    }

    fn plane_panel(&self, units: usize) -> Panel {
        let title = format!("The plane of Theorem 7, K = {units}");
        let mut panel =
            Panel::new(&title, Axis::linear("x"), Axis::linear("y")).legend(LegendPlace::TopRight);
        self.lines(&mut panel, |p| p.plane);
        panel.with(Layer::marks([(1.0, 0.0)], Mark::Diamond).colour(Colour::Ink)).with(Layer::text(
            (1.0, 0.0),
            "teacher",
            Anchor::Above,
        ))
    }

    /// The path of a convolutional network in its angle and `alpha`.
    fn overlap_panel(&self) -> Panel {
        let (x, y) = (Axis::linear("angle \u{3c6} of v to w*"), Axis::linear("\u{3b1} = a\u{b7}a*"));
        let mut panel = Panel::new("The path in (\u{3c6}, \u{3b1})", x, y).legend(LegendPlace::TopRight);
        self.lines(&mut panel, |p| (p.angles[0], p.alpha.unwrap_or(f64::NAN)));
        panel.with(Layer::across(0.0).width(0.8))
    }

    fn lines(&self, panel: &mut Panel, place: fn(&Point) -> (f64, f64)) {
        for (i, run) in self.runs.iter().enumerate() {
            let mut layer = self.style(Layer::line(run.points.iter().map(place)), i);
            if self.runs.len() > 1 && self.runs.len() <= NAMED {
                layer = layer.label(&format!("run {i}"));
            }
            panel.push(layer);
        }
    }

    fn style(&self, layer: Layer, run: usize) -> Layer {
        let dash = if run % 12 >= 6 { Dash::Dashed } else { Dash::Solid };
        let layer = layer.colour(Colour::series(run)).dash(dash);
        if self.runs.len() > NAMED { layer.width(0.8) } else { layer }
    }
}

impl Series {
    fn push(&mut self, row: &TrajectoryRow) {
        if self.seen.is_multiple_of(self.stride.max(1)) || !row.event.is_empty() {
            self.points.push(Point::new(row));
        }
        self.seen += 1;
        if self.points.len() > 2 * POINTS {
            let mut keep = false;
            self.points.retain(|_| {
                keep = !keep;
                keep
            });
            self.stride *= 2;
        }
    }
}

impl Point {
    fn new(row: &TrajectoryRow) -> Self {
        // A convolutional network has one filter for all of its output weights.
        let students = if row.overlaps.is_some() { 1 } else { row.output.len().max(1) };
        let teachers = (row.angles.len() / students).max(1);
        let nearest = |angles: &[f64]| angles.iter().copied().fold(f64::NAN, f64::min);
        Self {
            t: row.t,
            loss: row.loss,
            grad_norm: row.grad_norm,
            angles: row.angles.chunks(teachers).map(nearest).collect(),
            plane: (row.weights[0], row.weights.get(1).copied().unwrap_or(0.0)),
            alpha: row.overlaps.map(|[alpha, _]| alpha),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(run: i64, step: i64) -> TrajectoryRow {
        TrajectoryRow {
            run,
            step,
            t: step as f64,
            loss: 1.0 / (1.0 + step as f64),
            grad_norm: 0.5,
            weights: vec![1.0, 0.0, 0.0, 1.0],
            output: vec![1.0, 1.0],
            angles: vec![0.1, 1.4, 1.3, 0.2],
            overlaps: None,
            event: String::new(),
        }
    }

    #[test]
    fn a_long_run_is_thinned_and_keeps_its_ends() {
        let mut picture = TrajectoryPicture::new(None);
        for step in 0..20_000 {
            picture.push(&row(0, step));
        }
        let points = &picture.runs[0].points;
        assert!(points.len() <= 2 * POINTS && points.len() > POINTS / 2, "{}", points.len());
        assert_eq!(points[0].t, 0.0);
        assert!(points.last().unwrap().t > 19_900.0);
        assert_eq!(points[0].angles, [0.1, 0.2]);
    }

    #[test]
    fn a_convolutional_run_has_one_angle_and_a_path() {
        let mut picture = TrajectoryPicture::new(None);
        for step in 0..3 {
            let overlaps = Some([0.1 * step as f64, 0.5]);
            let output = vec![1.0, 1.0, 1.0];
            picture.push(&TrajectoryRow { overlaps, output, angles: vec![0.7], ..row(0, step) });
        }
        assert_eq!(picture.runs[0].points[2].angles, [0.7]);
        let svg = picture.to_svg();
        assert!(svg.contains("The path in") && svg.contains("Filter") && !svg.contains("teacher"));
    }

    #[test]
    fn every_panel_is_drawn() {
        let mut picture = TrajectoryPicture::new(Some(2));
        picture.push(&row(0, 0));
        picture.push(&row(0, 1));
        let svg = picture.to_svg();
        for text in ["Loss", "Norm of the gradient", "Students", "Theorem 7"] {
            assert!(svg.contains(text), "{text}");
        }
    }
}
