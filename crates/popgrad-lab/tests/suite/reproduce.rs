use popgrad_lab::reproduce::{Plan, Progress, run};

#[test]
fn trial() {
    let mut plan = Plan::new("/tmp/E/report");
    plan.threads = 2;
    plan.claims = std::env::var("CLAIM")
        .ok()
        .into_iter()
        .flat_map(|s| s.split(',').map(str::to_owned).collect::<Vec<_>>())
        .collect();
    plan.defect = std::env::var("DEFECT").ok().map_or(0.0, |s| s.parse().unwrap());
    let clock = std::time::Instant::now();
    let report = run(&plan, &mut |p| {
        if let Progress::Finished { id, agrees, seconds, .. } = p {
            println!("{} {id} {seconds:.2}", if agrees { "ok " } else { "BAD" });
        }
    })
    .unwrap();
    for c in &report.claims {
        println!("\n== {} {:?}", c.id, c.verdict);
        for m in &c.findings.measured {
            println!(
                "  {} {} = {:e} +- {:?} {:?}",
                if m.satisfied { ' ' } else { 'X' },
                m.quantity,
                m.value,
                m.uncertainty,
                m.bound
            );
        }
        for r in &c.findings.remarks {
            println!("  # {r}");
        }
        for t in &c.findings.tables {
            println!("  T {}\n    {:?}", t.caption, t.head);
            for r in &t.rows {
                println!("    {r:?}");
            }
        }
    }
    println!("total {:.2}", clock.elapsed().as_secs_f64());
}
