//! Symmetric families of an orthonormal teacher: students of block structure, any number of them, in a few unknowns.

mod classify;
mod family;
mod field;
mod loss;
mod recognise;
mod search;
mod spectrum;
mod structure;
mod surplus;

pub use family::{BlockFamily, FamilyPoint};
pub use surplus::SurplusFamily;
