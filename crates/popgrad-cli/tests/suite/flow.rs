//! `popgrad flow`.

use crate::scratch::{Scratch, numbers};
use popgrad_lab::storage::read_npz;
use serde_json::json;

/// End points of Tian (2017), Fig. 8 (a)-(d): start (1e-3, 0), time 10, to 25 digits in docs/theory.
#[test]
fn the_plane_reaches_the_reference_end_points() {
    let here = Scratch::new("flow-plane");
    for (units, x, y) in [
        (2, 0.956587529085298, 0.0462296503573694),
        (5, 0.998934435407233, 4.07190641214e-4),
        (10, 0.999999212762857, 1.64450137105e-7),
    ] {
        let line = format!(
            "flow --teacher orthonormal:{units} --start xy:1e-3,0 --max-time 10 --rtol 1e-12 --atol 1e-15"
        );
        let found = here.json(&line);
        assert_eq!(found["schema"], "popgrad.flow/1");
        let run = &found["runs"][0];
        assert_eq!((&run["status"], &run["t"]), (&json!("time_limit"), &json!(10.0)));
        let state = numbers(&run["state"]);
        assert!((state[0] - x).abs() < 1e-11 && (state[1] - y).abs() < 1e-11, "{units}: {state:?}");
    }
}

#[test]
fn a_summary_is_a_table() {
    let here = Scratch::new("flow-text");
    let ran = here.run("flow --teacher orthonormal:5 --start xy:1e-3,0 --start xy:1,0 --max-steps 3");
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
    let lines: Vec<Vec<&str>> = ran.stdout.lines().map(|l| l.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["run", "status", "steps", "t", "loss", "|grad", "J|"]);
    assert_eq!(lines[1][..3], ["0", "step_limit", "3"], "a step limit is a status, not a failure");
    assert_eq!(lines[2][..5], ["1", "converged", "0", "0.000000", "0"]);
}

#[test]
fn a_whole_network_moves_as_its_plane_does() {
    let here = Scratch::new("flow-network");
    let w = [0.1, 0.02, 0.02, 0.02, 0.1, 0.02, 0.02, 0.02, 0.1];
    here.npy("w.npy", &[3, 3], &w);
    let ends = ["xy:0.1,0.02", "w.npy"].map(|start| {
        let line =
            format!("flow --teacher orthonormal:3 --start {start} --max-time 5 --rtol 1e-11 --atol 1e-13");
        let found = here.json(&line);
        let rows = found["runs"][0]["W"].as_array().unwrap().clone();
        rows.iter().flat_map(numbers).collect::<Vec<f64>>()
    });
    for (a, b) in ends[0].iter().zip(&ends[1]) {
        assert!((a - b).abs() < 1e-9, "{ends:?}");
    }
}

#[test]
fn a_group_moves_as_its_whole_network_does() {
    let here = Scratch::new("flow-group");
    let (e, s) = ([1.0, 0.0, 0.0, 1.0], [0.0, 1.0, 1.0, 0.0]);
    here.npy("swap.npy", &[2, 2, 2], &[e, s].concat());
    here.npy("v.npy", &[1, 2], &[1.0, 0.0]);
    here.npy("w.npy", &[1, 2], &[0.3, 0.1]);
    let options = "--max-time 2 --rtol 1e-11 --atol 1e-13";
    let group = here.json(&format!("flow --teacher v.npy --start w.npy --group swap.npy {options}"));
    let plane = here.json(&format!("flow --teacher orthonormal:2 --start xy:0.3,0.1 {options}"));
    let (a, b) = (numbers(&group["runs"][0]["state"]), numbers(&plane["runs"][0]["state"]));
    assert!((a[0] - b[0]).abs() + (a[1] - b[1]).abs() < 1e-9, "{a:?} {b:?}");
    assert_eq!(group["runs"][0]["W"].as_array().unwrap().len(), 2);
}

#[test]
fn the_closed_form_agrees_with_the_integration() {
    let here = Scratch::new("flow-exact");
    here.npy("v.npy", &[1, 3], &[1.0, 0.0, 0.0]);
    here.npy("w.npy", &[1, 3], &[-0.5, 0.4, 0.3]);
    let line = "flow --teacher v.npy --start w.npy --max-time 4 --law sphere:2";
    let exact = here.json(&format!("{line} --exact --step 0.5 --out e.npz"));
    let integrated = here.json(&format!("{line} --rtol 1e-11 --atol 1e-13"));
    let (a, b) = (numbers(&exact["runs"][0]["state"]), numbers(&integrated["runs"][0]["state"]));
    assert!(a.iter().zip(&b).all(|(x, y)| (x - y).abs() < 1e-9), "{a:?} {b:?}");
    assert_eq!(exact["rows"], json!(9));
    assert_eq!(read_npz(&here.path("e.npz"), "t").unwrap().as_slice()[3], 1.5);
}

#[test]
fn gradient_descent_takes_the_steps_it_is_told() {
    let here = Scratch::new("flow-gd");
    let found = here.json("flow --teacher orthonormal:2 --start xy:0.5,0.2 --method gd --step 0.25 --max-steps 8 --out a.npz --every 3");
    let run = &found["runs"][0];
    assert_eq!((&run["steps"], &run["t"], &run["status"]), (&json!(8), &json!(2.0), &json!("step_limit")));
    let t = read_npz(&here.path("a.npz"), "t").unwrap();
    assert_eq!(t.as_slice(), [0.0, 0.75, 1.5, 2.0], "start, every third step, end");
}

#[test]
fn files_hold_the_columns_and_the_end_goes_on() {
    let here = Scratch::new("flow-files");
    let line = "flow --teacher orthonormal:3 --start normal:2,3,5 --max-time 1 --train-output";
    let found = here.json(&format!("{line} --out a.npz --end end.npz --plot a.svg"));
    assert_eq!(here.files(), ["a.npz", "a.svg", "end.npz"]);
    assert_eq!(found["seed"], json!(5));
    let rows = usize::try_from(found["rows"].as_u64().unwrap()).unwrap();
    for (name, width) in [("W", 6), ("a", 2), ("angles", 6)] {
        assert_eq!(read_npz(&here.path("a.npz"), name).unwrap().shape(), [rows, width], "{name}");
    }
    // The rest of the way from the end is the way from the start, but for the choice of the first step.
    let rest = "--start end.npz:W --student-output end.npz:a --train-output --rtol 1e-10 --atol 1e-12";
    let rest = here.json(&format!("flow --teacher orthonormal:3 {rest} --max-time 1"));
    let whole = here.json("flow --teacher orthonormal:3 --start normal:2,3,5 --max-time 2 --train-output");
    let (a, b) = (numbers(&rest["runs"][0]["a"]), numbers(&whole["runs"][0]["a"]));
    assert!(a.iter().zip(&b).all(|(x, y)| (x - y).abs() < 1e-6), "{a:?} {b:?}");
    let parquet = here.json(&format!("{line} --out a.parquet"));
    assert_eq!(parquet["rows"], found["rows"]);
    assert!(std::fs::read(here.path("a.parquet")).unwrap().starts_with(b"PAR1"));
}

#[test]
fn a_file_of_three_axes_is_many_runs() {
    let here = Scratch::new("flow-many");
    here.npy("w.npy", &[3, 1, 2], &[0.5, 0.5, -0.5, 0.2, 1.0, 0.0]);
    here.npy("v.npy", &[1, 2], &[1.0, 0.0]);
    let found = here.json("flow --teacher v.npy --start w.npy --start normal:1,2,4 --max-time 1 --end e.npz");
    assert_eq!(found["runs"].as_array().unwrap().len(), 4);
    assert_eq!(read_npz(&here.path("e.npz"), "W").unwrap().shape(), [4, 1, 2]);
}

/// On the ray through -v the student shrinks as exp(-t/2) and never meets zero; with the teacher gone in between two
/// students of opposite output weights, one of them is pulled through zero.
#[test]
fn a_student_that_vanishes_is_an_event() {
    let here = Scratch::new("flow-zero");
    here.npy("v.npy", &[1, 2], &[1.0, 0.0]);
    here.npy("w.npy", &[1, 2], &[0.05, 0.0]);
    // The teacher's output weight is negative, so the student on the same ray is driven into zero in finite time.
    let line = "flow --teacher v.npy --teacher-output -1 --start w.npy --max-time 5";
    let found = here.json(line);
    let run = &found["runs"][0];
    assert_eq!(run["status"], json!("zero_student"));
    let event = &run["events"][0];
    assert_eq!((&event["kind"], &event["index"]), (&json!("zero_student"), &json!(0)));
    // w' = -(w + 1)/2 along the ray: zero at t = 2 ln(1.05).
    assert!((event["t"].as_f64().unwrap() - 2.0 * ln(1.05)).abs() < 1e-7, "{event}");
    let frozen = here.json(&format!("{line} --zero-student freeze"));
    assert_eq!(frozen["runs"][0]["W"], json!([[0.0, 0.0]]));
    let text = here.run(line).stdout;
    assert!(text.contains("zero_student 0 at t = 0.0975"), "{text}");
}

/// ln(1.05) to 17 digits.
fn ln(x: f64) -> f64 {
    assert_eq!(x, 1.05);
    0.048_790_164_169_432_0
}

#[test]
fn bad_input_is_refused() {
    let here = Scratch::new("flow-bad");
    let flow = "flow --teacher orthonormal:3";
    here.refuses(&format!("{flow} --start w.npy"), "--start: w.npy does not exist");
    here.refuses(
        &format!("{flow} --start normal:3,4,1"),
        "--start: normal:3,4,1 has input dimension 4 but --teacher orthonormal:3 has 3; they must be equal",
    );
    here.refuses(
        &format!("{flow} --start normal:3,3,1 --method gd --step -0.1"),
        "--step: \"-0.1\" is not a positive finite number",
    );
    here.refuses(
        &format!("{flow} --start normal:3,3,1 --method gd"),
        "--step: is missing; --method gd needs a positive step",
    );
    here.refuses(
        &format!("{flow} --start normal:3,3,1 --step 0.1"),
        "--step: belongs to --method gd; leave it out",
    );
    here.refuses(
        &format!("{flow} --start normal:3,3,1 --method sgd"),
        "--method: \"sgd\" is not among the methods of this version; flow or gd is needed",
    );
    here.refuses(
        &format!("{flow} --start xy:1"),
        "--start: xy:1 is not a point; xy:X0,Y0 with two finite numbers is needed",
    );
    here.refuses(
        &format!("{flow} --start xy:0,0"),
        "--start: xy:0,0 is the origin, where the field has no direction; start elsewhere",
    );
    here.refuses(
        "flow --teacher normal:3,3,1 --start xy:1,0",
        "--teacher: normal:3,3,1 does not go with --start xy:X0,Y0; orthonormal:K with K >= 2 is needed",
    );
    here.refuses(
        &format!("{flow} --start xy:1,0 --leaky 0.1"),
        "--leaky: does not go with --start xy:X0,Y0, which has ReLUs, Gaussian input and output weights 1; leave it out",
    );
    here.refuses(
        &format!("{flow} --start normal:3,3,1 --out a.csv"),
        "--out: a.csv does not end right; FILE.parquet or FILE.npz is needed",
    );
    here.write("a.npz", b"kept");
    here.refuses(
        &format!("{flow} --start normal:3,3,1 --out a.npz"),
        "--out: a.npz exists and is not overwritten; give another name, or allow replacing it (--force)",
    );
    here.npy("two.npy", &[1, 2, 2], &[2.0, 0.0, 0.0, 2.0]);
    here.npy("v.npy", &[1, 2], &[1.0, 0.0]);
    let ran = here.run("flow --teacher v.npy --start v.npy --group two.npy");
    assert_eq!(ran.status, 2);
    assert!(ran.stderr.starts_with("error: --group: two.npy: "), "{}", ran.stderr);
}

#[cfg(unix)]
mod signals {
    use super::*;
    use std::process::{Command, Stdio};
    use std::time::Duration;

    /// Starts a flow that would run for hours, sends it a signal, and returns status and stderr.
    fn stopped_by(here: &Scratch, signal: &str) -> (i32, String) {
        let line = "flow --teacher orthonormal:20 --start xy:1e-3,0 --method gd --step 1e-9 --max-steps 100000000000 \
                    --every 1000000000 --out rows.npz --end end.npz --force";
        let child = Command::new(env!("CARGO_BIN_EXE_popgrad"))
            .args(line.split_whitespace())
            .current_dir(here.path(""))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(400));
        let sent = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        let output = child.wait_with_output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    }

    #[test]
    fn a_signal_stops_cleanly_and_says_how_to_go_on() {
        let here = Scratch::new("flow-signals");
        for (signal, want) in [("-INT", 130), ("-TERM", 143)] {
            let (status, stderr) = stopped_by(&here, signal);
            assert_eq!(status, want, "{stderr}");
            assert!(stderr.starts_with("error: stopped in run 0 of 1 at step "), "{stderr}");
            assert!(stderr.ends_with("; go on with --start end.npz:W\n"), "{stderr}");
            assert_eq!(here.files(), ["end.npz", "rows.npz"], "complete files and no temporary ones");
            assert_eq!(read_npz(&here.path("end.npz"), "W").unwrap().shape(), [20, 20]);
            assert_eq!(read_npz(&here.path("rows.npz"), "t").unwrap().shape(), [2], "start and end");
        }
    }
}
