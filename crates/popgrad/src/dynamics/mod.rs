//! Training dynamics on a loss landscape: gradient descent and the gradient flow, as resumable machines.
//!
//! Time is per-sample flow time throughout; steps of gradient descent are per-sample steps. The methods, their
//! rules and the meaning of every tolerance are derived in docs/theory/dynamics.md, equations (D.1)-(D.14).

mod advance;
mod controller;
mod crossing;
mod error;
mod flow_options;
mod gradient_descent;
mod gradient_flow;
mod landscape;
mod record;
mod run;
mod stages;
mod stop;
pub(crate) mod tsitouras;
mod two_layer_landscape;
mod zero_approach;

pub(crate) use controller::Controller;
pub(crate) use crossing::locate;
pub(crate) use zero_approach::{approach, first_turn};

pub use advance::{Advance, Outcome, Progress};
pub use crossing::{Direction, EventFunction};
pub use error::DynamicsError;
pub use flow_options::{AbsoluteTolerance, FlowOptions};
pub use gradient_descent::{DescentOptions, GradientDescent, StepHalving};
pub use gradient_flow::GradientFlow;
pub use landscape::Landscape;
pub use record::{Event, EventKind, RecordPlan, Row};
pub use stop::{Status, StopRule, ZeroStudentRule};
pub use two_layer_landscape::{Trained, TwoLayerLandscape};
