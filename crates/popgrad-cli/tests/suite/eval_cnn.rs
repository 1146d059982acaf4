//! `popgrad eval --problem cnn`.

use crate::scratch::{Scratch, numbers};
use popgrad::{Cnn, CnnForm, CnnStudent, symmetric_eigenvalues};
use serde_json::{Value, json};

const TEACHER: &str = "--problem cnn --patches 4 --patch-dimension 3 --ratio 0.5";
const LISTED: &str = "--problem cnn --teacher-filter 0.75,-0.5,1.25 --teacher-output 1,-0.5,0.25,0.5";

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

/// The library's numbers come through unchanged, for both forms, from typed numbers, files and words.
#[test]
fn numbers_of_the_library_come_through() {
    let here = Scratch::new("eval-cnn");
    let (v, a) = ([-0.5, 0.25, 0.125], [0.3, -0.2, 0.7, 0.1]);
    here.npy("v.npy", &[3], &v);
    here.npy("a.npy", &[4], &a);
    here.npy("w.npy", &[3], &[0.75, -0.5, 1.25]);
    for (plain, form) in [("", CnnForm::Normalised), (" --plain", CnnForm::Plain)] {
        let problem = Cnn::try_new(&[0.75, -0.5, 1.25], &[1.0, -0.5, 0.25, 0.5]).unwrap().with_form(form);
        let student = CnnStudent { filter: &v, output: &a };
        let files = "--problem cnn --teacher-filter w.npy --teacher-output 1,-0.5,0.25,0.5 --student v.npy --student-output a.npy";
        let typed = format!("{LISTED} --student -0.5,0.25,0.125 --student-output 0.3,-0.2,0.7,0.1");
        for line in [files, &typed] {
            let found = here.json(&format!("eval {line} --hessian{plain}"));
            assert_eq!(number(&found["loss"]), problem.loss(student).unwrap());
            let gradient = problem.gradient(student).unwrap();
            assert_eq!(numbers(&found["gradient"]), gradient.filter);
            assert_eq!(numbers(&found["output_gradient"]), gradient.output);
            let scalars = problem.scalars(student).unwrap();
            assert_eq!(number(&found["phi"]), scalars.angle.theta);
            assert_eq!(number(&found["pi_minus_phi"]), scalars.angle.psi);
            assert_eq!(number(&found["alpha"]), scalars.alpha);
            assert_eq!(number(&found["output_sum"]), scalars.output_sum);
            assert_eq!(number(&found["filter_norm"]), scalars.filter_norm);
            let eigenvalues = symmetric_eigenvalues(problem.hessian(student).unwrap().view()).unwrap();
            assert_eq!(numbers(&found["hessian_eigenvalues"]), eigenvalues);
            let teacher = &found["teacher"];
            assert_eq!(number(&teacher["ratio"]), problem.ratio());
            assert_eq!(number(&teacher["threshold"]), problem.threshold());
            assert_eq!((&teacher["patches"], &teacher["patch_dimension"]), (&json!(4), &json!(3)));
            assert_eq!(teacher["spurious_is_minimum"], json!(problem.spurious_is_minimum()));
            let points = found["critical_points"].as_array().unwrap();
            let names: Vec<&str> = points.iter().map(|p| p["point"].as_str().unwrap()).collect();
            assert_eq!(names, ["global", "spurious", "saddle"]);
            assert_eq!(number(&points[1]["loss"]), problem.spurious_point().loss);
            assert_eq!((&points[2]["index"], &points[2]["nullity"]), (&json!(1), &json!(2)));
            assert_eq!(found["options"]["problem"], json!("cnn"));
            assert_eq!(found["schema"], json!("popgrad.eval/1"));
        }
    }
}

#[test]
fn a_built_teacher_has_its_ratio_and_words_give_filters() {
    let here = Scratch::new("eval-cnn-built");
    let found = here.json(&format!("eval {TEACHER} --student normal:1,3,7"));
    assert_eq!(found["seed"], json!(7));
    assert!((number(&found["teacher"]["ratio"]) - 0.5).abs() < 1e-15);
    assert_eq!(number(&found["teacher"]["filter_norm"]), 1.0);
    assert_eq!(numbers(&found["output_gradient"]).len(), 4);
    // The second example of the help.
    here.json(
        "eval --problem cnn --patches 4 --patch-dimension 3 --ratio 1 --student normal:1,3,1 --hessian",
    );
    // Above the threshold there is no saddle, and the spurious point is no minimum.
    let found = here.json("eval --problem cnn --patches 4 --patch-dimension 3 --ratio 2 --student 1,0,0");
    assert_eq!(found["critical_points"].as_array().unwrap().len(), 2);
    assert_eq!(found["critical_points"][1]["local_minimum"], json!(false));
}

#[test]
fn text_says_what_json_says() {
    let here = Scratch::new("eval-cnn-text");
    let ran = here.run(&format!("eval {TEACHER} --student 0,1,0 --hessian --monte-carlo 1000"));
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
    for part in [
        "k = 4 patches, p = 3, normalised",
        "the spurious point is a local minimum",
        "phi   1.5707963267948966",
        "Hessian with respect to v and a: 7 eigenvalues",
        "  saddle",
        "Monte Carlo, 1000 samples: loss ",
    ] {
        assert!(ran.stdout.contains(part), "{part} in\n{}", ran.stdout);
    }
}

/// Many patches print their first weights, a file of one row is a vector, and no zero is negative.
#[test]
fn long_vectors_are_cut_and_rows_are_vectors() {
    let here = Scratch::new("eval-cnn-long");
    let ran = here.run("eval --problem cnn --patches 1000 --patch-dimension 3 --ratio 0 --student -1,2,0");
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
    assert!(ran.stdout.contains("and 976 more, which --json has"), "{}", ran.stdout);
    assert!(
        ran.stdout.lines().all(|line| line.len() < 100) && !ran.stdout.contains("-0.00000e0"),
        "{}",
        ran.stdout
    );
    let found = here.json("eval --problem cnn --patches 1000 --patch-dimension 3 --ratio 0 --student 1,2,0");
    assert_eq!(found["output_gradient"].as_array().unwrap().len(), 1000);
    let row = popgrad_lab::storage::Member::real("v", &[1, 3], &[0.0, 1.0, 0.5]);
    popgrad_lab::storage::write_npz(&here.path("v.npz"), &[row], popgrad_lab::storage::Overwrite::Refuse)
        .unwrap();
    let by_file = here.json(&format!("eval {TEACHER} --student v.npz:v"));
    let typed = here.json(&format!("eval {TEACHER} --student 0,1,0.5"));
    assert_eq!((&by_file["loss"], &by_file["gradient"]), (&typed["loss"], &typed["gradient"]));
}

/// Without normalisation a zero filter has a loss, and a gradient without direction.
#[test]
fn a_zero_filter_is_a_condition_of_the_plain_form_only() {
    let here = Scratch::new("eval-cnn-zero");
    let found = here.json(&format!("eval {TEACHER} --plain --student 0,0,0"));
    assert_eq!(found["conditions"], json!([{"condition": "zero_filter"}]));
    assert_eq!((&found["gradient"], &found["phi"]), (&Value::Null, &Value::Null));
    assert!(number(&found["loss"]) > 0.0);
    here.refuses(
        &format!("eval {TEACHER} --student 0,0,0"),
        "--student: the student's filter is the zero vector, which has no direction; the gradient of the normalised network is not defined there",
    );
}

#[test]
fn samples_agree_within_their_errors() {
    let here = Scratch::new("eval-cnn-samples");
    let found = here.json(&format!(
        "eval {LISTED} --student 1,0.5,-0.5 --student-output 0.3,-0.2,0.7,0.1 --monte-carlo 100000 --seed 3"
    ));
    let sampled = &found["monte_carlo"];
    let within = |exact: f64, mean: f64, error: f64| {
        assert!((exact - mean).abs() < 4.5 * error, "{exact} {mean} {error}");
    };
    within(number(&found["loss"]), number(&sampled["loss"]), number(&sampled["loss_standard_error"]));
    for (key, error) in
        [("gradient", "gradient_standard_error_bound"), ("output_gradient", "output_gradient_standard_error")]
    {
        let (exact, mean, error) = (numbers(&found[key]), numbers(&sampled[key]), numbers(&sampled[error]));
        for i in 0..exact.len() {
            within(exact[i], mean[i], error[i]);
        }
    }
    assert_eq!((&found["seed"], &sampled["samples"]), (&json!(3), &json!(100_000)));
}

#[test]
fn bad_problems_are_refused_in_a_sentence() {
    let here = Scratch::new("eval-cnn-bad");
    let cnn = |rest: &str| format!("eval --problem cnn {rest} --student 1,0,0");
    for (line, words) in [
        (
            cnn("--patches 0 --patch-dimension 3 --ratio 1"),
            "--patches: \"0\" is not a whole number at or above 1",
        ),
        (
            cnn("--patches 4 --patch-dimension 0 --ratio 1"),
            "--patch-dimension: \"0\" is not a whole number at or above 1",
        ),
        (
            cnn("--patches 4 --patch-dimension 3 --ratio 4.5"),
            "--ratio: a ratio (1.a*)^2/|a*|^2 of 4.5 cannot be built with 4 patches; it must be between 0 and k = 4",
        ),
        (
            cnn("--patches 4 --patch-dimension 3 --ratio -1"),
            "--ratio: \"-1\" is not a finite number at or above 0",
        ),
        (
            cnn("--patches 1 --patch-dimension 3 --ratio 0.5"),
            "--ratio: a ratio (1.a*)^2/|a*|^2 of 0.5 cannot be built with 1 patches",
        ),
        (cnn("--patch-dimension 3 --ratio 1"), "--patches: is missing; --problem cnn needs --patches"),
        (cnn("--patches 4 --ratio 1"), "--patch-dimension: is missing"),
        (cnn("--patches 4 --patch-dimension 3"), "--ratio: is missing"),
        (
            cnn("--teacher-filter 1,0,0"),
            "--teacher-output: is missing; --teacher-filter needs the weights a* beside it",
        ),
        (cnn("--teacher-output 1,0"), "--teacher-output: needs --teacher-filter beside it"),
        (
            cnn("--teacher-filter 1,0,0 --teacher-output 1,2 --patches 3"),
            "--patches: 3 contradicts --teacher-output, which has 2 entries",
        ),
        (
            cnn("--teacher-filter 1,0 --teacher-output 1,2"),
            "--student: 1,0,0 has 3 entries; the patches of the teacher have dimension 2",
        ),
        (
            cnn("--teacher-filter 0,0,0 --teacher-output 1,2"),
            "--teacher-filter, --teacher-output: the teacher's filter is the zero vector",
        ),
        (
            cnn("--teacher-filter 1,0,0 --teacher-output 0,0"),
            "--teacher-filter, --teacher-output: the teacher's output is the zero vector",
        ),
        (
            cnn("--teacher-filter 1,nan,0 --teacher-output 1,1"),
            "--teacher-filter: 1,nan,0 has the entry [1] = NaN; every entry must be finite",
        ),
        (
            cnn("--teacher-filter normal:2,3,1 --teacher-output 1,1"),
            "--teacher-filter: normal:2,3,1 has 2 rows; one is needed",
        ),
        (cnn("--teacher orthonormal:3"), "--teacher: does not go with --problem cnn"),
        (format!("eval {TEACHER} --student 1,0,0 --leaky 0.1"), "--leaky: does not go with --problem cnn"),
        (format!("eval {TEACHER} --student 1,0,0 --law sphere:1"), "--law: does not go with --problem cnn"),
        (
            format!("eval {TEACHER} --student 1,0,0 --normal-equation"),
            "--normal-equation: does not go with --problem cnn",
        ),
        (
            format!("eval {TEACHER} --student 1,0,0 --student-output 1,2"),
            "--student-output: 1,2 has 2 entries; one output weight a patch is needed, 4 in all",
        ),
        (
            format!("eval {TEACHER} --student 1,0,0 --monte-carlo 1"),
            "--monte-carlo: 1 sample has no standard error",
        ),
        (
            "eval --problem cmn --student 1,0,0".to_owned(),
            "--problem: \"cmn\" is not a problem; two-layer or cnn is needed; did you mean cnn?",
        ),
        (
            "eval --teacher orthonormal:3 --student normal:3,3,1 --plain".to_owned(),
            "--plain: belongs to --problem cnn, which is not given",
        ),
        (
            "eval --student normal:3,3,1".to_owned(),
            "--teacher <V> is missing; popgrad VERB --help describes it",
        ),
    ] {
        let ran = here.run(&line);
        assert!(ran.stderr.starts_with(&format!("error: {words}")), "{line}: {}", ran.stderr);
        assert_eq!((ran.status, ran.stdout.as_str(), ran.stderr.lines().count()), (2, "", 1), "{line}");
    }
}
