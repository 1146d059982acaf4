"""W7: the 2-D (x, y) dynamics of Theorem 7, K = 5. --size points,steps"""
import common
a = common.parse(["numpy", "jax", "jax_expert"], "100000,10000", reps=3,
                 steps=(int, 20, "steps timed (0: all), time scaled"))
import math
import numpy as np
import closed_form as cf

B, T = map(int, a.size.split(","))
steps = a.steps or T
K, eta = 5, 0.01
x0, y0 = cf.plane_starts(np, B)
step = lambda xp, acos, x, y: cf.plane_step(xp, acos, x, y, K, eta)


clipped = lambda xp: (lambda c: xp.arccos(xp.clip(c, -1.0, 1.0)))
if a.impl == "numpy":
    CH = 4096

    def fn():
        r = 0.0
        with np.errstate(all="ignore"):
            for i in range(0, B, CH):
                x, y = x0[i:i + CH], y0[i:i + CH]
                for _ in range(steps):
                    x, y = step(np, clipped(np), x, y)
                r = max(r, float(np.abs(x - 1).max()))
        return r
elif a.impl == "jax_expert":
    import jax
    import jax.numpy as jnp
    CH = 2048  # points advanced together, so that they stay in the caches
    acos = lambda c: cf.fast_acos_sin(jnp, c)[0]
    f = jax.jit(lambda x, y: jax.lax.map(lambda s: jax.lax.fori_loop(
        0, steps, lambda _, z: step(jnp, acos, *z), s), (x, y)))
    pad = lambda z: jnp.asarray(np.resize(z, -(-B // CH) * CH).reshape(-1, CH))
    xj, yj = pad(x0), pad(y0)
    fn = lambda: float(jnp.abs(f(xj, yj)[0] - 1).max())
else:
    import jax
    import jax.numpy as jnp
    f = jax.jit(lambda x, y: jax.lax.fori_loop(
        0, steps, lambda _, s: step(jnp, clipped(jnp), *s), (x, y)))
    xj, yj = jnp.asarray(x0), jnp.asarray(y0)
    fn = lambda: float(jnp.abs(f(xj, yj)[0] - 1).max())
res = common.timeit(fn, a)
for key in ("seconds", "min", "cpu_seconds"):
    res[key] *= T / steps
common.report("W7", a, res, steps_timed=steps)
