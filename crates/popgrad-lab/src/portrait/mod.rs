//! Phase portraits: a picture of a vector field with everything that organises it, and the numbers behind it.

mod xy;

pub use xy::{PortraitError, XyPortrait, XyPortraitOptions};
