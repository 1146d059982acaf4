"""W4: the map of L12 on a grid of N_theta x N_phi angles, ends included (--size).

All angles are known from the grid, so that no peer takes an arc cosine. `jax_signs` counts the signs that contradict
Conjecture 1 and stores nothing; `jax_map` writes every value, in pieces of 10 MB that are dropped."""
import common
a = common.parse(["jax_signs", "jax_map"], "10000,20000", reps=3)
import math
import numpy as np

rows, cols = map(int, a.size.split(","))
pi = math.pi
theta = np.linspace(0.0, pi, rows)[1:-1]  # on both ends L12 vanishes, and the formula divides by zero
phi = np.linspace(0.0, 2.0 * pi, cols)
piece = max(1, 10_000_000 // (8 * cols))


def l12(xp, t, p):
    """t: (rows, 1), p: (1, columns). The 2 x 2 matrix is inverted through its eigenvectors (1, 1) and (1, -1), which
    keeps the digits that Cramer's rule loses at small angles."""
    a1 = xp.where(p > pi, 2.0 * pi - p, p)
    b = abs(p - t)
    a2 = xp.where(b > pi, 2.0 * pi - b, b)
    c1, s1, ct, st = xp.cos(p), xp.sin(p), xp.cos(t), xp.sin(t)
    c2 = ct * c1 + st * s1
    s2 = abs(ct * s1 - st * c1)
    s1 = abs(s1)
    versine = 2.0 * xp.sin(0.5 * t) ** 2
    even = (pi * ct + (pi - t) + st * ct) / (pi + (pi - t) * ct + st)
    odd = (t - st * ct - pi * versine) / ((pi - t) * versine + (t - st))
    k1, k2 = 0.5 * (even + odd), 0.5 * (even - odd)
    return (pi - a1) * c2 + s1 * ct - k1 * ((pi - a1) * c1 + s1) - k2 * ((pi - a2) * c2 + s2)


import jax
import jax.numpy as jnp
count = 64 if a.impl == "jax_signs" else piece
pieces = jnp.asarray(np.resize(theta, -(-len(theta) // count) * count).reshape(-1, count, 1))
inner = jnp.asarray(phi[1:-1])[None]

@jax.jit
def violations(every):
    def one(t):
        value = l12(jnp, t, inner)
        return jnp.sum(jnp.where(inner < t, value < 0.0, value > 0.0))
    return jax.lax.map(one, every).sum()

values = jax.jit(lambda t: l12(jnp, t, jnp.asarray(phi)[None]))

def fn():
    if a.impl == "jax_signs":
        return violations(pieces).block_until_ready()
    for t in pieces:
        values(t).block_until_ready()

more = {"violations": int(fn())} if a.impl == "jax_signs" else {}
common.report("W4", a, common.timeit(fn, a), **more)
