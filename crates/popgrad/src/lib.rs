//! Exact training dynamics of teacher-student ReLU networks under Gaussian input.

pub mod accuracy;
mod angle;
mod arc_cosine;
mod beta;
mod cnn;
mod contour;
mod critical;
mod double_double;
mod dynamics;
mod eight;
mod empirical;
mod ensemble;
mod input_law;
mod kind;
mod lanes;
mod matrix;
mod monte_carlo;
mod multilayer;
mod network;
mod numerics;
mod panels;
mod random;
mod single_relu;
mod spectrum;
mod statistics;
mod symmetric;
mod two_layer;
mod vector;

pub use angle::{Angle, VectorError, angle};
pub use arc_cosine::{
    KernelHessian, angular_c1, angular_h, gating, joint_activation, kernel, kernel_hessian,
};
pub use beta::{BetaError, incomplete_beta, log_incomplete_beta};
pub use cnn::{
    Cnn, CnnBasin, CnnEmbedding, CnnError, CnnForm, CnnGradient, CnnLandscape, CnnPoint, CnnPointKind,
    CnnRates, CnnScalars, CnnSigns, CnnState, CnnStudent, PhaseCoordinate, PhaseMethod, PhaseScan,
    ReducedCnn, TwoPhases, restart_success,
};
pub use contour::zero_contour;
pub use critical::{
    Atlas, AtlasClass, BlockFamily, ConeCounts, ConeMembership, CriticalError, CriticalPoint, CriticalSearch,
    DescentEnd, EndClasses, FamilyPoint, GroupOrder, Isotropy, L12Error, L12Map, Nature, NormalEquation,
    NormalEquationError, RadialSolution, ResidualProjections, SearchAdvance, SearchEnd, SearchOptions,
    SearchStatus, SignAdvance, SignCount, SignForm, SignSurvey, SurplusFamily, Theorem3, cone_counts, l12,
    l12_numerator, l21,
};
pub use dynamics::{
    AbsoluteTolerance, Advance, DescentOptions, Direction, DynamicsError, Event, EventFunction, EventKind,
    FlowOptions, GradientDescent, GradientFlow, Landscape, Outcome, Progress, RecordPlan, Row, Status,
    StepHalving, StopRule, Trained, TwoLayerLandscape, ZeroStudentRule,
};
pub use empirical::{EmpiricalGradient, EmpiricalLandscape, EmpiricalLoss};
pub use ensemble::{
    BasinStop, CnnEnsemble, CnnStart, CnnWeights, EnsembleAdvance, EnsembleDynamics, EnsembleError,
    EnsembleProgress, EnsembleRun, EnsembleStop, LossStop, NormKind, Polished, RunEnd, RunStatus, StartLaw,
    TwoLayerEnsemble, XyEnsemble, XyStart,
};
pub use input_law::{InputLaw, InputLawError};
pub use kind::Kind;
pub use lanes::Level;
pub use matrix::{Matrix, MatrixError, MatrixView};
pub use monte_carlo::{
    Estimate, GatingMonteCarlo, MonteCarloError, NetworkEstimate, NetworkMonteCarlo, PlaneMonteCarlo,
    SampleLaw, SamplePlan, SampleProgress, gating_monte_carlo, gating_monte_carlo_in_plane,
    network_monte_carlo,
};
pub use multilayer::{DeepGradient, DeepNetwork, DeepTarget, PathWeights, multilayer_gradient};
pub use network::{Network, NetworkError};
pub use numerics::NUMERICS;
pub use random::RandomStream;
pub use single_relu::{
    SingleReluError, SingleReluFlow, THEOREM5_CRITICAL_ANGLE, ball_probability, distance_decrease,
    gaussian_probability, in_omega, single_relu_gradient, single_relu_loss, theorem5_determinant,
    theorem5_matrix, theorem6_bound, theorem6_radius,
};
pub use spectrum::{SpectrumError, symmetric_eigenvalues, symmetric_eigenvectors};
pub use statistics::{
    GoodTuring, Limit, LineFit, Moments, StatisticsError, WilsonInterval, extrapolate_to_zero, fit_line,
    fit_line_weighted, good_turing, normal_cdf, normal_quantile, two_sided_bound, wilson_interval,
};
pub use symmetric::{
    Eigenspace, FiniteGroup, GroupError, GroupOrbit, OrbitError, XyEnd, XyError, XyPlane, XyPoint,
};
pub use two_layer::{
    BatchEvaluator, Blocks, Evaluator, Gradient, Reduction, Student, TwoLayer, TwoLayerError,
};

/// The README's Rust blocks, run with the documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
