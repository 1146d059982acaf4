//! The values of options: each parser accepts what is right and otherwise says what would be.
//!
//! A message completes the sentence `--option: "VALUE" ...`.

use popgrad::InputLaw;
use popgrad_lab::words::nearest;

/// A finite number above zero.
pub(crate) fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(x) if x > 0.0 && x.is_finite() => Ok(x),
        _ => Err("is not a positive finite number".to_owned()),
    }
}

/// A finite number, zero or above.
pub(crate) fn not_negative(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(x) if x >= 0.0 && x.is_finite() => Ok(x),
        _ => Err("is not a finite number at or above 0".to_owned()),
    }
}

/// A finite number.
pub(crate) fn finite(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(x) if x.is_finite() => Ok(x),
        _ => Err("is not a finite number".to_owned()),
    }
}

/// A whole number, 1 or above.
pub(crate) fn count(text: &str) -> Result<u64, String> {
    match text.parse::<u64>() {
        Ok(n) if n >= 1 => Ok(n),
        _ => Err("is not a whole number at or above 1".to_owned()),
    }
}

/// A whole number, 0 or above.
pub(crate) fn seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| "is not a whole number from 0 to 18446744073709551615".to_owned())
}

/// A number of bytes, with an optional unit KiB, MiB, GiB or TiB.
pub(crate) fn bytes(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, u32); 4] = [("KiB", 10), ("MiB", 20), ("GiB", 30), ("TiB", 40)];
    let (digits, shift) = UNITS
        .iter()
        .find_map(|&(unit, shift)| text.strip_suffix(unit).map(|digits| (digits.trim_end(), shift)))
        .unwrap_or((text, 0));
    let number = digits.parse::<u64>().ok().filter(|n| *n >= 1);
    number
        .and_then(|n| n.checked_mul(1 << shift))
        .ok_or_else(|| "is not a number of bytes like 500MiB, 4GiB or 1000000".to_owned())
}

const LAWS: &str = "gaussian, sphere:R, ball:R, t:NU, kappa:X";

/// A rotation-invariant law of the input.
pub(crate) fn law(text: &str) -> Result<InputLaw, String> {
    let (name, parameter) = text.split_once(':').map_or((text, None), |(n, p)| (n, Some(p)));
    let known = ["gaussian", "sphere", "ball", "t", "kappa"];
    if !known.contains(&name) {
        let near = nearest(name, &known).map(|n| format!("; did you mean {n}?")).unwrap_or_default();
        return Err(format!("is not a law ({LAWS}){near}"));
    }
    let law = match (name, parameter.map(str::parse::<f64>)) {
        ("gaussian", None) => InputLaw::Gaussian,
        ("sphere", Some(Ok(radius))) => InputLaw::Sphere { radius },
        ("ball", Some(Ok(radius))) => InputLaw::Ball { radius },
        ("t", Some(Ok(nu))) => InputLaw::StudentT { nu },
        ("kappa", Some(Ok(kappa))) => InputLaw::Kappa(kappa),
        ("gaussian", _) => return Err("has a parameter; write gaussian".to_owned()),
        _ => return Err(format!("needs one number after the colon ({LAWS})")),
    };
    law.kappa(1).map(|_| law).map_err(|e| format!("is out of range: {e}"))
}

/// How a law is written.
pub(crate) fn law_text(law: &InputLaw) -> String {
    match law {
        InputLaw::Gaussian => "gaussian".to_owned(),
        InputLaw::Sphere { radius } => format!("sphere:{radius}"),
        InputLaw::Ball { radius } => format!("ball:{radius}"),
        InputLaw::StudentT { nu } => format!("t:{nu}"),
        InputLaw::Kappa(kappa) => format!("kappa:{kappa}"),
        other => format!("{other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_out_of_range_are_refused() {
        for text in ["0", "-1", "nan", "inf", "x", ""] {
            assert!(positive(text).is_err(), "{text}");
        }
        assert_eq!(positive("1e-3"), Ok(1e-3));
        assert_eq!(not_negative("0"), Ok(0.0));
        assert!(not_negative("-0.1").is_err() && finite("inf").is_err() && count("0").is_err());
    }

    #[test]
    fn bytes_take_units() {
        assert_eq!(bytes("4GiB"), Ok(4 << 30));
        assert_eq!(bytes("1000"), Ok(1000));
        assert!(bytes("1GB").is_err() && bytes("0").is_err() && bytes("99999999999TiB").is_err());
    }

    #[test]
    fn laws_are_read_and_written_the_same() {
        for text in ["gaussian", "sphere:2", "ball:1.5", "t:5", "kappa:0.25"] {
            assert_eq!(law_text(&law(text).unwrap()), text);
        }
        assert_eq!(
            law("spere:2").unwrap_err(),
            "is not a law (gaussian, sphere:R, ball:R, t:NU, kappa:X); did you mean sphere?"
        );
        assert!(law("sphere").is_err() && law("t:2").is_err() && law("ball:-1").is_err());
        assert!(law("gaussian:1").is_err() && law("kappa:nan").is_err());
    }
}
