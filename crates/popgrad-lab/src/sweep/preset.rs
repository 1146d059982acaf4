//! Sweeps of published protocols, as specs.

use std::f64::consts::TAU;
use std::fmt::Write;

/// A spec that comes with the program.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    /// Its name.
    pub name: &'static str,
    /// What it repeats, with the source.
    pub about: &'static str,
    make: fn() -> String,
}

impl Preset {
    /// The spec, in TOML.
    ///
    /// ```
    /// use popgrad_lab::sweep::{PRESETS, Plan, Spec};
    /// for preset in PRESETS {
    ///     let plan = Plan::resolve(&Spec::parse(preset.name, &preset.spec())?, popgrad::Level::detect())?;
    ///     assert!(plan.total_runs() > 0);
    /// }
    /// # Ok::<(), popgrad_lab::sweep::SpecError>(())
    /// ```
    pub fn spec(&self) -> String {
        (self.make)()
    }
}

/// All presets.
pub const PRESETS: [Preset; 6] = [
    Preset {
        name: "safran2018",
        about: "Safran & Shamir (ICML 2018): k = 6..20 orthonormal teachers, n = k and n = k + 1 students, 1000 runs a row",
        make: safran2018,
    },
    Preset {
        name: "safran2021",
        about: "Safran, Yehudai & Shamir (2021): k = n students, step 5/k, down to a gradient of 1e-12, 500 runs a row",
        make: safran2021,
    },
    Preset {
        name: "seventeen",
        about: "k = 17 teachers, n = 17, 18, 19 students at both published protocols, 100000 runs each",
        make: seventeen,
    },
    Preset {
        name: "seventeen-grid",
        about: "k = n = 17: five steps and the gradient flow, four scales of the start, 10000 runs each",
        make: seventeen_grid,
    },
    Preset {
        name: "tian-conjecture2",
        about: "Tian (ICML 2017), Conjecture 2: starts around (x, y) = (0.5, 0) with noise, K = 2..100 orthonormal teachers",
        make: tian_conjecture2,
    },
    Preset {
        name: "du2018",
        about: "Du et al. (ICML 2018), Table 1: k = 25..100 patches, ratio 0..25, at six dimensions of a patch, 20000 runs each",
        make: du2018,
    },
];

/// Their gradient is 2 pi times ours, and so are the thresholds: halved above 1e4, until 1e-9 for every neuron. The step 0.1 is
/// taken per sample: with 0.1 on their gradient's scale, 0.63 of ours, descent neither converges nor grows beyond 1e4 with
/// eleven units, where every published run ended.
fn safran2018() -> String {
    let mut text = format!(
        "# Safran & Shamir (2018); their gradient is 2 pi times the one per sample, on which the step acts.\nruns = 1000\n\n[start]\nlaw = \"normal\"\n\n\
         [dynamics]\nmethod = \"gd\"\nstep = 0.1\nhalve_above = {}\n\n[stop]\nnorm = \"largest_neuron\"\ngradient_norm = {}\n\
         steps = 10000000\n\n[classes]\nglobal_loss = 1e-3\n",
        1e4 / TAU,
        1e-9 / TAU
    );
    for extra in [0, 1] {
        for k in 6..=20 {
            let _ = write!(
                text,
                "\n[[cells]]\nproblem.teacher = \"orthonormal:{k}\"\nproblem.students = {}\n",
                k + extra
            );
            if extra > 0 {
                text.push_str("stop.loss = 1e-3\n");
            }
        }
    }
    text
}

fn safran2021() -> String {
    let mut text = "# Safran, Yehudai & Shamir (2021).\nruns = 500\n\n[start]\nlaw = \"normal\"\n\n[stop]\ngradient_norm = 1e-12\n\
                    steps = 1000000\n"
        .to_owned();
    for k in [6, 8, 10, 12, 15, 20, 30] {
        let step = 5.0 / f64::from(k);
        let _ = write!(text, "\n[[cells]]\nproblem.teacher = \"orthonormal:{k}\"\ndynamics.step = {step}\n");
    }
    text
}

fn seventeen() -> String {
    let mut text = "# The share of global ends at 17 teachers, for which published numbers differ.\nruns = 100000\n\n[problem]\n\
                    teacher = \"orthonormal:17\"\n\n[stop]\nsteps = 1000000\n"
        .to_owned();
    for students in [17, 18, 19] {
        let protocols = [
            (0.1, 1e-9 / TAU, "largest_neuron"), // Safran & Shamir (2018)
            (5.0 / 17.0, 1e-12, "frobenius"),    // Safran, Yehudai & Shamir (2021)
        ];
        for (step, gradient, norm) in protocols {
            let _ = write!(
                text,
                "\n[[cells]]\nproblem.students = {students}\ndynamics.step = {step}\nstop.gradient_norm = {gradient}\n\
                 stop.norm = \"{norm}\"\n"
            );
            if students > 17 {
                text.push_str("stop.loss = 1e-3\n");
            }
        }
    }
    text
}

fn seventeen_grid() -> String {
    let mut text = "# The share of global ends at 17 teachers, against step and scale of the start.\nruns = 10000\n\n[problem]\n\
                    teacher = \"orthonormal:17\"\n\n[stop]\ngradient_norm = 1e-6\nsteps = 200000\n\n[grid]\n\
                    start.scale = [0.25, 0.5, 1.0, 2.0]\n"
        .to_owned();
    for step in [0.05, 0.1, 0.15, 0.2, 5.0 / 17.0] {
        let _ = write!(text, "\n[[cells]]\ndynamics.step = {step}\n");
    }
    text.push_str("\n[[cells]]\ndynamics.method = \"flow\"\n");
    text
}

/// Below the loss no spurious minimum is known up to K = 100, so a run that comes there ends global at once; the gradient is for
/// the others, whose ends have to agree to within the tolerance of their classes.
fn tian_conjecture2() -> String {
    let mut text = "# Tian (2017), Conjecture 2.\nruns = 20000\n\n[start]\nlaw = \"around_plane\"\nx = 0.5\ny = 0.0\n\n[stop]\n\
                    gradient_norm = 1e-9\nloss = 1e-3\nloss_steps = 10\nsteps = 20000\n"
        .to_owned();
    for k in [2, 5, 10, 20, 50, 100] {
        for noise in [0.1, 0.2, 0.4] {
            let (sd, step) = (noise / f64::from(k).sqrt(), 2.0 / f64::from(k));
            let _ = write!(
                text,
                "\n[[cells]]\nproblem.teacher = \"orthonormal:{k}\"\nstart.sd = {sd}\ndynamics.step = {step}\n"
            );
        }
    }
    text
}

/// The dimension of a patch behind the published table is not known, and the shares depend on it. The step is no part of the table
/// either; this one is small enough for the sets that decide a run.
fn du2018() -> String {
    "# Du, Lee, Tian, Poczos & Singh (2018), Table 1.\nruns = 20000\n\n[problem]\nkind = \"cnn\"\n\n[start]\nlaw = \"ball\"\n\n\
     [dynamics]\nmethod = \"gd\"\nstep = 0.05\n\n[stop]\nbasin = true\nsteps = 100000\n\n[grid]\n\
     problem.patch_dimension = [2, 3, 4, 6, 20, 100]\nproblem.patches = [25, 36, 49, 64, 81, 100]\n\
     problem.ratio = [0, 1, 4, 9, 16, 25]\n"
        .to_owned()
}
