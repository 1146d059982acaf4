//! `cargo xtask bench`: popgrad and its peers in turn, paired ratios with the peer named.
//!
//! A turn runs each peer of a case and then popgrad, each in a process of its own on one thread; the ratio of a turn is
//! the peer's median processor time over popgrad's. The table shows the median ratio over the turns and its range, so
//! that drifts of a shared machine cancel within a turn and show in the range.

use crate::python::environment;
use crate::stages::{captured, cargo, pass_through};
use std::path::{Path, PathBuf};
use std::process::Command;

const HELP: &str = "usage: cargo xtask bench [--turns N] [--out FILE] [CASE...]

  --turns N    turns of each case (default 5)
  --out FILE   also appends the raw JSON lines to FILE
  CASE         a name, or its part before the colon: w1:50,100, w1, near, ... (default: all)";

/// Versions that the published ratios were taken with.
const PACKAGES: &[&str] = &["numpy==2.4.6", "scipy==1.17.1", "jax==0.10.2", "diffrax==0.7.2"];

/// One workload at one size, with the peers' script. Without peers only our own times are printed.
struct Case {
    name: &'static str,
    workload: &'static str,
    size: &'static str,
    script: &'static str,
    peers: &'static [&'static str],
}

const fn case(
    name: &'static str,
    (workload, size): (&'static str, &'static str),
    script: &'static str,
    peers: &'static [&'static str],
) -> Case {
    Case { name, workload, size, script, peers }
}

const ONE: &[&str] = &["numpy", "jax", "jax_poly"];
const BATCH: &[&str] = &["jax", "jax_poly", "jax_expert"];
const FLOW: &[&str] = &["tsit5", "dopri5", "dopri8"];

const CASES: &[Case] = &[
    case("w1:2,2", ("gradient", "2,2"), "w1_gradient.py", ONE),
    case("w1:10,10", ("gradient", "10,10"), "w1_gradient.py", ONE),
    case("w1:50,100", ("gradient", "50,100"), "w1_gradient.py", ONE),
    case("w1:200,200", ("gradient", "200,200"), "w1_gradient.py", ONE),
    case("w1:1000,1000", ("gradient", "1000,1000"), "w1_gradient.py", ONE),
    case("batch:4096,6,6", ("batch", "4096,6,6"), "w1_batch.py", BATCH),
    case("w2:4096,6,6", ("w2", "4096,6,6"), "w2_gd.py", BATCH),
    case("w2:4096,20,20", ("w2", "4096,20,20"), "w2_gd.py", &["numpy", "jax", "jax_poly"]),
    case("w7:100000,10000", ("w7", "100000,10000"), "w7_xy.py", &["numpy", "jax", "jax_expert"]),
    case(
        "w8:100000,25,20,1000",
        ("w8", "100000,25,20,1000"),
        "w8_cnn.py",
        &["jax", "jax_reduced", "jax_expert"],
    ),
    case("start2021:20", ("start2021", "1000,20"), "", &[]),
    case("near:10,10", ("near", "10,10"), "", &[]),
    case("near:200,200", ("near", "200,200"), "", &[]),
    case("limits", ("limits", "1"), "", &[]),
    case("gemm:200,200", ("gemm", "200,200"), "", &[]),
    case("gemm:1000,1000", ("gemm", "1000,1000"), "", &[]),
    case("w3:10", ("flow", "10"), "w3_flow.py", FLOW),
    case("w5:20", ("hessian", "20"), "w5_hessian.py", &["numpy_blocks", "jax_jacfwd"]),
    case("w6:1000000,100", ("monte-carlo", "1000000,100"), "w6_monte_carlo.py", &["numpy"]),
    case("w4:signs", ("sign-map", "10000,20000"), "w4_l12.py", &["jax_signs"]),
    case("w4:map", ("value-map", "10000,20000"), "w4_l12.py", &["jax_map"]),
    case("flat:20", ("flat", "20"), "", &[]),
];

/// What the command line asks for.
struct Plan {
    turns: usize,
    out: Option<PathBuf>,
    names: Vec<String>,
}

/// The programs of both sides and the arrays between them.
struct Sides {
    python: PathBuf,
    peers: PathBuf,
    ours: PathBuf,
    arrays: PathBuf,
}

/// `cargo xtask bench`.
pub(crate) fn verb(root: &Path, arguments: &[String]) -> Result<(), String> {
    if arguments.iter().any(|a| a == "--help" || a == "-h") {
        println!("{HELP}");
        return Ok(());
    }
    let plan = plan(arguments)?;
    let sides = prepare(root)?;
    println!("processor seconds on one thread, medians over {} turns; ratio = peer / popgrad\n", plan.turns);
    for case in
        CASES.iter().filter(|c| plan.names.is_empty() || plan.names.iter().any(|n| matches(c.name, n)))
    {
        run_case(case, &plan, &sides)?;
    }
    Ok(())
}

fn plan(arguments: &[String]) -> Result<Plan, String> {
    let mut plan = Plan { turns: 5, out: None, names: Vec::new() };
    let mut rest = arguments.iter();
    while let Some(word) = rest.next() {
        match word.as_str() {
            "--turns" => {
                let value = rest.next().ok_or("--turns needs a number")?;
                plan.turns = value.parse().map_err(|_| format!("--turns {value} is not a whole number"))?;
            }
            "--out" => plan.out = Some(rest.next().ok_or("--out needs a file")?.into()),
            name if CASES.iter().any(|c| matches(c.name, name)) => plan.names.push(name.to_owned()),
            other => {
                let names: Vec<&str> = CASES.iter().map(|c| c.name).collect();
                return Err(format!("no case is called `{other}`; there are {}", names.join(" ")));
            }
        }
    }
    Ok(plan)
}

/// Whether a word on the command line names a case: in full, or up to the colon.
fn matches(name: &str, word: &str) -> bool {
    name == word || name.split(':').next() == Some(word)
}

/// Builds our side, makes the peers' environment and writes the problems' arrays.
fn prepare(root: &Path) -> Result<Sides, String> {
    pass_through(cargo(root, &["build", "--release", "-p", "popgrad-bench"]))?;
    let sides = Sides {
        python: environment(root, "peers-venv", PACKAGES)?,
        peers: root.join("peers"),
        ours: root.join("target/release/popgrad-bench"),
        arrays: root.join("target/peers-arrays"),
    };
    let mut arrays = Command::new(&sides.python);
    arrays.arg(sides.peers.join("arrays.py")).arg(&sides.arrays);
    captured(arrays)?;
    Ok(sides)
}

/// Runs the turns of one case and prints its rows.
fn run_case(case: &Case, plan: &Plan, sides: &Sides) -> Result<(), String> {
    let mut ours: Vec<Times> = Vec::new();
    let mut peers: Vec<Times> = case.peers.iter().map(|p| Times::new(p)).collect();
    let mut raw = String::new();
    for _ in 0..plan.turns {
        for (peer, times) in case.peers.iter().zip(&mut peers) {
            let line = peer_line(case, peer, sides)?;
            times.add(&line)?;
            raw.push_str(&line);
        }
        let lines = our_lines(case, sides)?;
        for (index, line) in lines.lines().enumerate() {
            if ours.len() <= index {
                ours.push(Times::new(&word(line, "impl")?));
            }
            ours[index].add(line)?;
        }
        raw.push_str(&lines);
    }
    print_case(case, &ours, &peers);
    match &plan.out {
        Some(path) => append(path, &raw),
        None => Ok(()),
    }
}

fn peer_line(case: &Case, peer: &str, sides: &Sides) -> Result<String, String> {
    let mut command = Command::new(&sides.python);
    command.arg(sides.peers.join(case.script)).args(["--impl", peer, "--size", case.size]);
    captured(command)
}

fn our_lines(case: &Case, sides: &Sides) -> Result<String, String> {
    let mut command = Command::new(&sides.ours);
    command.args([case.workload, case.size, "--arrays"]).arg(&sides.arrays);
    captured(command)
}

/// Our rows with their times, then each peer with its ratios to our first row.
fn print_case(case: &Case, ours: &[Times], peers: &[Times]) {
    for (index, times) in ours.iter().enumerate() {
        let label = if index == 0 { case.name } else { "" };
        println!(
            "{label:<16} {:<26} {:>10}{}",
            times.name,
            shown(median(&times.seconds)),
            times.more_shown()
        );
    }
    let Some(own) = ours.first() else { return };
    for peer in peers {
        let (ratio, least, most) = ratios(&peer.seconds, &own.seconds);
        let name = &peer.name;
        let seconds = shown(median(&peer.seconds));
        let total = format!("{ratio:>7.2} x   ({least:.2} to {most:.2})");
        let mut a_step = String::new();
        if !peer.a_step.is_empty() && !own.a_step.is_empty() {
            let (ratio, least, most) = ratios(&peer.a_step, &own.a_step);
            a_step = format!("   a step {ratio:.2} x   ({least:.2} to {most:.2})");
        }
        println!("{:<16} {name:<26} {seconds:>10}   {total}{a_step}", "");
    }
}

/// Median, least and largest ratio over the turns.
fn ratios(peer: &[f64], own: &[f64]) -> (f64, f64, f64) {
    let mut ratios: Vec<f64> = peer.iter().zip(own).map(|(p, o)| p / o).collect();
    ratios.sort_by(f64::total_cmp);
    (median(&ratios), ratios[0], ratios[ratios.len() - 1])
}

/// One row's processor seconds, one entry a turn; also a step where the workload takes steps.
struct Times {
    name: String,
    seconds: Vec<f64>,
    a_step: Vec<f64>,
    /// What else our side measured, one list of values a key.
    more: Vec<(String, Vec<f64>)>,
}

/// Keys that every line has, or that are shown otherwise.
const KNOWN: &[&str] = &["workload", "impl", "size", "cpu_seconds", "min", "accepted_and_rejected"];

impl Times {
    fn new(name: &str) -> Self {
        Self { name: name.to_owned(), seconds: Vec::new(), a_step: Vec::new(), more: Vec::new() }
    }

    fn add(&mut self, line: &str) -> Result<(), String> {
        let seconds = number(line, "cpu_seconds")?;
        self.seconds.push(seconds);
        if let Ok(steps) = number(line, "accepted_and_rejected") {
            self.a_step.push(seconds / steps);
        }
        for key in line.split('"').skip(1).step_by(2).filter(|key| !KNOWN.contains(key)) {
            // A word between quotes that is no key is a value; values that are no numbers are not shown.
            let Ok(value) = number(line, key) else { continue };
            match self.more.iter_mut().find(|(name, _)| name == key) {
                Some((_, values)) => values.push(value),
                None => self.more.push((key.to_owned(), vec![value])),
            }
        }
        Ok(())
    }

    /// The medians of what else was measured.
    fn more_shown(&self) -> String {
        let one = |(key, values): &(String, Vec<f64>)| format!("   {key} {:.3e}", median(values));
        self.more.iter().map(one).collect()
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let half = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[half] } else { f64::midpoint(sorted[half - 1], sorted[half]) }
}

/// Seconds with a unit.
fn shown(seconds: f64) -> String {
    let (scale, unit) = match seconds {
        s if s < 1e-6 => (1e9, "ns"),
        s if s < 1e-3 => (1e6, "us"),
        s if s < 1.0 => (1e3, "ms"),
        _ => (1.0, "s"),
    };
    format!("{:.3} {unit}", seconds * scale)
}

fn append(path: &Path, text: &str) -> Result<(), String> {
    use std::io::Write as _;
    let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
    file.and_then(|mut f| f.write_all(text.as_bytes())).map_err(|e| format!("{}: {e}", path.display()))
}

/// The text after `"key": ` in a flat JSON object.
fn field<'a>(line: &'a str, key: &str) -> Result<&'a str, String> {
    let mark = format!("\"{key}\": ");
    let (_, rest) = line.split_once(&mark).ok_or_else(|| format!("no `{key}` in {line}"))?;
    Ok(rest.split([',', '}']).next().unwrap_or(rest).trim())
}

fn number(line: &str, key: &str) -> Result<f64, String> {
    let text = field(line, key)?;
    text.parse().map_err(|_| format!("`{key}` is `{text}`, not a number, in {line}"))
}

fn word(line: &str, key: &str) -> Result<String, String> {
    field(line, key).map(|t| t.trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_a_line_are_read() {
        let line = r#"{"impl": "popgrad", "size": "10", "cpu_seconds": 4.5e-7, "min": 1e-7}"#;
        assert_eq!(number(line, "cpu_seconds"), Ok(4.5e-7));
        assert_eq!(word(line, "impl"), Ok("popgrad".into()));
        assert!(number(line, "absent").is_err());
    }

    #[test]
    fn medians_and_units() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(shown(0.00052), "520.000 us");
    }

    #[test]
    fn every_case_with_peers_names_a_script() {
        for c in CASES {
            assert_eq!(c.peers.is_empty(), c.script.is_empty(), "{}", c.name);
        }
    }
}
