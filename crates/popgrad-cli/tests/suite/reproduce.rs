//! `popgrad reproduce`: its frame; the catalogue has tests of its own.

use crate::scratch::Scratch;

#[test]
fn unknown_papers_and_claims_are_refused() {
    let here = Scratch::new("reproduce-bad");
    here.refuses(
        "reproduce tian2018",
        "[PAPER]...: \"tian2018\" is not a paper with a catalogue (tian2017); did you mean tian2017?",
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
