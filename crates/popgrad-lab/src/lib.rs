//! The laboratory: experiments, files, figures and reports made with [`popgrad`].

pub mod figure;
pub mod reproduce;
pub mod storage;
pub mod words;
