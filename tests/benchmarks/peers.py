"""Peer methods of counterfactual forecasting for short monthly series.

Each peer is called as ``peer(history, months, horizon, draws, seed)`` and returns an array of
shape ``(draws, horizon)``: outcomes simulated from the method's own predictive distribution, in
the units of ``history``. The paths include observation noise and are drawn jointly over the
horizon, so that their sums can be used, with the one exception that CausalPy's docstring tells.

Methods that work on the raw scale with normal noise may simulate values below zero. They are
left as they are, because that is what these methods predict.

The libraries are imported inside the peers: this module itself needs numpy and pandas only. A
peer whose library is absent raises ``ImportError``; ``available()`` tells which can be used.
A library that fails on a series is counted in ``FAILURES`` and replaced by the same month last
year, so that a benchmark sees a forecast for every series.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import inspect
import io
import logging
import os
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

Peer = Callable[[np.ndarray, pd.PeriodIndex, int, int, int], np.ndarray]

PEERS: dict[str, Peer] = {}
FAILURES: Counter[str] = Counter()
_NEEDS: dict[str, tuple[str, ...]] = {}

CHEAP = (
    "same month last year",
    "log-linear, Newey-West",
    "AutoETS",
    "SARIMA (0,1,1)(0,1,1)",
    "structural, local level",
    "structural, local linear trend",
)
SLOW = (
    "Prophet",
    "CausalPy, interrupted time series",
    "CausalImpact (TensorFlow)",
)

SEASON = 12
# exp(50) is far beyond any plausible outcome: the cap keeps sums finite, quantiles do not feel it.
LOG_CAP = 50.0


def available() -> list[str]:
    """Return the names of the peers whose libraries can be found."""
    return [
        name
        for name in PEERS
        if all(importlib.util.find_spec(module) is not None for module in _NEEDS[name])
    ]


@contextlib.contextmanager
def _quietly(seed: int) -> Iterator[None]:
    """Silence a library and seed numpy's global generator, then put everything back."""
    state = np.random.get_state()
    disabled = logging.root.manager.disable
    # Some libraries draw from the global generator and offer no other way to seed them.
    np.random.seed(seed % 2**32)
    logging.disable(logging.CRITICAL)
    try:
        with (
            warnings.catch_warnings(),
            np.errstate(all="ignore"),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)
        np.random.set_state(state)


@contextlib.contextmanager
def _without_native_messages() -> Iterator[None]:
    """Silence native code that writes to the standard error stream behind Python's back."""
    saved = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)


def _peer(name: str, *needs: str) -> Callable[[Peer], Peer]:
    """Register a method as a peer that is silent, checked and never fails on a series."""

    def register(method: Peer) -> Peer:
        @functools.wraps(method)
        def guarded(
            history: np.ndarray, months: pd.PeriodIndex, horizon: int, draws: int, seed: int
        ) -> np.ndarray:
            history = np.array(history, dtype=float)
            try:
                with _quietly(seed):
                    paths = np.asarray(method(history, months, horizon, draws, seed), dtype=float)
                if paths.shape != (draws, horizon) or not np.isfinite(paths).all():
                    raise ValueError("the method did not return finite paths of the right shape")
            except ImportError:
                # A missing library is not a failed fit: a silent fallback would be benchmarked
                # under the name of a method that never ran.
                raise
            except Exception:
                FAILURES[name] += 1
                paths = _repeat_last_year(history, horizon, draws, seed)
            return paths

        PEERS[name] = guarded
        _NEEDS[name] = needs
        return guarded

    return register


def _months_ahead(months: pd.PeriodIndex, horizon: int) -> pd.PeriodIndex:
    """Return the months that follow the history."""
    return pd.period_range(months[-1] + 1, periods=horizon, freq="M")


def _from_log(logs: np.ndarray) -> np.ndarray:
    """Undo log1p, clipping outcomes at zero."""
    return np.expm1(np.clip(logs, 0.0, LOG_CAP))


def _repeat_last_year(history: np.ndarray, horizon: int, draws: int, seed: int) -> np.ndarray:
    """Repeat the last year with the noise of the differences between years."""
    centre = history[-SEASON:][np.arange(horizon) % SEASON]
    spread = np.std(history[SEASON:] - history[:-SEASON], ddof=1)
    return centre + spread * np.random.default_rng(seed).standard_normal((draws, horizon))


@_peer("same month last year")
def same_month_last_year(
    history: np.ndarray, months: pd.PeriodIndex, horizon: int, draws: int, seed: int
) -> np.ndarray:
    """Repeat the same month of the last year of history.

    The noise is independent and normal, with the standard deviation of the year-over-year
    differences of the history. It does not grow with the horizon.
    """
    return _repeat_last_year(history, horizon, draws, seed)


def _trend_and_months(
    ordinals: np.ndarray, calendar: np.ndarray, start: int, levels: np.ndarray
) -> np.ndarray:
    """Build the columns intercept, trend in years, and a dummy for each of the levels."""
    trend = (ordinals - start) / SEASON
    dummies = calendar[:, None] == levels[None, :]
    return np.column_stack([np.ones(len(trend)), trend, dummies])


@_peer("log-linear, Newey-West", "statsmodels")
def log_linear(
    history: np.ndarray, months: pd.PeriodIndex, horizon: int, draws: int, seed: int
) -> np.ndarray:
    """Regress log1p on a linear trend and month dummies, with Newey-West standard errors.

    Coefficients are drawn from the normal with the HAC covariance (3 or 4 lags, with the
    small-sample correction), and independent normal noise with the residual standard deviation
    is added. Autocorrelation thus widens the uncertainty of the coefficients only, as users of
    this method have it.
    """
    import statsmodels.api as sm

    rng = np.random.default_rng(seed)
    future = _months_ahead(months, horizon)
    # The first month seen is the base; a month that was never seen has no dummy to estimate.
    levels = np.unique(months.month)[1:]
    start = months[0].ordinal
    past_x = _trend_and_months(np.asarray(months.asi8), np.asarray(months.month), start, levels)
    next_x = _trend_and_months(np.asarray(future.asi8), np.asarray(future.month), start, levels)
    lags = int(np.ceil(len(history) ** 0.25))
    fit = sm.OLS(np.log1p(history), past_x).fit(
        cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": True}
    )
    coefficients = rng.multivariate_normal(fit.params, fit.cov_params(), size=draws)
    noise = np.sqrt(fit.ssr / fit.df_resid) * rng.standard_normal((draws, horizon))
    return _from_log(coefficients @ next_x.T + noise)


@_peer("AutoETS", "statsforecast")
def auto_ets(
    history: np.ndarray, months: pd.PeriodIndex, horizon: int, draws: int, seed: int
) -> np.ndarray:
    """Fit the exponential smoothing model that AutoETS selects on the raw history.

    The paths are the library's own: ``AutoETS.simulate`` (statsforecast 2.1) runs the selected
    model's recursion from its last state with normal errors, jointly over the horizon. The
    smoothing parameters and the last state stay at their estimates. One fault of that version
    is corrected, which would make the paths contradict its own point forecasts.
    """
    from statsforecast.models import AutoETS

    model = AutoETS(season_length=SEASON).fit(history)
    if model.model_["components"][3] == "N":
        # Without damping the factor is stored as NaN. The library's forecasts read that as one,
        # but its simulation reads it as zero, which would switch an undamped trend off.
        parameters = np.array(model.model_["par"], dtype=float)
        parameters[3] = 1.0
        model.model_["par"] = parameters
    return model.simulate(h=horizon, n_paths=draws, seed=seed % 2**32)


def _simulate_from_end(results: Any, horizon: int, draws: int, seed: int) -> np.ndarray:
    """Simulate a fitted state space model of log1p from the end of its history.

    The state at the end is drawn from its distribution; the parameters stay at their maximum
    likelihood values.
    """
    # statsmodels 0.15 renamed the argument, and its versions before do not know the new name.
    parameters = inspect.signature(results.simulate).parameters
    name = "rng" if "rng" in parameters else "random_state"
    source = np.random.default_rng(seed)
    logs = results.simulate(horizon, anchor="end", repetitions=draws, **{name: source})
    return _from_log(np.asarray(logs).reshape(horizon, draws).T)


@_peer("SARIMA (0,1,1)(0,1,1)", "statsmodels")
def sarima(
    history: np.ndarray, months: pd.PeriodIndex, horizon: int, draws: int, seed: int
) -> np.ndarray:
    """Fit the airline model to log1p of the history and simulate it from the end."""
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    model = SARIMAX(np.log1p(history), order=(0, 1, 1), seasonal_order=(0, 1, 1, SEASON))
    return _simulate_from_end(model.fit(disp=False, maxiter=200), horizon, draws, seed)


def _structural(level: str, history: np.ndarray, horizon: int, draws: int, seed: int) -> np.ndarray:
    """Fit an unobserved components model with a stochastic season to log1p and simulate it."""
    from statsmodels.tsa.statespace.structural import UnobservedComponents

    model = UnobservedComponents(np.log1p(history), level=level, seasonal=SEASON)
    return _simulate_from_end(model.fit(disp=False, maxiter=200), horizon, draws, seed)


@_peer("structural, local level", "statsmodels")
def local_level(
    history: np.ndarray, months: pd.PeriodIndex, horizon: int, draws: int, seed: int
) -> np.ndarray:
    """Fit a local level with a stochastic season to log1p of the history."""
    return _structural("local level", history, horizon, draws, seed)


@_peer("structural, local linear trend", "statsmodels")
def local_linear_trend(
    history: np.ndarray, months: pd.PeriodIndex, horizon: int, draws: int, seed: int
) -> np.ndarray:
    """Fit a local linear trend with a stochastic season to log1p of the history."""
    return _structural("local linear trend", history, horizon, draws, seed)


@_peer("Prophet", "prophet")
def prophet(
    history: np.ndarray, months: pd.PeriodIndex, horizon: int, draws: int, seed: int
) -> np.ndarray:
    """Fit Prophet with its defaults to the raw history.

    The paths come from ``predictive_samples``: future changes of trend and observation noise
    around the fitted mode, so the coefficients have no uncertainty of their own.
    """
    from prophet import Prophet

    # Asked for by name: Prophet would drop the yearly season from a history of 24 months,
    # which starts 23 months before its last date, just under the two years it wants.
    model = Prophet(yearly_seasonality=True, uncertainty_samples=draws)
    model.fit(pd.DataFrame({"ds": months.to_timestamp(), "y": history}), seed=seed % 2**31)
    future = pd.DataFrame({"ds": _months_ahead(months, horizon).to_timestamp()})
    # Fitting may draw too: seeded again, so that the samples depend on nothing but the seed.
    np.random.seed(seed % 2**32)
    return np.asarray(model.predictive_samples(future)["yhat"]).T


@_peer("CausalPy, interrupted time series", "causalpy")
def causalpy_its(
    history: np.ndarray, months: pd.PeriodIndex, horizon: int, draws: int, seed: int
) -> np.ndarray:
    """Fit CausalPy's interrupted time series with its Bayesian linear regression.

    The formula is ``y ~ 1 + t + C(month)`` on log1p of the history. On the raw scale the
    model's default priors, Normal(0, 50) for coefficients and HalfNormal(1) for the noise,
    would pin series of hundreds or thousands near zero with a noise that is far too small; on
    the log scale they are harmless.

    The paths are draws of the posterior expectation ``mu``, without observation noise, because
    CausalPy computes the effect it reports from ``mu`` by default: this is what its users get,
    and it makes intervals for single months narrow. After expm1, ``mu`` is the median of the
    outcome rather than its mean.
    """
    import causalpy

    n = len(history)
    calendar = months.append(_months_ahead(months, horizon)).month
    data = pd.DataFrame(
        {
            # The outcome after the interruption is given as zero, so that the effect is -mu.
            "y": np.concatenate([np.log1p(history), np.zeros(horizon)]),
            # Years before the interruption: steps of a month would only slow the sampler.
            "t": (np.arange(n + horizon) - n) / SEASON,
            "month": np.asarray(calendar),
        }
    )
    sample = {
        "chains": 2,
        "draws": 500,
        "tune": 500,
        "cores": 1,
        "progressbar": False,
        "random_seed": seed % 2**31,
    }
    result = causalpy.InterruptedTimeSeries(
        data,
        treatment_time=n,
        formula="y ~ 1 + t + C(month)",
        model=causalpy.pymc_models.LinearRegression(sample_kwargs=sample),
    )
    effect = result.post_impact.transpose("chain", "draw", "obs_ind").to_numpy()
    expectations = -effect.reshape(-1, horizon)
    rng = np.random.default_rng(seed)
    chosen = rng.choice(len(expectations), size=draws, replace=draws > len(expectations))
    return _from_log(expectations[chosen])


@_peer("CausalImpact (TensorFlow)", "causalimpact", "tensorflow_probability", "tf_keras")
def causal_impact(
    history: np.ndarray, months: pd.PeriodIndex, horizon: int, draws: int, seed: int
) -> np.ndarray:
    """Fit tfcausalimpact's default model with a season of 12 months to the raw history.

    The model is a local level (with the default, tight prior on its standard deviation) and a
    season, fitted by variational inference. The paths are sampled from the fitted object's
    ``posterior_dist``, the joint predictive distribution from which the library computes its
    own intervals and totals, mixed over 100 draws of the parameters.

    Each call traces new graphs, which TensorFlow keeps: with the versions tried, about 130 MB a
    series that no garbage collection frees. Split a long benchmark over successive processes.
    """
    with _without_native_messages():
        import tensorflow as tf
        from causalimpact import CausalImpact

        tf.random.set_seed(seed % 2**31)
        n = len(history)
        # Outcomes after the interruption do not enter the fit, but the library wants some, and
        # more than one. It works on positions, so the months themselves are not passed on.
        span = max(horizon, 3)
        data = pd.DataFrame({"y": np.concatenate([history, np.full(span, history.mean())])})
        fitted = CausalImpact(data, [0, n - 1], [n, n + span - 1], model_args={"nseasons": SEASON})
        scaled = fitted.posterior_dist.sample(draws, seed=seed % 2**31).numpy()
    mean, deviation = fitted.mu_sig
    return scaled.reshape(draws, span)[:, :horizon] * deviation + mean
