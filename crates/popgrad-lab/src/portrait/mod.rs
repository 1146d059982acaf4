//! Phase portraits and maps: a picture with everything that organises it, and the numbers behind it.

mod cnn;
mod error;
mod l12;
mod xy;

pub use cnn::{CnnPlanePoint, CnnPortrait, CnnPortraitOptions};
pub use error::PortraitError;
pub use l12::{L12Numbers, L12Portrait, l12_slices};
pub use xy::{XyPortrait, XyPortraitOptions};
