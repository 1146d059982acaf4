//! Claims that cross modules, in one binary: golden values, properties, independent computations, derivatives, the
//! paper's numbers. Golden values are in `tests/fixtures`, with their generators.

mod fixture; // reads golden values, and keeps the worst error of a test
mod random_stream; // the random streams against an independent ChaCha8 and 50 digits; moments of every law
mod statistics; // the normal law against 50 digits; coverage of intervals; scatter of fitted lines
mod symmetric; // plane of Theorem 7, finite groups
