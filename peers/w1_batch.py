"""W1 in a batch: the population gradients of many problems that share one teacher. --size B,K,d"""
import common
a = common.parse(["numpy", "jax", "jax_poly", "jax_expert"], "4096,6,6", reps=5)
import math
import numpy as np
import closed_form as cf

B, k, d = map(int, a.size.split(","))
w, v, nv, evT = cf.problem(np, k, d, batch=B)
ref = cf.grad_np(np, w, v, nv, evT)
if a.impl == "numpy":
    fn = lambda: cf.grad_np(np, w, v, nv, evT)
    out = fn()
else:
    import jax
    import jax.numpy as jnp
    vj, nvj, ej = map(jnp.asarray, (v, nv, evT))
    if a.impl == "jax_expert":
        # the batch on the last axis, products as fused sums, arccos as a polynomial, cache-sized blocks

        def g(w):  # (k, d, CH)
            n = jnp.sqrt((w * w).sum(1))
            e = w / n[:, None]
            t, s = cf.fast_acos_sin(jnp, (e[:, None] * e[None]).sum(2))
            ts, ss = cf.fast_acos_sin(jnp, (e[:, None] * ej.T[None, :, :, None]).sum(2))
            q = (s * n[None]).sum(1) - (ss * nvj[None, :, None]).sum(1)
            return (((math.pi - t)[:, :, None] * w[None]).sum(1) + q[:, None] * e
                    - ((math.pi - ts)[:, :, None] * vj[None, :, :, None]).sum(1)) / cf.TAU
        CH = 64
        wj = jnp.asarray(np.ascontiguousarray(w.reshape(-1, CH, k, d).transpose(0, 2, 3, 1)))
        f = jax.jit(lambda x: jax.lax.map(g, x))
        back = lambda y: np.asarray(y).transpose(0, 3, 1, 2).reshape(B, k, d)
    else:
        wj = jnp.asarray(w)
        gr = cf.grad_np if a.impl == "jax" else cf.grad_poly
        f = jax.jit(jax.vmap(lambda x: gr(jnp, x, vj, nvj, ej)))
        back = np.asarray
    fn = lambda: f(wj).block_until_ready()
    out = back(fn())
err = float(np.abs(out - ref).max() / np.abs(ref).max())
common.report("W1b", a, common.timeit(fn, a), rel_diff=err)
