//! Certificates of folds.

use super::sheet::{Layout, Sheet};
use super::words::{ends, line};
use popgrad_proof::{FoldCertificate, Interval};

pub(super) const LAYOUT: Layout = Layout {
    statement: "fold",
    claim: "for teachers at this angle in degrees, f1 = f2 = det = 0 has exactly one zero in the box of uniqueness, and it lies in the \
            enclosure: a fold of the critical points of two students",
    lines: "angle; then low and high ends of theta, place and ratio; bits of doubles",
    lists: &["fold"],
};

pub(super) fn sheet(c: &FoldCertificate) -> Sheet<'static> {
    let boxes = |x: [Interval; 3]| x.into_iter().flat_map(ends).collect::<Vec<f64>>();
    let lines = vec![
        line("degrees", [c.degrees]),
        line("enclosure", boxes(c.enclosure)),
        line("unique", boxes(c.unique)),
    ];
    Sheet::new(&LAYOUT, vec![lines])
}

pub(super) fn parsed(sheet: &Sheet<'_>) -> Result<FoldCertificate, String> {
    let mut lines = sheet.list(0);
    let [degrees] = lines.numbers("degrees")?;
    let mut boxes = |word: &str| -> Result<[Interval; 3], String> {
        let x: [f64; 6] = lines.numbers(word)?;
        let side = |n: usize| Interval::new(x[n], x[n + 1]).ok_or_else(|| format!("{word} is no box"));
        Ok([side(0)?, side(2)?, side(4)?])
    };
    let (enclosure, unique) = (boxes("enclosure")?, boxes("unique")?);
    if lines.is_done() {
        Ok(FoldCertificate { degrees, enclosure, unique })
    } else {
        Err("lines after the last".into())
    }
}
