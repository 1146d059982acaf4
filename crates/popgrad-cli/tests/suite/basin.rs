//! `popgrad basin`.

use crate::scratch::Scratch;
use serde_json::json;

#[test]
fn text_is_what_the_theorem_and_the_sampling_say() {
    let here = Scratch::new("basin-text");
    let ran = here.run("basin --d 3 --radius 2 --samples 0");
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
    assert_eq!(
        ran.stdout,
        "d = 3, start uniform in the ball of radius 2, |v| = 1\n\
         exact probability of |w - v| < |v|   0.125\n\
         bound of Theorem 6                   none: it speaks of a ball with eps < 1\n"
    );
}

/// The radius that belongs to eps = 0.5 at d = 100, where the probability is 0.269838 (docs/theory).
#[test]
fn json_holds_probability_bound_and_interval() {
    let here = Scratch::new("basin-json");
    let found = here.json("basin --d 100 --radius 0.1247094177 --seed 3");
    let keys: Vec<&String> = found.as_object().unwrap().keys().collect();
    assert_eq!(keys[..5], ["schema", "popgrad", "numerics", "seed", "options"]);
    assert_eq!((&found["schema"], &found["seed"]), (&json!("popgrad.basin/1"), &json!(3)));
    assert!((found["probability"].as_f64().unwrap() - 0.269838).abs() < 1e-6, "{found}");
    assert!((found["bound"].as_f64().unwrap() - 0.25).abs() < 1e-7, "{found}");
    let sampled = &found["monte_carlo"];
    assert!(sampled["low"].as_f64() < found["probability"].as_f64());
    assert!(sampled["high"].as_f64() > found["probability"].as_f64());
    assert_eq!(sampled["samples"], json!(100_000));
}

#[test]
fn normal_starts_have_a_probability_and_no_bound() {
    let here = Scratch::new("basin-sd");
    let found = here.json("basin --d 100 --sd 0.05 --samples 0");
    assert!((found["probability"].as_f64().unwrap() - 6.7e-3).abs() < 5e-5, "{found}");
    assert_eq!((&found["bound"], &found["monte_carlo"]), (&json!(null), &json!(null)));
}

#[test]
fn bad_input_is_refused() {
    let here = Scratch::new("basin-bad");
    here.refuses("basin --d 0 --radius 1", "--d: \"0\" is not a whole number at or above 1");
    here.refuses("basin --d -3 --radius 1", "--d: \"-3\" is not a whole number at or above 1");
    here.refuses("basin --d 3 --radius -1", "--radius: \"-1\" is not a positive finite number");
    here.refuses("basin --d 3 --radius nan", "--radius: \"nan\" is not a positive finite number");
    here.refuses("basin --d 3", "--radius: is missing; --radius R or --sd S is needed");
    here.refuses("basin --d 3 --radius 1 --sd 1", "--radius: cannot be used with --sd; give one of them");
    here.refuses(
        "basin --d 3 --radius 1 --seed -1",
        "--seed: \"-1\" is not a whole number from 0 to 18446744073709551615",
    );
}
