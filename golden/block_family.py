"""Losses of block families in 40 digits: block_family.py FIXTURE compares, block_family.py FIXTURE --write makes it.

A point of the family [p, q] has own, same and cross entries of both blocks (same only for blocks of two or more). Its loss is summed
class by class from the kernel |u||v|(sin t + (pi - t) cos t)/2pi, with the counts of the classes as factors.
"""
import json
import pathlib
import sys
from mpmath import mp, mpf, sqrt, acos, pi, nstr

mp.dps = 40

POINTS = [
    ([1, 1199], [-0.9956007218356638, 0.001081629750876331, 1.0000016972515793, -9.041836351532916e-7, 0.0016635783557762786]),
    ([1, 5], [-0.6015119235610925, 0.2245158075994768, 0.9867038188885775, -0.05041340321680864, 0.3080109914790685]),
    ([2, 8], [-0.7298404388078448, 0.1532647036635842, 0.13551927910569955, 0.9975635613143098, -0.03741234270028295, 0.19101234900259953]),
    ([3, 7], [0.3, -0.8, 0.45, 1.25, 0.125, -0.25]),
    ([1, 999999], [1.0, 1e-7, 1.0, 1e-9, -1e-7]),
]


def kernel(a, b, c):
    """Of vectors with lengths a, b and the inner product c."""
    x = c / (a * b)
    t = acos(max(mpf(-1), min(mpf(1), x)))
    return a * b * (sqrt(1 - x * x) + (pi - t) * x) / (2 * pi)


def loss(sizes, point):
    entries = [mpf(x) for x in point]
    own, same, cross = [], [], []
    for size in sizes:
        own.append(entries.pop(0))
        same.append(entries.pop(0) if size > 1 else mpf(0))
        cross.append(entries.pop(0))
    k = sum(sizes)
    students = teachers = mpf(0)
    length = [sqrt(own[i] ** 2 + (sizes[i] - 1) * same[i] ** 2 + sizes[1 - i] * cross[i] ** 2) for i in (0, 1)]
    for i in (0, 1):
        p, q = sizes[i], sizes[1 - i]
        students += p * length[i] ** 2 / 2
        if p > 1:
            c = 2 * own[i] * same[i] + (p - 2) * same[i] ** 2 + q * cross[i] ** 2
            students += p * (p - 1) * kernel(length[i], length[i], c)
        for count, entry in ((1, own[i]), (p - 1, same[i]), (q, cross[i])):
            teachers += p * count * kernel(length[i], mpf(1), entry)
    p, q = sizes
    c = (own[0] + (p - 1) * same[0]) * cross[1] + cross[0] * (own[1] + (q - 1) * same[1])
    students += 2 * p * q * kernel(length[0], length[1], c)
    constant = mpf(k) / 2 + k * (k - 1) / (2 * pi)
    return (students - 2 * teachers + constant) / 2


def main():
    path = pathlib.Path(sys.argv[1])
    rows = [{"sizes": s, "coordinates": x, "loss": nstr(loss(s, x), 25)} for s, x in POINTS]
    if "--write" in sys.argv:
        path.write_text(json.dumps({"points": rows}, indent=1) + "\n")
        return
    stored = json.loads(path.read_text())["points"]
    if stored != rows:
        sys.exit(f"{path} differs from the recomputed values")
    print(f"{path}: {len(rows)} points agree")


main()
