//! Figures: labelled axes, lines, marks, error bars, vector fields and heat maps, as vector graphics.
//!
//! A [`Figure`] is a grid of [`Panel`]s, a panel is two [`Axis`] objects and a list of [`Layer`]s. The result is one
//! SVG text without scripts, fonts or links. In a page its ink is `currentColor`, so that a light or dark theme carries over;
//! series differ in colour (Okabe and Ito's colour-blind-safe set), in dash and in mark. Nothing here does
//! mathematics on the data beyond placing it; entries that are not finite are left out.

mod axis;
mod canvas;
mod clip;
mod draw;
mod legend;
mod palette;
mod panel;

pub(crate) use axis::superscript;
pub use axis::{Axis, Scale};
pub(crate) use canvas::on_white;
pub use palette::{Colour, ColourMap};
pub use panel::{Anchor, Arrow, Dash, Figure, HeatMap, Layer, LegendPlace, Mark, Panel};
