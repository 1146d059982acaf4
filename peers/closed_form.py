"""The closed form, written once for numpy and jax.numpy.

Rows are neurons. J = 1/2 E (sum_i relu(w_i.x) - sum_m relu(v_m.x))^2, x ~ N(0, I).
k(u, v) = E relu(u.x) relu(v.x) = |u||v| (sin t + (pi - t) cos t) / (2 pi).
"""
import math

TAU = 2.0 * math.pi


def grad_np(np, w, v, nv, evT):
    """Gradient by matrix products. nv, evT: the teacher's norms and unit rows (transposed)."""
    nw = np.sqrt(np.sum(w * w, axis=-1))
    e = w / nw[..., None]
    c = np.clip(e @ np.swapaxes(e, -1, -2), -1.0, 1.0)
    cs = np.clip(e @ evT, -1.0, 1.0)
    t, ts = np.arccos(c), np.arccos(cs)
    s = np.sqrt(1.0 - c * c) @ nw[..., None] - (np.sqrt(1.0 - cs * cs) @ nv[..., None])
    return ((math.pi - t) @ w - (math.pi - ts) @ v + s * e) / TAU


def grad_poly(np, w, v, nv, evT):
    """grad_np with the polynomial arccos below."""
    nw = np.sqrt(np.sum(w * w, axis=-1))
    e = w / nw[..., None]
    t, s = fast_acos_sin(np, e @ np.swapaxes(e, -1, -2))
    ts, ss = fast_acos_sin(np, e @ evT)
    q = s @ nw[..., None] - ss @ nv[..., None]
    return ((math.pi - t) @ w - (math.pi - ts) @ v + q * e) / TAU


def loss_jnp(jnp, w, v):
    """The closed-form loss, safe for automatic differentiation.

    arccos has an infinite slope at 1, so the diagonal is taken out before it."""
    def k_off(a, na, b, nb, mask):
        g = a @ b.T
        n = na[:, None] * nb[None, :]
        c = jnp.where(mask, 0.0, jnp.clip(g / n, -1.0 + 1e-16, 1.0 - 1e-16))
        t = jnp.arccos(c)
        return jnp.sum(jnp.where(mask, 0.0, n * jnp.sqrt(1.0 - c * c) + (math.pi - t) * g))
    nw = jnp.sqrt(jnp.sum(w * w, axis=1))
    nv = jnp.sqrt(jnp.sum(v * v, axis=1))
    eye = jnp.eye(w.shape[0], dtype=bool)
    no = jnp.zeros((w.shape[0], v.shape[0]), dtype=bool)
    ss = 0.25 * jnp.sum(w * w) + 0.5 * k_off(w, nw, w, nw, eye) / TAU
    return ss - k_off(w, nw, v, nv, no) / TAU


def hessian_blocks(np, w, v):
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
    diag = 0.5 * I + (h1(e, nw, e, nw, True) - h1(e, nw, f, nvv, False)) / TAU
    c = np.clip(e @ e.T, -1, 1)
    s = np.sqrt(1 - c * c)
    t = np.arccos(c)
    with np.errstate(all="ignore"):
        r = np.where(np.eye(K, dtype=bool), 0.0, 1 / s)
    u = e[None] - c[:, :, None] * e[:, None]                    # e_j - c e_i
    H = np.einsum("ij,ab->iajb", math.pi - t, I)
    H += np.einsum("ja,ijb->iajb", e, r[:, :, None] * (e[:, None] - c[:, :, None] * e[None]))
    H += np.einsum("ia,ijb->iajb", e, r[:, :, None] * u)
    H /= TAU
    H[np.arange(K), :, np.arange(K), :] = diag
    return H.reshape(K * D, K * D)


def problem(np, k, d, m=None, seed=0, orthonormal=False, batch=None):
    rng = np.random.default_rng(seed)
    m = m or k
    v = np.eye(m, d) if orthonormal else rng.standard_normal((m, d))
    shape = (k, d) if batch is None else (batch, k, d)
    w = rng.standard_normal(shape) / (math.sqrt(d) if orthonormal else 1.0)
    nv = np.sqrt((v * v).sum(1))
    return w, v, nv, np.ascontiguousarray((v / nv[:, None]).T)


# asin(sqrt(y)) / sqrt(y) on [0, 1/4], Chebyshev interpolation of degree 12 (error 2e-17)
ASIN = (1.0, 0.16666666666664942, 0.07500000000385201, 0.044642856805998936,
        0.03038195969768514, 0.022371749733164054, 0.01735977964134998, 0.01388484282640208,
        0.012170138592391726, 0.0065293020047365695, 0.019513468251252167,
        -0.016187392271599134, 0.03187962140081284)


def fast_acos_sin(xp, c):
    """(arccos c, sin arccos c) from elementary operations that a compiler can vectorise.
    XLA's own arccos calls a scalar atan2 for every element."""
    a = xp.minimum(abs(c), 1.0)
    big = a > 0.5
    z = 0.5 * (1.0 - a)
    y = xp.where(big, z, a * a)
    p = ASIN[-1]
    for q in ASIN[-2::-1]:
        p = p * y + q
    r = xp.where(big, xp.sqrt(z), a) * p
    t = xp.where(big, 2.0 * r, 0.5 * math.pi - r)
    return xp.where(c < 0, math.pi - t, t), xp.sqrt((1.0 - a) * (1.0 + a))


def plane_starts(np, count):
    """Starts below the diagonal of Theorem 7's plane."""
    rng = np.random.default_rng(0)
    x = rng.uniform(0.001, 1.0, count)
    return x, x * rng.uniform(0.0, 0.999, count)


def plane_step(xp, acos, x, y, K, eta):
    """A step of the (K, d = K) gradient restricted to w_j = x e_j + y sum_{i != j} e_i, teacher e_j."""
    n2 = x * x + (K - 1) * y * y
    al = 1.0 / xp.sqrt(n2)
    ct, cf_, cp = x * al, y * al, (2.0 * x * y + (K - 2) * y * y) * (al * al)
    th, ps, ph = acos(ct), acos(cf_), acos(cp)
    sp = xp.sqrt(1.0 - cp * cp)
    s = (K - 1) * (al * xp.sqrt(1.0 - cf_ * cf_) - sp) + al * xp.sqrt(1.0 - ct * ct)
    m = (math.pi - ph) * (x - 1.0 + (K - 1) * y)
    e = eta / TAU
    return (x + e * (-m - ph * (x - 1.0) - th + s * x),
            y + e * (-m - ph * y - (ps - ph) + s * y))


def cnn_starts(np, count, k, p):
    """Teacher and starts of the convolutional network of Du et al. (2018), |w*| = |a*| = 1."""
    rng = np.random.default_rng(0)
    ws = rng.standard_normal(p)
    ws /= np.linalg.norm(ws)
    As = rng.standard_normal(k)
    As /= np.linalg.norm(As)
    v = rng.standard_normal((count, p))
    return ws, As, v, rng.uniform(-1, 1, (count, k)) / math.sqrt(k)


def cnn_step(xp, acos, v, a, ws, As, eta):
    """A step of gradient descent; v: (B, p), a: (B, k), |w*| = 1. Du et al. (2018), theorem 3.1 and section 5."""
    n = xp.sqrt((v * v).sum(-1))
    c = xp.clip((v @ ws) / n, -1.0, 1.0)
    phi, s = acos(c), xp.sqrt(1.0 - c * c)
    h = (math.pi - phi) * c + s
    q = (a @ As) * (math.pi - phi) / (TAU * n)
    dv = eta * q[..., None] * (ws - (c / n)[..., None] * v)
    return v + dv, a - eta / TAU * ((a.sum(-1) - As.sum())[..., None] + (math.pi - 1) * a
                                    - (h - 1.0)[..., None] * As)


def cnn_step_reduced(xp, acos_sin, s, total, k, eta):
    """The same in the four numbers that it depends on: v.w*, |v - (v.w*) w*|, a.a*, 1.a; total = 1.a*, |a*| = 1."""
    x, y, u, t = s
    n = xp.sqrt(x * x + y * y)
    c = xp.clip(x / n, -1.0, 1.0)
    phi, sn = acos_sin(c)
    h = (math.pi - phi) * c + sn
    q = u * (math.pi - phi) / (TAU * n)
    e = eta / TAU
    return (x + eta * q * (1.0 - c * x / n), y - eta * q * (c * y / n),
            u - e * ((t - total) * total + (math.pi - 1) * u - (h - 1.0)),
            t - e * ((t - total) * k + (math.pi - 1) * t - (h - 1.0) * total))
