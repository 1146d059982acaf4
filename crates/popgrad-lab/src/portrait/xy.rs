//! The plane (x, y) of Theorem 7: field, nullclines, critical points, separatrix and trajectories.

use super::PortraitError;
use crate::figure::{Anchor, Arrow, Axis, Colour, Dash, Figure, Layer, Mark, Panel};
use crate::storage::{Member, Overwrite, StorageError, write_npz};
use popgrad::{FlowOptions, GradientFlow, RecordPlan, StopRule, XyEnd, XyPlane, XyPoint, zero_contour};
use std::path::Path;

/// Arrows along each axis of the picture; the numbers have the full grid.
const ARROWS: usize = 22;

/// What a portrait of the plane shows.
#[derive(Clone, Debug, PartialEq)]
pub struct XyPortraitOptions {
    /// Smallest and largest x.
    pub x: (f64, f64),
    /// Smallest and largest y.
    pub y: (f64, f64),
    /// Points of the grid along each axis.
    pub grid: usize,
    /// Starts of the trajectories.
    pub starts: Vec<(f64, f64)>,
    /// Time that each trajectory runs.
    pub time: f64,
}

impl Default for XyPortraitOptions {
    fn default() -> Self {
        let starts =
            [(1e-3, 0.0), (0.3, 0.28), (1.1, 0.9), (-0.4, -0.45), (0.1, -0.45), (0.28, 0.3), (-1.0, 1.1)];
        Self { x: (-1.2, 1.2), y: (-0.5, 1.2), grid: 121, starts: starts.to_vec(), time: 30.0 }
    }
}

type Segment = [(f64, f64); 2];

/// One path through the plane.
#[derive(Clone, Debug, Default, PartialEq)]
struct Path2 {
    t: Vec<f64>,
    points: Vec<(f64, f64)>,
}

/// Everything that organises the plane, as numbers and as a picture.
#[derive(Clone, Debug)]
pub struct XyPortrait {
    plane: XyPlane,
    options: XyPortraitOptions,
    x: Vec<f64>,
    y: Vec<f64>,
    field: Vec<[f64; 2]>,
    loss: Vec<f64>,
    nullclines: [Vec<Segment>; 2],
    critical: Vec<(&'static str, XyPoint)>,
    paths: Vec<Path2>,
}

impl XyPortrait {
    /// Evaluates the field on the grid and runs the trajectories.
    ///
    /// # Errors
    ///
    /// [`PortraitError`] if an option is out of its domain.
    pub fn compute(plane: XyPlane, options: XyPortraitOptions) -> Result<Self, PortraitError> {
        for (axis, (low, high)) in [("x", options.x), ("y", options.y)] {
            if !(low.is_finite() && high.is_finite() && low < high) {
                return Err(PortraitError::Range { axis, low, high });
            }
        }
        if !(2..=4001).contains(&options.grid) {
            return Err(PortraitError::Grid { grid: options.grid });
        }
        let (x, y) = (axis(options.x, options.grid), axis(options.y, options.grid));
        let points = || y.iter().flat_map(|&v| x.iter().map(move |&u| (u, v)));
        // The origin has no direction; the grid leaves it out.
        let field: Vec<[f64; 2]> =
            points().map(|(u, v)| plane.field(u, v).unwrap_or([f64::NAN; 2])).collect();
        let loss = points().map(|(u, v)| plane.loss_at(u, v)).collect::<Result<_, _>>()?;
        let component = |i: usize| field.iter().map(|f| f[i]).collect::<Vec<f64>>();
        let nullclines = [zero_contour(&x, &y, &component(0)), zero_contour(&x, &y, &component(1))];
        let critical = critical_points(plane)?;
        let paths = options.starts.iter().map(|&s| path(plane, s, options.time)).collect::<Result<_, _>>()?;
        Ok(Self { plane, options, x, y, field, loss, nullclines, critical, paths })
    }

    /// The critical points of the plane, each with its name.
    pub fn critical_points(&self) -> &[(&'static str, XyPoint)] {
        &self.critical
    }

    /// Where each trajectory has got to.
    pub fn ends(&self) -> Vec<(f64, f64)> {
        self.paths.iter().filter_map(|p| p.points.last().copied()).collect()
    }

    /// Writes the numbers: `x`, `y`, `field` (y, x, 2), `loss` (y, x), `nullcline_x` and `nullcline_y` (segments, 2,
    /// 2), `critical` (points, 5: x, y, loss, two eigenvalues of the field), `separatrix` (2, 2), `path` (rows, 4:
    /// run, t, x, y).
    ///
    /// # Errors
    ///
    /// [`StorageError`] if the file cannot be written.
    pub fn write(&self, file: &Path, overwrite: Overwrite) -> Result<(), StorageError> {
        let flat = |segments: &[Segment]| -> Vec<f64> {
            segments.iter().flatten().flat_map(|p| [p.0, p.1]).collect()
        };
        let field: Vec<f64> = self.field.as_flattened().to_vec();
        let (null_x, null_y) = (flat(&self.nullclines[0]), flat(&self.nullclines[1]));
        let critical: Vec<f64> = self
            .critical
            .iter()
            .flat_map(|(_, p)| [p.x, p.y, p.loss, p.eigenvalues[0], p.eigenvalues[1]])
            .collect();
        let separatrix = flat(&[self.separatrix()]);
        let rows: Vec<f64> = self.paths.iter().enumerate().flat_map(|(run, p)| path_rows(run, p)).collect();
        let n = self.options.grid;
        let members = [
            Member::real("x", &[n], &self.x),
            Member::real("y", &[n], &self.y),
            Member::real("field", &[n, n, 2], &field),
            Member::real("loss", &[n, n], &self.loss),
            Member::real("nullcline_x", &[null_x.len() / 4, 2, 2], &null_x),
            Member::real("nullcline_y", &[null_y.len() / 4, 2, 2], &null_y),
            Member::real("critical", &[critical.len() / 5, 5], &critical),
            Member::real("separatrix", &[2, 2], &separatrix),
            Member::real("path", &[rows.len() / 4, 4], &rows),
        ];
        write_npz(file, &members, overwrite)
    }

    /// The part of the diagonal inside the picture: the border between the basins.
    fn separatrix(&self) -> Segment {
        let low = self.options.x.0.max(self.options.y.0);
        let high = self.options.x.1.min(self.options.y.1).max(low);
        [(low, low), (high, high)]
    }

    /// The picture as SVG.
    pub fn to_svg(&self) -> String {
        let units = self.plane.units();
        let title = format!("Gradient flow in the plane of Theorem 7, K = {units}");
        let (x, y) = (self.options.x, self.options.y);
        let mut panel =
            Panel::new(&title, Axis::linear("x").range(x.0, x.1), Axis::linear("y").range(y.0, y.1))
                .arrow_length(15.0)
                .with(Layer::arrows(self.arrows()).colour(Colour::Grey))
                .with(contour(&self.nullclines[0], "dx/dt = 0", Colour::Blue))
                .with(contour(&self.nullclines[1], "dy/dt = 0", Colour::Vermilion))
                .with(
                    Layer::line(self.separatrix())
                        .dash(Dash::Dashed)
                        .colour(Colour::Ink)
                        .label("separatrix x = y"),
                );
        for (i, path) in self.paths.iter().enumerate() {
            let line = Layer::line(path.points.iter().copied()).colour(Colour::Green).width(1.8);
            panel.push(if i == 0 { line.label("trajectory") } else { line });
        }
        let starts = self.options.starts.iter().copied();
        panel.push(Layer::marks(starts, Mark::Circle).colour(Colour::Green).width(2.5).label("start"));
        for (name, point) in &self.critical {
            let mark = if point.eigenvalues[1] < 0.0 { Mark::Disc } else { Mark::Cross };
            panel.push(Layer::marks([(point.x, point.y)], mark).width(4.0));
            let anchor = if *name == "saddle" { Anchor::Left } else { Anchor::Above };
            panel.push(Layer::text((point.x, point.y), name, anchor));
        }
        Figure::new(&title, 1).panel_size(560.0, 470.0).with(panel).to_svg()
    }

    /// A thinned grid of arrows; length follows the fourth root of the speed, so that slow parts stay visible.
    fn arrows(&self) -> Vec<Arrow> {
        let n = self.options.grid;
        let fastest = self.field.iter().map(|f| libm::hypot(f[0], f[1])).fold(0.0, f64::max);
        let stride = n.div_ceil(ARROWS).max(1);
        let picks = || (stride / 2..n).step_by(stride);
        let arrow = |i: usize, j: usize| {
            let [u, v] = self.field[i * n + j];
            let length = (libm::hypot(u, v) / fastest).sqrt().sqrt();
            Arrow { at: (self.x[j], self.y[i]), direction: (u, v), length }
        };
        picks().flat_map(|i| picks().map(move |j| arrow(i, j))).filter(|a| a.length > 0.0).collect()
    }
}

fn axis((low, high): (f64, f64), n: usize) -> Vec<f64> {
    let last = (n - 1) as f64;
    (0..n).map(|i| (low * (last - i as f64) + high * i as f64) / last).collect()
}

fn contour(segments: &[Segment], label: &str, colour: Colour) -> Layer {
    let gap = (f64::NAN, f64::NAN);
    Layer::line(segments.iter().flat_map(|[a, b]| [*a, *b, gap])).colour(colour).width(1.6).label(label)
}

fn path_rows(run: usize, path: &Path2) -> Vec<f64> {
    path.t.iter().zip(&path.points).flat_map(|(t, p)| [run as f64, *t, p.0, p.1]).collect()
}

/// The critical points with their names.
fn critical_points(plane: XyPlane) -> Result<Vec<(&'static str, XyPoint)>, PortraitError> {
    let mut points = vec![("saddle", plane.saddle()), ("saddle", plane.negative_saddle())];
    let rate = plane.linearisation();
    let trace = rate[0][0] + rate[1][1];
    let slow = plane.slowest_rate();
    let teacher = |x: f64, y: f64| XyPoint { x, y, loss: 0.0, eigenvalues: [slow - trace, -slow] };
    points.push(("teacher", teacher(1.0, 0.0)));
    if plane.end_of(0.0, 1.0)? == XyEnd::Exchanged {
        points.push(("teacher, units exchanged", teacher(0.0, 1.0)));
    } else {
        points.push(("spurious", plane.find_spurious()?));
    }
    Ok(points)
}

fn path(plane: XyPlane, start: (f64, f64), time: f64) -> Result<Path2, PortraitError> {
    plane.field(start.0, start.1)?;
    let options = FlowOptions {
        stop: StopRule { time: Some(time), gradient_norm: Some(1e-9), ..StopRule::default() },
        record: RecordPlan::every(1),
        max_step: 0.05,
        ..FlowOptions::default()
    };
    let mut flow = GradientFlow::try_new(plane, &[start.0, start.1], options)?;
    let mut path = Path2::default();
    loop {
        let done = matches!(flow.advance(4096), popgrad::Advance::Done(_));
        for row in flow.take_rows() {
            path.t.push(row.time);
            path.points.push((row.point[0], row.point[1]));
        }
        if done {
            return Ok(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn portrait(units: usize) -> XyPortrait {
        let options = XyPortraitOptions { grid: 41, ..XyPortraitOptions::default() };
        XyPortrait::compute(XyPlane::try_new(units).unwrap(), options).unwrap()
    }

    #[test]
    fn trajectories_end_where_their_half_plane_says() {
        for units in [2, 5, 10] {
            let portrait = portrait(units);
            for (start, end) in portrait.options.starts.iter().zip(portrait.ends()) {
                let want = if start.0 > start.1 { portrait.critical[2].1 } else { portrait.critical[3].1 };
                assert!(libm::hypot(end.0 - want.x, end.1 - want.y) < 1e-3, "{units}: {start:?} to {end:?}");
            }
        }
    }

    #[test]
    fn nullclines_pass_by_every_critical_point() {
        let portrait = portrait(5);
        let spacing = 2.4 / 40.0;
        for (name, point) in &portrait.critical {
            for line in &portrait.nullclines {
                let near =
                    line.iter().flatten().any(|p| libm::hypot(p.0 - point.x, p.1 - point.y) < 2.0 * spacing);
                assert!(near, "{name} at ({}, {})", point.x, point.y);
            }
        }
    }

    #[test]
    fn options_out_of_range_are_refused() {
        let plane = XyPlane::try_new(3).unwrap();
        let bad = XyPortraitOptions { x: (1.0, 0.0), ..XyPortraitOptions::default() };
        let error = XyPortrait::compute(plane, bad).unwrap_err();
        assert_eq!(error.to_string(), "the x axis runs from 1 to 0; two ascending finite numbers are needed");
        let bad = XyPortraitOptions { grid: 1, ..XyPortraitOptions::default() };
        assert!(XyPortrait::compute(plane, bad).is_err());
    }
}
