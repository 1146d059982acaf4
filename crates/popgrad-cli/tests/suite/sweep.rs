//! `popgrad sweep`.

use super::scratch::Scratch;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Two cells of six parts each.
const SPEC: &str = "runs = 300\npart = 50\n[dynamics]\nstep = 0.8\n[stop]\ngradient_norm = 1e-9\nsteps = 5000\n[problem]\n\
                    teacher = \"orthonormal:6\"\n[classes]\nglobal_loss = 1e-3\n[[cells]]\nproblem.students = 6\n\
                    [[cells]]\nproblem.students = 7\nstop.loss = 1e-3\n";

fn with_spec(name: &str) -> Scratch {
    let here = Scratch::new(name);
    here.write("s.toml", SPEC.as_bytes());
    here
}

/// All files of a sweep but its log, which holds times.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(folder).unwrap().display().to_string();
            if path.is_dir() {
                folders.push(path);
            } else if name != "log.jsonl" {
                found.insert(name, fs::read(path).unwrap());
            }
        }
    }
    found
}

fn assert_same(here: &Scratch, one: &str, other: &str) {
    let (a, b) = (files(&here.path(one)), files(&here.path(other)));
    assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>(), "{one} {other}");
    for (name, bytes) in &a {
        assert_eq!(bytes, &b[name], "{name} of {one} and {other}");
    }
}

#[test]
fn a_sweep_has_tables_classes_and_intervals() {
    let here = with_spec("sweep-tables");
    let found = here.json("sweep s.toml --out a");
    assert_eq!((&found["schema"], &found["status"]), (&json!("popgrad.sweep/1"), &json!("finished")));
    let cells = found["cells"].as_array().unwrap();
    assert_eq!((cells.len(), &cells[1]["keys"]["problem.students"]), (2, &json!(7)));
    for cell in cells {
        let count = |key: &str| cell[key].as_u64().unwrap();
        let share = |key: &str| cell["global_share"][key].as_f64().unwrap();
        assert_eq!(count("runs"), 300);
        assert!(count("global") > 250 && count("global") + count("non_global") <= 300);
        assert!(share("low") < share("share") && share("share") <= share("high"));
        let classes = cell["classes"].as_array().unwrap();
        let total: u64 = classes.iter().map(|c| c["count"].as_u64().unwrap()).sum();
        let converged: u64 =
            ["converged", "loss_below"].iter().filter_map(|s| cell["statuses"][*s].as_u64()).sum();
        assert_eq!(total, converged, "a run that did not converge has no class");
    }
    // math.md 4.5 and the paper's own spectrum: the global minimum of orthonormal teachers has 1/4 - 1/(2 pi).
    let global = &cells[0]["classes"][0];
    assert_eq!((&global["nature"], &global["isotropy"]), (&json!("global_minimum"), &json!("[6]")));
    assert!((global["lambda_min"].as_f64().unwrap() - 0.090_845_056_908_106).abs() < 1e-9);
    assert_eq!(cells[1]["classes"][0]["kind"], json!("global_manifold"), "more students than teachers");
    assert_eq!(
        files(&here.path("a")).into_keys().collect::<Vec<_>>(),
        [
            "cells.parquet",
            "classes.parquet",
            "manifest.json",
            "runs/cell-00000.parquet",
            "runs/cell-00001.parquet",
            "summary.json"
        ]
    );
    let ran = here.run("sweep s.toml --out a --resume");
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "a finished sweep is shown again");
    assert!(
        ran.stdout.contains("cell 1 (problem.students = 7, stop.loss = 0.001): 300 runs"),
        "{}",
        ran.stdout
    );
}

#[test]
fn threads_levels_and_shards_change_no_byte() {
    let here = with_spec("sweep-bytes");
    here.json("sweep s.toml --out whole");
    here.json("sweep s.toml --out one --threads 1");
    assert_same(&here, "whole", "one");
    for level in popgrad::Level::available() {
        let level = format!("{level:?}").to_lowercase();
        here.json(&format!("sweep s.toml --out {level} --level {level}"));
        assert_same(&here, "whole", &level);
    }
    // Three shards in one folder, in any order; the last writes the tables.
    assert_eq!(here.json("sweep s.toml --out shared --shard 2/3")["status"], json!("shard_done"));
    assert_eq!(here.json("sweep s.toml --out shared --shard 3/3")["parts"], json!(8));
    assert_eq!(here.json("sweep s.toml --out shared --shard 1/3")["status"], json!("finished"));
    assert_same(&here, "whole", "shared");
    // And in folders of their own.
    for i in 1..=3 {
        here.json(&format!("sweep s.toml --out part{i} --shard {i}/3"));
    }
    let ran = here.run("sweep merge part1 part3 --out merged");
    assert_eq!(ran.status, 2);
    assert!(ran.stderr.contains("4 of 12 parts are in none of the directories"), "{}", ran.stderr);
    here.json("sweep merge part3 part1 part2 --out merged");
    assert_same(&here, "whole", "merged");
}

#[test]
fn a_key_that_some_cells_leave_out_shows_its_default_in_a_merged_sweep_too() {
    let here = Scratch::new("sweep-left-out");
    let spec = "runs = 20\npart = 10\n[problem]\nteacher = \"orthonormal:3\"\n[dynamics]\nstep = 0.2\n[stop]\ngradient_norm = 1e-9\n\
                [[cells]]\nproblem.students = 3\n[[cells]]\nstop.steps = 500\n";
    here.write("s.toml", spec.as_bytes());
    let whole = here.json("sweep s.toml --out whole");
    assert_eq!(whole["cells"][0]["keys"]["problem.students"], whole["cells"][1]["keys"]["problem.students"]);
    assert_eq!(whole["cells"][1]["keys"]["stop.steps"], json!(500));
    assert!(whole["cells"][0]["keys"]["stop.steps"].as_u64().is_some_and(|steps| steps > 500), "{whole}");
    for i in 1..=2 {
        here.json(&format!("sweep s.toml --out part{i} --shard {i}/2"));
    }
    here.json("sweep merge part1 part2 --out merged");
    assert_same(&here, "whole", "merged");
}

#[test]
fn damaged_parts_are_computed_again() {
    let here = with_spec("sweep-damaged");
    here.json("sweep s.toml --out whole");
    here.json("sweep s.toml --out a --shard 1/2");
    let parts: Vec<_> = fs::read_dir(here.path("a/parts")).unwrap().map(|e| e.unwrap().path()).collect();
    assert_eq!(parts.len(), 6);
    let mut bytes = fs::read(&parts[0]).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&parts[0], &bytes).unwrap();
    let bytes = fs::read(&parts[1]).unwrap();
    fs::write(&parts[1], &bytes[..bytes.len() - 9]).unwrap();
    fs::write(&parts[2], b"").unwrap();
    here.json("sweep s.toml --out a --resume");
    assert_same(&here, "whole", "a");
    let log = fs::read_to_string(here.path("a/log.jsonl")).unwrap();
    assert_eq!(log.matches("damaged part removed").count(), 3, "{log}");
}

#[test]
fn another_spec_or_numerics_or_folder_is_refused() {
    let here = with_spec("sweep-refused");
    here.json("sweep s.toml --out a --shard 1/2");
    let ran = here.run("sweep s.toml --out a");
    assert_eq!(ran.status, 2);
    assert!(ran.stderr.contains("a holds a sweep already; --resume goes on with it"), "{}", ran.stderr);
    here.write("t.toml", SPEC.replace("0.8", "0.7").as_bytes());
    let ran = here.run("sweep t.toml --out a --resume");
    assert!(
        ran.stderr.contains("a sweep of another spec: in cell 0, dynamics.step was 0.8 and now is 0.7;"),
        "{}",
        ran.stderr
    );
    let manifest = fs::read_to_string(here.path("a/manifest.json")).unwrap();
    let mut edited: Value = serde_json::from_str(&manifest).unwrap();
    edited["numerics"] = json!(999_999);
    here.write("a/manifest.json", edited.to_string().as_bytes());
    let ran = here.run("sweep s.toml --out a --resume");
    assert_eq!(ran.status, 2);
    assert!(ran.stderr.contains("was computed with numerics 999999 and this program computes with"));
    edited["numerics"] = json!(popgrad::NUMERICS);
    edited["schema"] = json!("popgrad.sweep/2");
    here.write("a/manifest.json", edited.to_string().as_bytes());
    assert!(here.run("sweep s.toml --out a --resume").stderr.contains("has schema popgrad.sweep/2"));
    fs::create_dir(here.path("other")).unwrap();
    here.write("other/x.txt", b"mine");
    here.refuses(
        "sweep s.toml --out other",
        "--out other: other holds files but no sweep; choose another directory or empty this one",
    );
}

/// Newton's method after the stop changes losses and gradients, not which minimum a run counts for.
#[test]
fn polishing_changes_no_class() {
    let here = with_spec("sweep-polish");
    let counts = |found: &Value| -> Vec<(u64, u64)> {
        let classes = found["cells"][0]["classes"].as_array().unwrap();
        classes.iter().map(|c| (c["first_run"].as_u64().unwrap(), c["count"].as_u64().unwrap())).collect()
    };
    let spec = SPEC.replace("1e-9", "1e-6").replace("orthonormal:6", "orthonormal:7").replace("= 6", "= 7");
    here.write("loose.toml", spec.as_bytes());
    here.write("polished.toml", spec.replace("[stop]\n", "[stop]\npolish = true\n").as_bytes());
    let (plain, polished) = (here.json("sweep loose.toml --out a"), here.json("sweep polished.toml --out b"));
    assert!(counts(&plain).len() >= 2 && counts(&plain) == counts(&polished));
    let rows = |name: &str| fs::read(here.path(name)).unwrap();
    assert_ne!(rows("a/runs/cell-00000.parquet"), rows("b/runs/cell-00000.parquet"));
}

#[test]
fn mistakes_are_one_sentence_with_their_place() {
    let here = with_spec("sweep-mistakes");
    for (text, sentence) in [
        (
            "runs = 3\n[dynamics]\nstep = -1\n[problem]\nteacher = \"orthonormal:2\"\n",
            "m.toml:3:8: dynamics.step is -1; a number greater than zero is needed",
        ),
        (
            "runs = 3\n[problem]\nteacher = \"orthonormal:2\"\n",
            "m.toml cell 0: dynamics.step is missing and needed here",
        ),
        (
            "runs = 3\n[problem]\nteachr = \"orthonormal:2\"\n",
            "m.toml:3:1: problem.teachr is not a key of a sweep; did you mean problem.teacher?",
        ),
        (
            "runs = 3\n[dynamics]\nmethod = \"flow\"\nstep = 1\n[problem]\nteacher = \"orthonormal:2\"\n",
            "m.toml:4:8: dynamics.step does not go with the other keys of its cell; leave it out",
        ),
        (
            "runs = 3\n[dynamics]\nmethod = \"sgd\"\n[problem]\nteacher = \"orthonormal:2\"\n",
            "m.toml:3:10: dynamics.method is the text \"sgd\"; one of gd, flow is needed",
        ),
        (
            "[dynamics]\nstep = 1\n[problem]\nteacher = \"orthonormal:2\"\n",
            "m.toml has no runs; runs = N says how many each cell has",
        ),
    ] {
        here.write("m.toml", text.as_bytes());
        here.refuses("sweep m.toml --out m", sentence);
    }
    here.refuses("sweep s.toml", "--out: is missing; it names the folder of the sweep");
    here.refuses(
        "sweep --out m",
        "sweep needs SPEC.toml or --preset NAME; popgrad sweep --help describes both",
    );
    here.refuses(
        "sweep s.toml --out m --shard 4/3",
        "--shard: \"4/3\" is no shard; 1/4 is the first of four",
    );
}

#[test]
fn presets_print_specs_that_run() {
    let here = Scratch::new("sweep-presets");
    for name in ["safran2018", "safran2021", "tian-conjecture2"] {
        let ran = here.run(&format!("sweep --preset {name} --print"));
        assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
        here.write("p.toml", ran.stdout.as_bytes());
        // A shard that takes one small part only.
        let found = here.json(&format!("sweep p.toml --out {name} --runs 8 --shard 1/1000"));
        assert_eq!((&found["status"], &found["parts"]), (&json!("shard_done"), &json!(1)), "{name}");
    }
}

#[cfg(unix)]
mod kills {
    use super::*;
    use std::process::{Child, Command, Stdio};
    use std::time::Duration;

    /// A sweep of a second or two in many small parts.
    const LONG: &str = "runs = 1500\npart = 10\n[problem]\nteacher = \"orthonormal:12\"\n[dynamics]\nstep = 0.2\n[stop]\n\
                        gradient_norm = 1e-10\nsteps = 20000\n";

    fn start(here: &Scratch, line: &str) -> Child {
        Command::new(env!("CARGO_BIN_EXE_popgrad"))
            .args(line.split_whitespace())
            .current_dir(here.path(""))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    fn send(child: &Child, signal: &str) {
        // A child that has ended already is no failure of the test.
        let _ = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    }

    #[test]
    fn kills_and_signals_lose_nothing_and_double_nothing() {
        let here = Scratch::new("sweep-kills");
        here.write("l.toml", LONG.as_bytes());
        here.json("sweep l.toml --out whole");
        let mut stored = 0;
        for (round, milliseconds) in [70, 130, 45, 210, 95, 160].into_iter().enumerate() {
            let child = start(&here, "sweep l.toml --out a --resume");
            std::thread::sleep(Duration::from_millis(milliseconds));
            send(&child, if round % 3 == 2 { "-INT" } else { "-KILL" });
            let output = child.wait_with_output().unwrap();
            if round % 3 == 2 && !output.status.success() {
                let stderr = String::from_utf8(output.stderr).unwrap();
                assert_eq!(output.status.code(), Some(130), "{stderr}");
                assert!(stderr.ends_with("the same command with --resume goes on\n"), "{stderr}");
            }
            let now = fs::read_dir(here.path("a/parts")).map_or(stored, |parts| {
                parts.filter(|e| e.as_ref().unwrap().path().extension().is_some_and(|x| x == "bin")).count()
            });
            assert!(now >= stored, "{now} parts after {stored}");
            stored = now;
        }
        here.json("sweep l.toml --out a --resume");
        assert_same(&here, "whole", "a");
    }

    #[test]
    fn two_processes_do_not_share_a_folder_unless_they_are_shards() {
        let here = Scratch::new("sweep-locked");
        here.write("l.toml", LONG.replace("1500", "200000").as_bytes());
        let child = start(&here, "sweep l.toml --out a");
        while !here.path("a/parts").exists() {
            std::thread::sleep(Duration::from_millis(10));
        }
        let ran = here.run("sweep l.toml --out a --resume");
        assert_eq!(ran.status, 2, "{}", ran.stderr);
        let holder = format!("a/lock is in use by process {}", child.id());
        assert!(ran.stderr.contains(&holder), "{}", ran.stderr);
        send(&child, "-TERM");
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(143));
        assert!(!here.path("a/lock").exists(), "a clean stop gives the lock back");
    }

    #[test]
    fn a_full_disk_and_a_folder_that_cannot_be_made_are_said_so() {
        let here = Scratch::new("sweep-full");
        here.write("s.toml", SPEC.replace("part = 50", "part = 150").as_bytes());
        here.json("sweep s.toml --out whole");
        // Files of 4 KiB at most: the manifest fits, a part of 150 rows does not.
        let limited =
            format!("trap '' XFSZ; ulimit -f 8; exec {} sweep s.toml --out a", env!("CARGO_BIN_EXE_popgrad"));
        let output = Command::new("sh").args(["-c", &limited]).current_dir(here.path("")).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains("parts/cell-0000") && stderr.contains("cannot be written"), "{stderr}");
        let left = fs::read_dir(here.path("a/parts")).unwrap().count();
        assert_eq!(left, 0, "no half of a file stays");
        here.json("sweep s.toml --out a --resume");
        assert_same(&here, "whole", "a");
        let ran = here.run("sweep s.toml --out /proc/popgrad-sweep");
        assert_eq!(ran.status, 2);
        assert!(ran.stderr.contains("/proc/popgrad-sweep cannot be written"), "{}", ran.stderr);
    }
}

/// Two cells of six parts each, whose runs end by their basins or by their gradient.
const CNN: &str = "runs = 300\npart = 50\n[problem]\nkind = \"cnn\"\npatch_dimension = 6\npatches = 25\n[dynamics]\n\
                   step = 0.05\n[stop]\nsteps = 40000\n[[cells]]\nproblem.ratio = 4\n[[cells]]\nproblem.ratio = 1\n\
                   stop.gradient_norm = 1e-5\n";

#[test]
fn convolutional_runs_fall_into_the_classes_of_their_critical_points() {
    let here = Scratch::new("sweep-cnn");
    here.write("c.toml", CNN.as_bytes());
    let found = here.json("sweep c.toml --out a");
    let cells = found["cells"].as_array().unwrap();
    // D18's share at (25, 4) for six inputs a patch is about three in four, at (25, 1) little more than a half.
    for (cell, [low, high], status) in
        [(&cells[0], [0.65, 0.85], "basin"), (&cells[1], [0.45, 0.65], "converged")]
    {
        let share = cell["global_share"]["share"].as_f64().unwrap();
        assert!((low..high).contains(&share), "{cell}");
        assert_eq!(cell["global"].as_u64().unwrap() + cell["non_global"].as_u64().unwrap(), 300);
        let statuses = cell["statuses"].as_object().unwrap();
        assert!(statuses.keys().all(|name| name.contains(status)), "{cell}");
        let classes = cell["classes"].as_array().unwrap();
        let natures: Vec<&Value> = classes.iter().map(|class| &class["nature"]).collect();
        assert_eq!(natures, [&json!("global_minimum"), &json!("spurious_minimum")], "{cell}");
        assert_eq!((&classes[0]["loss"], &classes[0]["is_global"]), (&json!(0.0), &json!(true)));
        assert_eq!((&classes[1]["index"], &classes[1]["nullity"]), (&json!(0), &json!(6)));
        assert!(classes[1]["share"].as_f64().unwrap() > 0.0 && classes[1]["loss"].as_f64().unwrap() > 0.1);
    }
}

#[test]
fn threads_levels_shards_and_resuming_change_no_byte_of_convolutional_runs() {
    let here = Scratch::new("sweep-cnn-bytes");
    here.write("c.toml", CNN.as_bytes());
    here.json("sweep c.toml --out whole");
    here.json("sweep c.toml --out one --threads 1");
    assert_same(&here, "whole", "one");
    for level in popgrad::Level::available() {
        let level = format!("{level:?}").to_lowercase();
        here.json(&format!("sweep c.toml --out {level} --level {level}"));
        assert_same(&here, "whole", &level);
    }
    // A shard, then the rest by resuming: with a damaged part.
    here.json("sweep c.toml --out a --shard 1/2");
    let part = fs::read_dir(here.path("a/parts")).unwrap().next().unwrap().unwrap().path();
    fs::write(part, b"damaged").unwrap();
    here.json("sweep c.toml --out a --resume");
    assert_same(&here, "whole", "a");
    for i in 1..=3 {
        here.json(&format!("sweep c.toml --out part{i} --shard {i}/3"));
    }
    here.json("sweep merge part2 part1 part3 --out merged");
    assert_same(&here, "whole", "merged");
}

#[test]
fn mistakes_in_convolutional_specs_have_their_place() {
    let here = Scratch::new("sweep-cnn-refused");
    let good = "runs = 1\n[problem]\nkind = \"cnn\"\npatches = 4\npatch_dimension = 3\nratio = 1\n[dynamics]\nstep = 0.05\n";
    for (from, to, want) in [
        (
            "patches = 4",
            "patches = 0",
            "c.toml:4:11: problem.patches is 0; a whole number greater than zero is needed",
        ),
        (
            "patch_dimension = 3",
            "patch_dimension = 0",
            "c.toml:5:19: problem.patch_dimension is 0; a whole number greater than zero is needed",
        ),
        (
            "ratio = 1\n",
            "ratio = 5\n",
            "c.toml:6:9: problem.ratio is wrong: a ratio (1.a*)^2/|a*|^2 of 5 cannot be built with 4",
        ),
        (
            "ratio = 1\n",
            "ratio = -1\n",
            "c.toml:6:9: problem.ratio is wrong: a ratio (1.a*)^2/|a*|^2 of -1 cannot be built",
        ),
        ("ratio = 1\n", "", "c.toml cell 0: problem.ratio is missing and needed here"),
        (
            "ratio = 1\n",
            "teacher_output = [1, 2, 3]\n",
            "c.toml:6:18: problem.teacher_output has 3 numbers; 4 are needed, one for each patch",
        ),
        (
            "ratio = 1\n",
            "teacher_output = [0, 0, 0, 0]\n",
            "c.toml:6:18: problem.teacher_output is wrong: the teacher's output is",
        ),
        (
            "ratio = 1\n",
            "ratio = 1\nunits = 3\n",
            "c.toml:7:9: problem.units does not go with the other keys of its cell",
        ),
        (
            "step = 0.05\n",
            "step = 2\n[stop]\nbasin = true\n",
            "c.toml cell 0: step = 2, but it must be at most 2 pi / (k + pi - 1)",
        ),
        (
            "step = 0.05\n",
            "step = 0.05\n[start]\nradius = -1\n",
            "c.toml:10:10: start.radius is -1; a number that is not negative",
        ),
        ("patches = 4", "patches = 9999999999", "c.toml:4:11: problem.patches is 9999999999; at most"),
    ] {
        here.write("c.toml", good.replace(from, to).as_bytes());
        let ran = here.run("sweep c.toml --out a");
        assert_eq!(ran.status, 2, "{}", ran.stderr);
        assert!(ran.stderr.starts_with(&format!("error: {want}")), "{}", ran.stderr);
    }
    here.write("c.toml", good.replace("ratio = 1\n", "teacher_output = [1, -1, 0.5, 0]\n").as_bytes());
    assert_eq!(here.json("sweep c.toml --out good")["status"], json!("finished"));
}
