"""W5: the full Hessian of the population loss, K = M = d (--size)."""
import common
a = common.parse(["jax_hessian", "jax_jacfwd", "numpy_blocks"], "20")
import math
import numpy as np
import closed_form as cf

k = int(a.size)
w, v, nv, evT = cf.problem(np, k, k)
import jax  # the reference
import jax.numpy as jnp
vj, nvj, ej = map(jnp.asarray, (v, nv, evT))


def grad_safe(x):
    """Closed-form gradient with the diagonal taken out of arccos (needed for its derivative)."""
    eye = jnp.eye(k, dtype=bool)
    n = jnp.sqrt(jnp.sum(x * x, 1))
    e = x / n[:, None]
    c = jnp.where(eye, 0.0, e @ e.T)
    cs = e @ ej
    A = jnp.where(eye, 0.0, math.pi - jnp.arccos(c))
    s = jnp.where(eye, 0.0, jnp.sqrt(1 - c * c)) @ n - jnp.sqrt(1 - cs * cs) @ nvj
    return 0.5 * x + (A @ x - (math.pi - jnp.arccos(cs)) @ vj + s[:, None] * e) / cf.TAU


wj = jnp.asarray(w)
fh = jax.jit(jax.hessian(lambda x: cf.loss_jnp(jnp, x.reshape(k, k), vj)))
fj = jax.jit(jax.jacfwd(lambda x: grad_safe(x.reshape(k, k)).ravel()))
ref = np.asarray(fh(wj.ravel()))
if a.impl == "jax_hessian":
    fn = lambda: fh(wj.ravel()).block_until_ready()
    out = np.asarray(fn())
elif a.impl == "jax_jacfwd":
    fn = lambda: fj(wj.ravel()).block_until_ready()
    out = np.asarray(fn())
else:
    fn = lambda: cf.hessian_blocks(np, w, v)
    out = fn()
common.report("W5", a, common.timeit(fn, a), rel_diff=float(np.abs(out - ref).max() / np.abs(ref).max()))
