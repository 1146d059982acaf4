//! The map of `L12` (Tian 2017, Fig. 10): certain signs on a fine grid, values on a coarse one, two slices.

use super::PortraitError;
use crate::figure::{Anchor, Axis, Colour, ColourMap, Dash, Figure, HeatMap, Layer, Panel};
use crate::storage::{Member, Overwrite, StorageError, write_npz};
use popgrad::{L12Error, L12Map, SignAdvance, SignCount, SignForm, SignSurvey, l12, l21};
use std::f64::consts::PI;
use std::path::Path;

/// Angles theta of which [`L12Portrait::numbers`] are given at most: 256 MB each for values and signs.
const MOST_STORED: usize = 4000;
/// Angles theta and phi of the picture.
const PICTURE: (usize, usize) = (51, 101);
/// Points of a slice.
const SLICE: usize = 721;
/// Angles of the slices: those of the paper's Fig. 10.
const SLICES: [(f64, &str); 2] = [(3.0 * PI / 8.0, "3\u{3c0}/8"), (7.0 * PI / 8.0, "7\u{3c0}/8")];
/// Multiples of pi as tick marks.
const TICKS: [(f64, &str); 5] =
    [(0.0, "0"), (0.5 * PI, "\u{3c0}/2"), (PI, "\u{3c0}"), (1.5 * PI, "3\u{3c0}/2"), (2.0 * PI, "2\u{3c0}")];

/// The map of `L12`, as numbers and as a picture.
#[derive(Clone, Debug)]
pub struct L12Portrait {
    survey: SignSurvey,
    count: Option<SignCount>,
}

/// The numbers of a map.
#[derive(Clone, Debug, PartialEq)]
pub struct L12Numbers {
    theta: Vec<f64>,
    phi: Vec<f64>,
    values: Vec<f64>,
    signs: Vec<f64>,
}

impl L12Numbers {
    /// Writes `theta`, `phi`, `l12` (theta, phi) and its certain signs `sign` (theta, phi).
    ///
    /// # Errors
    ///
    /// [`StorageError`] if the file cannot be written.
    pub fn write(&self, file: &Path, overwrite: Overwrite) -> Result<(), StorageError> {
        let (rows, cols) = (self.theta.len(), self.phi.len());
        let members = [
            Member::real("theta", &[rows], &self.theta),
            Member::real("phi", &[cols], &self.phi),
            Member::real("l12", &[rows, cols], &self.values),
            Member::real("sign", &[rows, cols], &self.signs),
        ];
        write_npz(file, &members, overwrite)
    }
}

impl L12Portrait {
    /// A map of `grid` angles theta and twice as many phi, ends included.
    ///
    /// # Errors
    ///
    /// [`PortraitError::Map`] if the grid is too small or too large.
    pub fn try_new(grid: usize) -> Result<Self, PortraitError> {
        let map = L12Map::try_new(grid, grid.saturating_mul(2))?;
        Ok(Self { survey: SignSurvey::new(map, SignForm::Certified), count: None })
    }

    /// Counts the signs of up to `rows` more rows; `None` while rows are left.
    ///
    /// # Errors
    ///
    /// [`PortraitError::Map`].
    pub fn advance(&mut self, rows: usize) -> Result<Option<SignCount>, PortraitError> {
        if let SignAdvance::Done(count) = self.survey.advance(rows)? {
            self.count = Some(count);
        }
        Ok(self.count)
    }

    /// The numbers of the whole grid.
    ///
    /// # Errors
    ///
    /// [`PortraitError::Stored`] if the grid has more than 4000 angles theta, [`PortraitError::Map`].
    pub fn numbers(&self) -> Result<L12Numbers, PortraitError> {
        let map = self.survey.map();
        let (rows, cols) = (map.thetas(), map.phis());
        if rows > MOST_STORED {
            return Err(PortraitError::Stored { grid: rows, most: MOST_STORED });
        }
        let theta: Vec<f64> = (0..rows).map(|i| map.theta(i)).collect();
        let phi: Vec<f64> = (0..cols).map(|m| map.phi(m)).collect();
        let mut values = vec![0.0; rows * cols];
        let mut signs = vec![0; rows * cols];
        map.values_into(0..rows, &mut values)?;
        map.signs_into(0..rows, SignForm::Certified, &mut signs)?;
        let signs = signs.into_iter().map(f64::from).collect();
        Ok(L12Numbers { theta, phi, values, signs })
    }

    /// The picture as SVG: two slices and the map.
    ///
    /// # Errors
    ///
    /// [`PortraitError::Map`].
    pub fn to_svg(&self) -> Result<String, PortraitError> {
        let figure =
            Figure::new("L12 and L21 of two students, and the map of L12", 3).panel_size(330.0, 300.0);
        let slices = l12_slices()?;
        let [first, second] = slices;
        Ok(figure.with(first).with(second).with(self.map_panel()?).to_svg())
    }

    /// The map on a coarse grid, its zero lines, and the counts of the fine one.
    ///
    /// # Errors
    ///
    /// [`PortraitError::Map`].
    pub fn map_panel(&self) -> Result<Panel, PortraitError> {
        let map = L12Map::try_new(PICTURE.0, PICTURE.1)?;
        let mut values = vec![0.0; PICTURE.0 * PICTURE.1];
        map.values_into(0..PICTURE.0, &mut values)?;
        let edges = |n: usize, at: &dyn Fn(usize) -> f64| -> Vec<f64> {
            let middle = (1..n).map(|i| 0.5 * (at(i - 1) + at(i)));
            std::iter::once(at(0)).chain(middle).chain(std::iter::once(at(n - 1))).collect()
        };
        let heat = HeatMap {
            x_edges: edges(PICTURE.1, &|m| map.phi(m)),
            y_edges: edges(PICTURE.0, &|i| map.theta(i)),
            values,
            range: Some((-1.65, 1.65)),
            map: ColourMap::Diverging,
            label: "L12".to_owned(),
            decimals: None,
        };
        let title = match self.count {
            Some(count) => {
                let map = self.survey.map();
                format!("{} false signs on {} \u{d7} {} angles", count.violations, map.thetas(), map.phis())
            }
            None => "the map of L12".to_owned(),
        };
        let y = Axis::linear("angle \u{3b8} between the students").range(0.0, PI).ticks(&TICKS[..3]);
        let x = Axis::linear("angle \u{3c6} of the teacher").range(0.0, 2.0 * PI).ticks(&TICKS);
        Ok(Panel::new(&title, x, y)
            .with(Layer::heat(heat))
            .with(Layer::line([(0.0, 0.0), (PI, PI)]).dash(Dash::Dashed).width(1.2))
            .with(Layer::text((0.18 * PI, 0.86 * PI), "inside", Anchor::Right).colour(Colour::Black))
            .with(Layer::text((1.1 * PI, 0.25 * PI), "outside", Anchor::Right).colour(Colour::Black)))
    }
}

/// `L12` and `L21` over the teacher's angle for the paper's two angles between the students.
///
/// # Errors
///
/// [`L12Error`], never for these angles.
pub fn l12_slices() -> Result<[Panel; 2], L12Error> {
    let slice = |(theta, name): (f64, &str)| -> Result<Panel, L12Error> {
        let title = format!("\u{3b8} = {name}; the cone is shaded");
        let x = Axis::linear("angle \u{3c6} of the teacher").range(0.0, 2.0 * PI).ticks(&TICKS);
        let (mut one, mut two) = (Vec::new(), Vec::new());
        for i in 0..SLICE {
            let phi = 2.0 * PI * i as f64 / (SLICE - 1) as f64;
            one.push((phi, l12(theta, phi)?));
            two.push((phi, l21(theta, phi)?));
        }
        let extent = |pick: fn(f64, f64) -> f64| one.iter().chain(&two).map(|p| p.1).fold(0.0, pick);
        let (low, high) = (1.08 * extent(f64::min), 1.15 * extent(f64::max));
        Ok(Panel::new(&title, x, Axis::linear("L12, L21").range(low, high))
            .with(Layer::band([(0.0, low, high), (theta, low, high)]).colour(Colour::Grey))
            .with(Layer::across(0.0).width(0.8))
            .with(Layer::line(one).colour(Colour::series(0)).label("L12"))
            .with(Layer::line(two).colour(Colour::series(1)).dash(Dash::Dashed).label("L21")))
    };
    Ok([slice(SLICES[0])?, slice(SLICES[1])?])
}
