//! Tests of the laboratory that cross modules: one binary.

mod suite {
    /// The catalogue of claims and its report.
    mod reproduce;
}
