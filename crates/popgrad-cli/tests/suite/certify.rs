//! `popgrad certify`.

use crate::scratch::Scratch;
use serde_json::json;
use std::fs;

#[test]
fn conjecture_1_is_certified_and_its_certificate_checked() {
    let here = Scratch::new("certify-conjecture1");
    let found = here.json("certify conjecture1 --out c.json");
    let keys: Vec<&String> = found.as_object().unwrap().keys().collect();
    assert_eq!(keys[..5], ["schema", "popgrad", "numerics", "seed", "options"]);
    assert_eq!(found["schema"], json!("popgrad.certify/1"));
    assert_eq!((&found["status"], &found["undecided"]), (&json!("certified"), &json!(0)));
    assert_eq!(found["l21"]["regions"], json!({"A": "A", "B": "D", "C": "C", "D": "B"}));
    let regions = found["regions"].as_array().unwrap();
    assert_eq!(regions.len(), 4);
    for region in regions {
        assert!(region["lower_bound"].as_f64().unwrap() > 0.0 && region["undecided"] == json!(0), "{region}");
    }
    let checked = here.json("certify check c.json");
    assert_eq!((&checked["status"], &checked["leaves"]), (&json!("certified"), &found["leaves"]));
}

#[test]
fn the_text_says_what_is_proved() {
    let here = Scratch::new("certify-text");
    let ran = here.run("certify conjecture1 --out c.json");
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
    assert!(
        ran.stdout.starts_with("Conjecture 1 of Tian (2017), L12 and L21: certified\n"),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.ends_with("certificate written to c.json\n"), "{}", ran.stdout);
    let ran = here.run("certify check c.json");
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
    assert!(ran.stdout.starts_with("c.json: certified, Conjecture 1 of Tian (2017)\n"), "{}", ran.stdout);
    here.refuses(
        "certify conjecture1 --out c.json",
        "--out: c.json exists and is not overwritten; give another name, or allow replacing it (--force)",
    );
    assert_eq!(here.run("certify conjecture1 --out c.json --force").status, 0);
}

/// Edited certificates are rejected with the reason and exit status 1; what is no certificate is bad input.
#[test]
fn edited_certificates_are_rejected() {
    let here = Scratch::new("certify-edited");
    assert_eq!(here.run("certify conjecture1 --out c.json").status, 0);
    let good = fs::read_to_string(here.path("c.json")).unwrap();
    let lines: Vec<&str> = good.lines().collect();
    let without = |line: usize| [&lines[..line], &lines[line + 1..]].concat().join("\n") + "\n";
    let moved = good.replacen("3fe0000000000000", "3fe0000000000001", 1);
    for (bad, reason) in [
        (without(10), "was altered after it was written"),
        (moved, "was altered after it was written"),
        (good.replace("\"0.1.0\"", "\"0.1.1\""), "was altered after it was written"),
    ] {
        here.write("bad.json", bad.as_bytes());
        let ran = here.run("certify check bad.json");
        assert_eq!((ran.status, ran.stderr.as_str()), (1, ""), "{}", ran.stdout);
        assert!(
            ran.stdout.starts_with("bad.json: rejected\n") && ran.stdout.contains(reason),
            "{}",
            ran.stdout
        );
        let ran = here.run("certify check bad.json --json");
        let found: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!((ran.status, &found["status"]), (1, &json!("rejected")));
        assert!(found["reason"].as_str().unwrap().contains(reason), "{found}");
    }
    here.write("bad.json", &good.as_bytes()[..good.len() / 2]);
    assert_eq!(here.run("certify check bad.json").status, 2);
    here.write("bad.json", good.replace("certificate/1", "certificate/9").as_bytes());
    here.refuses(
        "certify check bad.json",
        "FILE: bad.json has the schema \"popgrad.certificate/9\"; this version reads \"popgrad.certificate/1\"",
    );
    here.refuses("certify check none.json", "FILE: none.json does not exist");
}

#[test]
fn what_to_certify_has_to_be_said() {
    let here = Scratch::new("certify-usage");
    here.refuses("certify conjecture2", "certify cannot do conjecture2; did you mean conjecture1?");
    here.refuses("certify zzz", "certify cannot do zzz; popgrad certify --help lists them");
    here.refuses("certify", "certify needs to know what; popgrad certify --help lists it");
}

#[test]
fn points_are_certified_with_their_index() {
    let here = Scratch::new("certify-points");
    let found = here.json("certify points --teacher orthonormal:3 --points orthonormal:3 --minimum");
    assert_eq!(found["schema"], json!("popgrad.certify/1"));
    assert_eq!((&found["certified"], &found["undecided"]), (&json!(1), &json!(0)));
    let point = &found["points"][0];
    assert_eq!((&point["status"], &point["index"]), (&json!("certified"), &json!(0)));
    assert_eq!(point["manifold_dimension"], json!(0));
    // 1/4 - 1/(2 pi)
    let lower = point["lambda_min_lower"].as_f64().unwrap();
    assert!((0.0908450560..0.0908450570).contains(&lower), "{lower}");
    let [low, high] = [0, 1].map(|n| point["loss"][n].as_f64().unwrap());
    assert!(low <= 0.0 && (0.0..1e-13).contains(&high), "{point}");
}

/// A minimum, a saddle of section 5.3 and a point that is none, in one file.
#[test]
fn every_point_of_a_file_is_answered() {
    let here = Scratch::new("certify-points-file");
    let points = [1.0, 0.0, 0.0, 1.0, 1.0683, 1.0683, -0.06831, -0.06831, 0.3, 0.4, 0.5, -0.7];
    here.npy("p.npy", &[3, 2, 2], &points);
    let ran = here.run("certify points --teacher orthonormal:2 --points p.npy --radius 1e-3");
    assert_eq!((ran.status, ran.stderr.as_str()), (1, ""));
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines[0], "point 0: certified, minimum");
    assert_eq!(lines[4], "point 1: certified, saddle of index 1");
    assert_eq!(lines[8], "point 2: refuted");
    assert!(
        lines[9].starts_with("  the gradient does not vanish within 1e-3 of the point"),
        "{}",
        ran.stdout
    );
    assert_eq!(lines[10], "2 of 3 certified, 1 refuted, 0 undecided");
    let ran =
        here.run("certify points --teacher orthonormal:2 --points p.npy --radius 1e-3 --minimum --json");
    let found: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((ran.status, &found["refuted"]), (1, &json!(2)));
    assert!(found["points"][1]["reason"].as_str().unwrap().contains("is no minimum"), "{found}");
    assert_eq!(found["points"][1]["index"], json!(1));
}

/// Leaky slope, skips and covariance: the teacher is a minimum in all of them, and the certificate knows in which.
#[test]
fn points_are_certified_in_other_settings() {
    let here = Scratch::new("certify-points-settings");
    here.npy("s.npy", &[2, 2], &[4.0, 2.0, 2.0, 1.25]);
    here.npy("c.npy", &[2], &[0.5, -0.25]);
    here.npy("zero.npy", &[2], &[0.0, 0.0]);
    let points = "certify points --teacher orthonormal:2 --points orthonormal:2 --minimum";
    let mut eigenvalues = Vec::new();
    for (n, more) in
        ["--leaky 0.25", "--covariance s.npy", "--skip c.npy,c.npy", "--skip trained"].into_iter().enumerate()
    {
        let found = here.json(&format!("{points} {more} --out c{n}.json"));
        let point = &found["points"][0];
        assert_eq!((&point["status"], &point["loss"]), (&json!("certified"), &json!([0.0, 0.0])), "{more}");
        assert_eq!(here.json(&format!("certify check c{n}.json"))["status"], json!("certified"), "{more}");
        eigenvalues.push(point["lambda_min_lower"].as_f64().unwrap());
    }
    // 1/4 - 1/(2 pi); its direction keeps the sum of the units, so skips change nothing and a slope scales it by (1 - alpha)^2.
    for (got, scale) in eigenvalues.iter().zip([0.5625, f64::NAN, 1.0, 1.0]) {
        assert!(scale.is_nan() || (got - 0.09084505690 * scale).abs() < 1e-9, "{eigenvalues:?}");
    }
    assert_eq!(here.run(&format!("{points} --skip c.npy,zero.npy")).status, 1);
    here.npy("bad.npy", &[2, 2], &[1.0, 2.0, 2.0, 1.0]);
    here.refuses(
        &format!("{points} --covariance bad.npy"),
        "the covariance is not certainly positive definite, in row 1",
    );
}

#[test]
fn bad_points_are_refused() {
    let here = Scratch::new("certify-points-bad");
    here.npy("zero.npy", &[2, 2], &[1.0, 0.0, 0.0, 0.0]);
    here.refuses(
        "certify points --teacher orthonormal:2 --points zero.npy",
        "--points: point 0: student 1 is zero or as good as zero; the gradient has no direction there, so no claim \
         is possible",
    );
    here.npy("flat.npy", &[4], &[1.0; 4]);
    here.refuses(
        "certify points --teacher orthonormal:2 --points flat.npy",
        "--points: flat.npy has shape (4,); (n, K, d) or (K, d), points of K students each, is needed",
    );
    here.refuses(
        "certify points --teacher orthonormal:2 --points orthonormal:3",
        "--points: orthonormal:3 has input dimension 3 but --teacher orthonormal:2 has 2; they must be equal",
    );
    here.refuses(
        "certify points --teacher orthonormal:2 --points orthonormal:2 --radius 0",
        "--radius: \"0\" is not a positive finite number",
    );
    here.refuses(
        "certify points --teacher orthonormal:2 --points orthonormal:2 --student-output 1,0",
        "student_output[1] = 0; output weights are finite, and a student's is not zero",
    );
    here.refuses(
        "certify points --teacher orthonormal:2 --points orthonormal:2 --memory-limit 1000",
        "--points: point 0: the matrices need 2560 bytes, above the memory limit of 1000; raise the limit or reduce \
         the dimension",
    );
}

#[test]
fn the_critical_points_of_two_teachers_are_enumerated() {
    let here = Scratch::new("certify-enumerate");
    let found = here.json("certify enumerate --teacher orthonormal:2");
    assert_eq!((&found["schema"], &found["undecided"]), (&json!("popgrad.certify/1"), &json!(0)));
    let points = found["points"].as_array().unwrap();
    let classes: Vec<&str> = points.iter().map(|p| p["class"].as_str().unwrap()).collect();
    assert_eq!(classes, ["global", "isolated", "segment", "segment"]);
    assert!(points.iter().all(|p| p["status"] == json!("certified")), "{found}");
    assert_eq!((&points[1]["index"], &points[1]["out_of_plane_index"]), (&json!(1), &json!(1)));
    let ran = here.run("certify enumerate --teacher orthonormal:2");
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
    assert!(ran.stdout.lines().last().unwrap().starts_with("complete: "), "{}", ran.stdout);
}

#[test]
fn teachers_that_cannot_be_enumerated_are_refused() {
    let here = Scratch::new("certify-enumerate-bad");
    here.refuses(
        "certify enumerate --teacher orthonormal:3",
        "--teacher: the teacher is 3 x 3; an enumeration needs two teachers in the plane, 2 x 2",
    );
    here.npy("v.npy", &[2, 2], &[0.3, 0.7, 0.1 * 0.3, 0.1 * 0.7]);
    let ran = here.run("certify enumerate --teacher v.npy");
    assert_eq!(ran.status, 2);
    assert!(
        ran.stderr.contains("the teachers are collinear up to rounding but not exactly"),
        "{}",
        ran.stderr
    );
    here.npy("v.npy", &[2, 2], &[0.3, 0.7, 0.0, 0.0]);
    here.refuses(
        "certify enumerate --teacher v.npy",
        "--teacher: teacher 1 is zero; an enumeration needs two teachers that are not",
    );
}

#[test]
fn collinear_teachers_are_enumerated() {
    let here = Scratch::new("certify-enumerate-collinear");
    here.npy("parallel.npy", &[2, 2], &[1.0, 2.0, 0.5, 1.0]);
    let found = here.json("certify enumerate --teacher parallel.npy");
    assert_eq!((&found["undecided"], &found["one_sided_stationary"]), (&json!(0), &json!(1)));
    let p = &found["points"][0];
    assert_eq!((&p["class"], &p["dimension"], &p["index"]), (&json!("global segment"), &json!(1), &json!(0)));
    assert_eq!((&p["loss"], &p["nullity"]), (&json!([0.0, 0.0]), &json!(2)));
    here.npy("opposite.npy", &[2, 2], &[1.0, 0.0, -0.5, 0.0]);
    let found = here.json("certify enumerate --teacher opposite.npy");
    assert_eq!((&found["undecided"], &found["one_sided_stationary"]), (&json!(0), &json!(0)));
    let one_sided = found["one_sided"].as_array().unwrap();
    assert_eq!(one_sided.len(), 5, "{found}");
    assert!(one_sided.iter().all(|p| p["descent_slope"][1].as_f64().unwrap() < 0.0), "{found}");
}

#[test]
fn the_threshold_ratio_is_certified() {
    let here = Scratch::new("certify-fold");
    let found = here.json("certify fold --angle 90");
    assert_eq!((&found["status"], &found["undecided"]), (&json!("certified"), &json!(0)));
    let [low, high] = [0, 1].map(|n| found["ratio"][n].as_f64().unwrap());
    assert!(low < 0.11359754414 && high > 0.11359754413 && high - low < 1e-9, "{found}");
    here.refuses("certify fold --angle 180", "--angle: \"180\" is not an angle below 180 degrees");
    here.refuses("certify fold --angle -5", "--angle: \"-5\" is not a positive finite number");
}

/// What `points`, `enumerate` and `fold` write is checked without a search; edited, cut and foreign files are rejected.
#[test]
fn certificates_of_all_statements_are_checked() {
    let here = Scratch::new("certify-certificates");
    here.npy("split.npy", &[1, 2], &[1.0, 0.0]);
    here.npy("halves.npy", &[2, 2], &[0.5, 0.0, 0.5, 0.0]);
    for (n, (command, statement, digit)) in [
        ("points --teacher orthonormal:6 --points orthonormal:6", "points", "index 0"),
        ("points --teacher split.npy --points halves.npy", "points", "nullity 2"),
        ("enumerate --teacher orthonormal:2", "enumerate", "value1 3ff"),
        ("fold --angle 60", "fold", "degrees 404e"),
    ]
    .into_iter()
    .enumerate()
    {
        let file = format!("c{n}.json");
        let written = here.json(&format!("certify {command} --out {file}"));
        assert_eq!(written["certificate"], json!(file), "{command}");
        let checked = here.json(&format!("certify check {file}"));
        assert_eq!((&checked["status"], &checked["statement"]), (&json!("certified"), &json!(statement)));
        let good = fs::read_to_string(here.path(&file)).unwrap();
        let lines: Vec<&str> = good.lines().collect();
        let last = lines.len() - 4;
        let swapped = {
            let mut lines = lines.clone();
            lines.swap(last, last - 1);
            lines.join("\n") + "\n"
        };
        let dropped = [&lines[..last - 1], &lines[last..]].concat().join("\n") + "\n";
        assert!(good.contains(digit), "{command}: {digit}");
        let edited = good.replacen(digit, &format!("{}7", &digit[..digit.len() - 1]), 1);
        for bad in [swapped, dropped, edited] {
            here.write("bad.json", bad.as_bytes());
            let ran = here.run("certify check bad.json");
            assert!(ran.status == 1 || ran.status == 2, "{command}: {}", ran.stdout);
            assert!(ran.stdout.contains("rejected") || ran.stderr.contains("is no certificate"), "{command}");
        }
        here.write("bad.json", &good.as_bytes()[..good.len() / 2]);
        assert_eq!(here.run("certify check bad.json").status, 2, "{command}");
        let ran = here.run(&format!("certify {command} --out {file}"));
        assert!(ran.status == 2 && ran.stderr.contains("exists and is not overwritten"), "{}", ran.stderr);
    }
    // What is refuted leaves no certificate.
    here.npy("off.npy", &[2, 2], &[0.9, 0.2, 0.1, 0.7]);
    let ran = here.run("certify points --teacher orthonormal:2 --points off.npy --out none.json");
    assert!(
        ran.status == 1 && ran.stdout.ends_with("no certificate written, as not everything is certified\n")
    );
    assert!(!here.path("none.json").exists());
}
