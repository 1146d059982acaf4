//! The plane (phi, alpha) of the convolutional network: field, valley, critical points, proved sets, border, trajectories.
//!
//! The closed flow has three variables, `phi`, `alpha = a.a*` and `S_a = 1.a`. The plane shows the slice on which `S_a` is
//! what it relaxes to fastest, the sum of the best output weights at the angle; or the slice of one given `S_a`. Arrows and
//! nullcline are those of the slice; trajectories start on it, move in all three variables, and are shown from above.

use super::PortraitError;
use crate::figure::{Anchor, Arrow, Axis, Colour, Dash, Figure, Layer, LegendPlace, Mark, Panel};
use crate::storage::{Member, Overwrite, StorageError, write_npz};
use popgrad::{
    Advance, Angle, CnnBasin, CnnError, CnnState, FlowOptions, GradientFlow, RecordPlan, ReducedCnn,
    StopRule, zero_contour,
};
use std::f64::consts::PI;
use std::path::Path;

/// Arrows along each axis of the picture; the numbers have the full grid.
const ARROWS: usize = 22;

/// Halvings that place the ends of a proved set and of the border in a column.
const HALVINGS: usize = 40;

/// A flow that no theorem has decided by then is left undecided; only starts next to the border take so long.
const LONGEST: f64 = 1e4;

/// How far inside the axis of `phi` its ends are looked at.
const INSIDE: f64 = 1e-6;

/// Marks of the axis of `phi`.
const TICKS: [(f64, &str); 5] = [
    (0.0, "0"),
    (0.25 * PI, "\u{3c0}/4"),
    (0.5 * PI, "\u{3c0}/2"),
    (0.75 * PI, "3\u{3c0}/4"),
    (PI, "\u{3c0}"),
];

/// What a portrait of the plane shows.
#[derive(Clone, Debug, PartialEq)]
pub struct CnnPortraitOptions {
    /// Smallest and largest phi, within 0 and pi.
    pub phi: (f64, f64),
    /// Smallest and largest alpha, or chosen from the critical points.
    pub overlap: Option<(f64, f64)>,
    /// The sum of the output weights, or that of the best ones at each angle.
    pub sum: Option<f64>,
    /// Length of the filter.
    pub norm: f64,
    /// Points of the grid along each axis.
    pub grid: usize,
    /// Starts (phi, alpha) of the trajectories, or a set of ten.
    pub starts: Option<Vec<(f64, f64)>>,
    /// Time that each trajectory runs.
    pub time: f64,
}

impl Default for CnnPortraitOptions {
    fn default() -> Self {
        Self { phi: (0.0, PI), overlap: None, sum: None, norm: 1.0, grid: 121, starts: None, time: 200.0 }
    }
}

/// Starts of the trajectories: phi over pi, and alpha as a share of the part of the axis on its side of zero.
const STARTS: [(f64, f64); 10] = [
    (0.96, 0.85),
    (0.58, 0.9),
    (0.9, 0.1),
    (0.7, 0.7),
    (0.55, 0.15),
    (0.1, -0.9),
    (0.3, -0.9),
    (0.48, -0.9),
    (0.62, -0.25),
    (0.72, -0.9),
];

type Segment = [(f64, f64); 2];

/// A critical point of the plane.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CnnPlanePoint {
    /// `"teacher"`, `"spurious"` or `"saddle"`.
    pub name: &'static str,
    /// Angle.
    pub phi: f64,
    /// `a.a*`.
    pub overlap: f64,
    /// `1.a`.
    pub sum: f64,
    /// Loss.
    pub loss: f64,
    /// Whether it is a local minimum.
    pub minimum: bool,
}

/// One trajectory, seen from above.
#[derive(Clone, Debug, PartialEq)]
struct Path3 {
    t: Vec<f64>,
    /// (phi, alpha, `S_a`).
    points: Vec<[f64; 3]>,
    end: CnnBasin,
}

/// Everything that organises the plane, as numbers and as a picture.
#[derive(Clone, Debug)]
pub struct CnnPortrait {
    problem: ReducedCnn,
    options: CnnPortraitOptions,
    phi: Vec<f64>,
    overlap: Vec<f64>,
    sum: Vec<f64>,
    field: Vec<[f64; 2]>,
    decided: Vec<CnnBasin>,
    nullcline: Vec<Segment>,
    critical: Vec<CnnPlanePoint>,
    bands: [Vec<(f64, f64, f64)>; 2],
    border: Vec<(f64, f64)>,
    paths: Vec<Path3>,
}

impl CnnPortrait {
    /// Evaluates the field and the proved sets on the grid and runs the trajectories.
    ///
    /// # Errors
    ///
    /// [`PortraitError`] if an option is out of its domain.
    pub fn compute(problem: ReducedCnn, mut options: CnnPortraitOptions) -> Result<Self, PortraitError> {
        let critical = critical_points(&problem, options.norm)?;
        let range = options.overlap.unwrap_or_else(|| range_of(&critical));
        for (axis, (low, high)) in [("phi", options.phi), ("alpha", range)] {
            if !(low.is_finite() && high.is_finite() && low < high) {
                return Err(PortraitError::Range { axis, low, high });
            }
        }
        for value in [options.phi.0, options.phi.1] {
            if !(0.0..=PI).contains(&value) {
                return Err(CnnError::Angle { value }.into());
            }
        }
        if !(2..=4001).contains(&options.grid) {
            return Err(PortraitError::Grid { grid: options.grid });
        }
        let (phi, overlap) = (axis(options.phi, options.grid), axis(range, options.grid));
        let slice = Slice { problem, norm: options.norm, sum: options.sum };
        let sum: Vec<f64> = phi.iter().map(|&p| slice.sum(p)).collect();
        let (mut field, mut decided) = (Vec::new(), Vec::new());
        for &alpha in &overlap {
            for &p in &phi {
                let [turn, rise, _] = problem.angle_field(options.norm, p, alpha, slice.sum(p))?;
                field.push([turn, rise]);
                decided.push(slice.decided(p, alpha)?);
            }
        }
        let rise: Vec<f64> = field.iter().map(|f| f[1]).collect();
        let nullcline = zero_contour(&phi, &overlap, &rise);
        let bands = [CnnBasin::Global, CnnBasin::Spurious].map(|end| slice.bands((&phi, &overlap), end));
        let [global, spurious] = bands;
        let border = phi.iter().map(|&p| slice.border(p, range)).collect::<Result<Vec<_>, _>>()?;
        let starts = options.starts.clone().unwrap_or_else(|| starts_in(range));
        let paths = starts.iter().map(|&s| slice.path(s, options.time)).collect::<Result<_, _>>()?;
        (options.overlap, options.starts) = (Some(range), Some(starts));
        Ok(Self {
            problem,
            options,
            phi,
            overlap,
            sum,
            field,
            decided,
            nullcline,
            critical,
            bands: [global?, spurious?],
            border: border.into_iter().flatten().collect(),
            paths,
        })
    }

    /// The critical points of the plane.
    pub fn critical_points(&self) -> &[CnnPlanePoint] {
        &self.critical
    }

    /// The starts of the trajectories, `(phi, alpha)`.
    pub fn starts(&self) -> &[(f64, f64)] {
        self.options.starts.as_deref().unwrap_or(&[])
    }

    /// Where each trajectory has got to, `[phi, alpha, S_a]`, and the point that it is proved to reach.
    pub fn ends(&self) -> Vec<([f64; 3], CnnBasin)> {
        self.paths.iter().filter_map(|p| p.points.last().map(|end| (*end, p.end))).collect()
    }

    /// The border between the starts of the slice that reach the teacher and those that do not, as `(phi, alpha)`.
    pub fn border(&self) -> &[(f64, f64)] {
        &self.border
    }

    /// Smallest and largest `alpha` shown.
    pub fn overlap_range(&self) -> (f64, f64) {
        (self.overlap[0], self.overlap[self.overlap.len() - 1])
    }

    /// Writes the numbers: `phi`, `alpha`, `S_a` (phi: that of the slice), `field` (alpha, phi, 2), `decided` (alpha, phi: 1
    /// teacher, -1 spurious, 0 open), `nullcline` (segments, 2, 2), `critical` (points, 4: phi, alpha, `S_a`, loss), `border`
    /// (points, 2), `path` (rows, 5: run, t, phi, alpha, `S_a`).
    ///
    /// # Errors
    ///
    /// [`StorageError`] if the file cannot be written.
    pub fn write(&self, file: &Path, overwrite: Overwrite) -> Result<(), StorageError> {
        let n = self.options.grid;
        let flat = |pairs: &[(f64, f64)]| -> Vec<f64> { pairs.iter().flat_map(|p| [p.0, p.1]).collect() };
        let nullcline = flat(self.nullcline.as_flattened());
        let border = flat(&self.border);
        let decided: Vec<f64> = self.decided.iter().map(|end| sign_of(*end)).collect();
        let critical: Vec<f64> =
            self.critical.iter().flat_map(|p| [p.phi, p.overlap, p.sum, p.loss]).collect();
        let rows: Vec<f64> = self.paths.iter().enumerate().flat_map(|(run, p)| path_rows(run, p)).collect();
        let members = [
            Member::real("phi", &[n], &self.phi),
            Member::real("alpha", &[n], &self.overlap),
            Member::real("S_a", &[n], &self.sum),
            Member::real("field", &[n, n, 2], self.field.as_flattened()),
            Member::real("decided", &[n, n], &decided),
            Member::real("nullcline", &[nullcline.len() / 4, 2, 2], &nullcline),
            Member::real("critical", &[critical.len() / 4, 4], &critical),
            Member::real("border", &[border.len() / 2, 2], &border),
            Member::real("path", &[rows.len() / 5, 5], &rows),
        ];
        write_npz(file, &members, overwrite)
    }

    /// The picture as SVG.
    pub fn to_svg(&self) -> String {
        let title = format!(
            "Flow of the convolutional network in (\u{3c6}, \u{3b1}), k = {}, ratio {}",
            self.problem.patches(),
            short(self.problem.ratio())
        );
        Figure::new(&title, 1).panel_size(600.0, 520.0).with(self.panel(&title)).to_svg()
    }

    /// The panel of the picture, for figures that hold several.
    pub fn panel(&self, title: &str) -> Panel {
        let (phi, overlap) = (self.options.phi, self.overlap_range());
        let x = Axis::linear("angle \u{3c6} of v to w*").range(phi.0, phi.1).ticks(&TICKS);
        let y = Axis::linear("\u{3b1} = a\u{b7}a*").range(overlap.0, overlap.1);
        let gap = (f64::NAN, f64::NAN);
        let mut panel = Panel::new(title, x, y).legend(LegendPlace::Below).arrow_length(15.0);
        for layer in self.shades() {
            panel.push(layer);
        }
        let mut panel = panel
            .with(Layer::arrows(self.arrows()).colour(Colour::Grey))
            .with(
                Layer::line([(phi.0, 0.0), (phi.1, 0.0)])
                    .colour(Colour::Sky)
                    .width(1.6)
                    .label("d\u{3c6}/dt = 0"),
            )
            .with(
                Layer::line(self.nullcline.iter().flat_map(|[a, b]| [*a, *b, gap]))
                    .colour(Colour::Purple)
                    .width(1.6)
                    .label("d\u{3b1}/dt = 0"),
            );
        if self.border.len() > 1 {
            let border = self.border.iter().copied();
            panel.push(
                Layer::line(border).dash(Dash::Dashed).colour(Colour::Ink).label("border of the basins"),
            );
        }
        for (end, colour, label) in [
            (CnnBasin::Global, Colour::Blue, "trajectory to the teacher"),
            (CnnBasin::Spurious, Colour::Vermilion, "trajectory to the spurious point"),
            (CnnBasin::Undecided, Colour::Grey, "trajectory, open"),
        ] {
            let those = self.paths.iter().filter(|p| p.end == end);
            for (i, path) in those.clone().enumerate() {
                let line = Layer::line(path.points.iter().map(|p| (p[0], p[1]))).colour(colour).width(1.8);
                panel.push(if i == 0 { line.label(label) } else { line });
            }
            let starts = those.filter_map(|p| p.points.first()).map(|p| (p[0], p[1]));
            panel.push(Layer::marks(starts, Mark::Circle).colour(colour).width(2.5));
        }
        for point in &self.critical {
            let at = (point.phi, point.overlap);
            let mark = if point.minimum { Mark::Disc } else { Mark::Cross };
            panel.push(Layer::marks([at], mark).width(4.0));
            let anchor = match point.name {
                "teacher" => Anchor::Right,
                "spurious" => Anchor::Left,
                _ => Anchor::Above,
            };
            panel.push(Layer::text(at, point.name, anchor));
        }
        panel
    }

    /// The proved sets, in as many pieces as they have.
    fn shades(&self) -> Vec<Layer> {
        let of =
            [(Colour::Blue, "proved: to the teacher"), (Colour::Vermilion, "proved: to the spurious point")];
        let mut layers = Vec::new();
        for (band, (colour, label)) in self.bands.iter().zip(of) {
            let pieces = band.split(|p| p.0.is_nan()).filter(|piece| piece.len() > 1);
            for (i, piece) in pieces.enumerate() {
                let layer = Layer::band(piece.iter().copied()).colour(colour).opacity(0.16);
                layers.push(if i == 0 { layer.label(label) } else { layer });
            }
        }
        layers
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
            Arrow { at: (self.phi[j], self.overlap[i]), direction: (u, v), length }
        };
        picks().flat_map(|i| picks().map(move |j| arrow(i, j))).filter(|a| a.length > 0.0).collect()
    }
}

/// The slice that the plane shows.
struct Slice {
    problem: ReducedCnn,
    norm: f64,
    sum: Option<f64>,
}

impl Slice {
    /// `S_a` at an angle.
    fn sum(&self, phi: f64) -> f64 {
        self.sum.unwrap_or_else(|| self.problem.valley_output(Angle { theta: phi, psi: PI - phi })[1])
    }

    fn state(&self, phi: f64, overlap: f64) -> CnnState {
        CnnState::at_angle(self.norm, phi, overlap, self.sum(phi))
    }

    fn decided(&self, phi: f64, overlap: f64) -> Result<CnnBasin, PortraitError> {
        Ok(self.problem.flow_basin(&self.state(phi, overlap))?)
    }

    /// The part of each column that a theorem decides for `end`, as the points of a band, broken where there is none or
    /// more than one. The two ends of the axis are taken just inside, since the lines `phi = 0` and `phi = pi` are decided by
    /// themselves.
    fn bands(
        &self,
        (phi, overlap): (&[f64], &[f64]),
        end: CnnBasin,
    ) -> Result<Vec<(f64, f64, f64)>, PortraitError> {
        let last = overlap.len() - 1;
        let mut points = Vec::new();
        // The saddle's angle is where both sets end.
        let mut columns = phi.to_vec();
        let inside = phi[0]..phi[phi.len() - 1];
        let edges = self.problem.saddle_angle().map(|top| [top.theta - INSIDE, top.theta + INSIDE]);
        columns.extend(edges.into_iter().flatten().filter(|p| inside.contains(p)));
        columns.sort_by(f64::total_cmp);
        for column in columns {
            let p = column.clamp(INSIDE, PI - INSIDE);
            let mut rows = Vec::new();
            for (i, &alpha) in overlap.iter().enumerate() {
                if self.decided(p, alpha)? == end {
                    rows.push(i);
                }
            }
            let one_part =
                rows.last().zip(rows.first()).filter(|(top, first)| *top - *first + 1 == rows.len());
            let Some((&top, &first)) = one_part else {
                points.push((f64::NAN, f64::NAN, f64::NAN));
                continue;
            };
            let low = if first == 0 {
                overlap[0]
            } else {
                self.edge(p, (overlap[first], overlap[first - 1]), end)?
            };
            let high = if top == last {
                overlap[last]
            } else {
                self.edge(p, (overlap[top], overlap[top + 1]), end)?
            };
            points.push((column, low, high));
        }
        Ok(points)
    }

    /// Where in a column a proved set ends, between a value inside and one outside.
    fn edge(
        &self,
        phi: f64,
        (mut inside, mut outside): (f64, f64),
        end: CnnBasin,
    ) -> Result<f64, PortraitError> {
        for _ in 0..HALVINGS {
            let middle = 0.5 * (inside + outside);
            if self.decided(phi, middle)? == end { inside = middle } else { outside = middle }
        }
        Ok(inside)
    }

    /// The `alpha` of a column between starts that lead to the spurious point and starts that lead to the teacher.
    fn border(&self, phi: f64, (low, high): (f64, f64)) -> Result<Option<(f64, f64)>, PortraitError> {
        if phi <= 0.0 || phi >= PI || self.end_of(phi, low)? != CnnBasin::Spurious {
            return Ok(None);
        }
        if self.end_of(phi, high)? != CnnBasin::Global {
            return Ok(None);
        }
        let (mut low, mut high) = (low, high);
        for _ in 0..HALVINGS {
            let middle = 0.5 * (low + high);
            match self.end_of(phi, middle)? {
                CnnBasin::Global => high = middle,
                CnnBasin::Spurious => low = middle,
                _ => return Ok(Some((phi, middle))),
            }
        }
        Ok(Some((phi, 0.5 * (low + high))))
    }

    /// The point that the flow from a start reaches.
    fn end_of(&self, phi: f64, overlap: f64) -> Result<CnnBasin, PortraitError> {
        let start = self.state(phi, overlap);
        let stop = StopRule { time: Some(LONGEST), ..StopRule::default() };
        let options = FlowOptions { stop, ..FlowOptions::default() };
        let mut flow = GradientFlow::try_new(self.problem, &start.to_array(), options)?;
        loop {
            let basin = self.problem.flow_basin(&state_of(flow.point()))?;
            if basin != CnnBasin::Undecided || matches!(flow.advance(1), Advance::Done(_)) {
                return Ok(basin);
            }
        }
    }

    fn path(&self, (phi, overlap): (f64, f64), time: f64) -> Result<Path3, PortraitError> {
        self.problem.angle_field(self.norm, phi, overlap, self.sum(phi))?;
        let rates = self.problem.rates(self.norm);
        let options = FlowOptions {
            stop: StopRule { time: Some(time), gradient_norm: Some(1e-9), ..StopRule::default() },
            record: RecordPlan::every(1),
            max_step: 0.5 / rates.sum.max(rates.angle),
            ..FlowOptions::default()
        };
        let mut flow = GradientFlow::try_new(self.problem, &self.state(phi, overlap).to_array(), options)?;
        let mut path = Path3 { t: Vec::new(), points: Vec::new(), end: CnnBasin::Undecided };
        loop {
            let done = matches!(flow.advance(4096), Advance::Done(_));
            for row in flow.take_rows() {
                let state = state_of(&row.point);
                path.t.push(row.time);
                path.points.push([state.angle().theta, state.overlap, state.sum]);
                if path.end == CnnBasin::Undecided {
                    path.end = self.problem.flow_basin(&state)?;
                }
            }
            if done {
                return Ok(path);
            }
        }
    }
}

fn state_of(point: &[f64]) -> CnnState {
    let entry = |i: usize| point.get(i).copied().unwrap_or(f64::NAN);
    CnnState::from_array(std::array::from_fn(entry))
}

/// Teacher, spurious point, and the saddle where there is one.
fn critical_points(problem: &ReducedCnn, norm: f64) -> Result<Vec<CnnPlanePoint>, PortraitError> {
    let (teacher, spurious) = (problem.teacher_state(norm), problem.spurious_state(norm));
    let saddle = problem.saddle_state(norm);
    let point = |name, state: CnnState, minimum| -> Result<CnnPlanePoint, PortraitError> {
        let (phi, loss) = (state.angle().theta, problem.loss(&state)?);
        Ok(CnnPlanePoint { name, phi, overlap: state.overlap, sum: state.sum, loss, minimum })
    };
    let mut points = vec![point("teacher", teacher, true)?, point("spurious", spurious, saddle.is_some())?];
    if let Some(state) = saddle {
        points.push(point("saddle", state, false)?);
    }
    Ok(points)
}

/// A range of `alpha` around the critical points, with room on both sides of zero.
fn range_of(critical: &[CnnPlanePoint]) -> (f64, f64) {
    let high = critical.iter().map(|p| p.overlap).fold(0.0, f64::max);
    let low = critical.iter().map(|p| p.overlap).fold(-0.3 * high, f64::min);
    (low - 0.3 * high, 1.2 * high)
}

fn starts_in((low, high): (f64, f64)) -> Vec<(f64, f64)> {
    STARTS
        .iter()
        .map(|&(phi, share)| (phi * PI, if share < 0.0 { -share * low } else { share * high }))
        .collect()
}

fn sign_of(end: CnnBasin) -> f64 {
    match end {
        CnnBasin::Global => 1.0,
        CnnBasin::Spurious => -1.0,
        _ => 0.0,
    }
}

fn axis((low, high): (f64, f64), n: usize) -> Vec<f64> {
    let last = (n - 1) as f64;
    (0..n).map(|i| ((low * (last - i as f64) + high * i as f64) / last).clamp(low, high)).collect()
}

fn path_rows(run: usize, path: &Path3) -> Vec<f64> {
    path.t.iter().zip(&path.points).flat_map(|(t, p)| [run as f64, *t, p[0], p[1], p[2]]).collect()
}

/// A number with at most three decimals.
fn short(x: f64) -> String {
    let text = format!("{x:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn portrait(patches: usize, ratio: f64, sum: Option<f64>) -> CnnPortrait {
        let problem = ReducedCnn::try_new(patches, 1.0, ratio.sqrt(), 1.0).unwrap();
        CnnPortrait::compute(problem, CnnPortraitOptions { grid: 31, sum, ..CnnPortraitOptions::default() })
            .unwrap()
    }

    #[test]
    fn trajectories_end_at_the_points_that_were_proved() {
        for (patches, ratio, sum) in [(25, 4.0, None), (9, 0.0, None), (25, 4.0, Some(-1.0))] {
            let portrait = portrait(patches, ratio, sum);
            for (end, basin) in portrait.ends() {
                let point = match basin {
                    CnnBasin::Global => portrait.critical[0],
                    _ => portrait.critical[1],
                };
                // 1/t at the spurious point: 2 pi (pi - 1) / 200 or less than a quarter.
                assert!(
                    (end[0] - point.phi).abs() < 0.25 && (end[1] - point.overlap).abs() < 0.05,
                    "{end:?}"
                );
            }
            let ends = portrait.ends();
            assert!(
                ends.iter().any(|e| e.1 == CnnBasin::Global)
                    && ends.iter().any(|e| e.1 == CnnBasin::Spurious)
            );
        }
    }

    #[test]
    fn the_border_passes_by_the_saddle_and_between_the_proved_sets() {
        let portrait = portrait(25, 4.0, None);
        let saddle = portrait.critical[2];
        let near = |p: &&(f64, f64)| (p.0 - saddle.phi).abs() < 0.11;
        assert!(portrait.border.iter().filter(near).all(|p| p.1.abs() < 0.12), "{:?}", portrait.border);
        assert!(portrait.border.iter().any(|p| near(&p)));
        let n = portrait.options.grid;
        for (i, alpha) in portrait.overlap.iter().enumerate() {
            for (j, phi) in portrait.phi.iter().enumerate() {
                let Some(border) = portrait.border.iter().find(|p| p.0 == *phi) else { continue };
                match portrait.decided[i * n + j] {
                    CnnBasin::Global => assert!(*alpha >= border.1 - 1e-9, "{phi} {alpha}"),
                    CnnBasin::Spurious => assert!(*alpha <= border.1 + 1e-9, "{phi} {alpha}"),
                    _ => {}
                }
            }
        }
    }

    #[test]
    fn the_nullcline_passes_by_every_critical_point() {
        let portrait = portrait(25, 4.0, None);
        for point in &portrait.critical {
            let near = portrait
                .nullcline
                .iter()
                .flatten()
                .any(|p| (p.0 - point.phi).abs() < 2.0 * PI / 30.0 && (p.1 - point.overlap).abs() < 0.12);
            assert!(near, "{point:?}");
        }
    }

    #[test]
    fn above_the_threshold_there_is_no_border() {
        let portrait = portrait(25, 9.0, None);
        assert!(portrait.border.is_empty() && portrait.critical.len() == 2);
        assert!(!portrait.critical[1].minimum);
    }

    #[test]
    fn options_out_of_range_are_refused() {
        let problem = ReducedCnn::try_new(4, 1.0, 1.0, 1.0).unwrap();
        let refused = |options| CnnPortrait::compute(problem, options).unwrap_err().to_string();
        let default = CnnPortraitOptions::default;
        assert!(
            refused(CnnPortraitOptions { phi: (1.0, 0.0), ..default() })
                .starts_with("the phi axis runs from 1 to 0")
        );
        assert!(refused(CnnPortraitOptions { phi: (0.0, 4.0), ..default() }).contains("between 0 and pi"));
        assert!(refused(CnnPortraitOptions { grid: 1, ..default() }).contains("2 to 4001"));
        let starts = Some(vec![(4.0, 0.0)]);
        assert!(refused(CnnPortraitOptions { starts, ..default() }).contains("between 0 and pi"));
    }
}
