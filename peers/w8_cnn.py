"""W8: gradient descent on the convolutional network of Du et al. (2018) with weight normalisation, closed-form gradient.
--size starts,k,p,steps"""
import common
a = common.parse(["numpy", "jax", "jax_reduced", "jax_expert"], "100000,25,20,1000", reps=3,
                 steps=(int, 0, "steps timed, time scaled (0: all, or 100 of the whole network)"))
import numpy as np
import closed_form as cf

B, k, p, T = map(int, a.size.split(","))
steps = a.steps or (min(T, 100) if a.impl in ("numpy", "jax") else T)
eta = 0.05
ws, As, v0, a0 = cf.cnn_starts(np, B, k, p)
total = float(As.sum())
step = lambda xp, v, al, ws, As: cf.cnn_step(xp, xp.arccos, v, al, ws, As, eta)

if a.impl == "numpy":
    CH = 2000  # starts advanced together, so that they stay in the caches

    def fn():
        for i in range(0, B, CH):
            v, al = v0[i:i + CH], a0[i:i + CH]
            for _ in range(steps):
                v, al = step(np, v, al, ws, As)
        return v, al
else:
    import jax
    import jax.numpy as jnp
    if a.impl == "jax":
        wj, Aj = jnp.asarray(ws), jnp.asarray(As)
        f = jax.jit(lambda v, al: jax.lax.fori_loop(
            0, steps, lambda _, s: step(jnp, s[0], s[1], wj, Aj), (v, al)))
        st = (jnp.asarray(v0), jnp.asarray(a0))
    else:
        x = v0 @ ws
        st = (x, np.linalg.norm(v0 - x[:, None] * ws, axis=1), a0 @ As, a0.sum(1))
        reduced = lambda acs: lambda _, s: cf.cnn_step_reduced(jnp, acs, s, total, k, eta)
        if a.impl == "jax_reduced":
            acs = lambda c: (jnp.arccos(c), jnp.sqrt(1.0 - c * c))
            f = jax.jit(lambda *s: jax.lax.fori_loop(0, steps, reduced(acs), s))
            st = tuple(map(jnp.asarray, st))
        else:  # a polynomial arccos, and few enough starts at a time for the caches
            CH = 1000
            acs = lambda c: cf.fast_acos_sin(jnp, c)
            f = jax.jit(lambda *s: jax.lax.map(lambda s: jax.lax.fori_loop(0, steps, reduced(acs), s), s))
            st = tuple(jnp.asarray(z.reshape(-1, CH)) for z in st)
    fn = lambda: jax.block_until_ready(f(*st))
res = common.timeit(fn, a)
for key in ("seconds", "min", "cpu_seconds"):
    res[key] *= T / steps
common.report("W8", a, res, steps_timed=steps)
