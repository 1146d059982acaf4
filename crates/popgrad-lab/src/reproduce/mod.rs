//! A paper's figures and claims, measured afresh.
//!
//! A [`Claim`] is a statement of a [paper](PAPERS) with its place, what is measured, the bound and
//! the expected verdict; [`run`] measures a paper's catalogue and writes a report: `index.html`, which opens
//! from disk without a network, `claims.json`, and every figure as a vector graphic. Every number shown is
//! computed when the report is made. Statistical bounds give a false alarm with probability at most 1e-6 a claim.

mod basins;
mod catalogue;
mod claim;
mod cnn_loss;
mod cnn_plane;
mod cnn_spurious;
mod cnn_success;
mod cnn_table1;
mod cnn_training;
mod collinear;
mod conjecture1;
mod conjecture2;
mod conjecture2_basins;

mod ensembles;
mod fig10;
mod fig6;
mod fig7;
mod fig8;
mod fig9;
mod gradient;
mod maths;
mod minima;
mod noise_search;
mod noisy_training;
mod normal_equation;
mod numbers;
mod open_case;
mod orthonormal_descent;
mod other_side;
mod page;
mod plan;
mod plane_basins;
mod polish;
mod proposition2;
mod report;
mod run;
mod safran2018;
mod sampling;
mod seventeen;
mod surplus;
mod symmetric;
mod theorem1;
mod theorem2;
mod theorem4;
mod theorem5;
mod theorem6;
mod theorem7;
mod three_blocks;

pub use catalogue::{CATALOGUE, CONVOLUTIONAL, MINIMA, PAPERS, Paper};
pub use claim::{Bound, Claim, Findings, Group, Illustration, Measured, Table, Verdict};
pub use plan::{Plan, Profile, Progress, ReproduceError};
pub use report::{ClaimReport, Completeness, Report, SCHEMA};
pub use run::run;
