//! Scratch timing.
use popgrad::*;
fn cpu() -> f64 {
    std::fs::read_to_string("/proc/thread-self/schedstat")
        .unwrap()
        .split(' ')
        .next()
        .unwrap()
        .parse::<f64>()
        .unwrap()
        * 1e-9
}
fn main() {
    for (k, d) in [(2, 2), (10, 10), (50, 100), (200, 200), (400, 400)] {
        let mut s = 1u64;
        let mut n = || {
            let mut t = 0.0;
            for _ in 0..6 {
                s = s.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                t += (s >> 11) as f64 / 9007199254740992.0 - 0.5;
            }
            t
        };
        let v = Matrix::try_new(k, d, (0..k * d).map(|_| n()).collect()).unwrap();
        let w = Matrix::try_new(k, d, (0..k * d).map(|_| n()).collect()).unwrap();
        let p = TwoLayer::try_new(v).unwrap();
        let mut e = Evaluator::new(&p, k);
        let mut out = vec![0.0; k * d];
        let reps = (1_000_000_000 / (8 * k * k * d + 8000)).max(3);
        let mut best = f64::MAX;
        for _ in 0..5 {
            let t = cpu();
            for _ in 0..reps {
                e.gradient_into(Student::new(w.view()), &mut out).unwrap();
            }
            best = best.min((cpu() - t) / reps as f64);
        }
        println!("{k},{d}: {:.3} us  {:.1} GFLOP/s", best * 1e6, (8 * k * k * d) as f64 / best / 1e9);
    }
}
