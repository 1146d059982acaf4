//! Claims that cross modules, in one binary: golden values, properties, independent computations, derivatives, the
//! paper's numbers. Golden values are in `tests/fixtures`; the allowed errors are rows of `popgrad::accuracy`.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)] // a test fails by panicking and shows its worst error
#![allow(clippy::disallowed_methods)] // references may use the platform's functions
#![allow(clippy::neg_cmp_op_on_partial_ord, clippy::manual_assert)] // NaN must fail a comparison

mod accuracy_table; // every public numeric function has a row; docs/accuracy.md is the table
mod cnn; // the convolutional network: golden values, embedding, Monte Carlo, differences, critical points
mod cnn_dynamics; // its closed variables, the algorithm, proved basins, phases, starts
mod critical; // normal equation, Theorem 3, L12 and its map; search, classes, classification, families
mod dynamics; // descent and flow: order, tolerances, exact solutions, events, the same bits wherever a run is cut
mod eigenvalues; // symmetric matrices: eigenvalues and eigenvectors
mod empirical; // the loss on given data: plain sums, finite differences, its landscape
mod ensemble; // many starts in lanes: the same bits everywhere, agreement with single runs, rules that end a run
mod fixture; // reads golden values, and keeps the worst error of a test
mod ground; // angles, kernel, gating function, second derivatives, laws of the input
mod monte_carlo; // sampled gating function, loss and gradient; calibrated errors; dependent samples
mod multilayer; // Proposition 2 against golden values and an independent backward pass
mod random_stream; // the random streams against an independent ChaCha8 and 50 digits; moments of every law
mod reduction; // the problem in the span of its units
mod single_relu; // exact flow, Theorems 5 and 6, incomplete beta function
mod statistics; // the normal law against 50 digits; coverage of intervals; scatter of fitted lines
mod symmetric; // plane of Theorem 7, finite groups
mod two_layer; // loss, gradient and Hessian of the two-layer problem
mod two_layer_errors; // what a two-layer problem refuses, and in which words
mod two_layer_properties; // identities, invariances and Monte Carlo of the two-layer problem; no NaN at the extremes
