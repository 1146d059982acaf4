//! Ensembles: the same bits everywhere, and agreement with single runs.

mod agreement;
mod bits;
mod cnn;
mod ends;
