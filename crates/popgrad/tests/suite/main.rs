//! Claims that cross modules: golden values, properties, independent computations, derivatives, the paper's numbers.
//!
//! - `random_stream`: the random streams against an independent ChaCha8 and 50 digits; moments of every law.
//! - `statistics`: the normal law against 50 digits; coverage of intervals; scatter of fitted lines.

mod random_stream;
mod statistics;
