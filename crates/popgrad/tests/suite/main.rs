//! Tests that cross modules, in one binary. Golden values are in `tests/fixtures`, with their generators.

mod fixture; // reads golden values, and keeps the worst error of a test
mod symmetric; // plane of Theorem 7, finite groups
