//! Critical points of the two-layer problem (Tian 2017, section 5).

mod l12;

pub use l12::{L12Error, L12Map, SignAdvance, SignCount, SignForm, SignSurvey, l12, l12_numerator, l21};
