//! `popgrad portrait`.

use crate::scratch::{Scratch, numbers};
use popgrad_lab::storage::read_npz;

#[test]
fn picture_and_numbers_are_written() {
    let here = Scratch::new("portrait-files");
    let found = here.json("portrait xy --units 6 --grid 31 --out a.svg --data a.npz");
    assert_eq!(here.files(), ["a.npz", "a.svg"]);
    let spurious = &found["critical_points"][3];
    assert_eq!(spurious["name"], "spurious");
    assert!((spurious["x"].as_f64().unwrap() - -0.66339737).abs() < 1e-8, "{spurious}");
    assert_eq!(found["picture"], "a.svg");
    let field = read_npz(&here.path("a.npz"), "critical").unwrap();
    assert_eq!(field.shape(), [4, 5]);
    assert_eq!(field.as_slice()[15], spurious["x"].as_f64().unwrap(), "the same number in both");
    let svg = std::fs::read_to_string(here.path("a.svg")).unwrap();
    for text in ["separatrix x = y", "dx/dt = 0", "dy/dt = 0", "spurious", "teacher"] {
        assert!(svg.contains(text), "{text}");
    }
}

#[test]
fn trajectories_start_where_asked() {
    let here = Scratch::new("portrait-start");
    let found = here.json("portrait xy --units 2 --grid 11 --start 0.2,0.1 --start -0.5,0.5 --out a.svg");
    let ends = found["ends"].as_array().unwrap();
    assert_eq!(ends.len(), 2);
    for (end, want) in ends.iter().zip([[1.0, 0.0], [0.0, 1.0]]) {
        let end = numbers(end);
        assert!((end[0] - want[0]).abs() + (end[1] - want[1]).abs() < 1e-4, "{end:?}");
    }
}

#[test]
fn bad_input_is_refused() {
    let here = Scratch::new("portrait-bad");
    here.refuses(
        "portrait l12 --units 3 --out a.svg",
        "<KIND>: \"l12\" is not a portrait of this version; xy, the plane of Theorem 7, is needed",
    );
    here.refuses(
        "portrait xy --units 1 --out a.svg",
        "--units: the plane (x, y) needs at least 2 units, got K = 1",
    );
    here.refuses("portrait xy --units 3 --out a.png", "--out: a.png does not end right; FILE.svg is needed");
    here.refuses(
        "portrait xy --units 3 --out a.svg --range 1,2",
        "--range: \"1,2\" is not X0,X1,Y0,Y1 in finite numbers",
    );
    here.refuses(
        "portrait xy --units 3 --out a.svg --range 1,0,0,1",
        "the x axis runs from 1 to 0; two ascending finite numbers are needed",
    );
    here.refuses(
        "portrait xy --units 3 --out none/a.svg",
        "--out: none/a.svg cannot be written: the folder none does not exist",
    );
    here.write("b.svg", b"kept");
    here.refuses(
        "portrait xy --units 3 --out b.svg",
        "--out: b.svg exists and is not overwritten; give another name, or allow replacing it (--force)",
    );
    assert_eq!(std::fs::read(here.path("b.svg")).unwrap(), b"kept");
    assert_eq!(here.run("portrait xy --units 3 --grid 5 --out b.svg --force").status, 0);
    assert!(std::fs::read_to_string(here.path("b.svg")).unwrap().starts_with("<svg"));
}
