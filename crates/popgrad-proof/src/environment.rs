//! What the proofs assume about floating-point arithmetic, and a test of it at run time.
//!
//! | assumption | why |
//! |---|---|
//! | `+ - * /` and `sqrt` of `f64` round to nearest, ties to even | one step outward of the result bounds the exact value |
//! | no excess precision, no reassociation, no contraction | the same, and two-sum is exact |
//! | subnormal numbers are kept, in operands and in results | a step outward of zero is the smallest subnormal number |
//!
//! IEEE 754 demands all three, and Rust promises them on every target but 32-bit x86 without SSE2. Foreign code in the
//! same process may change the rounding mode or flush subnormal numbers; that is what the test at run time is for.

use popgrad::Kind;
use std::hint::black_box;
use thiserror::Error;

/// Why intervals cannot be trusted in this process.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum EnvironmentError {
    /// An operation gave other bits than IEEE 754 demands.
    #[error(
        "{operation} gives {got:e} where IEEE 754 with rounding to nearest gives {want:e}; intervals need that"
    )]
    Rounding {
        /// The operation that was tried.
        operation: &'static str,
        /// What it gave.
        got: f64,
        /// What it has to give.
        want: f64,
    },
}

impl EnvironmentError {
    /// The kind of this failure.
    pub fn kind(&self) -> Kind {
        Kind::Resource
    }
}

/// Half the distance from 1 to the next double.
const HALF_ULP: f64 = f64::EPSILON / 2.0;

/// Tries the assumptions above on values that tell the rounding modes, flushing and excess precision apart.
///
/// Every proof of this crate calls it before it begins.
///
/// # Errors
///
/// [`EnvironmentError::Rounding`] with the first operation that differs.
///
/// # Examples
///
/// ```
/// assert_eq!(popgrad_proof::check_environment(), Ok(()));
/// ```
pub fn check_environment() -> Result<(), EnvironmentError> {
    // The compiler must not evaluate these in advance.
    let one = black_box(1.0_f64);
    let half = black_box(HALF_ULP);
    let tiny = black_box(f64::from_bits(1));
    let least = black_box(f64::MIN_POSITIVE);
    let third = black_box(3.0_f64);
    let cases = [
        ("1 + 2^-53", one + half, 1.0),
        ("-1 - 2^-53", -one - half, -1.0),
        ("(1 + 2^-52) + 2^-53", (one + 2.0 * half) + half, 1.0 + 2.0 * f64::EPSILON),
        ("1 + (2^-53 + 2^-105)", one + (half + half * f64::EPSILON), 1.0 + f64::EPSILON),
        ("(1 + 2^-60) - 1", (one + half / 128.0) - one, 0.0),
        ("1 / 3", one / third, f64::from_bits(0x3fd5_5555_5555_5555)),
        ("-1 / 3", -one / third, f64::from_bits(0xbfd5_5555_5555_5555)),
        ("(1 / 3) * 3", (one / third) * third, 1.0),
        ("0.1 * 0.1", black_box(0.1) * black_box(0.1), f64::from_bits(0x3f84_7ae1_47ae_147c)),
        ("sqrt(2)", black_box(2.0_f64).sqrt(), f64::from_bits(0x3ff6_a09e_667f_3bcd)),
        ("sqrt(3)", third.sqrt(), f64::from_bits(0x3ffb_b67a_e858_4caa)),
        ("2^-1022 / 2", least / 2.0, f64::from_bits(1 << 51)),
        ("2^-1074 * 2", tiny * 2.0, f64::from_bits(2)),
        ("2^-1074 + 2^-1074", tiny + tiny, f64::from_bits(2)),
        ("2^-1074 / 2", tiny / 2.0, 0.0),
    ];
    match cases.into_iter().find(|(_, got, want)| got.to_bits() != want.to_bits()) {
        None => Ok(()),
        Some((operation, got, want)) => Err(EnvironmentError::Rounding { operation, got, want }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_rounds_as_ieee_754_says() {
        assert_eq!(check_environment(), Ok(()));
    }

    #[test]
    fn the_message_names_the_operation_and_both_values() {
        let error = EnvironmentError::Rounding { operation: "1 / 3", got: 0.25, want: 0.5 };
        assert_eq!(
            error.to_string(),
            "1 / 3 gives 2.5e-1 where IEEE 754 with rounding to nearest gives 5e-1; intervals need that"
        );
    }
}
