"""Critical points of convolutional teachers in 25 digits: cnn_points.py FIXTURE compares, cnn_points.py FIXTURE --write makes it.

Lines: k, |w*|, 1.a*, |a*|^2; loss and a.a* of the spurious point; angle and loss of the saddle, or two dashes. Loss and a.a* of the spurious point from the definitions (W.3) and (W.5) at phi = pi, the angle of the
saddle by bisection of h, its loss from (W.3).
"""
import pathlib
import sys
from mpmath import mp, mpf, pi, sin, cos, nstr

mp.dps = 50
TEACHERS = [(25, "1", "2", "1"), (4, "0.75", "-0.5", "2.5"), (9, "2", "1.5", "0.625"), (100, "1", "4.5", "1"), (25, "1", "3", "1")]


def best(k, s, S, q, h):
    """Loss and a.a* at the solution of grad_a J = 0, a = x a* + y 1: the two equations for the parts along a* and 1."""
    x = s * (h - 1) / (pi - 1)
    y = (s * S - x * S) / (k + pi - 1)
    total, square, overlap = x * S + y * k, x * x * q + 2 * x * y * S + y * y * k, x * q + y * S
    loss = total**2 + (pi - 1) * square - 2 * s * (total * S + (h - 1) * overlap) + s * s * (S * S + (pi - 1) * q)
    return loss / (4 * pi), overlap


def row(k, s, S, q):
    loss, overlap = best(k, s, S, q, mpf(0))
    low, high = mpf("1e-9"), pi
    for _ in range(180):
        middle = (low + high) / 2
        h = (pi - middle) * cos(middle) + sin(middle)
        if best(k, s, S, q, h)[1] > 0:
            low = middle
        else:
            high = middle
    h = (pi - low) * cos(low) + sin(low)
    saddle = f"{nstr(low, 25)} {nstr(best(k, s, S, q, h)[0], 25)}" if overlap < 0 else "- -"
    return f"{k} {float(s)} {float(S)} {float(q)} {nstr(loss, 25)} {nstr(overlap, 25)} {saddle}\n"


text = "".join(row(k, mpf(s), mpf(S), mpf(q)) for k, s, S, q in TEACHERS)
fixture = pathlib.Path(sys.argv[1])
if "--write" in sys.argv:
    fixture.write_text(text)
elif fixture.read_text() != text:
    sys.exit(f"{fixture} differs from what is computed")
print(f"{fixture}: {len(TEACHERS)} teachers")
