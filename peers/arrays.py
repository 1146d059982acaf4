"""Writes the problems' arrays, so that both sides work on the same bits: arrays.py FOLDER

NAME_w.npy and NAME_v.npy for the gradients, Hessian and flow, NAME_gradient.npy as numpy computes it."""
import pathlib
import sys
import numpy as np
import closed_form as cf

out = pathlib.Path(sys.argv[1])
out.mkdir(parents=True, exist_ok=True)


def save(name, w, v, gradient=None):
    np.save(out / f"{name}_w.npy", w)
    np.save(out / f"{name}_v.npy", v)
    if gradient is not None:
        np.save(out / f"{name}_gradient.npy", gradient)


for k, d in [(2, 2), (10, 10), (50, 100), (200, 200), (1000, 1000)]:
    w, v, nv, evT = cf.problem(np, k, d)
    save(f"w1_{k}_{d}", w, v, cf.grad_np(np, w, v, nv, evT))
for k in (6, 20):  # gradient descent; the end of the first runs after 1000 steps
    w, v, nv, evT = cf.problem(np, k, k, batch=4096, orthonormal=True)
    save(f"w2_4096_{k}_{k}", w, v)
    x = w[:24].copy()
    for _ in range(1000):
        x -= 0.01 * cf.grad_np(np, x, v, nv, evT)
    np.save(out / f"w2_4096_{k}_{k}_end.npy", x)
x, y = cf.plane_starts(np, 100000)
np.save(out / "w7_start.npy", np.stack([x, y], 1))
x, y = x[:40], y[:40]
for _ in range(1000):
    x, y = cf.plane_step(np, lambda c: np.arccos(np.clip(c, -1.0, 1.0)), x, y, 5, 0.01)
np.save(out / "w7_end.npy", np.stack([x, y], 1))
ws, As, v, a = cf.cnn_starts(np, 100000, 25, 20)
np.save(out / "w8_teacher.npy", np.concatenate([ws, As])[None])
v, a = v[:40], a[:40]
np.save(out / "w8_start.npy", np.concatenate([v, a], 1))
for _ in range(1000):
    v, a = cf.cnn_step(np, np.arccos, v, a, ws, As, 0.05)
np.save(out / "w8_end.npy", np.concatenate([v, a], 1))
w, v, nv, evT = cf.problem(np, 6, 6, batch=4096)
save("w1b_4096_6_6", w, v, cf.grad_np(np, w, v, nv, evT))
w, v, _, _ = cf.problem(np, 10, 10, seed=1, orthonormal=True, batch=1)
save("w3_10", w[0], v)
w, v, _, _ = cf.problem(np, 20, 20)
save("w5_20", w, v)
np.save(out / "w5_20_hessian.npy", cf.hessian_blocks(np, w, v))
