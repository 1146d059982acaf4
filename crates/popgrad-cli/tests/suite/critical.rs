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
    // Descents move the output weights as well.
    let found =
        here.json("critical --teacher orthonormal:2,3 --starts 40 --index 1 --output-weights trained");
    let saddle = classes(&found).iter().find(|c| c["nature"] == json!("saddle")).unwrap();
    let descents = saddle["descents"].as_array().unwrap();
    assert!(descents.len() == 2 && descents.iter().any(|d| d["class"] != Value::Null), "{descents:?}");
}

#[test]
fn a_covariance_keeps_the_circle_of_saddles_and_takes_its_rotations() {
    let here = Scratch::new("critical-covariance");
    let mut sigma = [0.0; 16];
    for (entries, rotations) in [([1.0, 1.0, 4.0, 4.0], 1), ([1.0, 1.0, 0.25, 9.0], 0)] {
        entries.iter().enumerate().for_each(|(i, s)| sigma[5 * i] = *s);
        here.npy("s.npy", &[4, 4], &sigma);
        let found = here.json("critical --teacher orthonormal:2,4 --covariance s.npy --starts 40");
        let saddle = classes(&found).iter().find(|c| c["in_plane"] == json!(false)).unwrap();
        let keys = ["index", "nullity", "manifold_dimension", "rotation_dimension"];
        assert_eq!(keys.map(|key| saddle[key].clone()), [json!(1), json!(1), json!(1), json!(rotations)]);
        assert_eq!(saddle["descents"][0]["class"], json!(0), "both sides lead to the teacher");
        assert_eq!(found["eigenvalue_error_is"], json!("estimate"));
    }
}

#[test]
fn skips_of_student_and_teacher_count_by_their_difference() {
    let here = Scratch::new("critical-skip");
    here.npy("c.npy", &[2], &[0.5, 0.25]);
    here.npy("t.npy", &[2], &[1.0, 0.0]);
    let line = "critical --teacher orthonormal:2 --starts 30 --index 0..1 --skip";
    let same = here.json(&format!("{line} c.npy,c.npy"));
    assert_eq!(classes(&same)[0]["nature"], json!("global_minimum"));
    let gap = here.json(&format!("{line} c.npy,t.npy"));
    let lowest = classes(&gap)[0]["loss"].as_f64().unwrap();
    assert!(lowest > 1e-3 && classes(&gap)[0]["index"] == json!(0), "no student is linear");
    let student = &classes(&gap)[0]["weights"];
    here.npy("w.npy", &[2, 2], &[numbers(&student[0]), numbers(&student[1])].concat());
    let there = here.json("eval --teacher orthonormal:2 --student w.npy --skip c.npy,t.npy");
    assert!((there["loss"].as_f64().unwrap() - lowest).abs() < 1e-14);
    assert!(numbers(&there["gradient"][0]).iter().all(|g| g.abs() < 1e-13));
}

#[test]
fn families_may_have_more_students_than_teachers() {
    // Published: loss 0.02056079 with smallest eigenvalue 0.0059446 for nine students of eight teachers.
    let here = Scratch::new("critical-surplus");
    let line =
        "critical --teacher orthonormal:8 --students 9 --subspace 1,7 --subspace-only --starts 150 --index 0";
    let found = here.json(line);
    let minimum = classes(&found).iter().find(|c| c["nature"] == json!("minimum")).unwrap();
    assert!((minimum["loss"].as_f64().unwrap() - 0.020_560_79).abs() < 6e-9);
    assert!((minimum["lambda_min"].as_f64().unwrap() - 0.005_944_6).abs() < 6e-8);
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
    here.npy("singular.npy", &[2, 2], &[2.0, 2.0, 2.0, 2.0]);
    let base = "critical --teacher orthonormal:2";
    for (line, sentence) in [
        (
            "--subspace 1,2",
            "--subspace: [1, 2] adds up to 3, with 2 teachers and 2 students; it must add up to the number of teachers, with as many \
             students or more",
        ),
        ("--subspace x", "--subspace: \"x\" is no list of block sizes; p=[1,5] is one"),
        ("--index 3..1", "--index: \"3..1\" is no index; 0, 2 or 0..3 is one"),
        ("--from w.npy", "--from: w.npy has students of shape (2, 3); the problem has (2, 2)"),
        ("--subspace 1,1 --output-weights trained", "--subspace: needs output weights 1 that stay fixed"),
        (
            "--covariance singular.npy",
            "--covariance: the covariance is singular: the input's component 1 follows from those before it; leave it out, since \
             weights along it change nothing",
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
        "critical --teacher orthonormal:30 --memory-limit 30000000",
        "--students: a step's Hessian with its eigenvectors needs 32400000 bytes, above the memory limit of 30000000; raise the \
         limit or ask for less",
    );
    here.write("kept.txt", b"mine");
    let ran = here.run(&format!("{base} --out ."));
    assert_eq!(ran.status, 2);
    assert!(ran.stderr.contains("no earlier atlas"), "{}", ran.stderr);
}
