"""W5: the full Hessian of the population loss, K = M = d (--size)."""
import common
a = common.parse(["jax_hessian", "jax_jacfwd", "numpy_blocks"], "20")
import math
import numpy as np
import closed_form as cf

k = int(a.size)
w, v, nv, evT = cf.problem(np, k, k)


def blocks(w, v):
    """Closed-form blocks, written with array operations (Safran & Shamir 2018, sec. 4)."""
    K, D = w.shape
    nw, nvv = np.linalg.norm(w, axis=1), np.linalg.norm(v, axis=1)
    e, f = w / nw[:, None], v / nvv[:, None]
    I = np.eye(D)
    H = np.zeros((K, D, K, D))

    def h1(e, n, f, nf, off):  # sum over second argument of (sin/|w|) (I - ee' + nn'), scaled
        c = np.clip(e @ f.T, -1, 1)
        s = np.sqrt(1 - c * c)
        if off:
            np.fill_diagonal(s, 0.0)
        u = f[None] - c[:, :, None] * e[:, None]                # (K, M, D)
        with np.errstate(all="ignore"):
            q = np.where(s > 0, nf / (n[:, None] * s), 0.0)     # |f| / (|w| sin)
        if off:
            np.fill_diagonal(q, 0.0)
        ws = (s * nf).sum(1) / n
        return ws[:, None, None] * (I - e[:, :, None] * e[:, None, :]) + np.matmul(
            (q[:, :, None] * u).transpose(0, 2, 1), u)
    diag = 0.5 * I + (h1(e, nw, e, nw, True) - h1(e, nw, f, nvv, False)) / cf.TAU
    c = np.clip(e @ e.T, -1, 1)
    s = np.sqrt(1 - c * c)
    t = np.arccos(c)
    with np.errstate(all="ignore"):
        r = np.where(np.eye(K, dtype=bool), 0.0, 1 / s)
    u = e[None] - c[:, :, None] * e[:, None]                    # e_j - c e_i
    H = np.einsum("ij,ab->iajb", math.pi - t, I)
    H += np.einsum("ja,ijb->iajb", e, r[:, :, None] * (e[:, None] - c[:, :, None] * e[None]))
    H += np.einsum("ia,ijb->iajb", e, r[:, :, None] * u)
    H /= cf.TAU
    H[np.arange(K), :, np.arange(K), :] = diag
    return H.reshape(K * D, K * D)


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
    fn = lambda: blocks(w, v)
    out = fn()
common.report("W5", a, common.timeit(fn, a), rel_diff=float(np.abs(out - ref).max() / np.abs(ref).max()))
