"""Regenerates the polynomial tables of crates/popgrad/src/lanes.rs and of ensemble/angles.rs beside it. Needs mpmath.

asin(r) = r + r y q(y), y = r^2 in [0, 1/4];  atan(u) = u + u z q(z), z = u^2 in [0, tan(pi/8)^2];
the last table is that of asin for y in [0, sin(pi/8)^2].
Chebyshev interpolation of q in 60 digits; prints the coefficients, lowest first, and the largest error.
"""
import sys
from mpmath import mp, mpf, asin, atan, sqrt, sin, tan, pi, cos

mp.dps = 60


def fit(f, lo, hi, n):
    """Interpolate f at n Chebyshev points of [lo, hi]; power coefficients, lowest first."""
    xs = [(lo + hi) / 2 + (hi - lo) / 2 * cos(pi * (2 * k + 1) / (2 * n)) for k in range(n)]
    table = [f(x) for x in xs]
    for level in range(1, n):  # divided differences
        for i in range(n - 1, level - 1, -1):
            table[i] = (table[i] - table[i - 1]) / (xs[i] - xs[i - level])
    poly = [table[-1]]
    for i in range(n - 2, -1, -1):  # Newton form to powers
        poly = _times(poly, xs[i], table[i])
    return poly


def _times(poly, root, constant):
    out = [mpf(0)] * (len(poly) + 1)
    for i, c in enumerate(poly):
        out[i + 1] += c
        out[i] -= root * c
    out[0] += constant
    return out


def report(name, f, g, lo, hi, n):
    poly = [mpf(float(c)) for c in fit(f, lo, hi, n)]
    worst = mpf(0)
    for i in range(2001):
        x = lo + (hi - lo) * mpf(i) / 2000
        if x == 0:
            continue
        p = sum(c * x**k for k, c in enumerate(poly))
        worst = max(worst, abs((1 + x * p) / g(x) - 1))
    print(f"// {name}: {n} coefficients, largest relative error {mp.nstr(worst, 3)}")
    for c in poly:
        print(f"    {float(c)!r},")


if __name__ == "__main__":
    n_asin, n_atan, n_short = map(int, sys.argv[1:4]) if len(sys.argv) > 3 else (12, 11, 10)
    tiny = mpf(10) ** -30
    report("ASIN", lambda y: (asin(sqrt(y)) / sqrt(y) - 1) / y if y > tiny else mpf(1) / 6,
           lambda y: asin(sqrt(y)) / sqrt(y), mpf(0), mpf(1) / 4, n_asin)
    report("ATAN", lambda z: (atan(sqrt(z)) / sqrt(z) - 1) / z if z > tiny else -mpf(1) / 3,
           lambda z: atan(sqrt(z)) / sqrt(z), mpf(0), tan(pi / 8) ** 2, n_atan)
    report("ASIN to sin(pi/8)", lambda y: (asin(sqrt(y)) / sqrt(y) - 1) / y if y > tiny else mpf(1) / 6,
           lambda y: asin(sqrt(y)) / sqrt(y), mpf(0), sin(pi / 8) ** 2 * (1 + mpf(10) ** -12), n_short)
