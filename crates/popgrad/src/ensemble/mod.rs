//! Many independent starts of one problem, eight side by side in the lanes of vector registers.
//!
//! - `two_layer`: the ensemble of a two-layer problem: teacher, number of students, law of the starts.
//! - `xy`: the ensemble of Theorem 7's plane.
//! - `cnn`: the ensemble of a convolutional network, in five numbers a run; `cnn_start` draws them, `cnn_axes` relates them to
//!   the whole network.
//! - `run`: the machine that advances ranges of runs and hands out their ends.
//! - `rules`: gradient descent or flow, and when a run ends.
//! - `start_law`, `coordinates`: where runs begin, and in which basis they run.
//! - `two_layer_lanes`, `xy_lanes`, `cnn_lanes`: the fields of eight runs at a time.
//! - `descent`, `flow`: the dynamics over the lanes, with refill.
//! - `polish`: Newton's iteration from an end point, for one run.
//!
//! What a run gives is a pure function of ensemble, seed and the number of the run: it depends neither on the lane, nor on
//! the runs beside it, nor on the range, nor on where `advance` is cut, nor on the level of instructions.
//! Derivation, order of operations and the floor of the gradient norm: docs/theory/ensemble.md, (B.1)-(B.15).

mod angles;
mod cnn;
mod cnn_axes;
mod cnn_lanes;
mod cnn_start;
mod coordinates;
mod descent;
mod error;
mod flow;
mod outcome;
mod polish;
mod problem;
mod queue;
mod rules;
mod run;
mod start_law;
mod two_layer;
mod two_layer_lanes;
mod xy;
mod xy_lanes;

pub use cnn::{BasinStop, CnnEnsemble, CnnWeights};
pub use cnn_start::CnnStart;
pub use error::EnsembleError;
pub use outcome::{EnsembleAdvance, EnsembleProgress, RunEnd, RunStatus};
pub use polish::Polished;
pub use rules::{EnsembleDynamics, EnsembleStop, LossStop, NormKind};
pub use run::EnsembleRun;
pub use start_law::StartLaw;
pub use two_layer::TwoLayerEnsemble;
pub use xy::{XyEnsemble, XyStart};
