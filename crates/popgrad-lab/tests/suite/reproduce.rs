//! The catalogue and its report: verdicts, files, threads, an early end, and that it can fail.

use popgrad_lab::reproduce::{
    CATALOGUE, CONVOLUTIONAL, Completeness, Group, MINIMA, Plan, Progress, Report, Verdict, run,
};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

/// Claims that take a fraction of a second each, from every group.
const FAST: [&str; 30] = [
    "theorem1-gaussian",
    "fig2-terms",
    "fig7a-angle",
    "linear-case",
    "dependent-samples",
    "eq6-gradient",
    "eq8-gradient",
    "gradient-at-zero",
    "eq7-a-at-zero",
    "theorem2-manifold",
    "eq9-normal-equation",
    "proposition1",
    "theorem4-open-case",
    "section53-bisector",
    "fig10-signs",
    "theorem5-lyapunov",
    "theorem6-bound",
    "theorem6-large-radius",
    "theorem6-standard-deviation",
    "eq16-loss",
    "eq17-symmetry",
    "theorem7-saddle",
    "fig6-symmetry-breaking",
    "fig8-field",
    "fig8-trajectories",
    "fig8-larger-k",
    "theorem7-other-side",
    "proposition2-gradient",
    "proposition2-two-layers",
    "proposition2-forms",
];

/// An empty place for one test's report.
fn place(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("reproduce-{name}"));
    let _ = fs::remove_dir_all(&path);
    path
}

fn plan(name: &str, claims: &[&str]) -> Plan {
    let mut plan = Plan::new(place(name));
    plan.claims = claims.iter().map(|s| (*s).to_owned()).collect();
    plan
}

fn quietly(plan: &Plan) -> Report {
    run(plan, &mut |_| ()).expect("the report can be written")
}

fn failures(report: &Report) -> String {
    let mut lines = Vec::new();
    for claim in report.claims.iter().filter(|c| !c.agrees()) {
        lines.push(format!("{}: {:?}, expected {:?}", claim.id, claim.verdict, claim.expected));
        let outside = claim.findings.measured.iter().filter(|m| !m.satisfied);
        lines.extend(outside.map(|m| format!("  {} = {:e}, bound {:?}", m.quantity, m.value, m.bound)));
        lines.extend(claim.findings.remarks.iter().map(|r| format!("  {r}")));
    }
    lines.join("\n")
}

#[test]
fn the_quick_catalogue_reaches_every_expected_verdict() {
    let plan = plan("all", &[]);
    let mut seconds = Vec::new();
    let report = run(&plan, &mut |step| {
        if let Progress::Finished { id, seconds: s, .. } = step {
            seconds.push((s, id));
        }
    })
    .expect("the report can be written");
    seconds.sort_by(|a, b| b.0.total_cmp(&a.0));
    println!("longest: {:.1?}", &seconds[..6.min(seconds.len())]);
    assert!(report.agrees(), "{}", failures(&report));
    assert_eq!(report.claims.len(), CATALOGUE.len());
    let page = fs::read_to_string(plan.out.join("index.html")).expect("the page is written");
    self_contained(&page);
    assert!(page.contains(&format!("All {} claims measured have the expected verdict.", CATALOGUE.len())));
    for claim in &report.claims {
        for picture in &claim.findings.figures {
            let file = fs::read_to_string(plan.out.join("figures").join(&picture.file))
                .expect("the figure is written");
            assert!(
                file.contains("fill=\"#ffffff\"/>") && !file.contains("currentColor"),
                "{}",
                picture.file
            );
            assert!(!picture.svg.contains("fill=\"#ffffff\"/>"), "{}", picture.file);
            inside_its_frame(&picture.file, &file);
        }
    }
}

/// A page from disk that asks nothing of a network.
fn self_contained(page: &str) {
    for forbidden in ["<script", "<link", "<img", "src=", "url(", "@import"] {
        assert!(!page.contains(forbidden), "the page has {forbidden}");
    }
    let addresses = page.matches("http").count();
    assert_eq!(addresses, page.matches("xmlns=\"http://www.w3.org/2000/svg\"").count());
    assert!(page.contains("prefers-color-scheme: dark") && page.contains("@media print"));
    for claim in CATALOGUE {
        assert!(page.contains(&format!("<article id=\"{}\">", claim.id)), "{}", claim.id);
    }
}

/// The number after `name="` in a tag.
fn attribute(tag: &str, name: &str) -> Option<f64> {
    let start = tag.find(&format!(" {name}=\""))? + name.len() + 3;
    tag[start..].split('"').next()?.parse().ok()
}

/// Every text of a figure lies inside the figure, also by its estimated width, and no coordinate is broken.
fn inside_its_frame(name: &str, svg: &str) {
    assert!(!svg.contains("NaN") && !svg.contains("inf"), "{name} has a broken coordinate");
    let view = svg.split("viewBox=\"0 0 ").nth(1).and_then(|s| s.split('"').next()).expect("a view box");
    let mut sizes = view.split(' ').map(|s| s.parse::<f64>().expect("a size"));
    let (width, height) = (sizes.next().expect("a width"), sizes.next().expect("a height"));
    let lines: Vec<&str> = svg.lines().collect();
    let mut texts = 0;
    for line in lines.iter().filter(|l| l.starts_with("<text")) {
        texts += 1;
        let (x, y) = (attribute(line, "x").expect("x"), attribute(line, "y").expect("y"));
        let size = attribute(line, "font-size").expect("a font size");
        let label = line.split('>').nth(1).unwrap_or("");
        let length = 0.5 * size * label.chars().count() as f64;
        let (before, after) = match line {
            l if l.contains("text-anchor=\"start\"") => (0.0, length),
            l if l.contains("text-anchor=\"end\"") => (length, 0.0),
            _ => (0.5 * length, 0.5 * length),
        };
        let (left, right, top, bottom) = if line.contains("rotate(270") {
            (x - 0.6 * size, x + 0.6 * size, y - after, y + before)
        } else {
            (x - before, x + after, y - 0.6 * size, y + 0.6 * size)
        };
        assert!(
            left >= -1.0 && top >= -1.0 && right <= width + 1.0 && bottom <= height + 1.0,
            "{name}: {line} leaves the figure of {width} x {height}"
        );
    }
    assert!(texts > 4, "{name} has hardly any labels");
}

#[test]
fn no_number_depends_on_the_number_of_threads() {
    let claims = ["fig7a-angle", "theorem6-bound", "eq16-loss", "theorem5-basin"];
    let texts: Vec<String> = [1, 2, 3]
        .into_iter()
        .map(|threads| {
            let mut plan = plan(&format!("threads-{threads}"), &claims);
            plan.threads = threads;
            quietly(&plan);
            fs::read_to_string(plan.out.join("claims.json")).expect("the file is written")
        })
        .collect();
    assert_eq!(texts[0], texts[1]);
    assert_eq!(texts[1], texts[2]);
}

#[test]
fn the_file_of_claims_has_what_it_promises() {
    let plan = plan("file", &["eq7-a-at-zero", "theorem7-saddle"]);
    quietly(&plan);
    let text = fs::read_to_string(plan.out.join("claims.json")).expect("the file is written");
    let json: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    let keys: Vec<&String> = json.as_object().expect("an object").keys().collect();
    assert_eq!(&keys[..2], ["schema", "popgrad"]);
    assert_eq!(json["schema"], "popgrad.reproduce/1");
    let claims = json["claims"].as_array().expect("a list");
    assert_eq!(claims.len(), 2);
    for claim in claims {
        for key in ["id", "statement", "source", "measured", "expected", "verdict"] {
            assert!(!claim[key].is_null(), "{key}");
        }
        assert!(claim["measured"][0]["value"].is_number());
    }
    assert_eq!(
        (&claims[0]["expected"], &claims[0]["verdict"]),
        (&"paper_wrong".into(), &"paper_wrong".into())
    );
}

#[test]
fn a_defect_in_the_mathematics_turns_most_claims_red() {
    let mut plan = plan("defect", &FAST);
    plan.defect = 0.05;
    let report = quietly(&plan);
    let red: Vec<&str> = report.claims.iter().filter(|c| !c.agrees()).map(|c| c.id).collect();
    assert!(red.len() >= 26, "only {} of {} fail: {red:?}", red.len(), FAST.len());
    assert!(!report.agrees());
    assert!(report.claims.iter().all(|c| c.agrees() || c.verdict == Verdict::NotReproduced));
    let page = fs::read_to_string(plan.out.join("index.html")).expect("the page is written");
    assert!(page.contains("do not have the expected verdict"));
}

#[test]
fn an_early_end_leaves_a_report_that_says_so() {
    let plan = plan("interrupted", &["fig2-terms", "linear-case", "fig9-mixed", "conjecture2-noise"]);
    let flag = plan.interrupt.clone();
    let report = run(&plan, &mut |step| {
        if let Progress::Finished { .. } = step {
            flag.store(true, Ordering::Relaxed);
        }
    })
    .expect("the report can be written");
    assert_eq!(report.completeness, Completeness::Interrupted);
    assert!(
        !report.claims.is_empty() && report.pending.contains(&"conjecture2-noise"),
        "{:?}",
        report.pending
    );
    assert!(!report.agrees());
    let page = fs::read_to_string(plan.out.join("index.html")).expect("the page is written");
    assert!(page.contains("This report is partial") && page.contains("not measured"));
}

#[test]
fn a_directory_with_other_files_is_left_alone() {
    let out = place("occupied");
    fs::create_dir_all(&out).expect("a directory");
    fs::write(out.join("thesis.tex"), "mine").expect("a file");
    let error = run(&Plan::new(&out), &mut |_| ()).expect_err("it is refused");
    assert!(error.to_string().contains("no earlier report"), "{error}");
    assert_eq!(fs::read_dir(&out).expect("it is still there").count(), 1);
}

#[test]
fn an_earlier_report_is_replaced_with_its_figures() {
    let mut plan = plan("again", &["fig2-terms"]);
    quietly(&plan);
    plan.claims = vec!["linear-case".to_owned()];
    quietly(&plan);
    assert_eq!(fs::read_dir(plan.out.join("figures")).expect("a directory").count(), 0);
}

#[test]
fn the_catalogue_covers_every_group_and_every_kind_of_verdict() {
    for group in Group::ALL {
        assert!(
            CATALOGUE.iter().chain(MINIMA).chain(CONVOLUTIONAL).any(|c| c.group == group),
            "{}",
            group.heading()
        );
    }
    for verdict in [Verdict::Holds, Verdict::PaperWrong, Verdict::Open] {
        assert!(CATALOGUE.iter().any(|c| c.expected == verdict), "{verdict:?}");
    }
}

#[test]
fn the_minima_of_safran_and_shamir_are_reproduced_and_a_wrong_loss_is_noticed() {
    // The catalogue and the counts of orbits take tens of seconds and run with the command.
    let fast = ["minima-spectrum-at-teacher", "minima-six", "minima-published", "minima-limit"];
    let mut plan = plan("safran", &fast);
    plan.paper = "safran2018".to_owned();
    let report = quietly(&plan);
    assert!(report.agrees(), "{}", failures(&report));
    assert_eq!((report.paper, report.claims.len()), ("safran2018", fast.len()));
    plan.defect = 1e-4;
    let wrong = quietly(&plan);
    assert!(
        wrong.claims.iter().all(|c| !c.agrees()),
        "{:?}",
        wrong.claims.iter().map(|c| c.id).collect::<Vec<_>>()
    );
    plan.paper = "safran2019".to_owned();
    let error = run(&plan, &mut |_| ()).expect_err("no such paper");
    assert_eq!(
        error.to_string(),
        "safran2019 is not a paper with a catalogue; there are tian2017, safran2018, du2018"
    );
}

#[test]
fn the_claims_of_du_et_al_are_reproduced_and_a_wrong_number_is_noticed() {
    // The three claims about shares have millions of starts and run with the command.
    let fast = ["cnn-loss", "cnn-spurious", "cnn-curves", "cnn-two-phases", "cnn-plane"];
    let mut plan = plan("du", &fast);
    plan.paper = "du2018".to_owned();
    let report = quietly(&plan);
    assert!(report.agrees(), "{}", failures(&report));
    assert_eq!((report.paper, report.claims.len()), ("du2018", fast.len()));
    plan.defect = 0.05;
    let wrong = quietly(&plan);
    let agree: Vec<&str> = wrong.claims.iter().filter(|c| c.agrees()).map(|c| c.id).collect();
    // The picture of the plane has no number that such a defect moves across its bound.
    assert_eq!(agree, ["cnn-plane"]);
}
