"""Shared helpers of the peer benchmarks.

`parse()` must be called before numpy or jax are imported: the number of
threads is fixed by the processor affinity and by environment variables.
"""
import argparse
import json
import os
import statistics
import time


def parse(impls, size, reps=7, **extra):
    ap = argparse.ArgumentParser()
    ap.add_argument("--impl", required=True, choices=impls)
    ap.add_argument("--size", default=size, help="default: " + size)
    ap.add_argument("--threads", type=int, default=1)
    ap.add_argument("--reps", type=int, default=reps, help="timed repetitions (median reported)")
    ap.add_argument("--min-time", type=float, default=0.05,
                    help="short bodies are looped until one repetition takes this long")
    ap.add_argument("--save", help="file for the result (.npy), where the workload has one")
    for k, (typ, default, text) in extra.items():
        ap.add_argument("--" + k.replace("_", "-"), type=typ, default=default, help=text)
    a = ap.parse_args()
    t = str(a.threads)
    for v in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[v] = t
    cpus = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cpus[-a.threads:])
    os.environ["JAX_ENABLE_X64"] = "1"
    os.environ["JAX_PLATFORMS"] = "cpu"
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
    return a


def timeit(fn, a):
    """Median wall seconds of fn(), and the median processor seconds.

    fn must finish its work before it returns (block_until_ready)."""
    t0 = time.perf_counter()
    fn()  # warm-up: compilation, thread pools, page faults
    warm = time.perf_counter() - t0
    c0, t0 = time.process_time(), time.perf_counter()
    fn()
    one, one_cpu = time.perf_counter() - t0, time.process_time() - c0
    inner = max(1, int(a.min_time / max(one, 1e-9)))
    reps = 1 if one > 20 else (min(a.reps, 3) if one > 4 else a.reps)
    wall, cpu = ([one], [one_cpu]) if reps == 1 else ([], [])
    for _ in range(0 if reps == 1 else reps):
        c0, t0 = time.process_time(), time.perf_counter()
        for _ in range(inner):
            fn()
        wall.append((time.perf_counter() - t0) / inner)
        cpu.append((time.process_time() - c0) / inner)
    return {"seconds": statistics.median(wall), "min": min(wall),
            "cpu_seconds": statistics.median(cpu), "reps": reps, "first_call": warm}


def report(workload, a, res, **more):
    out = {"workload": workload, "impl": a.impl, "size": a.size, "threads": a.threads}
    out.update(res)
    out.update(more)
    print(json.dumps(out), flush=True)
