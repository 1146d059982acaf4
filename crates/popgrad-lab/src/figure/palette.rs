//! Colours that stay apart for colour-blind readers, on white paper and on a dark screen.

/// A colour of a series, from Okabe and Ito's set, or the colour of the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colour {
    /// The colour of axes and text.
    #[default]
    Ink,
    /// Neutral grey.
    Grey,
    /// Blue.
    Blue,
    /// Vermilion.
    Vermilion,
    /// Bluish green.
    Green,
    /// Reddish purple.
    Purple,
    /// Orange.
    Orange,
    /// Sky blue.
    Sky,
    /// Black whatever the theme, for text on a light cell.
    Black,
    /// White whatever the theme, for text on a dark cell.
    White,
}

/// The text colour as it is drawn; the finished picture says `currentColor` in its place.
pub(super) const INK: (u8, u8, u8) = (0x1b, 0x1f, 0x24);

impl Colour {
    /// Colours of a family of series, in the order in which they stay apart best.
    pub const SERIES: [Self; 6] =
        [Self::Blue, Self::Vermilion, Self::Green, Self::Purple, Self::Orange, Self::Sky];

    /// The colour of series `i`, repeating after six.
    pub fn series(i: usize) -> Self {
        Self::SERIES[i % Self::SERIES.len()]
    }

    pub(super) fn rgb(self) -> (u8, u8, u8) {
        match self {
            Self::Ink => INK,
            Self::Grey => (0x80, 0x86, 0x8b),
            Self::Blue => (0x00, 0x72, 0xb2),
            Self::Vermilion => (0xd5, 0x5e, 0x00),
            Self::Green => (0x00, 0x9e, 0x73),
            Self::Purple => (0xcc, 0x79, 0xa7),
            Self::Orange => (0xe6, 0x9f, 0x00),
            Self::Sky => (0x56, 0xb4, 0xe9),
            Self::Black => (0x00, 0x00, 0x00),
            Self::White => (0xff, 0xff, 0xff),
        }
    }
}

/// A scale of colours for a heat map.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ColourMap {
    /// From dark blue over green to yellow, of rising lightness.
    #[default]
    Sequential,
    /// From blue over near white to vermilion, for values of both signs.
    Diverging,
}

const SEQUENTIAL: [(u8, u8, u8); 7] = [
    (0x1c, 0x2c, 0x6b),
    (0x24, 0x4f, 0x8f),
    (0x1f, 0x78, 0x8f),
    (0x2a, 0x9d, 0x84),
    (0x6c, 0xbd, 0x66),
    (0xba, 0xd2, 0x4e),
    (0xfb, 0xe5, 0x57),
];

const DIVERGING: [(u8, u8, u8); 5] =
    [(0x00, 0x4c, 0x86), (0x66, 0xa9, 0xd4), (0xf4, 0xf1, 0xea), (0xe8, 0x9a, 0x5f), (0xa6, 0x3f, 0x00)];

impl ColourMap {
    /// The colour at `t`, clamped to `[0, 1]`; linear between the anchors.
    pub(super) fn rgb(self, t: f64) -> (u8, u8, u8) {
        let anchors: &[(u8, u8, u8)] = match self {
            Self::Sequential => &SEQUENTIAL,
            Self::Diverging => &DIVERGING,
        };
        let place = t.clamp(0.0, 1.0) * (anchors.len() - 1) as f64;
        let low = (to_index(place)).min(anchors.len() - 2);
        let share = place - low as f64;
        let (a, b) = (anchors[low], anchors[low + 1]);
        let mix = |p: u8, q: u8| to_byte(f64::from(p) + share * (f64::from(q) - f64::from(p)));
        (mix(a.0, b.0), mix(a.1, b.1), mix(a.2, b.2))
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to [0, 255]")]
fn to_byte(x: f64) -> u8 {
    x.round().clamp(0.0, 255.0) as u8
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small number, not negative")]
fn to_index(x: f64) -> usize {
    x.floor().max(0.0) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance, enough to order colours by lightness.
    fn luminance((r, g, b): (u8, u8, u8)) -> f64 {
        0.2126 * f64::from(r) + 0.7152 * f64::from(g) + 0.0722 * f64::from(b)
    }

    #[test]
    fn the_sequential_map_rises_in_lightness() {
        let l: Vec<f64> =
            (0..=50).map(|i| luminance(ColourMap::Sequential.rgb(f64::from(i) / 50.0))).collect();
        assert!(l.windows(2).all(|w| w[1] > w[0]), "{l:?}");
    }

    #[test]
    fn the_ends_of_a_map_are_its_anchors() {
        assert_eq!(ColourMap::Diverging.rgb(-3.0), DIVERGING[0]);
        assert_eq!(ColourMap::Diverging.rgb(0.5), DIVERGING[2]);
        assert_eq!(ColourMap::Diverging.rgb(9.0), DIVERGING[4]);
    }
}
