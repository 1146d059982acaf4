//! The verbs, one file each.

pub(crate) mod basin;
pub(crate) mod certify;
pub(crate) mod critical;
pub(crate) mod eval;
pub(crate) mod flow;
pub(crate) mod portrait;
pub(crate) mod reproduce;
pub(crate) mod sweep;
