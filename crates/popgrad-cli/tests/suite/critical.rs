//! `popgrad critical`.

use super::scratch::{Scratch, numbers};
use serde_json::{Value, json};
use std::fs;

fn classes(document: &Value) -> &[Value] {
    document["classes"].as_array().unwrap()
}

#[test]
fn two_units_in_four_dimensions_have_a_circle_of_saddles() {
    let here = Scratch::new("critical-two");
    let found = here.json("critical --teacher orthonormal:2,4 --starts 40");
    assert_eq!((&found["schema"], &found["seed"]), (&json!("popgrad.critical/1"), &json!(1)));
    assert_eq!((&found["completeness"], &found["starts"]["done"]), (&json!("complete"), &json!(40)));
    let teacher = &classes(&found)[0];
    assert_eq!((&teacher["nature"], &teacher["isotropy"]), (&json!("global_minimum"), &json!("[2]")));
    let saddle = classes(&found).iter().find(|c| c["in_plane"] == json!(false)).unwrap();
    assert_eq!(
        (&saddle["index"], &saddle["nullity"], &saddle["manifold_dimension"]),
        (&json!(1), &json!(1), &json!(1))
    );
    assert!((saddle["lambda_min"].as_f64().unwrap() + 0.239237).abs() < 1e-6);
    assert_eq!(saddle["descents"][0]["class"], json!(0), "both sides lead to the teacher");
    assert_eq!(numbers(&saddle["eigenvalues"]).len(), 8);
    assert!(found["unseen"]["share"].as_f64().unwrap() <= 0.1);
}

#[test]
fn a_family_of_a_hundred_units_is_classified_in_an_atlas() {
    let here = Scratch::new("critical-family");
    let ran = here.run(
        "critical --teacher orthonormal:100 --subspace p=[1,99] --subspace-only --starts 8 --index 0 --out atlas",
    );
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
    assert!(ran.stdout.contains("0.002741671667 minimum") && ran.stdout.contains("[1,99]"), "{}", ran.stdout);
    assert!(ran.stdout.trim_end().ends_with("atlas: atlas/index.html"));
    let stored: Value = serde_json::from_slice(&fs::read(here.path("atlas/atlas.json")).unwrap()).unwrap();
    assert_eq!(stored["options"]["subspace"], json!([[1, 99]]));
    let minimum = classes(&stored).iter().find(|c| c["nature"] == json!("minimum")).unwrap();
    let count: u64 = minimum["multiplicities"].as_array().unwrap().iter().map(|m| m.as_u64().unwrap()).sum();
    assert_eq!(count, 10_000);
    assert!(here.path("atlas/atlas.parquet").is_file() && here.path("atlas/index.html").is_file());
}

#[test]
fn given_points_are_polished_and_lengths_may_be_trained() {
    let here = Scratch::new("critical-from");
    here.npy("w.npy", &[1, 2, 2], &[0.99, 0.01, 0.02, 1.01]);
    let line = "critical --teacher orthonormal:2 --from w.npy --subspace-only --index 0";
    let found = here.json(line);
    assert_eq!((classes(&found).len(), &classes(&found)[0]["hits"]), (1, &json!(0)));
    assert_eq!(found["unseen"], Value::Null);
    let found = here.json(&format!("{line} --output-weights trained"));
    assert_eq!(
        (&classes(&found)[0]["nullity"], &classes(&found)[0]["manifold_dimension"]),
        (&json!(2), &json!(2)),
        "each unit may be scaled against its output weight"
    );
}

#[test]
fn a_time_limit_leaves_a_readable_atlas() {
    let here = Scratch::new("critical-time");
    let ran = here.run("critical --teacher orthonormal:6 --starts 1000000 --max-time 0.5 --out atlas");
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
    assert!(ran.stdout.contains("time_limit: "), "{}", ran.stdout);
    let stored: Value = serde_json::from_slice(&fs::read(here.path("atlas/atlas.json")).unwrap()).unwrap();
    assert_eq!(stored["completeness"], json!("time_limit"));
    assert!(!classes(&stored).is_empty());
}

#[cfg(unix)]
#[test]
fn a_signal_leaves_a_readable_atlas_and_says_where() {
    use std::process::{Command, Stdio};
    let here = Scratch::new("critical-signal");
    let child = Command::new(env!("CARGO_BIN_EXE_popgrad"))
        .current_dir(here.path(""))
        .args(["critical", "--teacher", "orthonormal:6", "--starts", "1000000", "--out", "atlas"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(std::time::Duration::from_millis(1500));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    assert!(stderr.contains("the partial atlas is in atlas"), "{stderr}");
    let page = fs::read_to_string(here.path("atlas/index.html")).unwrap();
    assert!(page.contains("This atlas is partial") && page.ends_with("</html>\n"));
}

#[test]
fn bad_input_is_refused_in_one_sentence() {
    let here = Scratch::new("critical-bad");
    here.npy("w.npy", &[2, 3], &[1.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
    here.npy("s.npy", &[2, 2], &[2.0, 0.0, 0.0, 1.0]);
    let base = "critical --teacher orthonormal:2";
    for (line, sentence) in [
        ("--subspace 1,2", "--subspace: [1, 2] adds up to 3, but there are 2 students"),
        ("--subspace x", "--subspace: \"x\" is no list of block sizes; p=[1,5] is one"),
        ("--index 3..1", "--index: \"3..1\" is no index; 0, 2 or 0..3 is one"),
        ("--from w.npy", "--from: w.npy has students of shape (2, 3); the problem has (2, 2)"),
        ("--subspace 1,1 --output-weights trained", "--subspace: needs output weights 1 that stay fixed"),
        (
            "--covariance s.npy",
            "--covariance: is not taken here: W is critical under a covariance L L^T if and only if W L is critical for white \
             input with the teacher V L; give that teacher",
        ),
        (
            "--teacher-output 1,2 --subspace 1,1",
            "--subspace: the problem has 2 teachers that are not those of the plain problem; a family of 2 students needs as \
             many orthonormal ones, output weights 1, ReLU and white input",
        ),
    ] {
        here.refuses(&format!("{base} {line}"), sentence);
    }
    here.refuses(
        "critical --teacher orthonormal:100",
        "--students: 10000 unknowns need the eigenvectors of a matrix of that size at each step, and at most 3000 are \
         searched; symmetric families have no such limit: --subspace with --subspace-only",
    );
    here.write("kept.txt", b"mine");
    let ran = here.run(&format!("{base} --out ."));
    assert_eq!(ran.status, 2);
    assert!(ran.stderr.contains("no earlier atlas"), "{}", ran.stderr);
}
