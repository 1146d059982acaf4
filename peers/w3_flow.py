"""W3: gradient flow until |grad| < 1e-8, K = M = d (--size), orthonormal teacher."""
import common
a = common.parse(["dop853", "rk45", "lsoda", "tsit5", "dopri5", "dopri8", "kvaerno5"], "10", reps=5,
                 seed=(int, 1, "initialisation"), rtol=(float, 1e-8, ""), atol=(float, 1e-10, ""),
                 gtol=(float, 1e-8, ""), batch=(int, 1, "independent flows (diffrax: vmap)"))
import numpy as np
import closed_form as cf

k = int(a.size)
w, v, nv, evT = cf.problem(np, k, k, seed=a.seed, orthonormal=True, batch=a.batch)
info = {}
if a.impl in ("dop853", "rk45", "lsoda"):
    from scipy.integrate import solve_ivp

    def rhs(_, y):
        return -cf.grad_np(np, y.reshape(k, k), v, nv, evT).ravel()

    def done(t, y):
        return np.linalg.norm(rhs(t, y)) - a.gtol
    done.terminal, done.direction = True, -1

    def fn():
        s = [solve_ivp(rhs, (0.0, 1e6), x.ravel(), method=a.impl.upper(), rtol=a.rtol,
                       atol=a.atol, events=done) for x in w]
        info.update(t=float(s[0].t[-1]), evals=int(sum(x.nfev for x in s)), status=int(s[0].status),
                    gnorm=float(np.linalg.norm(rhs(0, s[0].y[:, -1]))),
                    loss_like=float(np.abs(np.sort(s[0].y[:, -1])[-k:] - 1).max()))
else:
    import jax
    import jax.numpy as jnp
    import diffrax as dfx
    vj, nvj, ej = map(jnp.asarray, (v, nv, evT))
    grad = lambda y: cf.grad_np(jnp, y, vj, nvj, ej)
    solver = {"tsit5": dfx.Tsit5, "dopri5": dfx.Dopri5, "dopri8": dfx.Dopri8,
              "kvaerno5": dfx.Kvaerno5}[a.impl]()
    # checked at every accepted step, as MLPGradientFlow and scipy's event do
    event = dfx.Event(lambda t, y, args, **kw: jnp.linalg.norm(grad(y)) < a.gtol)

    def one(y0):
        s = dfx.diffeqsolve(dfx.ODETerm(lambda t, y, args: -grad(y)), solver, 0.0, 1e6, 0.05, y0,
                            stepsize_controller=dfx.PIDController(rtol=a.rtol, atol=a.atol),
                            saveat=dfx.SaveAt(t1=True), event=event, max_steps=1_000_000,
                            adjoint=dfx.ForwardMode())
        return s.ys[0], s.ts[0], s.stats["num_steps"]
    f = jax.jit(jax.vmap(one) if a.batch > 1 else one)
    y0 = jnp.asarray(w if a.batch > 1 else w[0])

    def fn():
        y, t, n = jax.block_until_ready(f(y0))
        y1, t1, n1 = (y[0], t[0], n[0]) if a.batch > 1 else (y, t, n)
        if a.save:
            np.save(a.save, np.asarray(y1))
        info.update(t=float(t1), accepted_and_rejected=int(n1), max_steps=int(jnp.max(n)),
                    gnorm=float(jnp.linalg.norm(grad(y1))))
common.report("W3", a, common.timeit(fn, a), **info)
