//! `popgrad flow --problem cnn` and `popgrad portrait cnn`.

use crate::scratch::{Scratch, numbers};
use popgrad_lab::storage::read_npz;
use serde_json::json;
use std::f64::consts::PI;

const TEACHER: &str = "--problem cnn --teacher-filter 0,1,0 --teacher-output 1,-1,0.5,-0.25";

/// The two golden runs of the library's fixture, to 25 digits there.
#[test]
fn the_algorithm_of_the_paper_has_its_digits() {
    let here = Scratch::new("flow-cnn-golden");
    for (start, output, phi, basin) in [
        ("1,0.2,0.1", "0.1,-0.2,0.3,0.4", 3.980_935_330_999_235e-12, "global"),
        ("1,-0.2,0.1", "-0.1,0.2,-0.3,-0.1", 2.915_987_059_048_518_4, "spurious"),
    ] {
        let line = format!(
            "flow {TEACHER} --start {start} --student-output {output} --method gd --step 0.1 --max-steps 300"
        );
        let found = here.json(&line);
        assert_eq!(
            (&found["schema"], &found["options"]["problem"]),
            (&json!("popgrad.flow/1"), &json!("cnn"))
        );
        let run = &found["runs"][0];
        assert_eq!(
            (&run["status"], &run["steps"], &run["basin"]),
            (&json!("step_limit"), &json!(300), &json!(basin))
        );
        let [got] = numbers(&run["angles"])[..] else { panic!("one angle") };
        assert!((got / phi - 1.0).abs() < 1e-12, "{got} {phi}");
        assert_eq!(
            (numbers(&run["state"]).len(), numbers(&run["W"][0]).len(), numbers(&run["a"]).len()),
            (7, 3, 4)
        );
    }
}

#[test]
fn a_flow_ends_at_the_teacher_and_says_so() {
    let here = Scratch::new("flow-cnn-text");
    let line =
        "--problem cnn --patches 4 --patch-dimension 3 --ratio 1 --start 1,2,0 --student-output 0,0,0.3,0.3";
    let ran = here.run(&format!("flow {line}"));
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
    assert!(ran.stdout.contains("converged") && ran.stdout.contains("1.a = 1.0000"), "{}", ran.stdout);
    assert!(ran.stdout.contains("the flow from here reaches the teacher"), "{}", ran.stdout);
    // Without weight normalisation nothing is proved, and nothing is said.
    let plain = here.json(&format!("flow {line} --plain"));
    assert_eq!(plain["runs"][0]["basin"], json!(null));
    assert!(plain["runs"][0]["loss"].as_f64().unwrap() < 1e-12);
}

#[test]
fn rows_have_the_two_overlaps() {
    let here = Scratch::new("flow-cnn-rows");
    let line = format!(
        "flow {TEACHER} --start 1,0.2,0.1 --start -1,0.3,0 --student-output 0.1,-0.2,0.3,0.4 --max-time 3 --out a.npz \
        --plot a.svg --end e.npz"
    );
    let found = here.json(&line);
    assert_eq!(here.files(), ["a.npz", "a.svg", "e.npz"]);
    let column = |name: &str| read_npz(&here.path("a.npz"), name).unwrap();
    let (alpha, sum, output, angles) = (column("alpha"), column("S_a"), column("a"), column("angles"));
    let n = alpha.as_slice().len();
    assert_eq!((output.shape(), angles.shape(), sum.shape()), (&[n, 4][..], &[n, 1][..], &[n][..]));
    for (row, a) in output.as_slice().chunks(4).enumerate() {
        let want = a[0] - a[1] + 0.5 * a[2] - 0.25 * a[3];
        assert!((alpha.as_slice()[row] - want).abs() < 1e-15, "row {row}");
        assert!((sum.as_slice()[row] - a.iter().sum::<f64>()).abs() < 1e-15, "row {row}");
    }
    let last = &found["runs"][1];
    assert_eq!(last["alpha"].as_f64().unwrap(), alpha.as_slice()[n - 1]);
    let svg = std::fs::read_to_string(here.path("a.svg")).unwrap();
    assert!(svg.contains("The path in"));
    // The end of run 0 is a start.
    let more = here.json(&format!(
        "flow {TEACHER} --start 1,0.2,0.1 --student-output 0.1,-0.2,0.3,0.4 --max-time 3 --end one.npz"
    ));
    let on = here.json(&format!("flow {TEACHER} --start one.npz:W --student-output one.npz:a --max-steps 1"));
    let start = numbers(&more["runs"][0]["state"]);
    assert!((numbers(&on["runs"][0]["state"])[0] - start[0]).abs() < 0.1);
    // Parquet has the columns too: the file is written, and refused a second time.
    let line = format!(
        "flow {TEACHER} --start 1,0.2,0.1 --student-output 0.1,-0.2,0.3,0.4 --max-time 1 --out a.parquet"
    );
    assert_eq!(here.run(&line).status, 0);
    assert_eq!(here.run(&line).status, 2);
}

#[test]
fn bad_input_of_a_flow_is_refused() {
    let here = Scratch::new("flow-cnn-bad");
    let built = "--problem cnn --patches 4 --patch-dimension 3 --ratio 1";
    here.refuses(
        &format!("flow {built} --start 0,0,0"),
        "--start: the student's filter is the zero vector, which has no direction; its angle with the teacher's is not defined there",
    );
    here.refuses(
        &format!("flow {built} --plain --start 0,0,0"),
        "--start: the student's filter is the zero vector, which has no direction; its angle with the teacher's is not defined there",
    );
    here.refuses(
        &format!("flow {built} --start 1,nan,0"),
        "--start: 1,nan,0 has the entry [1] = NaN; every entry must be finite",
    );
    here.refuses(
        &format!("flow {built} --start 1,2,0 --student-output 1"),
        "--student-output: 1 has 1 entry; one output weight a patch is needed, 4 in all",
    );
    here.refuses(
        &format!("flow {built} --start 1,2"),
        "--start: 1,2 has 2 entries; the patches of the teacher have dimension 3",
    );
    here.refuses(
        &format!("flow {built} --start 1,2,3 --student-output 1,2"),
        "--student-output: 1,2 has 2 entries; one output weight a patch is needed, 4 in all",
    );
    here.refuses(
        &format!("flow {built} --start 1,2,3 --exact"),
        "--exact: does not go with --problem cnn; leave it out",
    );
    here.refuses(
        &format!("flow {built} --start 1,2,3 --train-output"),
        "--train-output: is always so under --problem cnn; leave it out",
    );
    here.refuses(
        "flow --problem cnn --patches 4 --patch-dimension 3 --ratio 5 --start 1,2,3",
        "--ratio: a ratio (1.a*)^2/|a*|^2 of 5 cannot be built with 4 patches; it must be between 0 and k = 4",
    );
    here.refuses(
        "flow --teacher orthonormal:2 --start normal:2,2,1 --patches 3",
        "--patches: belongs to --problem cnn, which is not given",
    );
}

/// Beyond the limit of the step the output weights diverge, and the summary says what the limit is.
#[test]
fn a_descent_that_diverges_names_its_limit() {
    let here = Scratch::new("flow-cnn-diverges");
    let built = "flow --problem cnn --patches 4 --patch-dimension 3 --ratio 1 --start 1,2,0 --method gd";
    let limit = 4.0 * PI / (3.0 + PI);
    let ran = here.run(&format!("{built} --step 3"));
    assert_eq!(ran.status, 1);
    let words = format!("the step is above 4 pi/(k + pi - 1) = {}", limit.to_string().get(..12).unwrap());
    assert!(ran.stdout.contains(&words), "{words} in\n{}", ran.stdout);
    let ran = here.run(&format!("{built} --step 2"));
    assert!(ran.status == 0 && !ran.stdout.contains("the step is above"), "{}", ran.stdout);
    // Without weight normalisation only the product of |v| and a is that of the teacher.
    let ran = here.run("flow --problem cnn --patches 4 --patch-dimension 3 --ratio 1 --start 1,2,0 --plain");
    assert!(ran.stdout.contains(", |v| = 1.27"), "{}", ran.stdout);
}

#[test]
fn the_plane_has_three_points_and_both_basins() {
    let here = Scratch::new("portrait-cnn");
    let found = here.json("portrait cnn --patches 25 --ratio 4 --grid 31 --out a.svg --data a.npz");
    assert_eq!(here.files(), ["a.npz", "a.svg"]);
    let points = found["critical_points"].as_array().unwrap();
    let names: Vec<&str> = points.iter().map(|p| p["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["teacher", "spurious", "saddle"]);
    // h(phi_c) = 1 - (pi - 1) S*^2 / ((k + pi - 1) |a*|^2 - S*^2)
    let phi = points[2]["phi"].as_f64().unwrap();
    let h = popgrad::angular_h(phi);
    assert!((h - (1.0 - (PI - 1.0) * 4.0 / (24.0 + PI - 4.0))).abs() < 1e-14);
    assert_eq!((points[1]["phi"].as_f64(), points[1]["local_minimum"].as_bool()), (Some(PI), Some(true)));
    let ends = found["ends"].as_array().unwrap();
    for basin in ["global", "spurious"] {
        assert!(ends.iter().any(|end| end["basin"] == basin), "{basin}");
    }
    let column = |name: &str| read_npz(&here.path("a.npz"), name).unwrap();
    assert_eq!((column("field").shape(), column("critical").shape()), (&[31, 31, 2][..], &[3, 4][..]));
    let decided = column("decided");
    let count = |value: f64| decided.as_slice().iter().filter(|x| **x == value).count();
    assert!(count(1.0) > 300 && count(-1.0) > 100 && count(0.0) > 20);
    let svg = std::fs::read_to_string(here.path("a.svg")).unwrap();
    for text in ["proved: to the teacher", "border of the basins", "saddle", "spurious"] {
        assert!(svg.contains(text), "{text}");
    }
    // --problem cnn is the same plane; the scalars of the built teacher are exact.
    let same = here.json("portrait --problem cnn --patches 25 --ratio 4 --grid 31 --start 1,0 --out c.svg");
    assert_eq!(same["critical_points"], found["critical_points"]);
    assert_eq!((points[0]["alpha"].as_f64(), found["options"]["ratio"].as_f64()), (Some(1.0), Some(4.0)));
    let ran = here.run("portrait cnn --patches 25 --ratio 9 --grid 11 --start 3,0.5 --sum 1 --out b.svg");
    assert_eq!(ran.status, 0);
    assert!(ran.stdout.contains("1 trajectory: 1 proved to reach the teacher, 0"), "{}", ran.stdout);
}

#[test]
fn bad_input_of_a_portrait_is_refused() {
    let here = Scratch::new("portrait-cnn-bad");
    here.refuses(
        "portrait cnn --ratio 1 --out a.svg",
        "--patches: is missing; portrait cnn needs --patches K and --ratio R",
    );
    here.refuses(
        "portrait cnn --patches 4 --ratio 5 --out a.svg",
        "--ratio: a ratio (1.a*)^2/|a*|^2 of 5 cannot be built with 4 patches; it must be between 0 and k = 4",
    );
    here.refuses(
        "portrait cnn --patches 4 --ratio 1 --range 0,4,0,1 --out a.svg",
        "--range: the angle 4 is not between 0 and pi",
    );
    here.refuses(
        "portrait cnn --patches 4 --ratio 1 --range 1,0,0,1 --out a.svg",
        "--range: the phi axis runs from 1 to 0; two ascending finite numbers are needed",
    );
    here.refuses(
        "portrait cnn --patches 4 --ratio 1 --start 4,0 --out a.svg",
        "--start: the angle 4 is not between 0 and pi",
    );
    here.refuses(
        "portrait cnn --patches 4 --ratio 1 --grid 1 --out a.svg",
        "--grid: the grid has 1 points along each axis; 2 to 4001 are needed",
    );
    here.refuses(
        "portrait cnn --patches 1000000 --ratio 1 --out a.svg",
        "--patches: 1000000 patches make the flow too stiff to be drawn; at most 10000 are",
    );
    here.refuses(
        "portrait --problem two-layer --out a.svg",
        "--problem: \"two-layer\" is not a problem with a portrait of its own; cnn is, and xy and l12 are kinds",
    );
    here.refuses(
        "portrait cnn --problem cnn --patches 4 --ratio 1 --out a.svg",
        "<KIND> cannot be used with --problem; give one of them",
    );
    here.refuses("portrait --patches 4 --out a.svg", "<KIND> is missing; popgrad VERB --help describes it");
    here.refuses(
        "portrait xy --units 3 --ratio 1 --out a.svg",
        "--ratio: belongs to portrait cnn; leave it out",
    );
    here.refuses(
        "portrait cnn --units 3 --patches 4 --ratio 1 --out a.svg",
        "--units: belongs to portrait xy; portrait cnn needs --patches and --ratio",
    );
}
