//! Atlases of critical points: the same for any slices, partial ones readable, files complete.

use popgrad::{Matrix, Nature, Trained, TwoLayer};
use popgrad_lab::critical::{AtlasPlan, AtlasRun, Ending, Stage};
use popgrad_lab::storage::Provenance;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

fn plan(k: usize, starts: u64) -> AtlasPlan {
    AtlasPlan {
        problem: TwoLayer::try_new(Matrix::identity(k, k)).unwrap(),
        students: k,
        output: vec![1.0; k],
        trained: Trained::Weights,
        starts,
        seed: 1,
        indices: (0, 2),
        given: Vec::new(),
        families: Vec::new(),
        continue_from: None,
        random: true,
        directions: 1,
        interrupt: Arc::new(AtomicBool::new(false)),
        deadline: None,
    }
}

fn place(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("atlas-{name}"));
    let _ = fs::remove_dir_all(&path);
    path
}

fn provenance() -> Provenance {
    Provenance {
        schema: "popgrad.critical/1".to_owned(),
        version: "0".to_owned(),
        numerics: 1,
        spec: "{\"teacher\":\"orthonormal:6\"}".to_owned(),
        seed: Some(1),
    }
}

fn finish(run: &mut AtlasRun) {
    while run.advance().unwrap() {}
}

#[test]
fn an_atlas_does_not_depend_on_the_number_of_threads() {
    let results = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut run = AtlasRun::try_new(plan(4, 48)).unwrap();
            finish(&mut run);
            serde_json::to_string(&run.results(Ending::Complete)).unwrap()
        })
    };
    let one = results(1);
    assert_eq!(one, results(3));
    assert!(one.contains("\"isotropy\":\"[4]\""), "{one}");
}

#[test]
fn a_partial_atlas_is_readable_and_says_so() {
    let out = place("partial");
    let mut run = AtlasRun::try_new(AtlasPlan { families: vec![vec![1, 5]], ..plan(6, 32) }).unwrap();
    run.advance().unwrap(); // no given points
    run.advance().unwrap(); // sixteen starts of the family
    assert_eq!(run.progress().stage, Stage::Families);
    run.write(&out, &provenance(), Ending::Interrupted).unwrap();
    let page = fs::read_to_string(out.join("index.html")).unwrap();
    assert!(page.contains("This atlas is partial (interrupted)") && page.ends_with("</html>\n"));
    let json: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(out.join("atlas.json")).unwrap()).unwrap();
    assert_eq!(json["completeness"], "interrupted");
    assert!(!json["classes"].as_array().unwrap().is_empty());
    // A finished atlas takes its place.
    finish(&mut run);
    run.write(&out, &provenance(), Ending::Complete).unwrap();
    let page = fs::read_to_string(out.join("index.html")).unwrap();
    assert!(!page.contains("This atlas is partial"));
    for forbidden in ["<script", "<link", "<img", "src=", "url(", "NaN", "inf\""] {
        assert!(!page.contains(forbidden), "the page has {forbidden}");
    }
    assert_eq!(fs::read_dir(&out).unwrap().count(), 3, "no other file stays");
}

#[test]
fn the_table_holds_every_class_with_its_metadata() {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    let out = place("table");
    let mut run = AtlasRun::try_new(plan(2, 24)).unwrap();
    finish(&mut run);
    run.write(&out, &provenance(), Ending::Complete).unwrap();
    let reader = SerializedFileReader::new(fs::File::open(out.join("atlas.parquet")).unwrap()).unwrap();
    let metadata = reader.metadata().file_metadata();
    assert_eq!(usize::try_from(metadata.num_rows()).unwrap(), run.atlas().classes().len());
    let pairs = metadata.key_value_metadata().unwrap();
    assert!(pairs.iter().any(|p| p.key == "schema" && p.value.as_deref() == Some("popgrad.critical/1")));
    let columns: Vec<&str> =
        metadata.schema_descr().root_schema().get_fields().iter().map(|f| f.name()).collect();
    for name in [
        "loss",
        "index",
        "nullity",
        "lambda_min",
        "isotropy",
        "orbit_size",
        "hits",
        "teachers_in_student_cone",
    ] {
        assert!(columns.contains(&name), "{columns:?}");
    }
}

fn one_special_of_a_hundred() -> AtlasPlan {
    AtlasPlan { families: vec![vec![1, 99]], random: false, indices: (0, 0), ..plan(100, 12) }
}

#[test]
fn given_points_are_polished_and_a_family_of_a_hundred_units_is_classified() {
    let mut rough = Matrix::identity(6, 6);
    rough.row_mut(0)[0] = 0.99;
    let mut run = AtlasRun::try_new(AtlasPlan { given: vec![rough], starts: 0, ..plan(6, 0) }).unwrap();
    finish(&mut run);
    assert_eq!(run.atlas().classes().len(), 1);
    assert_eq!(run.atlas().classes()[0].point.nature, Nature::GlobalMinimum);
    assert!(run.unseen().is_none(), "a given point is no random start");
    let mut run = AtlasRun::try_new(one_special_of_a_hundred()).unwrap();
    finish(&mut run);
    let minimum =
        run.atlas().classes().iter().find(|c| (c.point.loss - 0.002741671667).abs() < 1e-11).unwrap();
    assert_eq!((minimum.point.nature, minimum.isotropy.label()), (Nature::Minimum, "[1,99]".to_owned()));
    assert!((minimum.point.lambda_min - 0.07816301).abs() < 1e-8);
    // The same point, found for six units and followed to a hundred.
    let continued = AtlasPlan { continue_from: Some(6), ..one_special_of_a_hundred() };
    let mut run = AtlasRun::try_new(continued).unwrap();
    finish(&mut run);
    assert!(run.atlas().classes().iter().any(|c| (c.point.loss - 0.002741671667).abs() < 1e-11));
}

#[test]
fn foreign_folders_and_families_are_refused() {
    let out = place("foreign");
    fs::create_dir_all(&out).unwrap();
    fs::write(out.join("mine.txt"), "mine").unwrap();
    let error = AtlasRun::prepare(&out).unwrap_err();
    assert!(error.to_string().contains("no earlier atlas"), "{error}");
    let uneven = TwoLayer::try_new(Matrix::from_rows(&[[1.0, 0.0], [0.6, 0.8]])).unwrap();
    let refused = AtlasPlan { problem: uneven, families: vec![vec![2]], ..plan(2, 1) };
    assert!(AtlasRun::try_new(refused).unwrap_err().to_string().contains("not orthonormal"));
}

#[test]
fn an_interrupt_ends_searches_under_way_and_keeps_the_first_ones() {
    let plan = plan(4, 64);
    let flag = Arc::clone(&plan.interrupt);
    let mut run = AtlasRun::try_new(plan).unwrap();
    while run.progress().done < 16 {
        run.advance().unwrap();
    }
    flag.store(true, Ordering::Relaxed);
    assert!(!run.advance().unwrap(), "a run that is over says so");
    assert_eq!(run.progress().done, 16, "what was cut off is dropped");
    assert_eq!(run.results(Ending::Interrupted)["starts"]["done"], 16);
}
