//! Pictures of the basins in Theorem 7's plane: which end every start of a grid reaches.

use super::claim::{Bench, Bound, Failure, Findings, Interrupted};
use super::sampling::{distance, largest};
use crate::figure::{Anchor, Axis, Colour, ColourMap, Dash, Figure, HeatMap, Layer, Mark, Panel};
use crate::sweep::{Plan, Spec, ends_in_memory};
use popgrad::{Level, XyPlane};

/// An end this near to a point has reached it; the flow rests at a gradient of 1e-7.
const REACHED: f64 = 1e-6;

/// Where a start of the plane ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Teacher,
    /// On the diagonal, where it began.
    Diagonal,
    /// At the critical point above the diagonal.
    Other,
    /// Nowhere: the start is the origin, where the field has no direction.
    None,
}

/// The ends of a grid's starts.
struct Map {
    units: usize,
    /// Coordinates of the grid along both axes.
    at: Vec<f64>,
    /// Row by row from the smallest y.
    ends: Vec<End>,
    /// Where the two saddles lie on the diagonal.
    saddles: [f64; 2],
    other: [f64; 2],
    /// Largest distance to (1, 0) of an end whose start has `0 <= y < x`.
    apart: f64,
}

/// The critical point above the diagonal: the other permutation for two units, else the spurious one.
fn other_end(plane: XyPlane, units: usize) -> Result<[f64; 2], Failure> {
    if units == 2 {
        return Ok([0.0, 1.0]);
    }
    let point = plane.find_spurious()?;
    Ok([point.x, point.y])
}

fn measure(bench: &Bench<'_>, units: usize, points: u32) -> Result<Map, Failure> {
    let plane = XyPlane::try_new(units)?;
    let saddles = [plane.saddle().x, plane.negative_saddle().x];
    let other = other_end(plane, units)?;
    let text = format!(
        "runs = {}\n[problem]\nkind = \"xy\"\nunits = {units}\n[start]\nlaw = \"grid\"\nx = [-1.0, 1.0]\ny = [-1.0, 1.0]\n\
         columns = {points}\nrows = {points}\n[dynamics]\nmethod = \"flow\"\nrtol = 1e-9\natol = 1e-12\n[stop]\n\
         gradient_norm = 1e-7\nsteps = 20000\n",
        points * points
    );
    let plan = Plan::resolve(&Spec::parse("plane-basins", &text)?, Level::detect())?;
    let look = |end: &popgrad::RunEnd| end.status.is_converged().then(|| [end.weights[0], end.weights[1]]);
    let cells = ends_in_memory(&plan, bench.interrupt(), &look)?.ok_or(Interrupted)?;
    let at: Vec<f64> = (0..points).map(|i| 2.0 * (f64::from(i) / f64::from(points - 1)) - 1.0).collect();
    let (mut ends, mut apart) = (Vec::new(), 0.0_f64);
    for (end, (x, y)) in cells[0].iter().zip(at.iter().flat_map(|y| at.iter().map(move |x| (*x, *y)))) {
        let place = end.map(|[x, y]| [bench.maths.tainted(x), y]);
        let near = |point: [f64; 2]| place.is_some_and(|p| distance(&p, &point) < REACHED);
        if 0.0 <= y && y < x {
            apart = largest([apart, place.map_or(f64::NAN, |p| distance(&p, &[1.0, 0.0]))]);
        }
        ends.push(match end {
            _ if near([1.0, 0.0]) => End::Teacher,
            _ if near(other) => End::Other,
            Some([x, y]) if x == y => End::Diagonal,
            _ => End::None,
        });
    }
    Ok(Map { units, at, ends, saddles, other, apart })
}

impl Map {
    /// Starts of a region that do not end as they should.
    fn wrong(&self, region: impl Fn(f64, f64) -> bool, right: End) -> usize {
        let starts = self.at.iter().flat_map(|y| self.at.iter().map(move |x| (*x, *y)));
        starts.zip(&self.ends).filter(|((x, y), end)| region(*x, *y) && **end != right).count()
    }

    fn panel(&self) -> Panel {
        let half = 0.5 * (self.at[1] - self.at[0]);
        let edges: Vec<f64> =
            self.at.iter().map(|x| x - half).chain(self.at.last().map(|x| x + half)).collect();
        let value = |end: &End| match end {
            End::Teacher => -1.0,
            End::Diagonal => 0.0,
            End::Other => 1.0,
            End::None => f64::NAN,
        };
        let heat = HeatMap {
            x_edges: edges.clone(),
            y_edges: edges,
            values: self.ends.iter().map(value).collect(),
            range: Some((-1.0, 1.0)),
            map: ColourMap::Diverging,
            label: "\u{2212}1: w*; 0: diagonal; 1: other".to_owned(),
            decimals: None,
        };
        let range = (-1.0 - half, 1.0 + half);
        let axis = |name: &str| {
            let ticks = [(-1.0, "\u{2212}1"), (-0.5, "\u{2212}0.5"), (0.0, "0"), (0.5, "0.5"), (1.0, "1")];
            Axis::linear(name).range(range.0, range.1).ticks(&ticks)
        };
        let region = [(0.0, 0.0), (1.0, 1.0), (1.0, 0.0), (0.0, 0.0)];
        let [x, y] = self.other;
        let mark = |at, mark| Layer::marks([at], mark).colour(Colour::White).width(4.0);
        let text = |at, text: &str, anchor| Layer::text(at, text, anchor).colour(Colour::White);
        let crosses =
            Layer::marks(self.saddles.map(|s| (s, s)), Mark::Cross).colour(Colour::Black).width(5.0);
        let saddle = self.saddles[0];
        Panel::new(&format!("K = {}", self.units), axis("x at the start"), axis("y at the start"))
            .equal_units()
            .with(Layer::heat(heat))
            .with(Layer::line([(range.0, range.0), (range.1, range.1)]).colour(Colour::Black).width(1.0))
            .with(Layer::line(region).colour(Colour::White).dash(Dash::Dashed).width(1.5))
            .with(mark((1.0, 0.0), Mark::Disc))
            .with(text((1.0, -0.1), "w*", Anchor::Left))
            .with(crosses)
            .with(text((saddle, saddle), "saddle", Anchor::Left))
            .with(mark((x, y), Mark::Square))
    }
}

/// Draws the basins and checks Theorem 7 on the grids.
pub(super) fn pictures(bench: &Bench<'_>, findings: &mut Findings) -> Result<(), Failure> {
    let points = bench.pick(41, 61);
    let maps: Vec<Map> =
        [2, 5, 20].into_iter().map(|k| measure(bench, k, points)).collect::<Result<_, _>>()?;
    let total =
        |region: fn(f64, f64) -> bool, end| maps.iter().map(|m| m.wrong(region, end)).sum::<usize>() as f64;
    findings.check(
        "plane, K = 2, 5, 20: starts of the grid with 0 \u{2264} y < x that do not end at (1, 0)",
        total(|x, y| 0.0 <= y && y < x, End::Teacher),
        None,
        Bound::exactly(0.0),
    );
    findings.check(
        "largest distance of their ends from (1, 0)",
        largest(maps.iter().map(|m| m.apart)),
        None,
        Bound::at_most(REACHED),
    );
    findings.check(
        "starts on the diagonal, without the origin, that leave it",
        total(|x, y| x == y && x != 0.0, End::Diagonal),
        None,
        Bound::exactly(0.0),
    );
    findings.number(
        "starts with y < 0, y < x, beyond the theorem, that do not end at (1, 0)",
        total(|x, y| y < 0.0 && y < x, End::Teacher),
        None,
    );
    findings.number(
        "starts with x < y that do not end at the other point",
        total(|x, y| x < y, End::Other),
        None,
    );
    let mut figure = Figure::new("Basins in the plane of Theorem 7", 3).panel_size(330.0, 262.0);
    for map in &maps {
        figure.push(map.panel());
    }
    findings.figure(
        "conjecture2-plane",
        &format!(
            "Where the gradient flow of the plane ends, for a grid of {points} by {points} starts: at w* = (1, 0) (disc), on the diagonal \
             (crosses: its two saddles, the upper one Theorem 7's), or at the point above the diagonal (square): the other permutation for K = 2, the \
             spurious point for K \u{2265} 3. Dashed: the region 0 \u{2264} y < x \u{2264} 1 of Theorem 7."
        ),
        &figure,
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::maths::Maths;
    use super::super::plan::Profile;
    use super::*;
    use std::sync::atomic::AtomicBool;

    #[test]
    fn the_half_planes_are_the_basins_and_a_wrong_end_is_noticed() {
        let flag = AtomicBool::new(false);
        for (defect, agrees) in [(0.0, true), (0.05, false)] {
            let maths = if agrees { Maths::exact() } else { Maths::with_defect(defect) };
            let bench = Bench::new("conjecture2-basins", Profile::Quick, 1, maths, &flag);
            let mut findings = Findings::default();
            pictures(&bench, &mut findings).unwrap();
            assert_eq!(findings.satisfied(), agrees, "{:?}", findings.measured);
        }
    }
}
