//! Fig. 6 (b): two minima, and a saddle on the axis of symmetry between them.

use super::claim::{Bench, Bound, Claim, Findings, Group, Outcome, Verdict};
use super::sampling::distance;
use super::theorem7::{flow_to_rest, path};
use crate::figure::{Anchor, Axis, Colour, ColourMap, Dash, Figure, HeatMap, Layer, Mark, Panel};
use popgrad::XyPlane;

/// Fig. 6 (b).
pub(super) const BREAKING: Claim = Claim {
    id: "fig6-symmetry-breaking",
    title: "Two minima and a saddle between them",
    group: Group::Symmetric,
    statement: "The objective is symmetric in its minima; a start on the axis of symmetry ends at the saddle, and any \
                perturbation breaks the symmetry towards one of the minima.",
    source: "Section 6.2, Fig. 6 (b)",
    method: "K = 2, where exchanging x and y exchanges the units: the loss over the plane, and flow from starts 1e-6 to \
             either side of the diagonal and on it.",
    expected: Verdict::Holds,
    note: "Fig. 6 (b) is a sketch; here it is drawn for this objective.",
    measure: breaking,
};

fn breaking(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let plane = XyPlane::try_new(2)?;
    let saddle = plane.saddle();
    let ends = [[0.05, 0.05 - 1e-6], [0.05, 0.05 + 1e-6], [0.05, 0.05]];
    let targets = [[1.0, 0.0], [0.0, 1.0], [saddle.x, saddle.x]];
    let names = [
        "1e-6 below the diagonal: distance from (1, 0)",
        "1e-6 above: from (0, 1)",
        "on it: from the saddle",
    ];
    for ((start, target), name) in ends.into_iter().zip(targets).zip(names) {
        let end = flow_to_rest(bench, 2, start, 1e-11)?;
        findings.check(name, distance(&end.point, &target), None, Bound::at_most(1e-9));
    }
    findings.number("loss at the saddle", saddle.loss, None);
    let edges: Vec<f64> = (0..=48).map(|i| -0.1 + 1.3 * f64::from(i) / 48.0).collect();
    let middles: Vec<f64> = edges.windows(2).map(|p| 0.5 * (p[0] + p[1])).collect();
    let mut values = Vec::new();
    for y in &middles {
        for x in &middles {
            values.push(bench.maths.tainted(plane.loss_at(*x, *y)?));
        }
    }
    let heat = HeatMap {
        x_edges: edges.clone(),
        y_edges: edges,
        values,
        range: Some((0.0, 0.5)),
        map: ColourMap::Sequential,
        label: "loss J".to_owned(),
        decimals: None,
    };
    let axis = |label: &str| Axis::linear(label).range(-0.1, 1.2);
    let mut panel = Panel::new("", axis("x"), axis("y")).equal_units().with(Layer::heat(heat));
    panel.push(Layer::line([(0.0, 0.0), (1.2, 1.2)]).colour(Colour::White).dash(Dash::Dashed).width(1.2));
    for start in [[0.05, 0.049], [0.049, 0.05], [1.1, 1.05], [1.05, 1.1], [0.05, -0.05], [-0.05, 0.05]] {
        panel.push(Layer::line(path(bench, 2, start, 30.0)?).colour(Colour::White).width(1.3));
    }
    let panel = panel
        .with(Layer::marks([(1.0, 0.0), (0.0, 1.0)], Mark::Disc).colour(Colour::White).width(4.0))
        .with(Layer::marks([(saddle.x, saddle.x)], Mark::Cross).colour(Colour::White).width(5.0))
        .with(Layer::text((saddle.x, saddle.x), "saddle", Anchor::Above).colour(Colour::White));
    findings.figure(
        "fig6b",
        "Fig. 6 (b), drawn for this objective: the loss for K = 2, trajectories, both minima (discs) and the saddle (cross) \
         on the axis of symmetry (dashed).",
        &Figure::new("Spontaneous symmetry breaking", 1).panel_size(460.0, 370.0).with(panel),
    );
    Ok(findings)
}
