//! Critical points of the two-layer landscape: search, comparison modulo symmetry, classification, symmetric families.
//!
//! Source: Tian (2017), section 5; docs/theory/critical.md, equations (Z.1)-(Z.28).

mod atlas;
mod blocks;
mod classify;
mod cone;
mod configuration;
mod error;
mod matching;
mod newton;
mod past_hessian;
mod plane;
mod steering;
mod transversal;

pub use atlas::{Atlas, AtlasClass, DescentEnd};
pub use blocks::{BlockFamily, FamilyPoint};
pub use classify::{CriticalPoint, Nature};
pub use cone::ConeCount;
pub use configuration::{GroupOrder, Isotropy};
pub use error::CriticalError;
pub use newton::{CriticalSearch, SearchAdvance, SearchEnd, SearchOptions, SearchStatus};
