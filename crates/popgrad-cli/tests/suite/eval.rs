//! `popgrad eval`.

use crate::scratch::{Scratch, numbers};
use popgrad_lab::storage::read_npz;
use serde_json::{Value, json};

/// Fixtures of the maths crate: networks in 25 digits.
fn fixture(name: &str) -> Value {
    let path = format!("{}/../popgrad/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// A number, or a number written as text.
fn decimal(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| value.as_str().unwrap().parse().unwrap())
}

fn decimals(value: &Value) -> Vec<f64> {
    value.as_array().map_or_else(|| vec![decimal(value)], |list| list.iter().flat_map(decimals).collect())
}

/// Writes W, V (and a, b) of a case and returns the options that name them.
fn files_of(here: &Scratch, case: &Value) -> String {
    let size = |key: &str| usize::try_from(case[key].as_u64().unwrap()).unwrap();
    let (k, m, d) = (size("K"), size("M"), size("d"));
    here.npy("W.npy", &[k, d], &decimals(&case["W"]));
    here.npy("V.npy", &[m, d], &decimals(&case["V"]));
    here.npy("a.npy", &[k], &decimals(&case["a"]));
    here.npy("b.npy", &[m], &decimals(&case["b"]));
    "--teacher V.npy --student W.npy --teacher-output b.npy --student-output a.npy".to_owned()
}

/// Largest difference between two lists, over the largest magnitude of the second.
fn difference(got: &[f64], want: &[f64]) -> f64 {
    assert_eq!(got.len(), want.len());
    let scale = want.iter().fold(0.0_f64, |m, x| m.max(x.abs())).max(f64::MIN_POSITIVE);
    got.iter().zip(want).map(|(g, w)| (g - w).abs()).fold(0.0, f64::max) / scale
}

/// The command line hands the numbers of the library through unchanged; their accuracy is tested there. The bound here
/// would notice a wrong column, order, sign or weight, at twelve digits of the largest entry.
const THROUGH: f64 = 1e-12;

#[test]
fn golden_networks_come_through() {
    let here = Scratch::new("eval-golden");
    let golden = fixture("network.json");
    for (i, case) in golden["cases"].as_array().unwrap().iter().enumerate() {
        // Near the teacher the loss and gradient are tiny beside the terms they are made of; at nearly opposite
        // students the terms are the scale. Those cases are the library's; here the generic ones are compared.
        let label = case["label"].as_str().unwrap();
        let options = files_of(&here, case);
        let found = here.json(&format!("eval {options} --hessian --blocks all --save h{i}.npz"));
        let generic = label == "random" || label.starts_with("orthonormal") || label.starts_with("near");
        if generic {
            assert!(difference(&decimals(&found["loss"]), &decimals(&case["loss"])) < THROUGH, "{label}");
            assert!(
                difference(&decimals(&found["gradient"]), &decimals(&case["grad_W"])) < THROUGH,
                "{label}"
            );
            let output = difference(&decimals(&found["output_gradient"]), &decimals(&case["grad_a"]));
            assert!(output < THROUGH, "{label}: {output:e}");
        }
        let hessian = read_npz(&here.path(&format!("h{i}.npz")), "all").unwrap();
        assert!(difference(hessian.as_slice(), &decimals(&case["hessian"])) < THROUGH, "{label}");
        let eigenvalues = numbers(&found["hessian_eigenvalues"]);
        assert_eq!(eigenvalues.len(), decimals(&case["W"]).len(), "with respect to W");
        assert!(eigenvalues.is_sorted(), "{label}");
        // The trace is the sum of the eigenvalues.
        let n = hessian.shape()[0];
        let trace: f64 = (0..eigenvalues.len()).map(|j| hessian.as_slice()[j * n + j]).sum();
        let scale = eigenvalues.iter().fold(1.0_f64, |m, x| m.max(x.abs()));
        assert!((eigenvalues.iter().sum::<f64>() - trace).abs() < 1e-12 * scale, "{label}");
    }
}

#[test]
fn leaky_slopes_and_skips_come_through() {
    let here = Scratch::new("eval-leaky");
    for case in fixture("leaky_skip.json")["cases"].as_array().unwrap() {
        let options = files_of(&here, case);
        let found = here.json(&format!("eval {options} --leaky {}", decimal(&case["alpha"])));
        assert!(difference(&decimals(&found["loss"]), &decimals(&case["leaky_loss"])) < THROUGH);
        assert!(difference(&decimals(&found["gradient"]), &decimals(&case["leaky_grad_W"])) < THROUGH);
        let (c, c_star) = (decimals(&case["skip_c"]), decimals(&case["skip_c_star"]));
        here.npy("c.npy", &[c.len()], &c);
        here.npy("cs.npy", &[c.len()], &c_star);
        let found = here.json(&format!("eval {options} --skip c.npy,cs.npy"));
        assert!(difference(&decimals(&found["loss"]), &decimals(&case["relu_skip_loss"])) < THROUGH);
        assert!(difference(&decimals(&found["gradient"]), &decimals(&case["relu_skip_grad_W"])) < THROUGH);
        assert!(
            difference(&decimals(&found["skip_gradient"]), &decimals(&case["relu_skip_grad_c"])) < THROUGH
        );
    }
}

/// At the teacher everything is exactly zero, so the whole text is known.
#[test]
fn text_at_the_teacher_is_known_in_full() {
    let here = Scratch::new("eval-text");
    let ran = here.run("eval --teacher orthonormal:1,2 --student orthonormal:1,2 --hessian");
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(
        lines[..3],
        [
            "K = 1, M = 1, d = 2",
            "loss  0",
            "gradient with respect to each student, and the bound on its error",
        ]
    );
    assert!(lines[3].starts_with("     0     0.00000e0     0.00000e0   +- "), "{}", lines[3]);
    assert_eq!(
        lines[4..],
        [
            "gradient with respect to the output weights",
            "           0.00000e0",
            "Hessian with respect to W: 2 eigenvalues, 0 below zero",
            "          5.00000e-1    5.00000e-1",
        ]
    );
}

#[test]
fn json_starts_with_schema_version_seed_and_options() {
    let here = Scratch::new("eval-json");
    let found = here.json("eval --teacher orthonormal:2 --student normal:3,2,9 --law sphere:2");
    let keys: Vec<&str> = found.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "schema",
            "popgrad",
            "numerics",
            "seed",
            "options",
            "loss",
            "gradient",
            "output_gradient",
            "gradient_error",
            "conditions"
        ]
    );
    assert_eq!(found["schema"], "popgrad.eval/1");
    assert_eq!(found["popgrad"], env!("CARGO_PKG_VERSION"));
    assert_eq!(found["seed"], json!(9));
    assert_eq!(found["options"]["law"], "sphere:2");
    // kappa = R^2/d = 2 for the sphere of radius 2 in the plane.
    let plain = here.json("eval --teacher orthonormal:2 --student normal:3,2,9");
    assert_eq!(decimal(&found["loss"]), 2.0 * decimal(&plain["loss"]));
}

#[test]
fn array_files_of_every_order_and_width_mean_the_same() {
    let here = Scratch::new("eval-orders");
    let folder = format!("{}/../popgrad-lab/tests/fixtures", env!("CARGO_MANIFEST_DIR"));
    let of = |student: &str| {
        let mut found =
            here.json(&format!("eval --teacher orthonormal:2,3 --student {folder}/{student} --hessian"));
        found["options"]["student"] = Value::Null;
        found
    };
    let want = of("c_order.npy");
    for student in ["fortran_order.npy", "float32.npy", "big_endian.npy", "archive.npz:f", "compressed.npz:w"]
    {
        assert_eq!(of(student), want, "{student}");
    }
}

#[test]
fn a_zero_student_is_a_condition() {
    let here = Scratch::new("eval-zero");
    here.npy("w.npy", &[2, 2], &[0.0, 0.0, 0.5, 1.0]);
    let found = here.json("eval --teacher orthonormal:2 --student w.npy");
    assert_eq!(found["gradient"][0], json!([null, null]));
    assert_eq!(found["gradient_error"][0], Value::Null);
    assert_eq!(found["conditions"], json!([{"neuron": 0, "condition": "zero_student"}]));
    assert!(found["gradient"][1][0].is_f64() && found["loss"].is_f64());
    here.refuses(
        "eval --teacher orthonormal:2 --student w.npy --hessian",
        "--hessian: student 0 is exactly zero; the loss has no Hessian there (its gradient has no direction)",
    );
}

/// Seed and number of samples are fixed; five standard errors are a false alarm in two million.
#[test]
fn monte_carlo_and_data_lie_around_the_exact_values() {
    let here = Scratch::new("eval-sampled");
    let line = "eval --teacher orthonormal:3 --student normal:2,3,4 --monte-carlo 200000 --seed 7";
    let found = here.json(line);
    assert_eq!(found["seed"], json!(7));
    let sampled = &found["monte_carlo"];
    let close = |exact: &Value, mean: &Value, error: &Value| {
        let triples = decimals(exact).into_iter().zip(decimals(mean)).zip(decimals(error));
        triples.map(|((e, m), s)| (e - m).abs() / s).fold(0.0, f64::max)
    };
    assert!(close(&found["loss"], &sampled["loss"], &sampled["loss_standard_error"]) < 5.0);
    assert!(close(&found["gradient"], &sampled["gradient"], &sampled["gradient_standard_error"]) < 5.0);
    // The four points of a cross: w.x and v.x are entries, so loss and gradient are sums by hand.
    here.npy("x.npy", &[2, 2], &[1.0, 0.0, -1.0, 0.0]);
    here.npy("w.npy", &[1, 2], &[3.0, 0.0]);
    here.npy("v.npy", &[1, 2], &[1.0, 0.0]);
    let found = here.json("eval --teacher v.npy --student w.npy --data x.npy");
    assert_eq!(found["data"]["loss"], json!(1.0), "(3 - 1)^2 / 2 on one of two samples");
    assert_eq!(found["data"]["gradient"], json!([[1.0, 0.0]]));
    let text = here.run(line).stdout;
    assert!(text.contains("Monte Carlo, 200000 samples: loss "), "{text}");
}

#[test]
fn bad_files_are_refused() {
    let here = Scratch::new("eval-files");
    let line = |student: &str| format!("eval --teacher orthonormal:2 --student {student}");
    here.refuses(&line("none.npy"), "--student: none.npy does not exist");
    here.npy("flat.npy", &[4], &[1.0; 4]);
    here.refuses(
        &line("flat.npy"),
        "--student: flat.npy has shape (4,); (K, d), one neuron a row, is needed",
    );
    here.npy("wide.npy", &[2, 3], &[1.0; 6]);
    here.refuses(
        &line("wide.npy"),
        "--student: wide.npy has input dimension 3 but --teacher orthonormal:2 has 2; they must be equal",
    );
    here.npy("nan.npy", &[2, 2], &[1.0, 2.0, f64::NAN, 4.0]);
    here.refuses(
        &line("nan.npy"),
        "--student: nan.npy has the entry [1, 0] = NaN; every entry must be finite",
    );
    here.npy("inf.npy", &[1, 2], &[1.0, f64::NEG_INFINITY]);
    here.refuses(
        &line("inf.npy"),
        "--student: inf.npy has the entry [0, 1] = -inf; every entry must be finite",
    );
    here.raw_npy("complex.npy", "<c16", "(1, 2)", &[0; 32]);
    here.refuses(
        &line("complex.npy"),
        "--student: complex.npy holds complex numbers (dtype <c16); float64 or float32 is needed",
    );
    here.raw_npy("integer.npy", "<i8", "(1, 2)", &[0; 16]);
    here.refuses(
        &line("integer.npy"),
        "--student: integer.npy holds integers (dtype <i8); float64 or float32 is needed",
    );
    here.raw_npy("short.npy", "<f8", "(2, 2)", &[0; 31]);
    here.refuses(
        &line("short.npy"),
        "--student: short.npy is truncated: shape (2, 2) needs 32 bytes of data, the file has 31",
    );
    here.raw_npy("empty.npy", "<f8", "(0, 2)", &[]);
    here.refuses(
        &line("empty.npy"),
        "--student: empty.npy is empty (shape (0, 2)); at least one entry is needed",
    );
    here.write("text.npy", b"1 2 3");
    here.refuses(
        &line("text.npy"),
        "--student: text.npy is not a .npy array (it does not start with the NumPy mark); write it with numpy.save",
    );
    here.refuses(
        &line("w.txt"),
        "--student: \"w.txt\" is neither FILE.npy, FILE.npz:NAME nor a word (orthonormal:K, orthonormal:K,d or \
         normal:K,d,SEED)",
    );
}

#[test]
fn bad_options_are_refused() {
    let here = Scratch::new("eval-options");
    let eval = "eval --teacher orthonormal:2 --student normal:2,2,1";
    here.refuses(
        "eval --teacher ortonormal:2 --student normal:2,2,1",
        "--teacher: \"ortonormal:2\" is neither FILE.npy, FILE.npz:NAME nor a word (orthonormal:K, orthonormal:K,d or \
         normal:K,d,SEED); did you mean orthonormal:2?",
    );
    here.refuses(
        "eval --teacher orthonormal:2 --student normal:2,2",
        "--student: \"normal:2,2\" is not a whole word; normal:K,d,SEED is needed, with whole numbers K >= 1, d >= 1 and \
         SEED >= 0",
    );
    here.refuses(
        &format!("{eval} --law spere:2"),
        "--law: \"spere:2\" is not a law (gaussian, sphere:R, ball:R, t:NU, kappa:X); did you mean sphere?",
    );
    here.refuses(
        &format!("{eval} --law t:2"),
        "--law: \"t:2\" is out of range: the Student t law has nu = 2; its second moment is finite only for nu > 2",
    );
    here.refuses(&format!("{eval} --leaky inf"), "--leaky: \"inf\" is not a finite number");
    here.refuses(
        &format!("{eval} --student-output 1,2,3"),
        "--student-output: 1,2,3 has 3 output weights for 2 neurons; one a neuron is needed",
    );
    here.refuses(
        &format!("{eval} --teacher-output 1,x"),
        "--teacher-output: 1,x is not an array file; FILE.npy or FILE.npz:NAME is needed",
    );
    here.refuses(
        &format!("{eval} --monte-carlo 10 --law kappa:2"),
        "--monte-carlo: needs a law to draw from, which --law kappa:X does not name",
    );
    here.npy("c.npy", &[3], &[0.0; 3]);
    here.refuses(
        &format!("{eval} --skip c.npy,c.npy"),
        "--skip: c.npy has 3 coefficients; the input dimension is 2",
    );
    here.npy("s.npy", &[2, 2], &[1.0, 2.0, 2.0, 1.0]);
    let ran = here.run(&format!("{eval} --covariance s.npy"));
    assert!(
        ran.status == 2 && ran.stderr.starts_with("error: --covariance: s.npy: the covariance "),
        "{ran:?}"
    );
    here.npy("x.npy", &[5, 3], &[0.5; 15]);
    here.refuses(
        &format!("{eval} --data x.npy"),
        "--data: x.npy has samples of length 3; the input dimension is 2",
    );
}

#[test]
fn a_hessian_beyond_the_memory_limit_is_refused_with_its_size() {
    let here = Scratch::new("eval-memory");
    here.refuses(
        "eval --teacher orthonormal:1000 --student orthonormal:1000 --hessian",
        "--hessian: the Hessian needs 8000000000000 bytes, above the memory limit of 4294967296; raise the limit or ask \
         for less",
    );
    here.refuses(
        "eval --teacher orthonormal:10 --student orthonormal:10 --hessian --memory-limit 50KiB",
        "--hessian: the Hessian needs 80000 bytes, above the memory limit of 51200; raise the limit or ask for less",
    );
    assert_eq!(here.run("eval --teacher orthonormal:10 --student orthonormal:10 --hessian").status, 0);
}

#[test]
fn a_file_is_replaced_only_when_asked() {
    let here = Scratch::new("eval-force");
    let line = "eval --teacher orthonormal:2 --student normal:2,2,1 --save h.npz";
    here.write("h.npz", b"kept");
    here.refuses(
        line,
        "--save: h.npz exists and is not overwritten; give another name, or allow replacing it (--force)",
    );
    assert_eq!(here.run(&format!("{line} --force")).status, 0);
    assert_eq!(read_npz(&here.path("h.npz"), "w").unwrap().shape(), [4, 4]);
    here.refuses(
        "eval --teacher orthonormal:2 --student normal:2,2,1 --save h.npy",
        "--save: h.npy does not end in .npz; an archive is written",
    );
}

/// The normal equation in 25 digits: every table under its key, and Theorem 3's verdict.
#[test]
fn the_normal_equation_comes_through() {
    let here = Scratch::new("eval-normal");
    let golden = fixture("normal_equation.json");
    for case in golden["cases"].as_array().unwrap() {
        let size = |key: &str| usize::try_from(case[key].as_u64().unwrap()).unwrap();
        let (k, m, d) = (size("K"), size("M"), size("d"));
        here.npy("W.npy", &[k, d], &decimals(&case["W"]));
        here.npy("V.npy", &[m, d], &decimals(&case["W_star"]));
        let found = here.json("eval --teacher V.npy --student W.npy --normal-equation");
        let keys = [
            ("Y", "Y"),
            ("B*", "B_star"),
            ("M", "m"),
            ("M*", "m_star"),
            ("M_r", "M_r"),
            ("M_r*", "M_r_star"),
            ("L", "L"),
        ];
        for (key, golden) in keys {
            assert!(difference(&decimals(&found[key]), &decimals(&case[golden])) < THROUGH, "{key}");
        }
        let lengths = decimals(&case["wbar_from_diagonal"]);
        assert!(difference(&decimals(&found["radial"]["lengths"]), &lengths) < 1e-11);
        assert_eq!((&found["full_rank"], &found["spanning"]), (&json!(true), &json!(true)));
        assert_eq!(found["in_plane"], json!(d <= m));
    }
}

#[test]
fn theorem_3_says_which_pair_excludes() {
    let here = Scratch::new("eval-theorem3");
    // Both students inside the teachers' cone.
    here.npy("W.npy", &[2, 2], &[1.0, 0.2, 0.3, 1.0]);
    let line = "eval --teacher orthonormal:2 --student W.npy --normal-equation";
    let found = here.json(line);
    assert_eq!(found["theorem3"]["excluded"], json!(true));
    assert_eq!(found["theorem3"]["pair"].as_array().unwrap().len(), 2);
    assert!(found["theorem3"]["margin"].as_f64().unwrap() > 0.0);
    let text = here.run(line).stdout;
    assert!(text.contains("Theorem 3: cannot be critical, whatever the lengths: pair ("), "{text}");
    let found = here.json("eval --teacher orthonormal:2 --student orthonormal:2 --normal-equation");
    assert_eq!(found["theorem3"]["excluded"], json!(false));
    assert_eq!(found["radial"]["signs"], json!([1, 1]));
    // Coincident students: no radial solution, and Theorem 3 is silent.
    here.npy("T.npy", &[2, 2], &[1.0, 1.0, 1.0, 1.0]);
    let found = here.json("eval --teacher orthonormal:2 --student T.npy --normal-equation");
    assert_eq!(
        (&found["radial"], &found["L"], &found["full_rank"]),
        (&Value::Null, &Value::Null, &json!(false))
    );
    assert_eq!(found["theorem3"], json!({"excluded": false, "pair": null, "margin": null}));
    here.refuses(
        "eval --teacher orthonormal:2 --student T.npy --leaky 0.5 --normal-equation",
        "--normal-equation: the problem has a leaky slope; the normal equation is that of ReLU units without skip under white input",
    );
}
