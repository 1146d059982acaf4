"""W2: 1000 steps of gradient descent of B independent starts, orthonormal teacher. --size B,K,d"""
import common
a = common.parse(["numpy", "jax", "jax_poly", "jax_expert"], "4096,6,6", reps=5,
                 steps=(int, 0, "steps timed (0: 20 for K <= 10, else 4), time scaled"), of=(int, 1000, "steps reported (time scaled)"))
import math
import numpy as np
import closed_form as cf

B, k, d = map(int, a.size.split(","))
a.steps = a.steps or (20 if k <= 10 else 4)
w, v, nv, evT = cf.problem(np, k, d, batch=B, orthonormal=True)
eta = 0.01
if a.impl == "numpy":
    def fn():
        x = w.copy()
        for _ in range(a.steps):
            x -= eta * cf.grad_np(np, x, v, nv, evT)
        return x
elif a.impl == "jax_expert":
    # the batch on the last axis, products as fused sums, arccos as a polynomial
    import jax
    import jax.numpy as jnp
    vj, nvj, ej = jnp.asarray(v), jnp.asarray(nv), jnp.asarray(evT.T)

    def g(w):  # (k, d, B)
        n = jnp.sqrt((w * w).sum(1))
        e = w / n[:, None]
        c = (e[:, None] * e[None]).sum(2)                    # (k, k, B)
        cs = (e[:, None] * ej[None, :, :, None]).sum(2)
        t, s = cf.fast_acos_sin(jnp, c)
        ts, ss = cf.fast_acos_sin(jnp, cs)
        q = (s * n[None]).sum(1) - (ss * nvj[None, :, None]).sum(1)
        return (((math.pi - t)[:, :, None] * w[None]).sum(1) + q[:, None] * e
                - ((math.pi - ts)[:, :, None] * vj[None, :, :, None]).sum(1)) / cf.TAU
    CH = 64  # trajectories advanced together, so that they stay in the caches
    x0 = jnp.asarray(np.ascontiguousarray(w.reshape(-1, CH, k, d).transpose(0, 2, 3, 1)))
    f = jax.jit(lambda x: jax.lax.map(lambda y: jax.lax.fori_loop(
        0, a.steps, lambda _, z: z - eta * g(z), y), x))
    fn = lambda: f(x0).block_until_ready()
    chk = np.asarray(fn())[0, :, :, 3]
    y = w[3].copy()
    for _ in range(a.steps):
        y -= eta * cf.grad_np(np, y, v, nv, evT)
    assert np.abs(chk - y).max() < 1e-9, np.abs(chk - y).max()
else:
    import jax
    import jax.numpy as jnp
    wj, vj, nvj, ej = map(jnp.asarray, (w, v, nv, evT))
    gr = cf.grad_np if a.impl == "jax" else cf.grad_poly
    f = jax.jit(lambda w: jax.lax.fori_loop(
        0, a.steps, lambda _, x: x - eta * gr(jnp, x, vj, nvj, ej), w))
    fn = lambda: f(wj).block_until_ready()
res = common.timeit(fn, a)
for key in ("seconds", "min", "cpu_seconds"):
    res[key] *= a.of / a.steps
common.report("W2", a, res, steps_timed=a.steps, steps=a.of)
