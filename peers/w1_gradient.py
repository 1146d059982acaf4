"""W1: one population-gradient evaluation, K = M."""
import common
a = common.parse(["numpy", "jax", "jax_poly", "jax_grad"], "50,100")
import numpy as np
import closed_form as cf

k, d = map(int, a.size.split(","))
w, v, nv, evT = cf.problem(np, k, d)
ref = cf.grad_np(np, w, v, nv, evT)
if a.impl == "numpy":
    fn = lambda: cf.grad_np(np, w, v, nv, evT)
    out = fn()
else:
    import jax
    import jax.numpy as jnp
    wj, vj, nvj, ej = map(jnp.asarray, (w, v, nv, evT))
    if a.impl in ("jax", "jax_poly"):
        gr = cf.grad_np if a.impl == "jax" else cf.grad_poly
        f = jax.jit(lambda w: gr(jnp, w, vj, nvj, ej))
    else:
        f = jax.jit(jax.grad(lambda w: cf.loss_jnp(jnp, w, vj)))
    fn = lambda: f(wj).block_until_ready()
    out = np.asarray(fn())
err = float(np.abs(out - ref).max() / np.abs(ref).max())
common.report("W1", a, common.timeit(fn, a), rel_diff=err)
