//! Critical points of the two-layer problem (Tian 2017, section 5).
//!
//! The normal equation and its consequences (docs/theory/normal_equation.md); search, comparison modulo symmetry, classification
//! and symmetric families (docs/theory/critical.md, (Z.1)-(Z.33)).

mod atlas;
mod blocks;
mod classify;
mod cone;
mod cone_membership;
mod configuration;
mod critical_error;
mod descent;
mod end_classes;
mod gram;
mod l12;
mod matching;
mod newton;
mod normal_equation;
mod normal_equation_error;
mod past_hessian;
mod plain;
mod plane;
mod span;
mod steering;
mod theorem3;
mod transversal;

pub use atlas::{Atlas, AtlasClass, DescentEnd};
pub use blocks::{BlockFamily, FamilyPoint, SurplusFamily};
pub use classify::{CriticalPoint, Nature};
pub use cone::{ConeCounts, cone_counts};
pub use cone_membership::ConeMembership;
pub use configuration::{GroupOrder, Isotropy};
pub use critical_error::CriticalError;
pub use end_classes::EndClasses;
pub use l12::{L12Error, L12Map, SignAdvance, SignCount, SignForm, SignSurvey, l12, l12_numerator, l21};
pub use newton::{CriticalSearch, SearchAdvance, SearchEnd, SearchOptions, SearchStatus};
pub use normal_equation::{NormalEquation, RadialSolution};
pub use normal_equation_error::NormalEquationError;
pub use theorem3::{ResidualProjections, Theorem3};
