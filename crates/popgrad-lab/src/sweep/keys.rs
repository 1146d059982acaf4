//! The keys of a sweep's spec: one list for checks, `--help` and the documentation.

use crate::words::nearest;

/// A key of a spec.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its dotted name.
    pub name: &'static str,
    /// What it takes.
    pub takes: &'static str,
    /// What it says, and what holds where it is not given.
    pub means: &'static str,
}

/// Keys that belong to the whole sweep and cannot vary between cells.
const WHOLE: [&str; 4] = ["seed", "runs", "part", "independent"];

/// All keys.
pub const KEYS: [Key; 40] = [
    key("seed", "whole number", "key of the random streams; start i is the same draw in every cell [1]"),
    key("runs", "whole number", "runs of each cell; needed"),
    key("part", "whole number", "runs computed and stored together [1024, fewer for large students]"),
    key("independent", "true or false", "whether every cell has draws of its own [false]"),
    key(
        "problem.kind",
        "text",
        "two_layer, xy for Theorem 7's plane, or cnn for the convolutional network [two_layer]",
    ),
    key(
        "problem.teacher",
        "file or word",
        "orthonormal:K, normal:K,d,SEED or FILE.npy; needed for two_layer",
    ),
    key(
        "problem.teacher_output",
        "list of numbers",
        "output weights of the teachers [ones]; cnn: of the patches, a list or FILE.npy [by problem.ratio]",
    ),
    key("problem.students", "whole number", "number of students [as many as teachers]"),
    key("problem.student_output", "list of numbers", "output weights of the students at the start [ones]"),
    key("problem.output_weights", "text", "fixed or trained [fixed]"),
    key("problem.units", "whole number", "number of units K of the plane; needed for xy"),
    key("problem.patches", "whole number", "cnn: number of patches k"),
    key("problem.patch_dimension", "whole number", "cnn: dimension p of a patch"),
    key(
        "problem.ratio",
        "number",
        "cnn: squared sum of the output weights a* over their sum of squares, from 0 to k; needed without problem.teacher_output",
    ),
    key("problem.filter_norm", "positive number", "cnn: length of the teacher's filter [1]"),
    key(
        "start.law",
        "text",
        "two_layer: normal, sphere, around_plane, given; xy: below_diagonal, uniform, normal, grid; cnn: ball, given",
    ),
    key("start.sd", "positive number", "standard deviation of an entry [start.scale / sqrt(d)]"),
    key(
        "start.scale",
        "positive number",
        "standard deviation of an entry, or radius, times sqrt(d); cnn: bound on the sum of a over that of the teacher [1]",
    ),
    key("start.radius", "positive number", "radius of the sphere; cnn: of the ball of a [by start.scale]"),
    key("start.filter_norm", "positive number", "cnn: length of v [1]"),
    key(
        "start.x",
        "number or list",
        "around_plane and xy normal: the centre's x; xy: the interval of x [0.001, 1]",
    ),
    key(
        "start.y",
        "number or list",
        "around_plane and xy normal: the centre's y; xy: the interval of y [0, 1]",
    ),
    key("start.columns", "whole number", "xy grid: points along x"),
    key("start.rows", "whole number", "xy grid: points along y"),
    key("start.file", "file", "given: starts, FILE.npy of shape (n, K, d); cnn: (n, p + k), v before a"),
    key("dynamics.method", "text", "gd (gradient descent) or flow (gradient flow) [gd]"),
    key(
        "dynamics.step",
        "positive number",
        "step of gradient descent, per sample; needed for gd; cnn: below 4 pi / (k + pi - 1), or runs diverge",
    ),
    key(
        "dynamics.halve_above",
        "positive number",
        "halve the step and restart a run above this gradient norm [never]",
    ),
    key("dynamics.rtol", "positive number", "flow: relative tolerance [1e-8]"),
    key(
        "dynamics.atol",
        "positive number",
        "flow: absolute tolerance, relative to the smallest student [1e-10]",
    ),
    key("stop.gradient_norm", "number", "end a run at this gradient norm, per sample"),
    key("stop.norm", "text", "frobenius, or largest_neuron [frobenius]"),
    key("stop.loss", "number", "end a run as loss_below at this loss, non-increasing from there on"),
    key("stop.loss_steps", "whole number", "over how many steps the loss must not rise for that [100]"),
    key("stop.steps", "whole number", "end a run after this many steps [1000000]"),
    key("stop.time", "number", "flow: end a run at this time"),
    key(
        "stop.basin",
        "true or false",
        "cnn: end a run once its basin is proved [true without stop.gradient_norm and stop.loss, if the step allows it]",
    ),
    key(
        "stop.polish",
        "true or false",
        "then take converged ends to rounding level by Newton's method [false]",
    ),
    key(
        "classes.tolerance",
        "positive number",
        "inner products equal to within this share belong to one class [1000 times stop.gradient_norm, at least 1e-5; cnn: 10 times \
         its root, at least 1e-3]",
    ),
    key(
        "classes.global_loss",
        "positive number",
        "an end below this loss counts as global [1e-3; cnn: times the teacher's squared length]",
    ),
];

const fn key(name: &'static str, takes: &'static str, means: &'static str) -> Key {
    Key { name, takes, means }
}

/// Refuses a key that does not exist, with the nearest one that does.
pub(super) fn check(name: &str) -> Result<(), String> {
    if KEYS.iter().any(|key| key.name == name) {
        return Ok(());
    }
    let names: Vec<&str> = KEYS.iter().map(|key| key.name).collect();
    let hint = nearest(name, &names).map_or_else(
        || "; popgrad sweep --help lists them".to_owned(),
        |near| format!("; did you mean {near}?"),
    );
    Err(format!("{name} is not a key of a sweep{hint}"))
}

/// Whether a key may differ between cells.
pub(super) fn varies(name: &str) -> bool {
    !WHOLE.contains(&name)
}

/// The keys as lines of text.
pub fn listing() -> String {
    let lines: Vec<String> =
        KEYS.iter().map(|key| format!("  {:<23} {}: {}", key.name, key.takes, key.means)).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_stands_in_the_documentation() {
        let page = include_str!("../../../../docs/sweep.md");
        for key in KEYS {
            let row = format!("| `{}` | {} | {} |", key.name, key.takes, key.means);
            assert!(page.contains(&row), "docs/sweep.md lacks: {row}");
        }
    }

    #[test]
    fn keys_are_unique_and_grids_leave_out_those_of_the_whole_sweep() {
        for (i, key) in KEYS.iter().enumerate() {
            assert!(KEYS[..i].iter().all(|other| other.name != key.name), "{}", key.name);
        }
        assert!(varies("dynamics.step") && !varies("seed") && check("seed").is_ok() && check("sed").is_err());
    }
}
