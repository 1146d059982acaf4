//! Mistakes on the command line itself, help, version, pipes.

use crate::scratch::Scratch;
use std::process::Stdio;

const VERBS: [&str; 6] = ["eval", "flow", "portrait", "basin", "certify", "reproduce"];

#[test]
fn unknown_words_get_the_nearest_one() {
    let here = Scratch::new("usage-words");
    here.refuses("evl", "evl is not a verb; did you mean eval?");
    here.refuses("qqqq", "qqqq is not a verb; popgrad --help lists them");
    here.refuses("", "a verb is needed; popgrad --help lists them");
    here.refuses("flow --techer orthonormal:3", "--techer is not an option here; did you mean --teacher?");
    here.refuses(
        "basin --d 3 --radius 1 --zzz",
        "--zzz is not an option here; popgrad VERB --help lists them",
    );
    here.refuses("flow --start normal:1,2,3", "--teacher <V> is missing; popgrad VERB --help describes it");
    here.refuses(
        "flow --teacher orthonormal:3 --start normal:3,3,1 --zero-student stopp",
        "--zero-student: \"stopp\" is none of stop, freeze; did you mean stop?",
    );
    here.refuses("basin --d 3 --d 4 --radius 1", "--d is given twice; give it once");
    here.refuses("basin --radius 1 --d", "--d needs a value");
}

#[test]
fn help_and_version_go_to_stdout() {
    let here = Scratch::new("usage-help");
    let ran = here.run("--version");
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
    assert_eq!(ran.stdout, format!("popgrad {}\n", env!("CARGO_PKG_VERSION")));
    let ran = here.run("--help");
    assert_eq!(ran.status, 0);
    for verb in VERBS {
        assert!(ran.stdout.contains(&format!("  {verb} ")), "{verb} in\n{}", ran.stdout);
        let short = here.run(&format!("{verb} -h"));
        assert_eq!((short.status, short.stderr.as_str()), (0, ""), "{verb}");
        assert!(short.stdout.lines().all(|line| line.chars().count() <= 79), "{verb}");
        let long = here.run(&format!("{verb} --help"));
        assert!(long.stdout.contains("Example:\n") || long.stdout.contains("Examples:\n"), "{verb}");
    }
}

/// The examples in the long help of every verb run.
#[test]
fn examples_in_the_help_run() {
    let here = Scratch::new("usage-examples");
    // reproduce takes a minute; its example is the README's command and is run there.
    for verb in VERBS.into_iter().filter(|verb| *verb != "reproduce") {
        let long = here.run(&format!("{verb} --help")).stdout;
        let after = long.lines().skip_while(|line| !matches!(*line, "Example:" | "Examples:")).skip(1);
        // A long example is wrapped; some end their lines with a backslash, to be pasted as they stand.
        let unwrapped = |line: &'_ str| line.trim_end_matches('\\').trim().to_owned();
        let text = after.take_while(|line| !line.is_empty()).map(unwrapped).collect::<Vec<_>>().join(" ");
        let examples: Vec<&str> = text.split("popgrad ").skip(1).collect();
        assert!(!examples.is_empty(), "{verb}");
        for line in examples {
            let ran = here.run(line.trim());
            assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{line}");
        }
    }
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let here = Scratch::new("usage-pipe");
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_popgrad"))
        .args(["basin", "--d", "10", "--radius", "0.5", "--samples", "200000", "--json"])
        .current_dir(here.path(""))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}
