//! Conjecture 2: how much noise the symmetric start bears, as a map over (x0, y0).

use super::claim::{Bench, Bound, Claim, Failure, Findings, Group, Outcome, Table, Verdict};
use super::noise_search::{CONFIDENCE, LargestNoise, NoiseSearch, SHARE};
use super::numbers::significant;
use super::orthonormal_descent::{ball_radius, step_is_covered};
use super::sampling::largest;
use crate::figure::{Axis, Colour, Figure, HeatMap, Layer, Mark, Panel};

/// How much noise the start bears.
pub(super) const NOISE: Claim = Claim {
    id: "conjecture2-noise",
    title: "How much noise a start below the diagonal bears",
    group: Group::Noise,
    statement: "With an orthonormal teacher, a start W0 with x0 on the diagonal, y0 < x0 off it, and isotropic noise \
                converges to w*.",
    source: "Conjecture 2",
    method: "Gradient descent with step 2/K on the population loss, d = K, normal noise on each entry, from at least 2000 \
             starts a noise level. A start succeeds when it enters the ball around w* in which descent provably converges to \
             w* (docs/theory/symmetric.md, Y.21); it fails when it enters the same ball around a permutation of w*, or is \
             undecided after 200 K steps. The largest noise is the last level, before the first that fails, at which the \
             Wilson interval of the share of successes (confidence 95 %) lies above 0.99.",
    expected: Verdict::Open,
    note: "The conjecture gives no size of the noise; what bounds it is the gap x0 \u{2212} y0, not the length of the start.",
    measure: noise,
};

/// The point of the map with what was found there.
type Cell = ([f64; 2], LargestNoise);

/// The map of one number of units.
struct Map {
    units: usize,
    /// Edges of the cells along both axes.
    edges: Vec<f64>,
    /// Cells of the map, then points on another scale.
    cells: Vec<Cell>,
    elsewhere: Vec<Cell>,
}

/// Points of the map with `n` values of x0.
fn grid(n: usize) -> Vec<[f64; 2]> {
    let at = |i: usize| i as f64 / n as f64;
    (1..=n).rev().flat_map(|i| (0..i).map(move |j| [at(i), at(j)])).collect()
}

fn measure_map(bench: &Bench<'_>, units: usize, search: &NoiseSearch<'_>) -> Result<Map, Failure> {
    let n = bench.pick(3, 5);
    let mut points = grid(n);
    let mut tiny = vec![[1e-3, 0.5e-3]];
    if units == 20 && n == 3 {
        // The first row of the map; a start takes ten times as long as with K = 10.
        points.truncate(n);
        tiny.clear();
    }
    // Where the first search begins; what it finds does not depend on it as long as more noise means more failures.
    let mut guess = 0.4 / libm::sqrt(libm::sqrt(units as f64));
    let mut find = |points: Vec<[f64; 2]>| -> Result<Vec<Cell>, Failure> {
        let mut cells = Vec::new();
        for point in points {
            let Some(found) = search.largest(point, guess)? else {
                return Err(
                    format!("K = {units}: no noise passes at x0 = {}, y0 = {}", point[0], point[1]).into()
                );
            };
            guess = search.by_gap(point, &found);
            cells.push((point, found));
        }
        Ok(cells)
    };
    let (cells, elsewhere) = (find(points)?, find(tiny)?);
    let edges = (0..=n).map(|i| (i as f64 + 0.5) / n as f64).collect();
    Ok(Map { units, edges, cells, elsewhere })
}

fn noise(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let (starts, per_octave) = (bench.pick(2000, 4000), bench.pick(8, 16));
    let (mut maps, mut continued, mut moved) = (Vec::new(), Vec::new(), Vec::new());
    let mut allowed = 0;
    for units in [2_usize, 5, 10, 20] {
        bench.pause()?;
        if !step_is_covered(units, 2.0 / units as f64)? {
            return Err(format!("K = {units}: the step is too long for the ball").into());
        }
        let search = NoiseSearch::try_new(bench, units, starts, per_octave)?;
        allowed = search.allowed();
        let map = measure_map(bench, units, &search)?;
        let (point, found) = map.cells[1];
        continued.push(search.continued(point, found.relative, (8, 250 * units))?);
        if units <= 5 {
            let half = NoiseSearch::try_new(bench, units, starts, per_octave)?.with_half_step();
            moved.push((units, search.moved_by_half_step(&half, point, found.relative)?));
        }
        maps.push(map);
    }
    let gaps = || maps.iter().flat_map(|m| m.cells.iter().chain(&m.elsewhere).map(by_gap));
    findings.check(
        "smallest of all largest noises, relative to x0 \u{2212} y0",
        gaps().fold(f64::INFINITY, f64::min),
        None,
        Bound::at_least(0.1),
    );
    findings.check("the largest of them", largest(gaps()), None, Bound::at_most(1.0));
    findings.check(
        "starts that entered the ball, continued: largest distance to w*",
        largest(continued),
        None,
        Bound::at_most(1e-9),
    );
    describe(&mut findings, &maps, (starts, allowed, per_octave), &moved);
    findings.table(table(&maps));
    findings.figure(
        "conjecture2-noise",
        "The largest noise at which at least 99 % of the starts reach w*, as standard deviation of each entry relative to \
         sqrt(x0\u{b2} + (K \u{2212} 1) y0\u{b2}), over the start. Blank cells are not measured in this profile. Last panel: the same \
         noise relative to x0 \u{2212} y0.",
        &figure(&maps),
    );
    Ok(findings)
}

/// Largest noise relative to the gap x0 - y0.
fn by_gap(([x0, y0], found): &Cell) -> f64 {
    found.relative * found.length / (x0 - y0)
}

fn describe(
    findings: &mut Findings,
    maps: &[Map],
    (starts, allowed, per_octave): (u64, u64, i64),
    moved: &[(usize, u64)],
) {
    let radii: Vec<String> =
        maps.iter().map(|m| format!("{} (K = {})", significant(ball_radius(m.units), 2), m.units)).collect();
    findings.remark(&format!(
        "Each noise level has {starts} starts; at most {allowed} may fail for the {} % Wilson interval to stay above {SHARE}, \
         and a level is given up once more have failed. Levels are {per_octave} to a factor of two. Radii of the balls: {}.",
        100.0 * CONFIDENCE,
        radii.join(", ")
    ));
    for map in maps {
        let all: Vec<f64> = map.cells.iter().chain(&map.elsewhere).map(by_gap).collect();
        let (low, high) = (all.iter().copied().fold(f64::INFINITY, f64::min), largest(all.iter().copied()));
        findings.number(
            &format!("K = {}: noise / (x0 \u{2212} y0), smallest over the map", map.units),
            low,
            None,
        );
        findings.number(
            &format!("K = {}: noise / (x0 \u{2212} y0), largest over the map", map.units),
            high,
            None,
        );
    }
    for (units, count) in moved {
        let name = format!("K = {units}: starts of {starts} that end elsewhere with half the step");
        findings.number(&name, *count as f64, None);
    }
}

fn table(maps: &[Map]) -> Table {
    let head = [
        "K",
        "x0",
        "y0",
        "sqrt(x0\u{b2} + (K\u{2212}1) y0\u{b2})",
        "largest noise, relative to it",
        "relative to x0 \u{2212} y0",
        "failures (to a permutation, undecided)",
        "next level: failures of starts run",
    ];
    let mut table = Table::new("The largest noise over the start.", &head);
    for map in maps {
        for cell in map.cells.iter().chain(&map.elsewhere) {
            let ([x0, y0], found) = cell;
            let (passed, above) = (&found.passed, &found.above);
            table.row(vec![
                map.units.to_string(),
                significant(*x0, 3),
                if *y0 == 0.0 { "0".to_owned() } else { significant(*y0, 3) },
                significant(found.length, 3),
                significant(found.relative, 3),
                significant(by_gap(cell), 3),
                format!("{} ({}, {})", passed.failures(), passed.exchanged, passed.undecided),
                format!("{}: {} of {}", significant(above.0, 3), above.1.failures(), above.1.starts),
            ]);
        }
    }
    table
}

fn figure(maps: &[Map]) -> Figure {
    let mut figure = Figure::new("Largest noise of Conjecture 2", 3).panel_size(330.0, 270.0);
    let mut collapse = Panel::new(
        "relative to the gap",
        Axis::linear("y0 / x0"),
        Axis::linear("largest noise / (x0 \u{2212} y0)"),
    );
    let top = largest(maps.iter().flat_map(|m| m.cells.iter().map(|c| c.1.relative)));
    for (i, map) in maps.iter().enumerate() {
        figure.push(
            Panel::new(&format!("K = {}", map.units), axis("x0", 1, map), axis("y0", 0, map))
                .with(Layer::heat(heat(map, top))),
        );
        let all = map.cells.iter().chain(&map.elsewhere);
        let points = all.map(|c| (c.0[1] / c.0[0], by_gap(c)));
        collapse.push(
            Layer::marks(points, Mark::series(i))
                .colour(Colour::series(i))
                .label(&format!("K = {}", map.units)),
        );
    }
    figure.with(collapse)
}

/// An axis with a mark in the middle of each cell, from `first / n` on.
fn axis(label: &str, first: usize, map: &Map) -> Axis {
    let n = map.edges.len() - 1;
    let name = |i: usize| match i {
        0 => "0".to_owned(),
        i if i == n => "1".to_owned(),
        i => format!("{i}/{n}"),
    };
    let names: Vec<(f64, String)> = (first..first + n).map(|i| (i as f64 / n as f64, name(i))).collect();
    let ticks: Vec<(f64, &str)> = names.iter().map(|(x, s)| (*x, s.as_str())).collect();
    Axis::linear(label).ticks(&ticks)
}

fn heat(map: &Map, top: f64) -> HeatMap {
    let n = map.edges.len() - 1;
    let mut values = vec![f64::NAN; n * n];
    let x_edges: Vec<f64> = map.edges.clone();
    let y_edges: Vec<f64> = map.edges.iter().map(|e| e - 1.0 / n as f64).collect();
    let column = |edges: &[f64], x: f64| edges.windows(2).position(|e| e[0] <= x && x < e[1]);
    for ([x0, y0], found) in &map.cells {
        if let (Some(i), Some(j)) = (column(&x_edges, *x0), column(&y_edges, *y0)) {
            values[j * n + i] = found.relative;
        }
    }
    HeatMap {
        x_edges,
        y_edges,
        values,
        range: Some((0.0, top)),
        map: crate::figure::ColourMap::Sequential,
        label: "largest relative noise".to_owned(),
        decimals: Some(3),
    }
}
