//! Axes: scale, range, tick marks and their labels.

/// How values are laid out along an axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    /// Equal steps.
    #[default]
    Linear,
    /// Equal ratios; values that are not positive are left out.
    Log10,
}

/// One axis of a panel.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Axis {
    pub(super) label: String,
    pub(super) scale: Scale,
    pub(super) range: Option<(f64, f64)>,
    pub(super) ticks: Vec<(f64, String)>,
}

/// A tick mark: a value, and a label where there is room for one.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tick {
    pub(super) value: f64,
    pub(super) label: String,
}

impl Axis {
    /// A linear axis; its range is that of the data unless [`Axis::range`] says otherwise.
    pub fn linear(label: &str) -> Self {
        Self { label: label.to_owned(), ..Self::default() }
    }

    /// A logarithmic axis.
    pub fn log(label: &str) -> Self {
        Self { label: label.to_owned(), scale: Scale::Log10, ..Self::default() }
    }

    /// Fixes both ends.
    #[must_use]
    pub fn range(mut self, low: f64, high: f64) -> Self {
        self.range = Some((low, high));
        self
    }

    /// Sets the tick marks by hand, for example at multiples of pi.
    #[must_use]
    pub fn ticks(mut self, ticks: &[(f64, &str)]) -> Self {
        self.ticks = ticks.iter().map(|(v, s)| (*v, (*s).to_owned())).collect();
        self
    }

    /// Both ends: as fixed, or those of the data with a little room.
    pub(super) fn resolve(&self, data: &[f64]) -> (f64, f64) {
        if let Some(range) = self.range {
            return range;
        }
        let usable =
            data.iter().copied().filter(|x| x.is_finite() && (self.scale == Scale::Linear || *x > 0.0));
        let (low, high) = usable.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
        if low > high {
            return (0.1, 1.0);
        }
        match self.scale {
            Scale::Linear => {
                let room = if high > low { 0.04 * (high - low) } else { 0.5 * low.abs().max(1.0) };
                (low - room, high + room)
            }
            Scale::Log10 => {
                let room = if high > low { libm::pow(high / low, 0.04) } else { 2.0 };
                (low / room, high * room)
            }
        }
    }

    /// The place of a value between the two ends, 0 to 1; `None` if it has none.
    pub(super) fn place(&self, range: (f64, f64), value: f64) -> Option<f64> {
        let t = match self.scale {
            Scale::Linear => (value - range.0) / (range.1 - range.0),
            Scale::Log10 => libm::log(value / range.0) / libm::log(range.1 / range.0),
        };
        t.is_finite().then_some(t)
    }

    /// Tick marks with labels, about `count` of them, and minor marks without.
    pub(super) fn marks(&self, range: (f64, f64), count: usize) -> (Vec<Tick>, Vec<f64>) {
        if !self.ticks.is_empty() {
            let marks = self.ticks.iter().map(|(v, s)| Tick { value: *v, label: s.clone() });
            return (marks.collect(), Vec::new());
        }
        match self.scale {
            Scale::Linear => (linear_marks(range, count), Vec::new()),
            Scale::Log10 => log_marks(range, count),
        }
    }
}

/// Multiples of 1, 2 or 5 times a power of ten.
fn linear_marks((low, high): (f64, f64), count: usize) -> Vec<Tick> {
    let raw = (high - low) / count.max(1) as f64;
    let decade = libm::pow(10.0, libm::floor(libm::log10(raw)));
    let step = [1.0, 2.0, 5.0, 10.0].map(|m| m * decade).into_iter().find(|s| *s >= raw).unwrap_or(raw);
    let decimals = digits_after_the_point(step);
    let slack = 1e-9 * (high - low);
    let mut marks = Vec::new();
    let mut i = libm::ceil((low - slack) / step);
    while i * step <= high + slack {
        let value = if i == 0.0 { 0.0 } else { i * step };
        marks.push(Tick { value, label: fixed(value, decimals) });
        i += 1.0;
    }
    marks
}

fn digits_after_the_point(step: f64) -> usize {
    let exponent = libm::floor(libm::log10(step) + 1e-9);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to [0, 12]")]
    let digits = (-exponent).clamp(0.0, 12.0) as usize;
    digits
}

fn fixed(value: f64, decimals: usize) -> String {
    if value != 0.0 && (value.abs() >= 1e5 || value.abs() < 1e-4) {
        return scientific(value);
    }
    format!("{value:.decimals$}").replace('-', "\u{2212}")
}

/// Powers of ten with labels, thinned to about `count`; the multiples 2..9 as minor marks.
fn log_marks((low, high): (f64, f64), count: usize) -> (Vec<Tick>, Vec<f64>) {
    #[expect(clippy::cast_possible_truncation, reason = "a double has at most 308 decades")]
    let floor = |x: f64| libm::floor(libm::log10(x) + 1e-9) as i32;
    let (first, last) = (floor(low), floor(high));
    let power = |e: i32| libm::pow(10.0, f64::from(e));
    let inside = |x: f64| x >= low * (1.0 - 1e-9) && x <= high * (1.0 + 1e-9);
    let decades: Vec<i32> = (first..=last).filter(|e| inside(power(*e))).collect();
    let few = decades.len() <= 2;
    let stride = i32::try_from(decades.len().div_ceil(count.max(1))).unwrap_or(1).max(1);
    let plain = first >= -3 && last <= 4;
    let mut marks = Vec::new();
    let mut minor = Vec::new();
    for e in first..=last {
        for m in 1..10 {
            let value = f64::from(m) * power(e);
            let labelled = (m == 1 && e.rem_euclid(stride) == 0) || (few && (m == 2 || m == 5));
            if !inside(value) {
                continue;
            }
            if labelled {
                marks.push(Tick { value, label: power_label(m, e, plain) });
            } else if stride == 1 || m == 1 {
                minor.push(value);
            }
        }
    }
    (marks, minor)
}

/// `plain` labels are decimal numbers, the others powers of ten; one axis has one kind.
fn power_label(mantissa: i32, exponent: i32, plain: bool) -> String {
    let value = f64::from(mantissa) * libm::pow(10.0, f64::from(exponent));
    match exponent {
        ..=-1 if plain => format!("{value:.0$}", exponent.unsigned_abs() as usize),
        0.. if plain => format!("{value:.0}"),
        _ if mantissa == 1 => format!("10{}", superscript(exponent)),
        _ => format!("{mantissa}\u{b7}10{}", superscript(exponent)),
    }
}

/// An exponent in raised digits.
pub(crate) fn superscript(exponent: i32) -> String {
    let raised = |c: char| match c {
        '-' => '\u{207b}',
        '1' => '\u{b9}',
        '2' => '\u{b2}',
        '3' => '\u{b3}',
        digit => char::from_u32(0x2070 + u32::from(digit) - u32::from('0')).unwrap_or(digit),
    };
    exponent.to_string().chars().map(raised).collect()
}

/// A number as `1.5 x 10^-7`, with raised digits.
pub(super) fn scientific(value: f64) -> String {
    let text = format!("{value:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let mantissa = mantissa.get(..5.min(mantissa.len())).unwrap_or(mantissa).replace('-', "\u{2212}");
    let exponent = superscript(exponent.parse().unwrap_or(0));
    if mantissa == "1" { format!("10{exponent}") } else { format!("{mantissa}\u{b7}10{exponent}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(ticks: &[Tick]) -> Vec<&str> {
        ticks.iter().map(|t| t.label.as_str()).collect()
    }

    #[test]
    fn linear_ticks_are_round_numbers_inside_the_range() {
        assert_eq!(labels(&linear_marks((0.0, 1.0), 5)), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(labels(&linear_marks((-1.2, 2.3), 4)), ["\u{2212}1", "0", "1", "2"]);
        assert_eq!(labels(&linear_marks((0.0, 0.03), 3)), ["0.00", "0.01", "0.02", "0.03"]);
    }

    #[test]
    fn log_ticks_thin_out_over_many_decades() {
        let (marks, minor) = log_marks((1e-16, 1.0), 6);
        assert!(marks.len() <= 7, "{marks:?}");
        assert!(minor.iter().all(|x| (1e-16..=1.0).contains(x)));
        assert_eq!(labels(&log_marks((1.0, 100.0), 6).0), ["1", "10", "100"]);
        assert_eq!(
            labels(&log_marks((2e-5, 9e-5), 6).0),
            ["2\u{b7}10\u{207b}\u{2075}", "5\u{b7}10\u{207b}\u{2075}"]
        );
    }

    #[test]
    fn a_constant_series_still_has_an_axis() {
        let (low, high) = Axis::linear("x").resolve(&[3.0, 3.0]);
        assert!(low < 3.0 && 3.0 < high);
        let (low, high) = Axis::log("x").resolve(&[f64::NAN, -1.0]);
        assert!(0.0 < low && low < high);
    }
}
