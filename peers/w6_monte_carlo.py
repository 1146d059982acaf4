"""W6: Monte Carlo check of eq. 5, E[x 1(e.x>0) 1(w.x>0) w.x]. --size N,d"""
import common
a = common.parse(["numpy", "numpy_f32", "jax", "jax_rbg"], "1000000,100", reps=3)
import math
import numpy as np

N, d = map(int, a.size.split(","))
rng = np.random.Generator(np.random.SFC64(0))
e, w = rng.standard_normal((2, d))
e /= np.linalg.norm(e)
nw = np.linalg.norm(w)
th = math.acos(e @ w / nw)
exact = ((math.pi - th) * w + nw * math.sin(th) * e) / (2 * math.pi)
CH = 10_000  # a chunk of 8 MB: near the caches
info = {}
if a.impl.startswith("numpy"):
    dt = np.float32 if a.impl.endswith("32") else np.float64
    ew = np.ascontiguousarray(np.stack([e, w], 1), dtype=dt)

    def fn():
        tot, left = np.zeros(d), N
        while left > 0:
            n = min(CH, left)
            x = rng.standard_normal((n, d), dtype=dt)
            p = x @ ew
            tot += np.where((p > 0).all(1), p[:, 1], 0) @ x
            left -= n
        info["err"] = float(np.linalg.norm(tot / N - exact) / np.linalg.norm(exact))
else:
    import jax
    import jax.numpy as jnp
    key = jax.random.key(0, impl="rbg" if a.impl.endswith("rbg") else "threefry2x32")
    ew = jnp.stack([jnp.asarray(e), jnp.asarray(w)], 1)

    @jax.jit
    def f(key):
        def body(i, tot):
            x = jax.random.normal(jax.random.fold_in(key, i), (CH, d))
            p = x @ ew
            return tot + jnp.where((p > 0).all(1), p[:, 1], 0.0) @ x
        return jax.lax.fori_loop(0, N // CH, body, jnp.zeros(d))

    def fn():
        tot = np.asarray(f(key))
        info["err"] = float(np.linalg.norm(tot / N - exact) / np.linalg.norm(exact))
common.report("W6", a, common.timeit(fn, a), **info)
