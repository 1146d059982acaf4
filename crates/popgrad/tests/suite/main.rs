//! What crosses modules, in one binary. One line per file on what belongs there.

/// Gradient descent and the gradient flow: order, tolerances, exact solutions, events, repeatability.
mod dynamics;
