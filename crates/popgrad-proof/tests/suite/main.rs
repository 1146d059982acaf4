//! Claims that cross modules, in one binary.
#![allow(clippy::unwrap_used, clippy::print_stdout)] // a test fails by panicking and shows what it counted
#![allow(clippy::disallowed_methods)] // references may use the platform's functions

mod certificates; // points, enumerations and folds, checked without a search
mod cnn; // the convolutional network: both sides of the threshold, what stays undecided
mod double_double; // references in twice the precision, a code of its own
mod enumerate; // all in-plane critical points of two teachers
mod interval; // a million random and adversarial arguments, and golden values in 50 digits
mod points; // critical points: known ones certified with their index, others refuted, bad input named
