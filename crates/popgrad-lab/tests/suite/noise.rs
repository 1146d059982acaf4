use popgrad_lab::reproduce::{Plan, run};

/// Whether a claim reaches its expected verdict with the given defect.
fn agrees(claim: &str, defect: f64, threads: usize) -> (bool, String) {
    let name = format!("popgrad-noise-{claim}-{defect}-{threads}-{}", std::process::id());
    let out = std::env::temp_dir().join(name);
    let mut plan = Plan::new(&out);
    plan.claims = vec![claim.to_owned()];
    plan.defect = defect;
    plan.threads = threads;
    let report = run(&plan, &mut |_| {}).unwrap();
    std::fs::remove_dir_all(&out).unwrap();
    (report.agrees(), format!("{:?}", report.claims[0].findings.measured))
}

#[test]
fn the_other_side_of_the_diagonal_is_spurious_and_the_claim_can_fail() {
    let (right, one) = agrees("conjecture2-other-side", 0.0, 1);
    assert!(right, "{one}");
    let (_, two) = agrees("conjecture2-other-side", 0.0, 2);
    assert_eq!(one, two, "a number depends on the number of threads");
    let (wrong, measured) = agrees("conjecture2-other-side", 0.05, 2);
    assert!(!wrong, "{measured}");
}

#[test]
fn the_map_of_the_noise_fails_with_a_wrong_gradient() {
    let (wrong, measured) = agrees("conjecture2-noise", 0.3, 2);
    assert!(!wrong, "{measured}");
}
