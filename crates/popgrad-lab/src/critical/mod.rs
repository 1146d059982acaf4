//! Atlases of critical points: searches from many starts, merged modulo symmetry, as files and a page.
//!
//! [`AtlasRun`] goes through given points, symmetric families, random starts, and the unstable directions of what was found;
//! between its slices a caller may look at the progress, stop, and write what there is with [`AtlasRun::write`].

mod page;
mod plan;
mod record;
mod run;
mod subspace;
mod table;

pub use plan::{AtlasError, AtlasPlan};
pub use run::{AtlasProgress, AtlasRun, Ending, Stage};
