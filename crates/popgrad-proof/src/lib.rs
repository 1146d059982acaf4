//! Proofs about the loss landscape of two-layer ReLU networks, by interval arithmetic.
//!
//! A result of this crate is a theorem as far as three things are right: its program text, the compiler and the
//! floating-point unit. [`check_environment`] states what is asked of the latter two and tests it. Numbers that come
//! from elsewhere, eigenvectors or Newton iterates, are guesses: a bad guess makes a proof fail, never succeed.
//!
//! - [`Interval`]: sets of real numbers with outward rounding, on the standard library alone.
//!
//! No files, no printing, no clock, no threads.

mod environment;
mod interval;

pub use environment::{EnvironmentError, check_environment};
pub use interval::Interval;
