"""Recomputes golden tables in 60 digits from their inputs and compares: check.py FIXTURES

Independent of the library: the angle comes from exact cross products, the rest from the definitions. A fixture holds
25 digits; a relative difference above 1e-23 (absolute where the value is zero) is reported and the exit status is 1.
Tables: scalar_functions.json, kernel_pairs.json, leaky_skip.json (kappa), theorem5_6.json where present.
"""
import json
import pathlib
import sys
from mpmath import mp, mpf, atan2, betainc, cos, pi, sin, sqrt

mp.dps = 60
TOLERANCE = mpf(10) ** -23
folder = pathlib.Path(sys.argv[1])
checked, wrong = 0, []


def exact(x):
    """A JSON number is a double, taken exactly; a string is a decimal."""
    return mpf(x)


def compare(place, got, want):
    global checked
    checked += 1
    want = mpf(want)
    scale = abs(want) if want != 0 else mpf(1)
    if abs(got - want) > TOLERANCE * scale:
        wrong.append(f"{place}: recomputed {mp.nstr(got, 25)}, stored {mp.nstr(want, 25)}")


def load(name):
    path = folder / name
    if not path.exists():
        print(f"{name}: not among the fixtures")
        return None
    return json.loads(path.read_text())


def c1(t):
    return sin(t) - t * cos(t)


def h(t):
    return (pi - t) * cos(t) + sin(t)


def dot(u, v):
    return sum((a * b for a, b in zip(u, v)), mpf(0))


def supplementary(u, v):
    """(theta, pi - theta) from the exact length of the cross product."""
    cross = sum(((u[i] * v[j] - u[j] * v[i]) ** 2 for i in range(len(u)) for j in range(i)), mpf(0))
    return atan2(sqrt(cross), dot(u, v)), atan2(sqrt(cross), -dot(u, v))


def scalar_functions():
    for row in load("scalar_functions.json")["rows"]:
        t = exact(row["t"])
        compare(f"c1({row['t']})", c1(t), row["c1"])
        compare(f"h({row['t']})", h(t), row["h"])


def kernel_pairs():
    mp.dps = 150  # differences of nearly equal numbers: angles down to 1e-15, cubed
    for case in load("kernel_pairs.json")["cases"]:
        u, v = [exact(x) for x in case["u"]], [exact(x) for x in case["v"]]
        nu, nv = sqrt(dot(u, u)), sqrt(dot(v, v))
        theta, psi = supplementary(u, v)
        name = case["label"]
        compare(f"{name}: theta", theta, case["theta"])
        compare(f"{name}: psi", psi, case["pi_minus_theta"])
        compare(f"{name}: kernel", nu * nv * c1(psi) / (2 * pi) if theta > 1 else nu * nv * h(theta) / (2 * pi), case["kernel"])
        compare(f"{name}: probability", psi / (2 * pi), case["gate_prob"])
        for e, w, ne, nw, key in [(u, v, nu, nv, "F_u_v"), (v, u, nv, nu, "F_v_u")]:
            for i, want in enumerate(case[key]):
                compare(f"{name}: {key}[{i}]", (psi * w[i] + nw * sin(psi) * e[i] / ne) / (2 * pi), want)
    mp.dps = 60


def kappa():
    for row in load("leaky_skip.json")["kappa"]:
        d = mpf(row["d"])
        value = {
            "uniform on sphere": lambda: exact(row["R"]) ** 2 / d,
            "uniform in ball": lambda: exact(row["R"]) ** 2 / (d + 2),
            "multivariate t": lambda: exact(row["nu"]) / (exact(row["nu"]) - 2),
            "isotropic Laplace": lambda: exact(row["s"]) ** 2 * (d + 1),
        }
        law = next(k for k in value if row["law"].startswith(k))
        compare(row["law"], value[law](), row["kappa"])


def theorem6():
    table = load("theorem5_6.json")
    if table is None:
        return
    for d, r, want in table["ball_probability"]:
        d, r = mpf(d), exact(r)

        def beta(x):
            return betainc((d + 1) / 2, mpf(1) / 2, 0, x, regularized=True)
        if r >= 2:
            got = r ** -d
        else:
            cap = beta(r * r - r ** 4 / 4) / 2
            got = beta(1 - r * r / 4) / 2 + (cap if r * r <= 2 else 1 - cap) * r ** -d
        compare(f"theorem 6: d = {d}, r = {r}", got, want)


scalar_functions()
kernel_pairs()
kappa()
theorem6()
print(f"{checked} values recomputed, {len(wrong)} differ")
print("\n".join(wrong))
sys.exit(1 if wrong else 0)
