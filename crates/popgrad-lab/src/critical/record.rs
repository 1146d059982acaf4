//! What is said of each class, in one place for JSON, Parquet and the page.

use super::run::AtlasRun;
use popgrad::{Matrix, MatrixView};
use serde_json::{Map, Value, json};

/// Order of magnitude up to which whole numbers are exact in JSON readers.
const EXACT: u128 = 1 << 53;

/// One class of an atlas, ready to be written.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) class: usize,
    pub(super) loss: f64,
    pub(super) gradient_norm: f64,
    pub(super) nature: &'static str,
    pub(super) index: usize,
    pub(super) nullity: usize,
    pub(super) manifold_dimension: usize,
    pub(super) rotation_dimension: usize,
    pub(super) lambda_min: f64,
    pub(super) eigenvalue_error: f64,
    pub(super) isotropy: String,
    pub(super) isotropy_order: Option<u128>,
    pub(super) orbit_size: Option<u128>,
    pub(super) orbit_size_log10: f64,
    pub(super) in_plane: bool,
    pub(super) out_of_plane_rank: usize,
    pub(super) teachers_in_student_cone: (usize, usize),
    pub(super) students_in_teacher_cone: (usize, usize),
    pub(super) hits: u64,
    /// Eigenvalue, side, class and status of each descent.
    pub(super) descents: Vec<(f64, i8, Option<usize>, &'static str)>,
    pub(super) weights: Matrix,
    pub(super) output: Vec<f64>,
    /// Eigenvalues with multiplicities.
    pub(super) spectrum: Vec<(f64, usize)>,
}

/// The classes in the order of their loss, numbered in that order.
pub(super) fn records(run: &AtlasRun) -> Vec<Record> {
    let order = run.atlas.by_loss();
    let number = |class: usize| order.iter().position(|c| *c == class);
    order
        .iter()
        .enumerate()
        .map(|(class, at)| {
            let entry = &run.atlas.classes()[*at];
            let point = &entry.point;
            let ends = run.descents.get(at).map_or(&[][..], Vec::as_slice);
            Record {
                class,
                loss: point.loss,
                gradient_norm: point.gradient_norm,
                nature: point.nature.name(),
                index: point.index,
                nullity: point.nullity,
                manifold_dimension: point.manifold_dimension,
                rotation_dimension: point.rotation_dimension,
                lambda_min: point.lambda_min,
                eigenvalue_error: point.eigenvalue_error,
                isotropy: entry.isotropy.label(),
                isotropy_order: entry.isotropy.order.exact,
                orbit_size: entry.orbit_size.exact,
                orbit_size_log10: entry.orbit_size.log10,
                in_plane: point.is_in_plane(),
                out_of_plane_rank: point.out_of_plane_rank,
                teachers_in_student_cone: both(point.teachers_in_student_cone),
                students_in_teacher_cone: both(point.students_in_teacher_cone),
                hits: entry.hits,
                descents: ends
                    .iter()
                    .map(|e| (e.eigenvalue, e.side, e.class.and_then(number), e.status.name()))
                    .collect(),
                weights: point.weights.clone(),
                output: point.output.clone(),
                spectrum: point.eigenvalues.iter().map(|e| (e.value, e.multiplicity)).collect(),
            }
        })
        .collect()
}

fn both(count: popgrad::ConeMembership) -> (usize, usize) {
    (count.inside, count.on_boundary)
}

/// A matrix as nested lists.
fn rows(a: MatrixView<'_>) -> Value {
    Value::Array((0..a.rows()).map(|i| json!(a.row(i))).collect())
}

/// An order as a number where readers keep it exact, else as null.
fn whole(order: Option<u128>) -> Value {
    order.filter(|n| *n <= EXACT).and_then(|n| u64::try_from(n).ok()).map_or(Value::Null, |n| json!(n))
}

impl Record {
    fn json(&self) -> Value {
        let descents: Vec<Value> = self
            .descents
            .iter()
            .map(|(eigenvalue, side, class, status)| {
                json!({"eigenvalue": eigenvalue, "side": side, "class": class, "status": status})
            })
            .collect();
        json!({
            "class": self.class,
            "loss": self.loss,
            "gradient_norm": self.gradient_norm,
            "nature": self.nature,
            "index": self.index,
            "nullity": self.nullity,
            "manifold_dimension": self.manifold_dimension,
            "rotation_dimension": self.rotation_dimension,
            "lambda_min": self.lambda_min,
            "eigenvalue_error": self.eigenvalue_error,
            "isotropy": self.isotropy,
            "isotropy_order": whole(self.isotropy_order),
            "orbit_size": whole(self.orbit_size),
            "orbit_size_log10": self.orbit_size_log10,
            "in_plane": self.in_plane,
            "out_of_plane_rank": self.out_of_plane_rank,
            "teachers_in_student_cone": self.teachers_in_student_cone.0,
            "teachers_on_cone_boundary": self.teachers_in_student_cone.1,
            "students_in_teacher_cone": self.students_in_teacher_cone.0,
            "students_on_cone_boundary": self.students_in_teacher_cone.1,
            "hits": self.hits,
            "descents": descents,
            "weights": rows(self.weights.view()),
            "output": self.output,
            "eigenvalues": self.spectrum.iter().map(|e| e.0).collect::<Vec<f64>>(),
            "multiplicities": self.spectrum.iter().map(|e| e.1).collect::<Vec<usize>>(),
        })
    }
}

impl AtlasRun {
    /// The results as JSON keys: completeness, what became of the starts, the estimate of what was not seen, the classes.
    pub fn results(&self, ending: super::Ending) -> Map<String, Value> {
        let mut keys = Map::new();
        keys.insert("eigenvalue_error_is".to_owned(), json!("estimate"));
        keys.insert("completeness".to_owned(), json!(ending.name()));
        keys.insert("starts".to_owned(), json!({"done": self.started, "ends": self.statuses}));
        let [proper, more, nowhere] = self.family_ends;
        let families = json!({"proper": proper, "more_symmetric": more, "not_converged": nowhere});
        keys.insert("families".to_owned(), families);
        let unseen = self.unseen().map(|u| {
            json!({
                "share": u.unseen_share,
                "standard_error": u.standard_error,
                "classes_at_least": u.unseen_classes,
                "hits": u.draws,
                "met_once": u.singletons,
                "met_twice": u.doubletons,
            })
        });
        keys.insert("unseen".to_owned(), json!(unseen));
        let classes: Vec<Value> = records(self).iter().map(Record::json).collect();
        keys.insert("classes".to_owned(), Value::Array(classes));
        keys
    }
}
