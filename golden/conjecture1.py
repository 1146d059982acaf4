"""Conjecture 1 in 150 digits: conjecture1.py FIXTURE compares, conjecture1.py FIXTURE --write makes it.

L12 comes from the definition, a solve with the 2 x 2 matrix M_r; from it the functions of the four regions. On the way
the identities of docs/theory/conjecture1.md are tried at every point: the reduction (C.4), the reflection (C.6), (C.9),
(C.10), (C.11) and E as an integral (C.8); the exit status is 1 if one is off by more than 1e-60.

Lines: `A theta u high low` (also B, C, D) with the function of the region; `theta t` and six pairs high low with D/t^2,
S/t^3, E/t^3, Delta/(p t^3), B/t^3, (D - pi eta s)/t^3. All are bits of doubles in hexadecimal.
"""
import pathlib
import struct
import sys
from mpmath import mp, mpf, cos, sin, pi

mp.dps = 150
faults = []


def bits(x):
    return struct.pack(">d", x).hex()


def pair(value):
    high = float(value)
    return f"{bits(high)} {bits(float(value - mpf(high)))}"


def h(x):
    return (pi - x) * cos(x) + sin(x)


def between(u, v):
    """The angle between two directions given by their angles."""
    d = abs(u - v) % (2 * pi)
    return min(d, 2 * pi - d)


def l(own, other, teacher):
    """L of (14): the gradient's component along `other` at the student `own`, norms from the diagonal equation."""
    def m(unit):
        t = between(unit, own)
        return (pi - t) * cos(between(unit, other)) + sin(t) * cos(between(own, other))
    g11, g12 = pi, h(between(own, other))
    v1, v2 = h(between(teacher, own)), h(between(teacher, other))
    m1, m2 = m(own), m(other)
    det = g11 * g11 - g12 * g12
    return m(teacher) - (v1 * (g11 * m1 - g12 * m2) + v2 * (g11 * m2 - g12 * m1)) / det


def expect(name, place, got, want):
    scale = max(abs(want), mpf(10) ** -40)
    if abs(got - want) > mpf(10) ** -60 * scale:
        faults.append(f"{name} at {place}: {mp.nstr(got, 20)} against {mp.nstr(want, 20)}")


def functions(t):
    p, s, c, ht = pi - t, sin(t), cos(t), h(t)
    k = s - t * c
    D, eta = pi**2 - ht**2, p * s
    S = t * p * (1 - c) + (t - s) * (t + ht)
    Delta = 2 * pi * p * k + ht * (t**2 - s**2)
    E = D - eta**2
    B = (pi + ht) * c * (t - s) - p * (1 - c) * k
    return p, s, c, ht, k, D, eta, S, Delta, E, B


def angle_line(x):
    t = mpf(x)
    p, s, c, ht, k, D, eta, S, Delta, E, B = functions(t)
    expect("(C.9)", x, D - p * (pi - ht * c), S)
    expect("(C.10)", x, t * D - p * ht * k, pi * S)
    expect("(C.11)", x, D * (p * c - s) - eta**2 * ht, -Delta)
    integral = 4 * (pi * (t / 2 - sin(2 * t) / 4) - (t**2 / 4 - t * sin(2 * t) / 4 - cos(2 * t) / 8 + mpf(1) / 8))
    expect("(C.8)", x, E, integral)
    if x == 1.0:
        expect("(C.8) by quadrature", x, E, 4 * mp.quad(lambda y: (pi - y) * sin(y) ** 2, [0, t]))
    values = [D / t**2, S / t**3, E / t**3, Delta / (p * t**3), B / t**3, (D - pi * eta * s) / t**3]
    return " ".join([f"theta {bits(x)}"] + [pair(v) for v in values])


def region_lines(x, u):
    t, w = mpf(x), mpf(u)
    p, s, c, ht, k, D, eta = functions(t)[:7]
    for name, phi in (("A", w * t), ("B", t + w * p), ("C", pi + w * t), ("D", -w * p)):
        L12, L21 = l(mpf(0), t, phi), l(t, mpf(0), phi)
        expect("(C.6)", (name, x, u), L21, l(mpf(0), t, t - phi))
        F = D * L12 / s
        H1 = between(phi, 0)
        reduced = D * (pi - H1) * sin(phi) - eta * (pi * h(between(phi, t)) - ht * h(H1))
        expect("(C.4)", (name, x, u), F, reduced)
        if name == "A":
            value = F / (sin(phi) * t**2 * (t - phi))
        elif name == "B":
            value = -F / (sin(w * p) * p * t**3)
        elif name == "C":
            y, rest = w * t, t - w * t
            value = (-F - pi * eta * (sin(rest) - rest * cos(rest))) / (y * sin(y) * t**2)
        else:
            value = -F / (sin(w * p) * t**3)
        if not value > 0:
            faults.append(f"{name} at {x}, {u}: {mp.nstr(value, 20)} is not above 0")
        yield f"{name} {bits(x)} {bits(u)} {pair(value)}"


def congruence(count, seed):
    state = seed
    for _ in range(count):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        yield (state >> 11) / 2**53


def lines():
    ends = [1e-12, 1e-6, 1e-3, 0.1, 1.0, 1.7897, 2.5, 3.0, 3.14, 3.1415926]
    for x in ends + [3.14159 * v for v in congruence(60, 1)]:
        yield angle_line(x)
    for x in ends:
        for u in (1e-9, 0.01, 0.5, 0.99, 1 - 2.0**-30):
            yield from region_lines(x, u)
    random = congruence(500, 2)
    for a, u in zip(random, random):
        yield from region_lines(3.14159 * a, u)


path = pathlib.Path(sys.argv[1])
made = ["# Made by golden/conjecture1.py; `cargo xtask golden` compares."] + list(lines())
if sys.argv[2:] == ["--write"] and not faults:
    path.write_text("\n".join(made) + "\n")
    print(f"{len(made) - 1} lines written to {path}")
elif not faults:
    stored = path.read_text().splitlines()
    faults += [f"{i + 1}: stored {a}, recomputed {b}" for i, (a, b) in enumerate(zip(stored, made)) if a != b]
    if len(stored) != len(made):
        faults.append(f"{len(stored)} lines stored, {len(made)} made")
print(f"{path.name}: {len(made) - 1} lines, {len(faults)} faults")
print("\n".join(faults[:20]))
sys.exit(1 if faults else 0)
