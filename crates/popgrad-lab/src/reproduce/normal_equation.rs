//! Eq. 9 to 13, Proposition 1 and Theorem 3: the normal equation, its projections, and what excludes critical points.

use super::claim::{Bench, Bound, Claim, Failure, Findings, Group, Outcome, Table, Verdict};
use super::numbers::with_uncertainty;
use super::polish::polish;
use super::sampling::{dot, largest, length};
use super::symmetric::normal_matrix;
use popgrad::{Matrix, NormalEquation, Student, TwoLayer};
use rayon::prelude::*;
use std::f64::consts::TAU;

/// The equation and its projections.
pub(super) const EQUATION: Claim = Claim {
    id: "eq9-normal-equation",
    title: "The gradient as a normal equation",
    group: Group::CriticalPoints,
    statement: "The gradient vanishes where Y E\u{1d40} = B* W*\u{1d40}; its projections on the students' directions are linear in the \
                lengths, with the coefficients M and M*, and the radial ones with M_r = h(\u{3b8}).",
    source: "Eq. 9 to 13",
    method: "Random networks of 2 to 8 students and 1 to 6 teachers: each row of Y E\u{1d40} \u{2212} B* W*\u{1d40} against 2\u{3c0} times the \
             gradient, each projected and each radial equation against its projection, relative to the lengths' sum.",
    expected: Verdict::Holds,
    note: "Row j of the equation is the j-th student's gradient; the paper's superscript names the other unit.",
    measure: equation,
};

/// Proposition 1.
pub(super) const PROPOSITION1: Claim = Claim {
    id: "proposition1",
    title: "L vanishes on the diagonal and at the students' directions",
    group: Group::CriticalPoints,
    statement: "L_jj(e*) = 0 for every direction, and L_jj'(e_l) = 0 for every student l.",
    source: "Proposition 1",
    method: "Random directions, K = 2 to 6: the values of L, and the projections of the gradient that they stand for with the \
             lengths that solve the radial equation.",
    expected: Verdict::Holds,
    note: "",
    measure: proposition1,
};

/// Theorem 3.
pub(super) const THEOREM3: Claim = Claim {
    id: "theorem3",
    title: "One sign of L excludes a critical point",
    group: Group::CriticalPoints,
    statement: "If M_r has full rank and, for some pair j \u{2260} j', L_jj'(w*_m) has the same strict sign for every teacher m, then \
                the students' directions belong to no critical point.",
    source: "Theorem 3, eq. 14",
    method: "The identity \u{2212}2\u{3c0} e_j'\u{b7}\u{2207}_j J = \u{3a3}_m |w*_m| L_jj'(w*_m) behind it; the test, with a bound on its rounding \
             errors, at W = W* and at critical points that Newton's method reaches from random starts; and the share of random \
             directions that it excludes.",
    expected: Verdict::Holds,
    note: "M_r is the Gram matrix of the directions, so that it has full rank but for coincident directions and dependent \
           antiparallel pairs. That every length solved from the radial equation is positive is necessary as well.",
    measure: theorem3,
};

/// The gradient of students with output weights, as the mathematics under test gives it.
fn gradient(bench: &Bench<'_>, v: &Matrix, w: &Matrix, a: &[f64]) -> Result<Matrix, Failure> {
    let problem = TwoLayer::try_new(v.clone())?;
    let mut out = problem.gradient(Student::new(w.view()).with_output(a))?.weights;
    bench.maths.bend(out.as_mut_slice(), w.as_slice());
    Ok(out)
}

fn equation_of(v: &Matrix, w: &Matrix) -> Result<NormalEquation, Failure> {
    Ok(NormalEquation::try_new(&TwoLayer::try_new(v.clone())?, Student::new(w.view()))?)
}

fn lengths(rows: &Matrix) -> Vec<f64> {
    (0..rows.rows()).map(|i| length(rows.row(i))).collect()
}

/// Errors of the equation, of its projections and of the radial part, relative to the sum of all lengths.
fn errors(bench: &Bench<'_>, (w, v): (&Matrix, &Matrix)) -> Result<[f64; 3], Failure> {
    let (k, m) = (w.rows(), v.rows());
    let found = equation_of(v, w)?;
    let ones = vec![1.0; k];
    let gradient = gradient(bench, v, w, &ones)?;
    let (own, star) = (lengths(w), lengths(v));
    let size: f64 = own.iter().chain(&star).sum();
    let (residual, table, teachers) = (found.residual(), found.projections(), found.teacher_projections());
    let (radial, radial_star) = (found.radial_matrix(), found.radial_teacher_matrix());
    let mut worst = [0.0_f64; 3];
    for j in 0..k {
        let row: Vec<f64> = residual.row(j).iter().zip(gradient.row(j)).map(|(r, g)| r - TAU * g).collect();
        worst[0] = largest([worst[0], length(&row) / size]);
        for onto in 0..k {
            let at = j * k + onto;
            let along = TAU * dot(gradient.row(j), w.row(onto)) / own[onto];
            let sides = dot(&table[at * k..(at + 1) * k], &own) - dot(&teachers[at * m..(at + 1) * m], &star);
            worst[1] = largest([worst[1], (sides - along).abs() / size]);
            if onto == j {
                let sides = dot(radial.row(j), &own) - dot(radial_star.row(j), &star);
                worst[2] = largest([worst[2], (sides - along).abs() / size]);
            }
        }
    }
    Ok(worst)
}

fn equation(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let shapes = [(2, 2, 2), (3, 3, 3), (2, 1, 5), (4, 2, 3), (5, 6, 4), (8, 5, 12)];
    let mut worst = [0.0_f64; 3];
    for r in 0..bench.pick(20, 200) {
        for (i, (k, m, d)) in shapes.into_iter().enumerate() {
            let mut stream = bench.stream(r * 10 + i as u64);
            let (w, v) = (normal_matrix(&mut stream, k, d), normal_matrix(&mut stream, m, d));
            let found = errors(bench, (&w, &v))?;
            worst = [0, 1, 2].map(|i| largest([worst[i], found[i]]));
        }
    }
    let names = [
        "rows of the normal equation, eq. 9",
        "projected equations, eq. 10 to 12",
        "radial equations, eq. 13",
    ];
    for (name, error) in names.into_iter().zip(worst) {
        findings.check(&format!("{name}: largest relative error"), error, None, Bound::at_most(1e-14));
    }
    Ok(findings)
}

/// Over random directions: the largest `|L|` that should vanish, and the largest error of the identity of Theorem 3. The
/// first `k` teachers are the students' own directions.
fn identity(bench: &Bench<'_>, index: u64, (k, d): (usize, usize)) -> Result<[f64; 2], Failure> {
    let mut stream = bench.stream(index);
    let w = normal_matrix(&mut stream, k, d);
    let others = normal_matrix(&mut stream, 2, d);
    let rows: Vec<Vec<f64>> =
        (0..k).map(|j| w.row(j).to_vec()).chain((0..2).map(|z| others.row(z).to_vec())).collect();
    let v = Matrix::try_from_rows(&rows)?;
    let found = equation_of(&v, &w)?;
    let (Some(values), Some(radial)) = (found.residual_projections(), found.radial_solution()) else {
        return Ok([f64::NAN; 2]);
    };
    let (own, star) = (lengths(&w), lengths(&v));
    // Output weights give the directions the lengths of the radial solution, whatever their signs.
    let a: Vec<f64> = (0..k).map(|j| radial.lengths[j] / own[j]).collect();
    let gradient = gradient(bench, &v, &w, &a)?;
    let (mut vanishing, mut apart) = (0.0_f64, 0.0_f64);
    for j in 0..k {
        for onto in 0..k {
            let along = -TAU * dot(gradient.row(j), w.row(onto)) / (own[onto] * a[j]);
            let sum: f64 = (0..k + 2).map(|z| star[z] * values.value(z, (j, onto))).sum();
            apart = largest([apart, (along - sum).abs()]);
            if j == onto {
                vanishing = largest([vanishing, along.abs()]);
            }
            let zeros = (0..k + 2).filter(|z| j == onto || *z < k);
            vanishing = largest(zeros.map(|z| values.value(z, (j, onto)).abs()).chain([vanishing]));
        }
    }
    Ok([vanishing, apart])
}

/// The worst of [`identity`] over many draws. Nearly parallel students are drawn as well, where the lengths are large; the
/// bound leaves room for them.
fn identities(bench: &Bench<'_>) -> Result<[f64; 2], Failure> {
    let mut worst = [0.0_f64; 2];
    for r in 0..bench.pick(20, 200) {
        for (i, shape) in [(2, 2), (2, 4), (3, 3), (4, 5), (6, 6)].into_iter().enumerate() {
            let found = identity(bench, r * 10 + i as u64, shape)?;
            worst = [0, 1].map(|i| largest([worst[i], found[i]]));
        }
    }
    Ok(worst)
}

fn proposition1(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let [vanishing, _] = identities(bench)?;
    findings.check(
        "largest |L_jj(e*)|, |L_jj'(e_l)| and radial part of the gradient",
        vanishing,
        None,
        Bound::at_most(1e-9),
    );
    Ok(findings)
}

/// Critical points with full rank that Newton's method reaches, and how many of them Theorem 3 excludes.
fn reached(bench: &Bench<'_>, starts: u64) -> Result<(usize, usize, usize), Failure> {
    let found: Result<Vec<Option<(bool, bool)>>, Failure> = (0..starts)
        .into_par_iter()
        .map(|i| {
            bench.pause()?;
            let mut stream = bench.stream(1_000_000 + i);
            let k = 2 + usize::try_from(i % 3).unwrap_or(0);
            let v = normal_matrix(&mut stream, k, k);
            let problem = TwoLayer::try_new(v.clone())?;
            let point = polish(&problem, &normal_matrix(&mut stream, k, k))?;
            if point.gradient > 1e-13 {
                return Ok(None);
            }
            let found = equation_of(&v, &point.weights)?;
            let global = point.loss < 1e-20;
            // By the identity, one sign with this margin needs a gradient of this size.
            let verdict = found.theorem3();
            let needed = verdict.margin.unwrap_or(0.0) * lengths(&v).iter().sum::<f64>() / TAU;
            let excluded = verdict.excluded && needed > 4.0 * (point.gradient + 1e-15);
            Ok(found.is_full_rank().then_some((excluded, global)))
        })
        .collect();
    let found: Vec<(bool, bool)> = found?.into_iter().flatten().collect();
    let excluded = found.iter().filter(|f| f.0).count();
    Ok((found.len(), excluded, found.iter().filter(|f| f.1).count()))
}

fn theorem3(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let [_, apart] = identities(bench)?;
    findings.check("largest error of the identity", apart, None, Bound::at_most(1e-9));
    let (points, wrong, global) = reached(bench, bench.pick(150, 3000))?;
    findings.number("critical points reached by Newton's method, full rank", points as f64, None);
    findings.number("of these, at the global minimum", global as f64, None);
    findings.check(
        "of these, excluded with a margin that the gradient left does not explain",
        wrong as f64,
        None,
        Bound::exactly(0.0),
    );
    findings.check(
        "points reached besides the global minimum",
        (points - global) as f64,
        None,
        Bound::at_least(5.0),
    );
    let mut at_teacher = 0_usize;
    let head = [
        "K = M = d",
        "random students",
        "excluded by Theorem 3",
        "excluded by a length that is not positive",
    ];
    let mut table =
        Table::new("Share of random students that cannot be critical, whatever their lengths.", &head);
    for k in 2..=8_usize {
        bench.pause()?;
        let count: usize = bench.pick(400, 20_000);
        let verdicts: Result<Vec<[bool; 3]>, Failure> = (0..count)
            .into_par_iter()
            .map(|i| {
                let mut stream = bench.stream(10_000_000 * k as u64 + i as u64);
                let (w, v) = (normal_matrix(&mut stream, k, k), normal_matrix(&mut stream, k, k));
                let found = equation_of(&v, &w)?;
                let admissible = found.radial_solution().is_none_or(|r| r.signs.iter().all(|s| *s >= 0));
                Ok([found.theorem3().excluded, !admissible, equation_of(&v, &v)?.theorem3().excluded])
            })
            .collect();
        let verdicts = verdicts?;
        let share = |which: usize| {
            let p = verdicts.iter().filter(|v| v[which]).count() as f64 / count as f64;
            with_uncertainty(p, Some((p * (1.0 - p) / count as f64).sqrt()), 3)
        };
        at_teacher += verdicts.iter().filter(|v| v[2]).count();
        table.row(vec![k.to_string(), count.to_string(), share(0), share(1)]);
    }
    findings.check("W = W* excluded, K = 2 to 8", at_teacher as f64, None, Bound::exactly(0.0));
    findings.table(table);
    Ok(findings)
}
