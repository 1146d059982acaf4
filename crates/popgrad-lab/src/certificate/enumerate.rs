//! Certificates of enumerations.

use super::points::{claim, parsed_claim};
use super::sheet::{Layout, Sheet};
use super::words::{Lines, bits, count, hex, line, rows};
use popgrad_proof::{BoxProof, Boxes, EnumerationCertificate, Leaf, ListedPoint, ListedVanished, PointClass};

pub(super) const LAYOUT: Layout = Layout {
    statement: "enumerate",
    claim: "the points are all critical points of two students in the plane of these two teachers, up to a permutation of the students; \
            the loss descends from each listed point with a zero student in the given direction, and where none is given from none",
    lines: "boxes: proof, then low and high ends of theta and u; arcs: ends and whether a segment lies in it; numbers are bits of \
            doubles, counts are decimal, - is not claimed",
    lists: &["teacher", "first_inside", "second_inside", "directions", "points", "zero_students"],
};

const CLASSES: [PointClass; 4] =
    [PointClass::Global, PointClass::Isolated, PointClass::Segment, PointClass::GlobalSegment];

fn file_name(class: PointClass) -> String {
    class.name().replace(' ', "_")
}

fn boxes(search: &Boxes) -> Vec<String> {
    let small = line("small_angle", [search.small_angle]);
    let leaf = |(leaf, proof): &(Leaf, BoxProof)| line(proof.name(), [leaf.theta, leaf.u].concat());
    [small].into_iter().chain(search.boxes.iter().map(leaf)).collect()
}

fn point(p: &ListedPoint) -> Vec<String> {
    let mut lines = vec![format!("point {}", file_name(p.class))];
    lines.extend(claim(&p.plane));
    if let Some(space) = &p.space {
        lines.push("space".to_owned());
        lines.extend(claim(space));
    }
    lines
}

pub(super) fn sheet(c: &EnumerationCertificate) -> Sheet<'static> {
    let search = |at: usize| c.searches.get(at).map(boxes).unwrap_or_default();
    let arc = |(ends, root): &([f64; 2], bool)| line(if *root { "segment" } else { "none" }, *ends);
    let zero = |p: &ListedVanished| {
        let direction = p.direction.map_or_else(|| "-".to_owned(), hex);
        format!("{} {direction}", count("segment", p.segment))
    };
    let lists = vec![
        rows("teacher", &c.teacher),
        search(0),
        search(1),
        c.arcs.iter().map(arc).collect(),
        c.points.iter().flat_map(point).collect(),
        c.vanished.iter().map(zero).collect(),
    ];
    Sheet::new(&LAYOUT, lists)
}

/// The boxes of a list; none for an empty one.
fn parsed_boxes(mut lines: Lines<'_>) -> Result<Option<Boxes>, String> {
    if lines.is_done() {
        return Ok(None);
    }
    let [small_angle] = lines.numbers("small_angle")?;
    let mut boxes = Vec::new();
    while !lines.is_done() {
        let proof = BoxProof::ALL.into_iter().find(|(_, name)| lines.begins(name));
        let (proof, name) =
            proof.ok_or_else(|| format!("box {}: its proof has no known name", boxes.len()))?;
        let [a, b, u, v] = lines.numbers(name)?;
        boxes.push((Leaf { theta: [a, b], u: [u, v] }, proof));
    }
    Ok(Some(Boxes { small_angle, boxes }))
}

fn parsed_point(lines: &mut Lines<'_>) -> Result<ListedPoint, String> {
    let words = lines.words("point")?;
    let class = CLASSES.into_iter().find(|class| words == [file_name(*class)]);
    let class = class.ok_or_else(|| format!("\"{}\" is no class of points", words.join(" ")))?;
    let plane = parsed_claim(lines)?;
    let space = if lines.begins("space") {
        lines.words("space")?;
        Some(parsed_claim(lines)?)
    } else {
        None
    };
    Ok(ListedPoint { class, plane, space })
}

fn parsed_zero(lines: &mut Lines<'_>) -> Result<ListedVanished, String> {
    let words = lines.words("segment")?;
    let [segment, direction] = words[..] else {
        return Err("zero_students: two words are needed".to_owned());
    };
    let segment = match segment {
        "-" => None,
        number => Some(number.parse().map_err(|_| format!("\"{number}\" is no count"))?),
    };
    let direction = if direction == "-" { None } else { Some(bits(direction)?) };
    Ok(ListedVanished { segment, direction })
}

pub(super) fn parsed(sheet: &Sheet<'_>) -> Result<EnumerationCertificate, String> {
    let teacher = sheet.list(0).matrix("teacher")?;
    let both = [parsed_boxes(sheet.list(1))?, parsed_boxes(sheet.list(2))?];
    let (mut lines, mut arcs) = (sheet.list(3), Vec::new());
    while !lines.is_done() {
        let root = lines.begins("segment");
        arcs.push((lines.numbers(if root { "segment" } else { "none" })?, root));
    }
    let (mut lines, mut points) = (sheet.list(4), Vec::new());
    while !lines.is_done() {
        points.push(parsed_point(&mut lines)?);
    }
    let (mut lines, mut vanished) = (sheet.list(5), Vec::new());
    while !lines.is_done() {
        vanished.push(parsed_zero(&mut lines)?);
    }
    Ok(EnumerationCertificate {
        teacher,
        searches: both.into_iter().flatten().collect(),
        arcs,
        points,
        vanished,
    })
}
