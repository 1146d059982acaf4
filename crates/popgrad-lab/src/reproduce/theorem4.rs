//! Theorem 4 for two students in both of its readings, with the geometry of Fig. 3 and the cases of Fig. 4.

use super::claim::{Bench, Bound, Claim, Failure, Findings, Group, Outcome, Table, Verdict};
use super::numbers::significant;
use super::symmetric::normal_matrix;
use crate::figure::{Anchor, Axis, Colour, Dash, Figure, Layer, Mark, Panel};
use popgrad::{ConeCounts, Matrix, NormalEquation, Student, TwoLayer, cone_counts, l12, l21};
use std::collections::BTreeMap;
use std::f64::consts::PI;

/// Theorem 4.
pub(super) const CONES: Claim = Claim {
    id: "theorem4-cones",
    title: "Two students both inside or both outside the teachers' cone are not critical",
    group: Group::CriticalPoints,
    statement: "For K = 2, if w1 and w2 are both inside or both outside Cone(w1*, w2*), they are no critical point; the remark after \
                it says the same of w1*, w2* and Cone(w1, w2).",
    source: "Theorem 4 and the remark after it, Fig. 3 and 4",
    method: "Random quadruples in the plane: how many students lie in the teachers' cone and how many teachers in the students', \
             and Theorem 3's test, with certain signs, beside both counts.",
    expected: Verdict::Holds,
    note: "The two readings exclude the same points: exactly one student is in the teachers' cone where exactly one teacher is in the \
           students'. The theorem rests on Conjecture 1, which is proved above.",
    measure: cones,
};

/// Two vectors of the plane as rows.
fn pair(rows: &Matrix) -> [[f64; 2]; 2] {
    [0, 1].map(|i| [rows.row(i)[0], rows.row(i)[1]])
}

/// One draw: students, teachers, counts and whether Theorem 3 excludes them.
struct Draw {
    students: [[f64; 2]; 2],
    teachers: [[f64; 2]; 2],
    counts: ConeCounts,
    excluded: bool,
}

fn draw(bench: &Bench<'_>, index: u64) -> Result<Draw, Failure> {
    let mut stream = bench.stream(index);
    let (w, v) = (normal_matrix(&mut stream, 2, 2), normal_matrix(&mut stream, 2, 2));
    let found = NormalEquation::try_new(&TwoLayer::try_new(v.clone())?, Student::new(w.view()))?;
    let (students, teachers) = (pair(&w), pair(&v));
    let excluded = found.theorem3().excluded;
    Ok(Draw { students, teachers, counts: cone_counts(students, teachers), excluded })
}

/// The cases in the order of Fig. 4: students in the teachers' cone, teachers in the students'.
const CASES: [((usize, usize), &str); 4] = [
    ((0, 0), "none inside: excluded"),
    ((0, 2), "both teachers inside: excluded"),
    ((2, 0), "both students inside: excluded"),
    ((1, 1), "one inside: left open"),
];

fn cones(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let count: u64 = bench.pick(40_000, 400_000);
    let mut joint: BTreeMap<(usize, usize), u64> = BTreeMap::new();
    let mut examples: BTreeMap<(usize, usize), Draw> = BTreeMap::new();
    let mut against = 0_u64;
    for index in 0..count {
        if index % 4096 == 0 {
            bench.pause()?;
        }
        let found = draw(bench, index)?;
        let key = (found.counts.students_in_teacher_cone, found.counts.teachers_in_student_cone);
        *joint.entry(key).or_default() += 1;
        against += u64::from(found.excluded == (key.1 == 1));
        if well_spread(&found) {
            examples.entry(key).or_insert(found);
        }
    }
    let unequal: u64 = joint.iter().filter(|((s, t), _)| (*s == 1) != (*t == 1)).map(|(_, n)| n).sum();
    findings.number("quadruples", count as f64, None);
    findings.check("one of the counts is 1 and the other is not", unequal as f64, None, Bound::exactly(0.0));
    findings.check(
        "excluded with exactly one teacher inside, or not excluded otherwise",
        against as f64,
        None,
        Bound::exactly(0.0),
    );
    let head = ["students in Cone(w1*, w2*)", "teachers in Cone(w1, w2)", "quadruples", "share"];
    let mut table = Table::new("Joint counts over random quadruples; no other pair of counts occurs.", &head);
    for ((students, teachers), n) in &joint {
        let share = significant(*n as f64 / count as f64, 4);
        table.row(vec![students.to_string(), teachers.to_string(), n.to_string(), share]);
    }
    findings.table(table);
    findings.figure(
        "fig3",
        "The geometry of Fig. 3, computed: L12 and L21 over the direction of the teacher, as distances from the unit circle (outwards where \
         positive), for two angles between the students. Both are positive inside the students' cone (shaded) and negative \
         outside.",
        &geometry()?,
    );
    let cases = Figure::new("Cases of Theorem 4", 4).panel_size(255.0, 275.0);
    let panels = CASES.iter().filter_map(|(key, title)| examples.get(key).map(|d| case(d, title)));
    findings.figure(
        "fig4",
        "The cases of Fig. 4, the first well spread draw of each kind: students (solid) and teachers (dashed), the students' cone \
         shaded. Only where exactly one teacher lies inside the students' cone does the sign of L not exclude a critical point.",
        &panels.fold(cases, Figure::with),
    );
    Ok(findings)
}

/// Whether the four directions are far enough apart to be told apart in a picture, and no vector is very long or short.
fn well_spread(found: &Draw) -> bool {
    let all = [found.students[0], found.students[1], found.teachers[0], found.teachers[1]];
    let apart = |a: [f64; 2], b: [f64; 2]| {
        let sine = (a[0] * b[1] - a[1] * b[0]) / (libm::hypot(a[0], a[1]) * libm::hypot(b[0], b[1]));
        sine.abs() > 0.3
    };
    let sized = all.iter().all(|v| (0.5..1.8).contains(&libm::hypot(v[0], v[1])));
    sized && (0..4).all(|i| (0..i).all(|j| apart(all[i], all[j])))
}

/// The outline of a cone with a round end, as a closed line.
fn cone([u, v]: [[f64; 2]; 2], radius: f64) -> Vec<(f64, f64)> {
    let start = libm::atan2(u[1], u[0]);
    let turn = libm::atan2(u[0] * v[1] - u[1] * v[0], u[0] * v[0] + u[1] * v[1]);
    let arc = (0..=40).map(|i| start + turn * f64::from(i) / 40.0);
    let on = |t: f64| (radius * libm::cos(t), radius * libm::sin(t));
    std::iter::once((0.0, 0.0)).chain(arc.map(on)).chain([(0.0, 0.0)]).collect()
}

/// Shades a cone up to a radius: its outline is convex, so that every upright line meets it in one stretch.
fn shade(panel: &mut Panel, sides: [[f64; 2]; 2], radius: f64) {
    let outline = cone(sides, radius);
    let ends = |pick: fn(f64, f64) -> f64| outline.iter().map(|p| p.0).reduce(pick).unwrap_or(0.0);
    let (left, right) = (ends(f64::min), ends(f64::max));
    let stretch = |x: f64| {
        let crossing = |edge: &[(f64, f64)]| {
            let (a, b) = (edge[0], edge[1]);
            let share = (x - a.0) / (b.0 - a.0);
            (0.0..=1.0).contains(&share).then_some(a.1 + share * (b.1 - a.1))
        };
        let heights: Vec<f64> = outline.windows(2).filter_map(crossing).collect();
        let low = heights.iter().copied().fold(f64::INFINITY, f64::min);
        (x, low, heights.iter().copied().fold(f64::NEG_INFINITY, f64::max))
    };
    let across = (1..200).map(|i| left + (right - left) * f64::from(i) / 200.0).map(stretch);
    panel.push(Layer::band(across.filter(|b| b.1 <= b.2)).colour(Colour::Grey));
}

fn ray(panel: &mut Panel, v: [f64; 2], name: &str, colour: Colour, dash: Dash) {
    panel.push(Layer::line([(0.0, 0.0), (v[0], v[1])]).colour(colour).dash(dash).width(2.0));
    panel.push(Layer::marks([(v[0], v[1])], Mark::Disc).colour(colour).width(3.0));
    let anchor = match v {
        [x, y] if y > 2.0 * x.abs() => Anchor::Above,
        [x, _] if x >= 0.0 => Anchor::Right,
        _ => Anchor::Left,
    };
    panel.push(Layer::text((v[0], v[1]), name, anchor).colour(colour));
}

fn case(found: &Draw, title: &str) -> Panel {
    let axis = |label: &str| Axis::linear(label).range(-2.15, 2.15);
    let mut panel = Panel::new(title, axis("x1"), axis("x2")).equal_units();
    shade(&mut panel, found.students, 1.9);
    for (i, name) in ["w1", "w2"].into_iter().enumerate() {
        ray(&mut panel, found.students[i], name, Colour::series(0), Dash::Solid);
    }
    for (i, name) in ["w1*", "w2*"].into_iter().enumerate() {
        ray(&mut panel, found.teachers[i], name, Colour::series(1), Dash::Dashed);
    }
    panel
}

fn geometry() -> Result<Figure, Failure> {
    let mut figure = Figure::new("L12 and L21 around the circle of teachers", 2).panel_size(350.0, 345.0);
    for (theta, name) in [(3.0 * PI / 8.0, "3\u{3c0}/8"), (7.0 * PI / 8.0, "7\u{3c0}/8")] {
        let title = format!("students at \u{3b8} = {name}");
        let axis = |label: &str| Axis::linear(label).range(-1.55, 1.55);
        let mut panel = Panel::new(&title, axis("x1"), axis("x2")).equal_units();
        let students = [[1.0, 0.0], [libm::cos(theta), libm::sin(theta)]];
        shade(&mut panel, students, 1.0);
        let around = |radius: &dyn Fn(f64) -> Result<f64, popgrad::L12Error>| -> Result<Vec<_>, Failure> {
            let phis = (0..=360).map(|i| 2.0 * PI * f64::from(i) / 360.0);
            phis.map(|phi| {
                let r = radius(phi)?;
                Ok((r * libm::cos(phi), r * libm::sin(phi)))
            })
            .collect()
        };
        panel.push(Layer::line(around(&|_| Ok(1.0))?).width(0.9));
        let one = around(&|phi| Ok(1.0 + 0.6 * l12(theta, phi)?))?;
        let two = around(&|phi| Ok(1.0 + 0.6 * l21(theta, phi)?))?;
        panel.push(Layer::line(one).colour(Colour::series(0)).label("L12"));
        panel.push(Layer::line(two).colour(Colour::series(1)).dash(Dash::Dashed).label("L21"));
        for (student, name) in students.into_iter().zip(["w1", "w2"]) {
            ray(&mut panel, student, name, Colour::Ink, Dash::Solid);
        }
        figure.push(panel);
    }
    Ok(figure)
}
