//! Measuring: claims over threads, the report rewritten after each.

use super::catalogue::{PAPERS, Paper};
use super::claim::{Bench, Claim, Findings, Interrupted, Kept, Outcome};
use super::maths::Maths;
use super::page::render;
use super::plan::{Plan, Progress, ReproduceError};
use super::report::{ClaimReport, Completeness, Report};
use crate::figure::on_white;
use crate::storage::{AtomicFile, Overwrite, StorageError};
use crate::sweep::{SweepError, SweepProgress};
use rayon::prelude::*;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Sender, channel};
use std::time::Instant;

/// Measures the claims of a paper and writes `index.html`, `claims.json` and `figures/` into `plan.out`.
///
/// The report is rewritten after each claim, each file under its final name only when complete, so that a run that
/// is broken off leaves a readable report that says so. Claims run over threads; no number depends on how many.
///
/// # Errors
///
/// [`ReproduceError`]: an unknown paper or claim, a directory that holds something else, a file that cannot be written. A claim that
/// is not reproduced is no error: see [`Report::agrees`].
pub fn run(plan: &Plan, progress: &mut dyn FnMut(Progress)) -> Result<Report, ReproduceError> {
    let paper = paper(&plan.paper)?;
    let claims = selection(paper.claims, &plan.claims)?;
    prepare(&plan.out)?;
    if let Some(keep) = &plan.keep {
        prepare_keep(keep, &plan.out)?;
    }
    let mut report = Report::empty(plan, paper, &claims);
    write_pages(&plan.out, &report)?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(plan.threads).build();
    let pool = pool.map_err(|e| ReproduceError::Threads { threads: plan.threads, reason: e.to_string() })?;
    let (sender, receiver) = channel();
    let mut failure = None;
    std::thread::scope(|scope| {
        let claims = &claims;
        scope.spawn(move || pool.install(|| measure_all(claims, plan, sender)));
        for message in receiver {
            let written = take_in(message, plan, claims, &mut report, progress);
            if let (Err(error), None) = (written, &failure) {
                plan.interrupt.store(true, Ordering::Relaxed);
                failure = Some(error);
            }
        }
    });
    if let Some(error) = failure {
        return Err(error);
    }
    if !report.pending.is_empty() {
        report.completeness = Completeness::Interrupted;
        write_pages(&plan.out, &report)?;
    }
    Ok(report)
}

/// What a measuring thread tells the writer.
enum Message {
    Started(&'static str),
    Advanced(&'static str, SweepProgress),
    Measured(&'static Claim, Outcome, f64),
}

fn measure_all(claims: &[&'static Claim], plan: &Plan, sender: Sender<Message>) {
    claims.par_iter().with_max_len(1).for_each_with(sender, |sender, claim| {
        if plan.interrupt.load(Ordering::Relaxed) {
            return;
        }
        // The receiver outlives the threads, so that sending cannot fail.
        let _ = sender.send(Message::Started(claim.id));
        let start = Instant::now();
        let maths = Maths::with_defect(plan.defect);
        let advanced = |now: SweepProgress| {
            let _ = sender.send(Message::Advanced(claim.id, now));
        };
        let folder = plan.keep.as_ref().map(|keep| keep.join(plan.profile.name()));
        let kept = folder.map(|folder| Kept { folder, advanced: &advanced });
        let bench = Bench::new(claim.id, plan.profile, plan.seed, maths, &plan.interrupt).keeping(kept);
        let outcome = (claim.measure)(&bench);
        let _ = sender.send(Message::Measured(claim, outcome, start.elapsed().as_secs_f64()));
    });
}

fn take_in(
    message: Message,
    plan: &Plan,
    claims: &[&'static Claim],
    report: &mut Report,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), ReproduceError> {
    let (claim, outcome, seconds) = match message {
        Message::Started(id) => {
            progress(Progress::Started { id });
            return Ok(());
        }
        Message::Advanced(id, SweepProgress { done, total }) => {
            progress(Progress::Advanced { id, done, total });
            return Ok(());
        }
        Message::Measured(claim, outcome, seconds) => (claim, outcome, seconds),
    };
    let findings = match outcome {
        Ok(findings) => findings,
        Err(error) if error.is::<Interrupted>() => return Ok(()),
        Err(error) => match error.downcast::<SweepError>() {
            Ok(error) if plan.keep.is_some() => return Err(ReproduceError::Kept(*error)),
            Ok(error) => stopped(&*error),
            Err(error) => stopped(&*error),
        },
    };
    for picture in &findings.figures {
        write_file(&plan.out.join("figures").join(&picture.file), &on_white(&picture.svg))?;
    }
    let measured = ClaimReport::new(claim, findings);
    let agrees = measured.agrees();
    report.insert(measured, claims);
    write_pages(&plan.out, report)?;
    progress(Progress::Finished {
        id: claim.id,
        agrees,
        done: report.claims.len(),
        total: claims.len(),
        seconds,
    });
    Ok(())
}

/// What is said of a claim whose measurement failed.
fn stopped(error: &dyn std::error::Error) -> Findings {
    let remarks = vec![format!("The measurement stopped with an error: {error}.")];
    Findings { remarks, ..Findings::default() }
}

fn paper(name: &str) -> Result<&'static Paper, ReproduceError> {
    PAPERS.iter().find(|p| p.name == name).ok_or_else(|| {
        let papers: Vec<&str> = PAPERS.iter().map(|p| p.name).collect();
        ReproduceError::UnknownPaper { name: name.to_owned(), papers: papers.join(", ") }
    })
}

/// The claims asked for, in the order of the catalogue.
fn selection(catalogue: &'static [Claim], ids: &[String]) -> Result<Vec<&'static Claim>, ReproduceError> {
    for id in ids {
        if !catalogue.iter().any(|c| c.id == id) {
            return Err(ReproduceError::UnknownClaim { id: id.clone(), nearest: nearest(catalogue, id) });
        }
    }
    Ok(catalogue.iter().filter(|c| ids.is_empty() || ids.iter().any(|id| id == c.id)).collect())
}

/// The name in the catalogue that takes the fewest changes of one letter to reach.
fn nearest(catalogue: &'static [Claim], id: &str) -> &'static str {
    catalogue.iter().map(|c| c.id).min_by_key(|name| edits(id, name)).unwrap_or("")
}

fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for j in 0..b.len() {
            let change = diagonal + usize::from(x != b[j]);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

/// Makes the directory, or takes one that holds an earlier report and clears that report's figures.
fn prepare(out: &Path) -> Result<(), ReproduceError> {
    let figures = out.join("figures");
    let fail = |path: &Path| {
        let path = path.to_owned();
        move |source| ReproduceError::Directory { path, source }
    };
    if out.exists() {
        let occupied = fs::read_dir(out).map_err(fail(out))?.next().is_some();
        let earlier = fs::read_to_string(out.join("claims.json")).unwrap_or_default();
        if occupied && !earlier.contains("\"schema\": \"popgrad.reproduce/") {
            return Err(ReproduceError::NotAReport { path: out.to_owned() });
        }
        if figures.is_dir() {
            fs::remove_dir_all(&figures).map_err(fail(&figures))?;
        }
    }
    fs::create_dir_all(&figures).map_err(fail(&figures))
}

/// Makes the folder for ensembles.
fn prepare_keep(keep: &Path, out: &Path) -> Result<(), ReproduceError> {
    let fail = |source| ReproduceError::Keep { path: keep.to_owned(), source };
    fs::create_dir_all(keep).map_err(fail)?;
    let figures = out.join("figures").canonicalize().map_err(fail)?;
    if keep.canonicalize().map_err(fail)?.starts_with(figures) {
        return Err(fail(std::io::Error::other("a report clears its figures")));
    }
    Ok(())
}

fn write_pages(out: &Path, report: &Report) -> Result<(), ReproduceError> {
    write_file(&out.join("claims.json"), &report.to_json())?;
    write_file(&out.join("index.html"), &render(report))
}

fn write_file(path: &Path, text: &str) -> Result<(), ReproduceError> {
    let mut file = AtomicFile::create(path, Overwrite::Replace)?;
    let write = |e| StorageError::Unwritable { path: path.to_owned(), source: e };
    file.write_all(text.as_bytes()).map_err(write)?;
    file.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_takes_the_fewest_changes() {
        assert_eq!(edits("theorem5", "theorem6"), 1);
        assert_eq!(edits("", "abc"), 3);
        assert_eq!(nearest(PAPERS[0].claims, "theorem1-gaussain"), "theorem1-gaussian");
    }

    #[test]
    fn an_unknown_claim_is_refused_with_a_hint() {
        let error = selection(PAPERS[0].claims, &["theorem1-gausian".to_owned()]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no claim `theorem1-gausian`; the nearest one is `theorem1-gaussian`"
        );
    }
}
