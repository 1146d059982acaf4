//! Certificates of critical points.

use super::sheet::{Layout, Sheet};
use super::words::{Lines, count, ends, line, rows};
use popgrad_proof::{PointClaim, PointSetting, PointSkip, PointsCertificate};

pub(super) const LAYOUT: Layout = Layout {
    statement: "points",
    claim: "each point: within its radius of the center lies exactly one critical point, modulo its manifold and within the unique radius, \
            with this loss, smallest eigenvalue, index, nullity and dimension of the manifold",
    lines: "numbers are bits of doubles; counts are decimal; - is not claimed",
    lists: &["problem", "points"],
};

pub(super) fn sheet(c: &PointsCertificate) -> Sheet<'static> {
    let mut problem = rows("teacher", &c.teacher);
    problem.push(line("teacher_output", c.teacher_output.iter().copied()));
    problem.push(line("student_output", c.student_output.iter().copied()));
    problem.extend(setting(&c.setting));
    Sheet::new(&LAYOUT, vec![problem, c.points.iter().flat_map(claim).collect()])
}

fn setting(s: &PointSetting) -> Vec<String> {
    let mut lines = vec![line("leaky", [s.leaky])];
    match &s.skip {
        PointSkip::None => lines.push("no_skip".to_owned()),
        PointSkip::Trained => lines.push("trained_skip".to_owned()),
        PointSkip::Fixed { student, teacher } => {
            lines.push(line("student_skip", student.iter().copied()));
            lines.push(line("teacher_skip", teacher.iter().copied()));
        }
    }
    lines.extend(s.covariance.iter().flat_map(|sigma| rows("covariance", sigma)));
    lines
}

fn parsed_setting(lines: &mut Lines<'_>) -> Result<PointSetting, String> {
    let [leaky] = lines.numbers("leaky")?;
    let skip = if lines.begins("student_skip") {
        PointSkip::Fixed { student: lines.list("student_skip")?, teacher: lines.list("teacher_skip")? }
    } else if lines.begins("trained_skip") {
        lines.words("trained_skip")?;
        PointSkip::Trained
    } else {
        lines.words("no_skip")?;
        PointSkip::None
    };
    let covariance = if lines.begins("covariance") { Some(lines.matrix("covariance")?) } else { None };
    Ok(PointSetting { leaky, skip, covariance })
}

/// The lines of one point.
pub(super) fn claim(p: &PointClaim) -> Vec<String> {
    let numbers = |word: &str, list: &[usize]| list.iter().fold(word.to_owned(), |t, x| format!("{t} {x}"));
    let mut lines = rows("center", &p.center);
    lines.extend(p.coincident.iter().map(|group| numbers("coincident", group)));
    lines.extend([
        numbers("symmetry", &p.symmetry),
        line("radius", [p.radius]),
        line("unique_radius", [p.unique_radius]),
        line("loss", ends(p.loss)),
        line("lambda_min", ends(p.lambda_min)),
        count("index", p.index),
        count("nullity", p.nullity),
        count("manifold_dimension", p.manifold_dimension),
        count("is_teacher", Some(usize::from(p.is_teacher))),
    ]);
    lines
}

/// One point from its lines.
pub(super) fn parsed_claim(lines: &mut Lines<'_>) -> Result<PointClaim, String> {
    let center = lines.matrix("center")?;
    let mut coincident = Vec::new();
    while lines.begins("coincident") {
        coincident.push(lines.counts("coincident")?);
    }
    let symmetry = lines.counts("symmetry")?;
    let ([radius], [unique_radius]) = (lines.numbers("radius")?, lines.numbers("unique_radius")?);
    let (loss, lambda_min) = (lines.interval("loss")?, lines.interval("lambda_min")?);
    let mut next = |word: &str| lines.count(word);
    let (index, nullity) = (next("index")?, next("nullity")?);
    let (manifold_dimension, is_teacher) = (next("manifold_dimension")?, next("is_teacher")? == Some(1));
    Ok(PointClaim {
        center,
        coincident,
        symmetry,
        radius,
        unique_radius,
        loss,
        lambda_min,
        index,
        nullity,
        manifold_dimension,
        is_teacher,
    })
}

pub(super) fn parsed(sheet: &Sheet<'_>) -> Result<PointsCertificate, String> {
    let mut problem = sheet.list(0);
    let teacher = problem.matrix("teacher")?;
    let (teacher_output, student_output) = (problem.list("teacher_output")?, problem.list("student_output")?);
    let setting = parsed_setting(&mut problem)?;
    let (mut lines, mut points) = (sheet.list(1), Vec::new());
    while !lines.is_done() {
        points.push(parsed_claim(&mut lines)?);
    }
    Ok(PointsCertificate { teacher, teacher_output, student_output, setting, points })
}
