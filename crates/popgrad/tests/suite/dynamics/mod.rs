//! Gradient descent and the gradient flow, on small landscapes written here from the public closed forms.

/// Rules of gradient descent: halving, restarting, divergence, exact zeros, reference iterates.
mod descent;
/// Gradient-norm, loss and user events, and students that vanish.
mod events;
/// Exact solutions, reference end points, conserved quantities, start-up from tiny weights.
mod exact;
/// Landscapes shared by these tests.
mod landscapes;
/// Order of convergence, what the tolerances mean, the same bits wherever a run is cut.
mod method;
/// The two-layer landscape, and workload W3 against a reference.
mod two_layer_flow;
