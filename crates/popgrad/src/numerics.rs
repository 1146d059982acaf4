//! The version of the promised bits.

/// Version of everything whose bits are promised: random streams, starts, ensemble kernels.
///
/// It is raised whenever any promised bit moves. Results made under different values are comparable within their
/// stated accuracy only; a sweep is resumed and merged under one value.
pub const NUMERICS: u32 = 1;
