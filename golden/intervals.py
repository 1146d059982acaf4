"""Golden values of the interval functions in 60 digits: intervals.py FIXTURE compares, intervals.py FIXTURE --write makes it.

A line of the fixture is `name argument [argument] high low`, bits of doubles in hexadecimal. The arguments are doubles
taken exactly; high is the value rounded to nearest, low the rest rounded to nearest. The arguments are fixed: grids,
neighbours of zeros and extrema, both sides of the thresholds in the code, powers of two, and a linear congruence.
"""
import math
import pathlib
import struct
import sys
from mpmath import mp, mpf

mp.dps = 400  # sines of doubles next to multiples of pi, cosines of 1e-160


def bits(x):
    return struct.pack(">d", x).hex()


def doubles(values):
    """Both neighbours of each value as well, without repetition."""
    out = []
    for v in values:
        out += [v, math.nextafter(v, math.inf), math.nextafter(v, -math.inf)]
    return list(dict.fromkeys(out))


def congruence(count, low, high, seed):
    state = seed
    for _ in range(count):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        yield low + (high - low) * (state >> 11) / 2**53


def trigonometric():
    return (doubles([n * math.pi / 4 for n in range(-12, 45)]) + doubles([2.0**-n for n in range(1, 60, 4)])
            + doubles([0.78, 0.79, 1.6, 4.49, 5.76, 1e-160, 355.0, 104348.0, 524288.0 - 1])
            + list(congruence(200, -7, 7, 1)) + list(congruence(60, -5e5, 5e5, 2)))


def unit():
    return (doubles([n / 16 for n in range(-15, 16)]) + [1.0, -1.0] + [1 - 2.0**-n for n in range(1, 54, 2)]
            + [2.0**-n - 1 for n in range(1, 54, 2)] + list(congruence(250, -1, 1, 3)))


def points():
    sides = [0.0, 1.0, -1.0, 5e-324, 1e-300, -1e-160, 1e-8, -3.7, 1e17, -1e160, 1.7e308]
    grid = [(y, x) for y in sides for x in sides if (y, x) != (0.0, 0.0)]
    random = congruence(600, -2, 2, 4)
    return grid + list(zip(random, random))


def kernel(series_first, ratio, direct):
    def value(x):
        if abs(x) >= 1:
            return direct(x)
        term, total, n = 1 / mpf(series_first), mpf(0), 1
        while abs(term) > mpf(10) ** -120 * abs(total):
            total += term
            term *= -x * x / ratio(n)
            n += 1
        return total
    return value


FUNCTIONS = {
    "sin": (trigonometric, mp.sin),
    "cos": (trigonometric, mp.cos),
    "sinc": (trigonometric, kernel(1, lambda n: 2 * n * (2 * n + 1), lambda x: mp.sin(x) / x)),
    "c2": (trigonometric, kernel(2, lambda n: (2 * n + 1) * (2 * n + 2), lambda x: (1 - mp.cos(x)) / x**2)),
    "k3": (trigonometric, kernel(6, lambda n: (2 * n + 2) * (2 * n + 3), lambda x: (x - mp.sin(x)) / x**3)),
    "kappa3": (trigonometric, kernel(3, lambda n: 2 * n * (2 * n + 3), lambda x: (mp.sin(x) - x * mp.cos(x)) / x**3)),
    "acos": (unit, mp.acos),
    "sqrt": (lambda: doubles([10.0**n for n in range(-300, 300, 12)]) + list(congruence(100, 0, 4, 5)), mp.sqrt),
    "atan2": (points, mp.atan2),
}


def lines():
    for name, (arguments, function) in FUNCTIONS.items():
        for argument in arguments():
            xs = argument if isinstance(argument, tuple) else (argument,)
            value = function(*map(mpf, xs))
            high = float(value)
            low = float(value - mpf(high))
            yield " ".join([name, *map(bits, xs), bits(high), bits(low)])


path = pathlib.Path(sys.argv[1])
made = ["# Made by golden/intervals.py; `cargo xtask golden` compares."] + list(lines())
if sys.argv[2:] == ["--write"]:
    path.write_text("\n".join(made) + "\n")
    print(f"{len(made) - 1} values written to {path}")
    sys.exit(0)
stored = path.read_text().splitlines()
wrong = [f"{i + 1}: stored {a}, recomputed {b}" for i, (a, b) in enumerate(zip(stored, made)) if a != b]
if len(stored) != len(made):
    wrong.append(f"{len(stored)} lines stored, {len(made)} made")
print(f"{path.name}: {len(made) - 1} values recomputed, {len(wrong)} differ")
print("\n".join(wrong[:20]))
sys.exit(1 if wrong else 0)
