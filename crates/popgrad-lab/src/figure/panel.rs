//! What a figure is made of: panels, layers and how they look.

use super::axis::Axis;
use super::palette::{Colour, ColourMap};

/// Dash pattern of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dash {
    /// Unbroken.
    #[default]
    Solid,
    /// Long dashes.
    Dashed,
    /// Short dashes.
    Dotted,
}

/// Shape of a mark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mark {
    /// A filled disc.
    #[default]
    Disc,
    /// An open circle.
    Circle,
    /// A filled square.
    Square,
    /// A filled triangle.
    Triangle,
    /// A diagonal cross.
    Cross,
    /// A filled diamond.
    Diamond,
}

impl Mark {
    /// The mark of series `i`, repeating after six.
    pub fn series(i: usize) -> Self {
        [Self::Disc, Self::Square, Self::Triangle, Self::Diamond, Self::Circle, Self::Cross][i % 6]
    }
}

/// One arrow of a vector field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Arrow {
    /// Where it starts, in data units.
    pub at: (f64, f64),
    /// Its direction, in data units; only the direction counts.
    pub direction: (f64, f64),
    /// Its length as a share of [`Panel::arrow_length`], 0 to 1.
    pub length: f64,
}

/// A grid of coloured cells with a colour bar.
#[derive(Clone, Debug, PartialEq)]
pub struct HeatMap {
    /// Cell edges along x, ascending, one more than there are columns.
    pub x_edges: Vec<f64>,
    /// Cell edges along y, ascending, one more than there are rows.
    pub y_edges: Vec<f64>,
    /// Values row by row from the smallest y; NaN leaves a cell blank.
    pub values: Vec<f64>,
    /// Values at the two ends of the colour bar; those of the data if absent.
    pub range: Option<(f64, f64)>,
    /// Scale of colours.
    pub map: ColourMap,
    /// Label of the colour bar.
    pub label: String,
    /// Whether each cell also shows its value.
    pub decimals: Option<usize>,
}

/// Where a text stands relative to its point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Anchor {
    /// To the right of it.
    #[default]
    Right,
    /// To the left of it.
    Left,
    /// Above it.
    Above,
    /// Below it.
    Below,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Shape {
    Line(Vec<(f64, f64)>),
    Marks(Vec<(f64, f64)>, Mark),
    Bars(Vec<(f64, f64, f64)>),
    Band(Vec<(f64, f64, f64)>),
    Arrows(Vec<Arrow>),
    Heat(HeatMap),
    Across(f64),
    Upright(f64),
    Text((f64, f64), String, Anchor),
}

/// One thing drawn in a panel; later layers lie on top.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    pub(super) shape: Shape,
    pub(super) colour: Colour,
    pub(super) width: f64,
    pub(super) dash: Dash,
    pub(super) opacity: f64,
    pub(super) label: String,
}

impl Layer {
    fn new(shape: Shape) -> Self {
        Self { shape, colour: Colour::Ink, width: 1.5, dash: Dash::Solid, opacity: 1.0, label: String::new() }
    }

    /// A line through the points, in order; a point that is not finite breaks it.
    pub fn line(points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        Self::new(Shape::Line(points.into_iter().collect()))
    }

    /// A mark at each point.
    pub fn marks(points: impl IntoIterator<Item = (f64, f64)>, mark: Mark) -> Self {
        let mut layer = Self::new(Shape::Marks(points.into_iter().collect(), mark));
        layer.width = 3.0;
        layer
    }

    /// Error bars `(x, low, high)`.
    pub fn bars(points: impl IntoIterator<Item = (f64, f64, f64)>) -> Self {
        Self::new(Shape::Bars(points.into_iter().collect()))
    }

    /// A shaded band `(x, low, high)`, in order of x.
    pub fn band(points: impl IntoIterator<Item = (f64, f64, f64)>) -> Self {
        let mut layer = Self::new(Shape::Band(points.into_iter().collect()));
        layer.opacity = 0.2;
        layer
    }

    /// A vector field.
    pub fn arrows(arrows: Vec<Arrow>) -> Self {
        let mut layer = Self::new(Shape::Arrows(arrows));
        layer.width = 1.0;
        layer
    }

    /// A heat map.
    pub fn heat(map: HeatMap) -> Self {
        Self::new(Shape::Heat(map))
    }

    /// A horizontal line at the given y.
    pub fn across(y: f64) -> Self {
        let mut layer = Self::new(Shape::Across(y));
        layer.width = 1.0;
        layer
    }

    /// A vertical line at the given x.
    pub fn upright(x: f64) -> Self {
        let mut layer = Self::new(Shape::Upright(x));
        layer.width = 1.0;
        layer
    }

    /// A text beside a point.
    pub fn text(at: (f64, f64), text: &str, anchor: Anchor) -> Self {
        Self::new(Shape::Text(at, text.to_owned(), anchor))
    }

    /// Sets the colour.
    #[must_use]
    pub fn colour(mut self, colour: Colour) -> Self {
        self.colour = colour;
        self
    }

    /// Sets the line width, or the radius of the marks, in points.
    #[must_use]
    pub fn width(mut self, width: f64) -> Self {
        self.width = width;
        self
    }

    /// Sets the dash pattern.
    #[must_use]
    pub fn dash(mut self, dash: Dash) -> Self {
        self.dash = dash;
        self
    }

    /// Sets the opacity, 0 to 1.
    #[must_use]
    pub fn opacity(mut self, opacity: f64) -> Self {
        self.opacity = opacity;
        self
    }

    /// Names the layer in the legend.
    #[must_use]
    pub fn label(mut self, label: &str) -> Self {
        label.clone_into(&mut self.label);
        self
    }
}

/// Where the legend stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LegendPlace {
    /// Under the x axis, in as many rows as it needs; it never covers data.
    #[default]
    Below,
    /// Inside, at the top left.
    TopLeft,
    /// Inside, at the top right.
    TopRight,
    /// Inside, at the bottom left.
    BottomLeft,
    /// Inside, at the bottom right.
    BottomRight,
}

/// Shape of the plotting area.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aspect {
    /// All the room there is.
    Free,
    /// As wide as high.
    Square,
    /// The same length per unit on both axes.
    EqualUnits,
}

impl Aspect {
    /// Width over height, if it is fixed.
    pub(super) fn ratio(self, x: (f64, f64), y: (f64, f64)) -> Option<f64> {
        match self {
            Self::Free => None,
            Self::Square => Some(1.0),
            Self::EqualUnits => Some((x.1 - x.0) / (y.1 - y.0)),
        }
    }
}

/// Two axes and the layers between them.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    pub(super) title: String,
    pub(super) x: Axis,
    pub(super) y: Axis,
    pub(super) layers: Vec<Layer>,
    pub(super) legend: LegendPlace,
    pub(super) aspect: Aspect,
    pub(super) arrow_length: f64,
}

impl Panel {
    /// An empty panel.
    pub fn new(title: &str, x: Axis, y: Axis) -> Self {
        Self {
            title: title.to_owned(),
            x,
            y,
            layers: Vec::new(),
            legend: LegendPlace::Below,
            aspect: Aspect::Free,
            arrow_length: 14.0,
        }
    }

    /// Adds a layer on top.
    #[must_use]
    pub fn with(mut self, layer: Layer) -> Self {
        self.layers.push(layer);
        self
    }

    /// Adds a layer on top.
    pub fn push(&mut self, layer: Layer) {
        self.layers.push(layer);
    }

    /// Places the legend.
    #[must_use]
    pub fn legend(mut self, place: LegendPlace) -> Self {
        self.legend = place;
        self
    }

    /// Makes the plotting area as wide as it is high.
    #[must_use]
    pub fn square(mut self) -> Self {
        self.aspect = Aspect::Square;
        self
    }

    /// Gives both axes the same length per unit, so that circles are round; for linear axes.
    #[must_use]
    pub fn equal_units(mut self) -> Self {
        self.aspect = Aspect::EqualUnits;
        self
    }

    /// Sets the length, in points, of an arrow whose `length` is 1.
    #[must_use]
    pub fn arrow_length(mut self, points: f64) -> Self {
        self.arrow_length = points;
        self
    }
}

/// A grid of panels, filled row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    pub(super) name: String,
    pub(super) panels: Vec<Panel>,
    pub(super) columns: usize,
    pub(super) panel_width: f64,
    pub(super) panel_height: f64,
}

impl Figure {
    /// An empty figure with the given number of columns. Its name is what a screen reader says.
    pub fn new(name: &str, columns: usize) -> Self {
        Self {
            name: name.to_owned(),
            panels: Vec::new(),
            columns: columns.max(1),
            panel_width: 340.0,
            panel_height: 280.0,
        }
    }

    /// Sets the size of each panel with its labels, in points.
    #[must_use]
    pub fn panel_size(mut self, width: f64, height: f64) -> Self {
        (self.panel_width, self.panel_height) = (width, height);
        self
    }

    /// Adds a panel.
    #[must_use]
    pub fn with(mut self, panel: Panel) -> Self {
        self.panels.push(panel);
        self
    }

    /// Adds a panel.
    pub fn push(&mut self, panel: Panel) {
        self.panels.push(panel);
    }
}
