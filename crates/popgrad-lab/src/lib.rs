//! The laboratory: experiments, files, figures and reports made with [`popgrad`].

pub mod basin;
pub mod certificate;
pub mod critical;
pub mod figure;
pub mod flow;
pub mod portrait;
pub mod reproduce;
pub mod storage;
pub mod sweep;
pub mod words;
