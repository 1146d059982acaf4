//! The accuracy table covers every public numeric function, and the page in `docs` is the table.
//!
//! The public functions are read off the sources: every `pub fn` outside the test modules, as `name` or
//! `Type::name`. Each has a row in the table, or stands below among those that return no computed number.

use popgrad::accuracy::{TABLE, page};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Constructors, options and conversions, whatever their type: they store, check or hand out, and compute nothing.
const PLAIN_VERBS: &[&str] =
    &["kind", "new", "try_", "with_", "view", "as_", "into_", "from_", "is_", "name", "advance", "interrupt"];

/// Types whose functions return stored values, counts, states or text.
const PLAIN_TYPES: &[&str] = &[
    "Bound",         // this table
    "EventFunction", // options
    "EventKind",     // words
    "FiniteGroup",   // stored matrices
    "Level",         // words
    "Matrix",        // stored entries
    "MatrixView",
    "RecordPlan", // options
    "RunStatus",  // words
    "Status",     // words
    "Student",    // borrowed entries
];

/// Other functions without a row, with the reason.
const NOT_NUMERIC: &[&str] = &[
    // the table itself
    // classes of ends: whole numbers
    "EndClasses::add",
    "EndClasses::is_empty",
    "EndClasses::len",
    // matrix: shapes, entries and layout
    "Matrix::zeros",
    "Matrix::identity",
    "Matrix::rows",
    "Matrix::cols",
    "Matrix::row",
    "Matrix::row_mut",
    "Matrix::transposed",
    "MatrixView::rows",
    "MatrixView::cols",
    "MatrixView::row",
    "MatrixView::to_matrix",
    // symmetric: counts, layouts, classifications; the forms without checks, tested through field and full_loss
    "XyPlane::units",
    "XyPlane::embed",
    "XyPlane::teacher",
    "XyPlane::end_of",
    "XyPlane::gradient",
    "XyPlane::loss",
    "FiniteGroup::cyclic",
    "FiniteGroup::rotations",
    "FiniteGroup::symmetric",
    "FiniteGroup::permutations",
    "FiniteGroup::order",
    "FiniteGroup::dimension",
    "FiniteGroup::matrix",
    "FiniteGroup::orbit",
    "GroupOrbit::group",
    "GroupOrbit::teacher",
    "GroupOrbit::students",
    "GroupOrbit::gradient",
    "GroupOrbit::loss",
    // the convolutional network: stored values, conversions, decisions by theorems, tested in tests/suite/cnn_dynamics
    "Cnn::reduced",
    "CnnBasin::name",
    "CnnLandscape::problem",
    "CnnSigns::all",
    "CnnSigns::apply",
    "CnnState::at_angle",
    "CnnState::to_array",
    "ReducedCnn::descent_basin",
    "ReducedCnn::filter_norm",
    "ReducedCnn::flow_basin",
    "ReducedCnn::largest_basin_step", // a bound, tested beside (W.69)
    "ReducedCnn::output_square",
    "ReducedCnn::output_sum",
    "ReducedCnn::patches",
    "ReducedCnn::scan_first_phase", // measurements that carry their own errors
    "ReducedCnn::sufficient_signs",
    "ReducedCnn::teacher_state",
    "ReducedCnn::two_phases",
    // single_relu: yes or no
    "SingleReluFlow::reaches_teacher",
    "in_omega",
    // cnn: stored values, sums of a few entries tested with the ratio, yes or no; samples, whose error is their standard error
    "Cnn::filter",
    "Cnn::filter_norm",
    "Cnn::form",
    "Cnn::output",
    "Cnn::output_square",
    "Cnn::output_sum",
    "Cnn::patch_dimension",
    "Cnn::patches",
    "Cnn::embedding",
    "Cnn::spurious_is_minimum",
    "Cnn::ratio", // handed on from the ReducedCnn, tested there
    "Cnn::threshold",
    "Cnn::saddle",
    "CnnEmbedding::filter_estimate",
    "CnnEmbedding::monte_carlo",
    "CnnEmbedding::networks",
    "CnnEmbedding::problem",
    "CnnEmbedding::student",
    "CnnEmbedding::weights",
    // dynamics: the error of a run is what its tolerances say, see tests/suite/dynamics
    "GradientDescent::advance",
    "GradientDescent::interrupt",
    "GradientDescent::landscape",
    "GradientDescent::point",
    "GradientDescent::progress",
    "GradientDescent::rows",
    "GradientDescent::run",
    "GradientDescent::step",
    "GradientDescent::take_rows",
    "GradientFlow::absolute_tolerance",
    "GradientFlow::advance",
    "GradientFlow::interrupt",
    "GradientFlow::landscape",
    "GradientFlow::point",
    "GradientFlow::progress",
    "GradientFlow::rows",
    "GradientFlow::run",
    "GradientFlow::take_rows",
    "EventFunction::ending_the_run",
    "EventKind::index",
    "EventKind::name",
    "RecordPlan::at_times",
    "RecordPlan::every",
    "Status::name",
    "TwoLayerLandscape::split",
    "TwoLayerLandscape::state",
    // ensemble: starts, tested as the laws of random; ends, whose error is that of a step, see tests/suite/ensemble
    "EnsembleDynamics::descent",
    "EnsembleDynamics::flow",
    "EnsembleRun::extend",
    "EnsembleRun::finish",
    "EnsembleRun::progress",
    "EnsembleRun::take_ended",
    "CnnEnsemble::largest_basin_step",
    "CnnEnsemble::lift",
    "CnnEnsemble::problem",
    "CnnEnsemble::runs",
    "CnnEnsemble::start",
    "CnnEnsemble::start_state",
    "CnnEnsemble::starts",
    "CnnStart::ball",
    "StartLaw::around_plane",
    "StartLaw::normal",
    "TwoLayerEnsemble::output",
    "TwoLayerEnsemble::problem",
    "TwoLayerEnsemble::runs",
    "TwoLayerEnsemble::start",
    "TwoLayerEnsemble::starts",
    "TwoLayerEnsemble::students",
    "XyEnsemble::plane",
    "XyEnsemble::runs",
    "XyEnsemble::start",
    "XyEnsemble::starts",
    // random: laws, tested by their moments and frozen by their bits, see tests/suite/random_stream
    "RandomStream::next_u64",
    "RandomStream::uniform",
    "RandomStream::uniform_positive",
    "RandomStream::uniform_centred",
    "RandomStream::normal",
    "RandomStream::fill_normal",
    "RandomStream::rademacher",
    "RandomStream::laplace",
    "RandomStream::student_t",
    "RandomStream::gamma",
    "RandomStream::fill_sphere",
    "RandomStream::fill_ball",
    "RandomStream::fill_multivariate_t",
    // statistics: counts and what goes in
    "Moments::count",
    "Moments::push",
    "Moments::merge",
    // monte_carlo: the error is the standard error that comes with each number, see tests/suite/monte_carlo
    "gating_monte_carlo",
    "gating_monte_carlo_in_plane",
    "network_monte_carlo",
    "GatingMonteCarlo::advance",
    "GatingMonteCarlo::estimate",
    "PlaneMonteCarlo::advance",
    "PlaneMonteCarlo::estimate",
    "NetworkMonteCarlo::advance",
    "NetworkMonteCarlo::estimate",
    // networks and data: sizes and stored values
    "Network::units",
    "Network::inputs",
    "Network::weights",
    "Network::output",
    "Network::skip",
    "Network::leaky",
    "EmpiricalLoss::samples",
    "EmpiricalLoss::inputs",
    "EmpiricalLandscape::start",
    "DeepNetwork::depth",
    "DeepNetwork::hidden",
    "DeepNetwork::output",
    "DeepNetwork::inputs",
    "PathWeights::at",
    // critical: searches (their end carries its gradient), counts, labels, layouts, yes or no
    "Atlas::add",
    "Atlas::add_family_point",
    "Atlas::by_loss",
    "Atlas::class_of",
    "Atlas::classes",
    "Atlas::descend",
    "Atlas::isotropy_of",
    "BlockFamily::dimension",
    "BlockFamily::embed",
    "BlockFamily::random_start",
    "BlockFamily::sizes",
    "BlockFamily::teacher",
    "BlockFamily::units",
    "CriticalPoint::student",
    "CriticalSearch::memory",
    "CriticalSearch::run",
    "SurplusFamily::blocks",
    "SurplusFamily::dimension",
    "SurplusFamily::embed",
    "SurplusFamily::find",
    "SurplusFamily::random_start",
    "SurplusFamily::students",
    "Isotropy::blocks",
    "Isotropy::label",
    // accuracy: the table itself
    "Bound::allowed",
    "Bound::used",
    "bound",
    "page",
    // bounds on their own errors come with the values; yes or no; whole numbers
    "NormalEquation::radial_solution",
    "NormalEquation::residual_projections",
    "NormalEquation::theorem3",
    "ResidualProjections::value",
    "ResidualProjections::error",
    "cone_counts",
    // the map of L12: sizes, rounded angles, whole numbers; signs are compared one by one
    "L12Map::thetas",
    "L12Map::phis",
    "L12Map::theta",
    "L12Map::phi",
    "L12Map::conjectured_sign",
    "L12Map::signs_into",
    "SignSurvey::map",
    "SignSurvey::run",
    // stored values
    "Evaluator::problem",
    "GroupOrbit::group",
    "GroupOrbit::students",
    "GroupOrbit::teacher",
    "TwoLayer::input_dimension",
    "TwoLayer::kappa",
    "TwoLayer::memory_limit",
    "TwoLayer::teacher",
    "TwoLayer::teacher_output",
    "XyPlane::embed",
    "XyPlane::teacher",
    "XyPlane::units",
    // lines of a picture, of second order in the grid's spacing
    "zero_contour",
    // stored values
    "Reduction::problem",
    "Reduction::student",
    // yes or no
    "SingleReluFlow::reaches_teacher",
    "in_omega",
    // a class, decided on the signs of two differences
    "XyPlane::end_of",
    // trajectories: the error is what the options ask for, see tests/suite/dynamics.rs
    "GradientDescent::landscape",
    "GradientDescent::point",
    "GradientDescent::progress",
    "GradientDescent::rows",
    "GradientDescent::run",
    "GradientDescent::step",
    "GradientDescent::take_rows",
    "GradientFlow::absolute_tolerance",
    "GradientFlow::landscape",
    "GradientFlow::point",
    "GradientFlow::progress",
    "GradientFlow::rows",
    "GradientFlow::run",
    "GradientFlow::take_rows",
    // a picture's lines: second order in the grid
    "zero_contour",
    // random draws: bits frozen by golden vectors, laws tested by their moments
    "RandomStream::fill_ball",
    "RandomStream::fill_multivariate_t",
    "RandomStream::fill_normal",
    "RandomStream::gamma",
    "RandomStream::laplace",
    "RandomStream::next_u64",
    "RandomStream::rademacher",
    "RandomStream::student_t",
    "RandomStream::uniform",
    "RandomStream::uniform_centred",
    "RandomStream::uniform_positive",
    // running means: one rounding a sample, tested against two passes
    "Moments::count",
    "Moments::mean",
    "Moments::merge",
    "Moments::push",
    "Moments::standard_error",
    "Moments::variance",
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

fn identifier(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// The type of an `impl` header, without its parameters: `impl<'a> Student<'a> {` gives `Student`.
fn implemented_type(line: &str) -> Option<String> {
    let rest = line.strip_prefix("impl")?;
    let rest = match rest.strip_prefix('<') {
        Some(parameters) => parameters.split_once("> ").map_or("", |(_, after)| after),
        None => rest.trim_start(),
    };
    let subject = rest.split_once(" for ").map_or(rest, |(_, after)| after);
    Some(identifier(subject))
}

fn public_functions() -> BTreeSet<String> {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    let mut names = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(file).unwrap();
        let code = text.split("\n#[cfg(test)]\nmod ").next().unwrap_or("");
        let mut owner = None;
        for line in code.lines() {
            if let Some(subject) = implemented_type(line) {
                owner = Some(subject);
            } else if line == "}" {
                owner = None;
            }
            let signature = line.trim_start().replace("pub const fn ", "pub fn ");
            if let Some(rest) = signature.strip_prefix("pub fn ") {
                let name = identifier(rest);
                names.insert(owner.as_ref().map_or(name.clone(), |o| format!("{o}::{name}")));
            }
        }
    }
    names
}

/// Whether a public function needs no row.
fn is_plain(name: &str) -> bool {
    let verb = name.rsplit("::").next().unwrap_or(name);
    let plain = |p: &str| if p.ends_with('_') { verb.starts_with(p) } else { verb == p };
    let owner = name.split_once("::").map_or("", |(owner, _)| owner);
    PLAIN_VERBS.iter().any(|p| plain(p)) || PLAIN_TYPES.contains(&owner) || NOT_NUMERIC.contains(&name)
}

#[test]
fn every_public_numeric_function_has_a_row() {
    let rows: BTreeSet<&str> = TABLE.iter().map(|b| b.name.split('#').next().unwrap_or("")).collect();
    let functions = public_functions();
    assert!(
        functions.contains("kernel") && functions.contains("InputLaw::kappa"),
        "the sources were not read"
    );
    let missing: Vec<&String> =
        functions.iter().filter(|f| !rows.contains(f.as_str()) && !is_plain(f)).collect();
    assert!(missing.is_empty(), "no row in accuracy.rs, and not in NOT_NUMERIC: {missing:?}");
}

#[test]
fn every_row_names_a_public_function() {
    let functions = public_functions();
    let stale: Vec<&str> = TABLE
        .iter()
        .map(|b| b.name)
        .filter(|n| !functions.contains(n.split('#').next().unwrap_or("")))
        .collect();
    assert!(stale.is_empty(), "rows of accuracy.rs without a public function: {stale:?}");
    let unknown: Vec<&&str> = NOT_NUMERIC.iter().filter(|n| !functions.contains(**n)).collect();
    assert!(unknown.is_empty(), "names in NOT_NUMERIC without a public function: {unknown:?}");
}

/// A row that only restates another's bound for the same code needs no test of its own.
fn restates(scale: &str) -> bool {
    scale.starts_with("as ")
}

#[test]
fn every_row_is_read_by_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    sources(&root.join("tests"), &mut files);
    sources(&root.join("src"), &mut files);
    let tests: String = files.iter().map(|f| test_text(f)).collect();
    let unread: Vec<&str> = TABLE
        .iter()
        .filter(|b| !restates(b.scale) && !tests.contains(&format!("\"{}\"", b.name)))
        .map(|b| b.name)
        .collect();
    assert!(unread.is_empty(), "no test reads these rows of the accuracy table: {unread:?}");
}

/// A test file, or the inline test module of a source file.
fn test_text(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    if file.components().any(|c| c.as_os_str() == "tests") {
        return text;
    }
    text.split_once("\n#[cfg(test)]\nmod ").map_or(String::new(), |(_, tests)| tests.to_owned())
}

#[test]
fn the_page_is_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/accuracy.md");
    let stored = fs::read_to_string(path).unwrap();
    assert!(stored == page(), "docs/accuracy.md is out of date; `cargo xtask docs` rewrites it");
}
