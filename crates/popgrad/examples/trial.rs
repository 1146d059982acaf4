//! trial
fn main() {
    let d = 100;
    let mut s = popgrad::RandomStream::new(1, 0);
    let e: Vec<f64> = (0..d).map(|_| s.normal()).collect();
    let w: Vec<f64> = (0..d).map(|_| s.normal()).collect();
    let f = popgrad::gating(&e, &w).unwrap();
    let n = 1_000_000;
    for _ in 0..10 {
        let t = std::time::Instant::now();
        let r = popgrad::gating_monte_carlo(&e, &w, Default::default(), popgrad::SamplePlan { samples: n, seed: 5 }).unwrap().mean;
        let dt = t.elapsed().as_secs_f64();
        let err: f64 = (0..d).map(|i| (r[i] - f[i]).powi(2)).sum::<f64>().sqrt();
        let nf: f64 = f.iter().map(|x| x * x).sum::<f64>().sqrt();
        println!("{:.4} s per 1e6 err {:e} {:x}", dt * 1e6 / n as f64, err / nf, r[3].to_bits());
    }
}
