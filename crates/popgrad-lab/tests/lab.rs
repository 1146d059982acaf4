//! Tests of the laboratory that cross modules: one binary.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod suite {
    /// Array files as NumPy writes them.
    mod arrays;
    /// Atlases of critical points.
    mod atlas;
    /// Starts with noise: Fig. 9 and Conjecture 2.
    mod noise;
    /// The catalogue of claims and its report.
    mod reproduce;
}
