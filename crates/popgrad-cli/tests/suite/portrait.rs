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
fn the_map_of_l12_has_no_sign_against_the_conjecture() {
    let here = Scratch::new("portrait-l12");
    let found = here.json("portrait l12 --grid 301 --out a.svg --data a.npz");
    assert_eq!(here.files(), ["a.npz", "a.svg"]);
    assert_eq!(found["violations"], 0);
    let total: u64 =
        ["positive", "negative", "zero"].iter().map(|k| found["signs"][k].as_u64().unwrap()).sum();
    assert_eq!(total, 301 * 602);
    let (values, signs) = ("l12", "sign");
    let [values, signs] = [values, signs].map(|name| read_npz(&here.path("a.npz"), name).unwrap());
    assert_eq!((values.shape(), signs.shape()), (&[301, 602][..], &[301, 602][..]));
    let pairs = values.as_slice().iter().zip(signs.as_slice());
    assert!(pairs.into_iter().all(|(x, s)| (*x > 0.0) == (*s > 0.0) && (*x < 0.0) == (*s < 0.0)));
    let svg = std::fs::read_to_string(here.path("a.svg")).unwrap();
    assert!(svg.contains("L21") && svg.contains("0 false signs on 301"));
    let ran = here.run("portrait l12 --grid 50 --out b.svg");
    assert_eq!(ran.status, 0);
    assert!(ran.stdout.contains("against Conjecture 1: 0"), "{}", ran.stdout);
}

#[test]
fn bad_input_is_refused() {
    let here = Scratch::new("portrait-bad");
    here.refuses(
        "portrait l13 --units 3 --out a.svg",
        "<KIND>: \"l13\" is not a portrait of this version; xy, the plane of Theorem 7, l12, the sign map, or cnn, the plane of the \
         convolutional network, is needed",
    );
    here.refuses("portrait xy --out a.svg", "--units: is missing; portrait xy needs the number of units K");
    here.refuses("portrait l12 --units 3 --out a.svg", "--units: belongs to portrait xy; l12 takes --grid");
    here.refuses(
        "portrait l12 --grid 5000 --out a.svg --data a.npz",
        "--grid: the numbers of 5000 x 10000 angles are asked for; up to 4000 angles theta are written",
    );
    here.refuses(
        "portrait l12 --grid 1 --out a.svg",
        "--grid: the grid has 1 x 2 angles; each number must be from 2 to 4000000",
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
