//! The ensemble of the convolutional network: bits, agreement with the whole network, sets that decide a run.

use popgrad::{
    BasinStop, Cnn, CnnBasin, CnnEnsemble, CnnForm, CnnStart, CnnState, CnnStudent, EnsembleAdvance,
    EnsembleDynamics, EnsembleStop, Level, LossStop, NormKind, RandomStream, RunEnd, RunStatus,
};
use std::f64::consts::PI;

fn problem(k: usize, p: usize, ratio: f64) -> Cnn {
    Cnn::with_ratio(k, p, ratio).unwrap()
}

fn ensemble(k: usize, p: usize, ratio: f64) -> CnnEnsemble {
    CnnEnsemble::try_new(problem(k, p, ratio)).unwrap()
}

/// A teacher with a filter of length two in no special direction, and a negative sum of outputs.
fn oblique(k: usize, p: usize) -> Cnn {
    let mut stream = RandomStream::new(11, k as u64);
    let (mut filter, mut output) = (vec![0.0; p], vec![0.0; k]);
    stream.fill_sphere(2.0, &mut filter);
    stream.fill_normal(&mut output);
    output.iter_mut().for_each(|a| *a -= 0.3);
    Cnn::try_new(&filter, &output).unwrap()
}

fn bits(end: &RunEnd) -> (u64, &'static str, u64, Vec<u64>) {
    let numbers = [end.time, end.loss, end.gradient_norm];
    let all = end.weights.iter().chain(&end.output).chain(&numbers).map(|x| x.to_bits()).collect();
    (end.run, end.status.name(), end.steps, all)
}

fn assert_same(got: &[RunEnd], want: &[RunEnd], what: &str) {
    assert_eq!(got.len(), want.len(), "{what}");
    for (got, want) in got.iter().zip(want) {
        assert_eq!(bits(got), bits(want), "{what}");
    }
}

/// Ensembles under every rule, by descent and by the flow.
fn ensembles() -> Vec<(&'static str, CnnEnsemble)> {
    let stop = EnsembleStop { gradient_norm: Some(1e-4), steps: 900, ..EnsembleStop::default() };
    let largest = EnsembleStop { norm: NormKind::LargestNeuron, ..stop };
    let by_loss = EnsembleStop { loss: Some(LossStop { below: 1e-2, steps: 20 }), ..stop };
    let of = |problem: Cnn| CnnEnsemble::try_new(problem).unwrap().with_stop(stop).with_seed(3);
    let wide = CnnStart::Ball { filter_norm: 0.5, radius: 1.5 };
    let flow = EnsembleDynamics::flow();
    let basins = BasinStop::Proved;
    vec![
        ("paper", of(problem(25, 6, 4.0))),
        ("oblique", of(oblique(7, 5)).with_start(wide.clone()).with_stop(largest)),
        ("loss", of(problem(10, 3, 3.0)).with_stop(by_loss)),
        ("sets", of(problem(25, 6, 4.0)).with_basin_stop(basins)),
        ("sets and loss", of(problem(36, 2, 0.0)).with_stop(by_loss).with_basin_stop(basins)),
        ("equal outputs", of(problem(9, 4, 9.0)).with_start(wide.clone())),
        ("one of each", of(Cnn::try_new(&[1.5], &[-2.0]).unwrap())),
        ("flow", of(problem(25, 6, 4.0)).with_dynamics(flow)),
        ("flow and sets", of(oblique(4, 3)).with_start(wide).with_dynamics(flow).with_basin_stop(basins)),
    ]
}

#[test]
fn levels_ranges_and_cuts_change_no_bit() {
    for (name, ensemble) in ensembles() {
        let want = ensemble.runs(0..61, Level::Portable).unwrap().finish();
        for level in Level::available() {
            let mut got = ensemble.runs(0..7, level).unwrap().finish();
            got.extend(ensemble.runs(7..61, level).unwrap().finish());
            assert_same(&got, &want, &format!("{name} at {level:?}"));
        }
        let mut machine = ensemble.runs(0..61, Level::detect()).unwrap();
        let (mut got, mut budget) = (Vec::new(), 1);
        loop {
            if let EnsembleAdvance::Done(ends) = machine.advance(budget) {
                break got.extend(ends);
            }
            got.extend(machine.take_ended());
            budget = budget % 97 + 13;
        }
        got.sort_by_key(|end| end.run);
        assert_same(&got, &want, &format!("{name}, cut into calls"));
        assert!(got.iter().all(|end| end.loss.is_finite() && end.gradient_norm.is_finite()), "{name}");
    }
}

/// The problems and starts of the comparisons with the whole network.
fn cases() -> Vec<(Cnn, CnnStart)> {
    let paper = |problem: Cnn| {
        let law = CnnStart::ball(&problem, 1.0);
        (problem, law)
    };
    let given: Vec<f64> = {
        let mut starts = vec![0.0; 6 * 9];
        RandomStream::new(5, 0).fill_normal(&mut starts);
        starts
    };
    vec![
        paper(problem(25, 6, 4.0)),
        paper(problem(10, 3, 0.0)),
        paper(problem(4, 2, 4.0)),
        (oblique(5, 7), CnnStart::Ball { filter_norm: 0.7, radius: 2.0 }),
        (oblique(5, 4), CnnStart::Given { starts: given }),
        (Cnn::try_new(&[2.0, 0.0], &[-1.0]).unwrap(), CnnStart::Ball { filter_norm: 1.0, radius: 1.0 }),
        (Cnn::try_new(&[-1.0], &[1.0, 0.5]).unwrap(), CnnStart::Ball { filter_norm: 1.0, radius: 1.0 }),
    ]
}

/// The sizes of the terms of a gradient and of the loss: of what the runs pass through the outputs are at most this large.
fn size(problem: &Cnn) -> f64 {
    let s = problem.filter_norm();
    let teacher = s * problem.output_square().sqrt();
    (problem.patches() as f64 + 2.0) * (1.0 + s) * (1.0 + teacher) * (1.0 + teacher)
}

#[test]
fn descent_is_that_of_the_whole_network() {
    const STEPS: u64 = 300;
    for (problem, law) in cases() {
        let (k, p, step) = (problem.patches(), problem.patch_dimension(), 0.05);
        let ensemble = CnnEnsemble::try_new(problem.clone())
            .unwrap()
            .with_start(law)
            .with_dynamics(EnsembleDynamics::descent(step))
            .with_stop(EnsembleStop { steps: STEPS, ..EnsembleStop::default() });
        // A step's rounding is a few EPSILON of the terms, and none of the runs below grows errors by more than 16.
        let tolerance = 16.0 * f64::EPSILON * STEPS as f64 * size(&problem);
        for end in ensemble.runs(0..6, Level::detect()).unwrap().finish() {
            let mut at = ensemble.start(end.run).unwrap();
            for _ in 0..STEPS {
                let g = problem.gradient(CnnStudent { filter: &at.filter, output: &at.output }).unwrap();
                at.filter.iter_mut().zip(&g.filter).for_each(|(v, g)| *v -= step * g);
                at.output.iter_mut().zip(&g.output).for_each(|(a, g)| *a -= step * g);
            }
            let student = CnnStudent { filter: &at.filter, output: &at.output };
            let lifted = ensemble.lift(&end).unwrap();
            let pairs = lifted.filter.iter().zip(&at.filter).chain(lifted.output.iter().zip(&at.output));
            let worst = pairs.map(|(x, y)| (x - y).abs()).fold(0.0, f64::max);
            assert!(worst <= tolerance, "k = {k}, p = {p}, run {}: {worst:e} and {tolerance:e}", end.run);
            assert_eq!((end.status, end.steps), (RunStatus::StepLimit, STEPS));
            let loss = problem.loss(student).unwrap();
            assert!((end.loss - loss).abs() <= tolerance, "{} and {loss}", end.loss);
            let g = problem.gradient(student).unwrap();
            let norm = g.filter.iter().chain(&g.output).map(|g| g * g).sum::<f64>().sqrt();
            assert!((end.gradient_norm - norm).abs() <= tolerance, "{} and {norm}", end.gradient_norm);
        }
    }
}

#[test]
fn a_start_is_one_point_whole_or_reduced() {
    for (problem, law) in cases() {
        let ensemble = CnnEnsemble::try_new(problem.clone()).unwrap().with_start(law);
        for run in 0..6 {
            let (whole, state) = (ensemble.start(run).unwrap(), ensemble.start_state(run).unwrap());
            let student = CnnStudent { filter: &whole.filter, output: &whole.output };
            let scalars = problem.scalars(student).unwrap();
            let tolerance = 8.0 * f64::EPSILON * size(&problem);
            let near =
                |x: f64, y: f64, what: &str| assert!((x - y).abs() <= tolerance, "{what}: {x} and {y}");
            near(state.filter_norm(), scalars.filter_norm, "|v|");
            near(state.angle().theta, scalars.angle.theta, "phi");
            near(state.overlap, scalars.alpha, "alpha");
            near(state.sum, scalars.output_sum, "1.a");
            near(problem.reduced().output_norm_squared(&state), scalars.output_square, "|a|^2");
        }
    }
}

#[test]
fn the_law_of_the_paper_has_its_moments() {
    const RUNS: u64 = 20_000;
    for (k, p, ratio) in [(1, 1, 1.0), (2, 2, 1.0), (3, 3, 2.0), (25, 6, 4.0), (64, 20, 9.0)] {
        let ensemble = ensemble(k, p, ratio);
        let radius = (ratio / k as f64).sqrt();
        let mut sums = [0.0; 5];
        for run in 0..RUNS {
            let state = ensemble.start_state(run).unwrap();
            let square = ensemble.problem().reduced().output_norm_squared(&state) / (radius * radius);
            assert!((state.filter_norm() - 1.0).abs() < 1e-15 && square <= 1.0 + 1e-12);
            assert!(state.sum.abs() <= ratio.sqrt() * (1.0 + 1e-15));
            let mean = state.sum / (radius * (k as f64).sqrt());
            let cosine = state.x;
            let terms = [cosine, cosine * cosine, mean, mean * mean, square];
            sums.iter_mut().zip(terms).for_each(|(sum, term)| *sum += term / RUNS as f64);
        }
        let (kk, pp) = (k as f64, p as f64);
        let want = [0.0, 1.0 / pp, 0.0, 1.0 / (kk + 2.0), kk / (kk + 2.0)];
        // Variances of the terms, of which five standard errors are allowed.
        let variances = [
            1.0 / pp,
            2.0 * (pp - 1.0) / (pp * pp * (pp + 2.0)),
            1.0 / (kk + 2.0),
            3.0 / ((kk + 2.0) * (kk + 4.0)) - 1.0 / ((kk + 2.0) * (kk + 2.0)),
            4.0 * kk / ((kk + 2.0) * (kk + 2.0) * (kk + 4.0)),
        ];
        for ((got, want), variance) in sums.iter().zip(want).zip(variances) {
            let allowed = 5.0 * (variance / RUNS as f64).sqrt() + 1e-12;
            assert!((got - want).abs() <= allowed, "k = {k}, p = {p}: {got} and {want}, {allowed}");
        }
    }
}

#[test]
fn draws_of_the_filter_are_common_to_all_numbers_of_patches() {
    let (a, b) = (ensemble(25, 6, 4.0), ensemble(100, 6, 9.0));
    for run in 0..50 {
        let (one, other) = (a.start_state(run).unwrap(), b.start_state(run).unwrap());
        assert_eq!((one.x.to_bits(), one.y.to_bits()), (other.x.to_bits(), other.y.to_bits()));
    }
    let (a, b) = (ensemble(25, 6, 4.0), ensemble(25, 6, 1.0));
    for run in 0..50 {
        // Twice the radius, the same point of the ball.
        let (one, other) = (a.start_state(run).unwrap(), b.start_state(run).unwrap());
        assert!((one.sum - 2.0 * other.sum).abs() < 1e-15 && (one.rest - 2.0 * other.rest).abs() < 1e-15);
    }
}

/// Where a run that went on for long has come to: the global minimum, the spurious one, or neither.
fn arrived(problem: &Cnn, end: &RunEnd) -> Option<RunStatus> {
    let spurious = problem.spurious_point().loss;
    if end.loss < 1e-3 * spurious && end.weights[0] > 0.0 {
        Some(RunStatus::GlobalBasin)
    } else if (end.loss - spurious).abs() < 1e-3 * spurious && end.weights[0] < 0.0 {
        Some(RunStatus::SpuriousBasin)
    } else {
        None
    }
}

#[test]
fn sets_decide_as_running_on_does() {
    let mut compared = [0_u64; 2];
    for (k, p, ratio) in
        [(10, 6, 3.0), (25, 6, 4.0), (25, 2, 1.0), (36, 4, 9.0), (100, 3, 16.0), (4, 20, 0.0), (49, 3, 25.0)]
    {
        let ensemble = ensemble(k, p, ratio).with_seed(17);
        for (dynamics, runs, on) in [
            (
                EnsembleDynamics::descent(0.05),
                3000,
                EnsembleStop { steps: 30_000, gradient_norm: Some(1e-11), ..EnsembleStop::default() },
            ),
            (
                EnsembleDynamics::flow(),
                1500,
                EnsembleStop { time: Some(1500.0), gradient_norm: Some(1e-8), ..EnsembleStop::default() },
            ),
        ] {
            let ensemble = ensemble.clone().with_dynamics(dynamics);
            let early = ensemble.clone().with_basin_stop(BasinStop::Proved);
            let early = early.runs(0..runs, Level::detect()).unwrap().finish();
            let late = ensemble.with_stop(on).runs(0..runs, Level::detect()).unwrap().finish();
            for (early, late) in early.iter().zip(&late) {
                let what = format!("k = {k}, p = {p}, ratio {ratio}, run {}", early.run);
                assert_eq!(Some(early.status), arrived(&problem(k, p, ratio), late), "{what}: {late:?}");
                compared[usize::from(early.status == RunStatus::SpuriousBasin)] += 1;
            }
        }
    }
    println!("{} global, {} spurious", compared[0], compared[1]);
    assert!(compared[0] + compared[1] >= 10_000 && compared[1] >= 3000, "{compared:?}");
}

#[test]
fn early_ends_are_states_of_the_same_runs() {
    let steps = |steps: u64| EnsembleStop { steps, ..EnsembleStop::default() };
    let plain = ensemble(25, 6, 4.0).with_seed(2);
    let early = plain.clone().with_basin_stop(BasinStop::Proved);
    for end in early.runs(0..200, Level::detect()).unwrap().finish() {
        let range = end.run..end.run + 1;
        let same =
            plain.clone().with_stop(steps(end.steps)).runs(range.clone(), Level::detect()).unwrap().finish();
        assert_eq!((&same[0].weights, &same[0].output), (&end.weights, &end.output));
        // The first state that the whole library's own test decides.
        let problem = early.problem().reduced();
        let basin = |end: &RunEnd| {
            let state = CnnState::from_array([&*end.weights, &*end.output].concat().try_into().unwrap());
            problem.descent_basin(&state, 0.05).unwrap()
        };
        let want = match end.status {
            RunStatus::GlobalBasin => CnnBasin::Global,
            _ => CnnBasin::Spurious,
        };
        assert_eq!(basin(&end), want, "run {}", end.run);
        if let Some(before) = end.steps.checked_sub(1) {
            let before =
                plain.clone().with_stop(steps(before)).runs(range, Level::detect()).unwrap().finish();
            assert_eq!(basin(&before[0]), CnnBasin::Undecided, "run {}", end.run);
        }
    }
}

#[test]
fn signs_of_the_teacher_and_of_the_outputs_mirror_a_run() {
    let teacher = problem(9, 3, 2.0);
    let mirrored: Vec<f64> = teacher.output().iter().map(|a| -a).collect();
    let mirrored = Cnn::try_new(teacher.filter(), &mirrored).unwrap();
    let of = |problem: Cnn, starts: Vec<f64>| {
        let stop = EnsembleStop { steps: 500, ..EnsembleStop::default() };
        let ensemble =
            CnnEnsemble::try_new(problem).unwrap().with_stop(stop).with_start(CnnStart::Given { starts });
        ensemble.with_basin_stop(BasinStop::Proved).runs(0..40, Level::detect()).unwrap().finish()
    };
    let mut starts = vec![0.0; 40 * 12];
    RandomStream::new(9, 1).fill_normal(&mut starts);
    let mut signs = starts.clone();
    for start in signs.chunks_exact_mut(12) {
        start[3..].iter_mut().for_each(|a| *a = -*a);
    }
    for (one, other) in of(teacher, starts).iter().zip(&of(mirrored, signs)) {
        assert_eq!((one.status, one.steps), (other.status, other.steps));
        assert_eq!(one.weights, other.weights);
        assert_eq!(one.output[0].to_bits(), other.output[0].to_bits(), "alpha does not change");
        assert_eq!(one.output[1], -other.output[1]);
    }
}

#[test]
fn the_loss_keeps_its_digits_near_the_teacher() {
    let stop = EnsembleStop { gradient_norm: Some(1e-13), steps: 10_000, ..EnsembleStop::default() };
    let problem = oblique(6, 4);
    let law = CnnStart::ball(&problem, 1.0);
    let ensemble = CnnEnsemble::try_new(problem).unwrap().with_stop(stop).with_start(law);
    let ends = ensemble.runs(0..40, Level::detect()).unwrap().finish();
    let global: Vec<&RunEnd> = ends.iter().filter(|end| end.status == RunStatus::Converged).collect();
    assert!(global.len() >= 10, "{}", global.len());
    for end in global {
        assert!(end.loss > 0.0 && end.loss < 1e-24, "{:e}", end.loss);
    }
}

#[test]
#[allow(clippy::reversed_empty_ranges)] // it is to be refused
fn what_makes_no_sense_is_refused_in_words() {
    let level = Level::detect();
    let good = ensemble(4, 3, 1.0);
    let refused = |ensemble: CnnEnsemble| ensemble.runs(0..3, level).unwrap_err().to_string();
    let ball = |filter_norm, radius| good.clone().with_start(CnnStart::Ball { filter_norm, radius });
    let given = |starts: Vec<f64>| good.clone().with_start(CnnStart::Given { starts });
    let mut zero = vec![1.0; 21];
    zero[7..10].fill(0.0);
    let fast = good.clone().with_dynamics(EnsembleDynamics::descent(1.1)).with_basin_stop(BasinStop::Proved);
    let cases = [
        (refused(ball(0.0, 1.0)), "start.filter_norm = 0, but it must be finite and positive"),
        (refused(ball(1.0, -1.0)), "start.radius = -1, but it must be finite and not negative"),
        (refused(given(vec![1.0; 8])), "start.starts has 8 entries; it needs 14"),
        (refused(given(vec![1.0; 14])), "run 2 is asked for but only 2 starts"),
        (refused(given(vec![f64::NAN; 21])), "start.starts[0] = NaN is not finite"),
        (refused(given(zero)), "the filter of start 1 is the zero vector"),
        (refused(fast), "step = 1.1, but it must be at most 2 pi / (k + pi - 1)"),
        (good.runs(3..1, level).unwrap_err().to_string(), "the range of runs 3..1 ends before it begins"),
    ];
    for (got, want) in cases {
        assert!(got.starts_with(want), "{got}");
    }
    let plain = problem(4, 3, 1.0).with_form(CnnForm::Plain);
    assert!(CnnEnsemble::try_new(plain).unwrap_err().to_string().contains("plain form"));
    let largest = 2.0 * PI / (3.0 + PI);
    assert!(good.largest_basin_step() < largest && good.largest_basin_step() > largest - 2e-15);
    assert!(good.runs(5..5, level).unwrap().finish().is_empty());
}

#[test]
fn the_bits_of_runs_are_frozen() {
    // FNV-1a over the bits of all ends: a change here raises NUMERICS.
    let hash = |ends: &[RunEnd]| {
        ends.iter()
            .flat_map(|end| end.weights.iter().chain(&end.output))
            .flat_map(|w| w.to_bits().to_le_bytes())
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            })
    };
    let stop = EnsembleStop { steps: 100, ..EnsembleStop::default() };
    let ends =
        |ensemble: CnnEnsemble| ensemble.with_stop(stop).runs(0..10, Level::detect()).unwrap().finish();
    let descent = hash(&ends(ensemble(25, 6, 4.0)));
    let flow = hash(&ends(ensemble(9, 3, 1.0).with_dynamics(EnsembleDynamics::flow())));
    assert_eq!([descent, flow].map(|h| format!("{h:016x}")), ["ff5351bfccf4a249", "e801c8d5e9122550"]);
}
