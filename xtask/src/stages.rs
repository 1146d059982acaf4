//! Stages: run, timed, and summed up in a closing table.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// What a stage has to say when it ends well.
pub(crate) enum Outcome {
    /// The check ran and passed; the note is shown in the summary.
    Passed(String),
    /// The check could not run here, for the reason given; it counts neither way.
    NotChecked(String),
}

/// A stage's result: an outcome, or the sentence that says what failed.
pub(crate) type StageResult = Result<Outcome, String>;

/// A list of stages in the order they ran.
pub(crate) struct Stages {
    rows: Vec<Row>,
}

struct Row {
    name: &'static str,
    seconds: f64,
    result: StageResult,
}

impl Stages {
    pub(crate) fn new() -> Self {
        Self { rows: Vec::new() }
    }

    /// Runs one stage. A failure is recorded and the stages after it still run.
    pub(crate) fn run(&mut self, name: &'static str, stage: impl FnOnce() -> StageResult) {
        println!("\n== {name}");
        let start = Instant::now();
        let result = stage();
        let seconds = start.elapsed().as_secs_f64();
        match &result {
            Ok(Outcome::Passed(note)) => println!("-- {name}: passed in {seconds:.1} s{}", tail(note)),
            Ok(Outcome::NotChecked(why)) => println!("-- {name}: not checked: {why}"),
            Err(why) => println!("-- {name}: FAILED in {seconds:.1} s: {why}"),
        }
        self.rows.push(Row { name, seconds, result });
    }

    /// Prints the closing table; an error if any stage failed.
    pub(crate) fn finish(self) -> Result<(), String> {
        println!("\n== summary");
        let mut failed = Vec::new();
        for row in &self.rows {
            let (word, note) = match &row.result {
                Ok(Outcome::Passed(note)) => ("passed", note.as_str()),
                Ok(Outcome::NotChecked(why)) => ("not checked", why.as_str()),
                Err(why) => {
                    failed.push(row.name);
                    ("FAILED", why.as_str())
                }
            };
            println!("{:<24} {:>8.1} s  {:<12} {}", row.name, row.seconds, word, first_line(note));
        }
        let total: f64 = self.rows.iter().map(|r| r.seconds).sum();
        println!("{:<24} {total:>8.1} s", "total");
        if failed.is_empty() {
            println!("all {} stages passed", self.rows.len());
            return Ok(());
        }
        Err(format!("{} of {} stages failed: {}", failed.len(), self.rows.len(), failed.join(", ")))
    }
}

fn tail(note: &str) -> String {
    if note.is_empty() { String::new() } else { format!(" ({note})") }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or("")
}

/// A `cargo` command in the workspace, run with the cargo that runs this program.
pub(crate) fn cargo(root: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root).args(arguments).stdin(Stdio::null());
    command
}

/// The command as a person would type it.
fn shown(command: &Command) -> String {
    let words = command.get_args().map(|a| a.to_string_lossy().into_owned());
    let program = Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy();
    std::iter::once(program.into_owned()).chain(words).collect::<Vec<_>>().join(" ")
}

/// Runs a command with its output passed through; an error if it does not exit with 0.
pub(crate) fn pass_through(mut command: Command) -> Result<(), String> {
    let shown = shown(&command);
    println!("$ {shown}");
    let status = command.status().map_err(|e| format!("`{shown}` could not start: {e}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{shown}` ended with {status}")) }
}

/// Runs a command and returns its standard output; an error carries its standard error.
pub(crate) fn captured(mut command: Command) -> Result<String, String> {
    let shown = shown(&command);
    let output = command.output().map_err(|e| format!("`{shown}` could not start: {e}"))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        return Err(format!("`{shown}` ended with {}\n{stderr}", output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Counts over all test binaries of one `cargo test`.
#[derive(Default)]
pub(crate) struct TestCounts {
    passed: u64,
    failed: u64,
    ignored: u64,
}

impl TestCounts {
    /// Adds one closing line, `test result: ok. 12 passed; 0 failed; 1 ignored; ...`.
    fn add(&mut self, line: &str) {
        for part in line.trim_start_matches("test result:").split([';', '.']) {
            let mut words = part.split_whitespace();
            if let (Some(Ok(n)), Some(what)) = (words.next().map(str::parse::<u64>), words.next()) {
                match what {
                    "passed" => self.passed += n,
                    "failed" => self.failed += n,
                    "ignored" => self.ignored += n,
                    _ => {}
                }
            }
        }
    }
}

/// Runs `cargo test`, passing its output on line by line while adding up the closing lines.
pub(crate) fn tests(mut command: Command) -> StageResult {
    let shown = shown(&command);
    println!("$ {shown}");
    let mut child =
        command.stdout(Stdio::piped()).spawn().map_err(|e| format!("`{shown}` could not start: {e}"))?;
    let mut counts = TestCounts::default();
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if line.starts_with("test result:") {
                counts.add(&line);
            }
            println!("{line}");
        }
    }
    let status = child.wait().map_err(|e| format!("`{shown}` could not be waited for: {e}"))?;
    let TestCounts { passed, failed, ignored } = counts;
    let note = format!("{passed} tests passed, {failed} failed, {ignored} ignored");
    if status.success() {
        Ok(Outcome::Passed(note))
    } else {
        Err(format!("{note}; `{shown}` ended with {status}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_are_added_up() {
        let mut c = TestCounts::default();
        c.add(
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.10s",
        );
        c.add(
            "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 5 filtered out; finished in 1s",
        );
        assert_eq!((c.passed, c.failed, c.ignored), (15, 2, 1));
    }

    #[test]
    fn a_failed_stage_fails_the_whole_and_later_stages_run() {
        let mut stages = Stages::new();
        let mut reached = false;
        stages.run("first", || Err("it broke".into()));
        stages.run("second", || {
            reached = true;
            Ok(Outcome::Passed(String::new()))
        });
        assert!(reached);
        assert_eq!(stages.finish(), Err("1 of 2 stages failed: first".into()));
    }
}
