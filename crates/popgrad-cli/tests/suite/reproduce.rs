//! `popgrad reproduce`: its frame; the catalogue has tests of its own.

use crate::scratch::Scratch;
use serde_json::{Value, json};

fn claims(here: &Scratch) -> Value {
    serde_json::from_slice(&std::fs::read(here.path("report/claims.json")).unwrap()).unwrap()
}

#[test]
fn one_claim_is_measured_and_reported() {
    let here = Scratch::new("reproduce-one");
    let ran = here.run("reproduce --claim eq6-gradient --out report");
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(
        lines[1..],
        ["1 claims of tian2017: every verdict is the expected one", "report: report/index.html"]
    );
    assert_eq!(
        lines[0].split_whitespace().collect::<Vec<_>>(),
        ["ok", "eq6-gradient", "holds", "expected", "holds"]
    );
    assert!(ran.stderr.starts_with("[1/1] eq6-gradient: as expected in "), "{}", ran.stderr);
    assert_eq!(claims(&here)["claims"].as_array().unwrap().len(), 1);
    let page = std::fs::read_to_string(here.path("report/index.html")).unwrap();
    assert!(page.contains("eq6-gradient"));
    let json = here.run("reproduce --claim eq6-gradient --out report --json").stdout;
    let document: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(document["schema"], "popgrad.reproduce/1");
    assert_eq!(document["claims"][0]["verdict"], "holds");
}

/// A defect of one in a thousand in the mathematics turns the verdict, and with it the exit status.
#[test]
fn a_verdict_that_is_not_expected_fails_the_command() {
    let here = Scratch::new("reproduce-defect");
    let ran = here.run("reproduce --claim eq6-gradient --out report --defect 1e-3");
    assert_eq!(ran.status, 1, "{}", ran.stderr);
    assert!(ran.stdout.starts_with("BAD eq6-gradient"), "{}", ran.stdout);
    assert_eq!(claims(&here)["claims"][0]["verdict"], json!("not_reproduced"));
}

#[cfg(unix)]
#[test]
fn ctrl_c_leaves_a_readable_partial_report() {
    use std::process::{Command, Stdio};
    let here = Scratch::new("reproduce-signal");
    let child = Command::new(env!("CARGO_BIN_EXE_popgrad"))
        .args(["reproduce", "--full", "--threads", "1", "--out", "report"])
        .current_dir(here.path(""))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The page is there from the first moment; the handlers are in place before it.
    while !here.path("report/index.html").exists() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    assert!(stderr.contains("the partial report is report/index.html"), "{stderr}");
    assert_eq!(claims(&here)["completeness"], json!("interrupted"));
    assert!(!claims(&here)["pending"].as_array().unwrap().is_empty());
}

#[cfg(unix)]
#[test]
fn kept_ensembles_are_gone_on_with_and_not_computed_twice() {
    use std::process::{Command, Stdio};
    let here = Scratch::new("reproduce-keep");
    let line = "reproduce safran2018 --claim basins-blocks --keep report/kept --out report";
    let mut child = Command::new(env!("CARGO_BIN_EXE_popgrad"))
        .args(line.split_whitespace())
        .current_dir(here.path(""))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Ten students follow six and eight, so that something is complete by then.
    while !here.path("report/kept/quick/basins-blocks-10/manifest.json").exists() {
        assert_eq!(child.try_wait().unwrap(), None, "it ended before");
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    assert!(stderr.contains("goes on with the ensembles in report/kept"), "{stderr}");
    assert_eq!(here.run(line).status, 0);
    let measured = claims(&here)["claims"].clone();
    assert_eq!(here.run(line).status, 0);
    assert_eq!(claims(&here)["claims"], measured);
    for k in [6, 8, 10, 12, 15] {
        let log =
            std::fs::read_to_string(here.path(&format!("report/kept/quick/basins-blocks-{k}/log.jsonl")))
                .unwrap();
        assert_eq!(log.matches("\"event\":\"finished\"").count(), 1, "{k}: {log}");
    }
    here.write("file", b"");
    let ran = here.run("reproduce safran2018 --claim basins-blocks --keep file --out report");
    assert_eq!(ran.status, 2);
    assert!(ran.stderr.starts_with("error: --keep: file cannot be made: "), "{}", ran.stderr);
    // A folder of another spec is refused and left alone.
    let manifest = "report/kept/quick/basins-blocks-8/manifest.json";
    let other =
        std::fs::read_to_string(here.path(manifest)).unwrap().replace("\"runs\": 500", "\"runs\": 400");
    here.write(manifest, other.as_bytes());
    let ran = here.run(line);
    assert_eq!(ran.status, 2);
    assert!(ran.stderr.contains("error: --keep: ") && ran.stderr.contains("runs was 400"), "{}", ran.stderr);
}

#[test]
fn unknown_papers_and_claims_are_refused() {
    let here = Scratch::new("reproduce-bad");
    here.refuses(
        "reproduce tian2018",
        "[PAPER]...: \"tian2018\" is not a paper with a catalogue (tian2017, safran2018, du2018); did you mean tian2017?",
    );
    let ran = here.run("reproduce --claim theorem-one --out report");
    assert_eq!(ran.status, 2);
    assert!(ran.stderr.starts_with("error: --claim: there is no claim"), "{}", ran.stderr);
    here.write("kept.txt", b"mine");
    let ran = here.run("reproduce --out .");
    assert_eq!(ran.status, 2);
    assert!(ran.stderr.contains("choose another directory"), "{}", ran.stderr);
    assert_eq!(here.files(), ["kept.txt"]);
}
