"""Critical points in 40 digits: critical_points.py FIXTURE compares, critical_points.py FIXTURE --write makes it.

Each point is found by Newton's method on all K d entries with the closed forms of gradient and Hessian, from a rounded start;
then loss and smallest eigenvalue of the Hessian (the smallest one that is not zero, where a manifold makes some zero).

Lines: `name`, name; `teacher`, M, d and the entries; `point`, K and pairs high low; `loss`, high low; `smallest`, high low;
`counts`, negative eigenvalues and zero eigenvalues. Numbers are bits of doubles in hexadecimal.
"""
import pathlib
import struct
import sys
from mpmath import mp, mpf, matrix, sqrt, cos, sin, pi, atan2, eye

mp.dps = 40


def bits(x):
    return struct.pack(">d", x).hex()


def pair(value):
    high = float(value)
    return f"{bits(high)} {bits(float(value - mpf(high)))}"


def dot(u, v):
    return sum((a * b for a, b in zip(u, v)), mpf(0))


def geometry(u, v):
    """Norms, directions and angle; remainders across each other."""
    nu, nv = sqrt(dot(u, u)), sqrt(dot(v, v))
    e, f = [x / nu for x in u], [x / nv for x in v]
    c = dot(e, f)
    r, q = [y - c * x for x, y in zip(e, f)], [x - c * y for x, y in zip(e, f)]
    s = sqrt(dot(r, r))
    if s < mpf(10) ** -35:
        s, r, q = mpf(0), [mpf(0)] * len(u), [mpf(0)] * len(u)
    return nu, nv, e, f, r, q, s, atan2(s, c)


def kernel(u, v):
    nu, nv, _, _, _, _, s, t = geometry(u, v)
    return nu * nv * (s + (pi - t) * cos(t)) / (2 * pi)


def loss(W, V):
    units = [(w, 1) for w in W] + [(v, -1) for v in V]
    return sum(a * b * kernel(u, v) for u, a in units for v, b in units) / 2


def derivatives(W, V):
    K, d = len(W), len(W[0])
    g, H = matrix(K * d, 1), matrix(K * d, K * d)
    for j, w in enumerate(W):
        for i in range(d):
            g[j * d + i] += w[i] / 2
            H[j * d + i, j * d + i] += mpf(1) / 2
        others = [(u, 1, k) for k, u in enumerate(W) if k != j] + [(v, -1, None) for v in V]
        for u, sign, k in others:
            nw, nu, e, f, r, q, s, t = geometry(w, u)
            for i in range(d):
                g[j * d + i] += sign * ((pi - t) * u[i] + nu * s * e[i]) / (2 * pi)
                for l in range(d):
                    rr = r[i] * r[l] / s if s > 0 else mpf(0)
                    rq = r[i] * q[l] / s if s > 0 else mpf(0)
                    one = 1 if i == l else 0
                    H[j * d + i, j * d + l] += sign * nu / (2 * pi * nw) * (s * (one - e[i] * e[l]) + rr)
                    if k is not None:
                        H[j * d + i, k * d + l] += ((pi - t) * one + rq + s * e[i] * f[l]) / (2 * pi)
    return g, H


def solve(W, V, free):
    """Newton on the rows whose index is free, small eigenvalues left out."""
    d = len(W[0])
    index = [j * d + i for j in free for i in range(d)]
    for _ in range(12):
        g, H = derivatives(W, V)
        E, Q = mp.eigsy(matrix([[H[a, b] for b in index] for a in index]))
        gi = matrix([g[a] for a in index])
        step = matrix(len(index), 1)
        for m in range(len(index)):
            if abs(E[m]) > mpf(10) ** -6:
                column = matrix([Q[a, m] for a in range(len(index))])
                step += column * (dot(column, gi) / E[m])
        for n, a in enumerate(index):
            W[a // d][a % d] -= step[n]
        if mp.norm(step) < mpf(10) ** -36:
            return W
    raise SystemExit(f"no convergence, step {mp.norm(step)}")


def block(K, a, b, c, d, e):
    rows = [[a if i == j else b for j in range(K - 1)] + [c] for i in range(K - 1)]
    return rows + [[d] * (K - 1) + [e]]


def orthonormal(K, d):
    return [[mpf(int(i == j)) for j in range(d)] for i in range(K)]


def cases():
    yield "minimum of six units", orthonormal(6, 6), block(6, 0.986704, -0.050413, 0.308011, 0.224516, -0.601512)
    yield "second minimum of six units", orthonormal(6, 6), block(6, *[-0.663397368, 0.330709783] + [0.330709783] * 2, -0.663397368)
    yield "antiparallel saddle", orthonormal(2, 2), [[1.0683, 1.0683], [-0.06831, -0.06831]]
    yield "out of the plane", orthonormal(2, 4), [[0.524579, 0.524579, 0.409132, 0], [0.524579, 0.524579, -0.409132, 0]]
    yield "unequal teachers", [[mpf(1), mpf(0)], [mpf(0), mpf(0.1)]], [[0.0328, -0.0395], [0.9953, 0.0839]]
    yield "general teacher", [[mpf(0.75), mpf(-0.5), mpf(0.25)], [mpf(0.5), mpf(1), mpf(-0.125)]], [[0.75, -0.5, 0.25], [0.5, 1, -0.125]]


def lines():
    for name, V, W in cases():
        W = solve([[mpf(x) for x in row] for row in W], V, range(len(W)))
        g, H = derivatives(W, V)
        E = mp.eigsy(H, eigvals_only=True)
        zeros = [x for x in E if abs(x) < mpf(10) ** -25]
        smallest = min(x for x in E if abs(x) >= mpf(10) ** -25)
        d = len(V[0])
        yield f"name {name}"
        yield " ".join([f"teacher {len(V)} {d}"] + [bits(float(x)) for row in V for x in row])
        yield " ".join([f"point {len(W)}"] + [pair(x) for row in W for x in row])
        value = loss(W, V)
        yield f"loss {pair(value if abs(value) > mpf(10) ** -35 else mpf(0))}"
        yield f"smallest {pair(smallest)}"
        yield f"counts {sum(1 for x in E if x < -mpf(10) ** -25)} {len(zeros)}"


path = pathlib.Path(sys.argv[1])
made = ["# Made by golden/critical_points.py; `cargo xtask golden` compares."] + list(lines())
faults = []
if sys.argv[2:] == ["--write"]:
    path.write_text("\n".join(made) + "\n")
else:
    stored = path.read_text().splitlines()
    faults = [f"{i + 1}: stored {a}, recomputed {b}" for i, (a, b) in enumerate(zip(stored, made)) if a != b]
    if len(stored) != len(made):
        faults.append(f"{len(stored)} lines stored, {len(made)} made")
print(f"{path.name}: {len(made) - 1} lines, {len(faults)} faults")
print("\n".join(faults[:20]))
sys.exit(1 if faults else 0)
