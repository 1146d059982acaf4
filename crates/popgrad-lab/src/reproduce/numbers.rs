//! Numbers as a reader wants them: few digits, an uncertainty, a power of ten where one is needed.

use super::claim::{Bound, Measured};
use crate::figure::superscript;

/// A number to `digits` significant digits.
pub(crate) fn significant(x: f64, digits: usize) -> String {
    if !x.is_finite() {
        return if x.is_nan() { "not a number".to_owned() } else { "infinite".to_owned() };
    }
    let scientific = format!("{x:.*e}", digits.saturating_sub(1));
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let places = i32::try_from(digits).unwrap_or(17) - 1 - exponent;
    let text = if (-4..=5).contains(&exponent) {
        format!("{x:.*}", usize::try_from(places.max(0)).unwrap_or(0))
    } else {
        let power = format!("10{}", superscript(exponent));
        if mantissa.trim_end_matches('0').trim_end_matches('.') == "1" && digits == 1 {
            power
        } else {
            format!("{mantissa}\u{b7}{power}")
        }
    };
    text.replace('-', "\u{2212}")
}

/// A number with as many digits as its uncertainty supports, or `digits` without one.
pub(crate) fn with_uncertainty(x: f64, uncertainty: Option<f64>, digits: usize) -> String {
    let Some(u) = uncertainty.filter(|u| *u > 0.0 && u.is_finite()) else { return significant(x, digits) };
    #[expect(clippy::cast_possible_truncation, reason = "a double has at most 308 decades")]
    let decade = |v: f64| libm::floor(libm::log10(v.abs())) as i32;
    if x == 0.0 || decade(x) < decade(u) - 1 {
        return format!("{} \u{b1} {}", significant(x, 2), significant(u, 2));
    }
    let digits = usize::try_from((decade(x) - decade(u) + 2).clamp(2, 15)).unwrap_or(2);
    format!("{} \u{b1} {}", significant(x, digits), significant(u, 2))
}

/// Fewest digits, from four to twelve, that show on which side of its bound a value lies.
fn digits_for(x: f64, bound: &Bound) -> usize {
    let ends = match *bound {
        Bound::AtMost { value } | Bound::AtLeast { value } => [value, value],
        Bound::Within { low, high } => [low, high],
    };
    let apart = |d: usize| ends.iter().all(|e| *e == x || significant(*e, d) != significant(x, d));
    (4..=12).find(|d| apart(*d)).unwrap_or(12)
}

/// The measured value as text.
pub(crate) fn value_text(m: &Measured) -> String {
    if m.value.fract() == 0.0 && m.value.abs() < 1e9 && m.uncertainty.is_none() {
        return format!("{}", m.value).replace('-', "\u{2212}");
    }
    with_uncertainty(m.value, m.uncertainty, m.bound.as_ref().map_or(6, |b| digits_for(m.value, b)))
}

/// The bound as text.
pub(crate) fn bound_text(m: &Measured) -> String {
    let short = |x: f64| {
        if x.fract() == 0.0 && x.abs() < 1e9 {
            format!("{x}").replace('-', "\u{2212}")
        } else {
            significant(x, digits_needed(x))
        }
    };
    match m.bound {
        None => String::new(),
        Some(Bound::AtMost { value }) => format!("\u{2264} {}", short(value)),
        Some(Bound::AtLeast { value }) => format!("\u{2265} {}", short(value)),
        Some(Bound::Within { low, high }) if low == high => format!("= {}", short(low)),
        Some(Bound::Within { low, high }) => {
            // A narrow interval shows its centre, since its ends would look alike.
            let (centre, half) = (0.5 * (low + high), 0.5 * (high - low));
            if short(low) == short(high) {
                format!("{} \u{b1} {}", plain(centre, half), significant(half, 1))
            } else {
                format!("{} to {}", short(low), short(high))
            }
        }
    }
}

/// A number with all digits that stand above a tenth of `half`, no zeros at its end.
fn plain(x: f64, half: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to decades of a double"
    )]
    let places = (1.0 - libm::floor(libm::log10(half))).clamp(0.0, 17.0) as usize;
    let text = format!("{x:.places$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    text.replace('-', "\u{2212}")
}

/// Digits that show a bound: as many as it has, up to four.
fn digits_needed(x: f64) -> usize {
    let round =
        |d: usize| format!("{x:.*e}", d - 1).parse::<f64>().is_ok_and(|r| (r - x).abs() <= 1e-12 * x.abs());
    (1..=4).find(|d| round(*d)).unwrap_or(4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn significant_digits_are_kept_and_no_more() {
        assert_eq!(significant(0.534_154_943_091, 7), "0.5341549");
        assert_eq!(significant(-1.5e-16, 2), "\u{2212}1.5\u{b7}10\u{207b}\u{b9}\u{2076}");
        assert_eq!(significant(12_345.678, 3), "12346");
        assert_eq!(significant(f64::NAN, 3), "not a number");
    }

    #[test]
    fn a_narrow_interval_shows_its_centre() {
        let of = |bound| {
            bound_text(&Measured {
                quantity: String::new(),
                value: 0.0,
                uncertainty: None,
                bound: Some(bound),
                satisfied: true,
            })
        };
        assert_eq!(of(Bound::around(0.000_40, 5e-6)), "0.000395 to 0.000405");
        assert_eq!(of(Bound::around(0.004_700_35, 6e-9)), "0.00470035 \u{b1} 6\u{b7}10\u{207b}\u{2079}");
        assert_eq!(of(Bound::around(3.0, 1e-8)), "3 \u{b1} 10\u{207b}\u{2078}");
    }

    #[test]
    fn an_uncertainty_decides_the_digits() {
        assert_eq!(with_uncertainty(-0.499_87, Some(0.0123), 6), "\u{2212}0.500 \u{b1} 0.012");
        assert_eq!(with_uncertainty(3.0, None, 3), "3.00");
    }
}
