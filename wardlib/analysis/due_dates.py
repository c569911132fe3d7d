"""Amounts of due dates: three months of the calendar hold most of a year's amount.

What a month brings is the year's amount times the month's share of it. The model, its sources and
its validation: docs/method.md.
"""

from __future__ import annotations

import numpy as np
from scipy.special import betaln, ndtri  # type: ignore[import-untyped]  # SciPy ships no types

from wardlib.analysis.gaussian_process import MEAN_GROWTH
from wardlib.analysis.remembered import recall
from wardlib.analysis.sampling import normalised, strata, stream
from wardlib.analysis.tables import Bools, Floats, Ints

_LUMP = 0.60  # share of the year in three months of the calendar from which a line counts as lumpy
# Noise of a year's amount: median, sd of the log; and how likely any other is, as years of real due
# dates can lie further apart than most do.
_YEAR_NOISE, _YEAR_NOISE_SD, _ANY_NOISE = 0.06, 0.6, 0.15
_LOOSE, _LOOSE_SEPARATE = 0.01, 0.08  # rate of the concentration; of separate payments, of each
_ALONE_SD = 0.4  # sd of the log of a year's noise around what separate payments imply
_YEAR_GROWTH_SD = 0.05


def _years(amounts: Floats, month: int) -> tuple[int, Floats]:
    """Refunds as zero, cut into years that begin in January, or, where fewer than two such years
    are whole, in the month after the last: the place of the first month in its year (0 to 11), and
    years x 12 months, NaN where a month is missing or lies outside. `month` (0 to 11): the first's.
    """
    for begins in (month, -len(amounts) % 12):
        size = -(-(begins + len(amounts)) // 12) * 12
        padded = np.full(size, np.nan)
        padded[begins : begins + len(amounts)] = np.maximum(amounts, 0)
        years = padded.reshape(-1, 12)
        if np.isfinite(years).all(axis=1).sum() >= 2:
            break
    return begins, years


def is_lumpy(amounts: Floats) -> bool:
    """Whether the same three months of the calendar hold most of the amount in each whole year, and
    the greatest of them its part of each; years are counted back from the last month."""
    size = len(amounts) // 12 * 12
    years = np.maximum(amounts[len(amounts) - size :], 0).reshape(-1, 12)
    years = years[np.isfinite(years).all(axis=1)]
    if len(years) < 2 or (years.sum(axis=1) <= 0).any():
        return False
    yearly = years.sum(axis=1)
    largest = np.argsort(years.sum(axis=0))[-3:]
    held = years[:, largest].sum(axis=1)
    return bool(
        held.sum() >= _LUMP * yearly.sum()
        and (held >= 0.45 * yearly).all()
        and (years[:, largest[-1]] >= 0.15 * yearly).all()
    )


def simulate(
    amounts: Floats, month: int, horizon: int, line: str, draws: int, *, once: bool
) -> Floats:
    """Paths of the `horizon` months after `amounts`, draws x months. `month` (0 to 11): that of the
    first amount. `line`: whose random numbers they are made of. `once`: who asks remembers what
    comes of it, so that no store need.

    Months of the calendar that never had an amount have none on any path.
    """
    begins, _ = _years(amounts, month)
    passed = (begins + len(amounts)) % 12
    if passed and _never(amounts, begins)[passed:].all():
        # Nothing more is due in the year of the start: its amount is known.
        over = np.zeros(12 - passed)
        later = simulate(np.r_[amounts, over], month, horizon, line, draws, once=once)
        return np.concatenate([np.zeros((draws, len(over))), later], axis=1)[:, :horizon]
    ahead = -(-(passed + horizon) // 12)
    # An effect up to some month and a projection to the end of its year come from the same paths.
    whole = recall(
        lambda: _to_the_end(amounts, month, ahead, line, draws),
        (draws, 12 * ahead - passed),
        *("due dates", amounts.tobytes(), month, ahead, line, draws),
        stored=not once,
    )
    return whole[:, :horizon].copy()


def _never(amounts: Floats, begins: int) -> Bools:
    """Which months of years that begin `begins` months before the first amount have had none."""
    calendar = (begins + np.arange(len(amounts))) % 12
    seen, known = amounts != 0, np.isfinite(amounts)
    return np.array(
        [known[calendar == m].any() and not seen[known & (calendar == m)].any() for m in range(12)]
    )


def _to_the_end(amounts: Floats, month: int, ahead: int, line: str, draws: int) -> Floats:
    """`simulate` to the end of the last of `ahead` years.

    What came before the start in the year of the start bears on the rest of that year: a year's
    amount and its shares are kept on the draws in proportion to how likely they make it.
    """
    begins, table = _years(amounts, month)
    due = ~_never(amounts, begins)
    # Payments that nothing falls between vary each on its own; others move to the months beside.
    separate = bool(due.sum() <= 6)
    loose = _LOOSE_SEPARATE / due.sum() if separate else _LOOSE
    full = np.flatnonzero(np.isfinite(table).all(axis=1))
    years = table[full]
    yearly = years.sum(axis=1)
    count = len(years)
    typical, shape, rate = _concentration(years / yearly[:, None], loose)
    # A first year that is not whole: its amount, less surely.
    extra = np.zeros(count)
    came = np.isfinite(table[0])
    held = typical[came].sum()
    if 0 < came.sum() < 12 and held > 0.5 and table[0, came].sum() > 0:
        full = np.r_[0, full]
        yearly = np.r_[table[0, came].sum() / held, yearly]
        extra = np.r_[(1 - held) / held / (shape / rate + 1), extra]
    current = (begins + len(amounts)) // 12  # the year of the first month after the history
    passed = (begins + len(amounts)) % 12  # of its months
    pool = 4 * draws if passed else draws
    alone = (rate / shape) ** 0.5 if separate else None
    amount = _yearly_amounts(full, yearly, extra, current + np.arange(ahead), alone, line, pool)
    concentration = stream(line, "concentration").gamma(shape, 1 / rate, pool)
    base = (years.sum(axis=0) / years.sum() + 0.002) * due
    true = stream(line, "shares").standard_gamma(concentration[:, None] * count * base / base.sum())
    true /= true.sum(axis=1, keepdims=True)
    paid = 0.0
    if passed:
        so_far = table[current, :passed]
        paid = float(np.nansum(so_far))
        log: Floats = np.zeros(pool)
        if np.isfinite(so_far).all() and due[:passed].any():
            log = _likelihood(paid, amount[:, 0], concentration, true, passed)
        kept = strata(normalised(log), draws)
        amount, concentration, true = amount[kept], concentration[kept], true[kept]
    paths = []
    rng = stream(line, "months")
    for year in range(ahead):
        first = passed if year == 0 else 0
        rest = np.maximum(amount[:, year] - (paid if year == 0 else 0), 0)
        split = rng.standard_gamma(np.maximum(concentration[:, None] * true[:, first:], 1e-3))
        split += 1e-9 * true[:, first:]  # gamma draws of tiny shapes can all be zero
        split *= due[first:]
        paths.append(rest[:, None] * split / split.sum(axis=1, keepdims=True))
    order = stream(line, "order").permutation(draws)
    return np.concatenate(paths, axis=1)[order]


def _concentration(shares: Floats, loose: float) -> tuple[Floats, float, float]:
    """Of the `shares` of months (columns) in years: their means, and shape and rate of the gamma
    distribution of a Dirichlet's concentration, from how far the years lie apart in the months that
    carry the amount; half of what independent months would tell, for tails as heavy as years of real
    due dates have. `loose`: the rate a priori."""
    typical = shares.mean(axis=0)
    even = typical * (1 - typical)
    apart = ((shares - typical) ** 2).sum() / even.sum()
    freedom = (len(shares) - 1) * (even.sum() ** 2 / (even**2).sum() - 1) / 2
    return typical, 1.5 + freedom / 2, loose + apart / (len(shares) - 1) * freedom / 2


def _likelihood(
    paid: float, amount: Floats, concentration: Floats, true: Floats, passed: int
) -> Floats:
    """On each draw the log of how likely it makes the amount `paid` in the first `passed` months of a
    year of `amount`, whose months have the `true` shares (draws x months)."""
    share = np.clip(paid / amount, 1e-6, None)
    early = np.maximum(concentration * true[:, :passed].sum(axis=1), 1e-3)
    late = np.maximum(concentration * true[:, passed:].sum(axis=1), 1e-3)
    fits = share < 1
    log = np.where(fits, 0.0, -1e3 * share)
    log[fits] = (
        (early[fits] - 1) * np.log(share[fits])
        + (late[fits] - 1) * np.log1p(-share[fits])
        - betaln(early[fits], late[fits])
        - np.log(amount[fits])
    )
    return log


def _yearly_amounts(
    known: Ints,
    amounts: Floats,
    extra: Floats,
    ahead: Ints,
    alone: float | None,
    line: str,
    draws: int,
) -> Floats:
    """Draws of the amounts of the years `ahead` from those of the years `known`: growth, noise of
    which a part stays, both integrated over: draws x years. `extra`: variance of the log beside that,
    by year. `alone`: the noise of a year whose payments vary each on its own; None where they do not."""
    time = np.r_[known, ahead]
    count = len(known)
    centred = time - known.mean()
    mean = np.log(amounts).mean() + MEAN_GROWTH * centred
    rest = np.log(amounts) - mean[:count]
    kept = np.minimum(time[:, None], time) + 1
    noise = np.geomspace(0.02, 1.2, 14)
    likely = np.exp(-((np.log(noise / _YEAR_NOISE) / _YEAR_NOISE_SD) ** 2) / 2) + _ANY_NOISE
    likely /= likely.sum()
    if alone is not None:
        noise = np.r_[noise, alone * np.exp(_ALONE_SD * ndtri((np.arange(11) + 0.5) / 11))]
        likely = np.r_[likely, np.full(11, 1 / 11)]
    noise, drift = (  # drift: part of the noise that stays
        grid.reshape(-1, 1, 1) for grid in np.meshgrid(noise, [0.0, 0.5, 1.0], indexing="ij")
    )
    covariance = noise**2 * ((1 - drift**2 / 2) * np.eye(len(time)) + drift**2 / 2 * kept)
    covariance += 1 + _YEAR_GROWTH_SD**2 * np.outer(centred, centred)
    covariance[:, np.arange(count), np.arange(count)] += extra
    inside = covariance[:, :count, :count]
    log = -(np.linalg.slogdet(inside)[1] + np.linalg.solve(inside, rest) @ rest) / 2
    log += np.repeat(np.log(likely), 3)
    which = stream(line, "noise of years").choice(len(log), draws, p=normalised(log))
    # Year by year, each given those before it, so that more years leave the first ones as they are.
    so_far = np.broadcast_to(rest, (draws, count))
    rng = stream(line, "years")
    for year in range(count, len(time)):
        across = covariance[:, :year, year, None]
        gain = np.linalg.solve(covariance[:, :year, :year], across)[..., 0]
        spread = np.sqrt(covariance[:, year, year] - (gain * across[..., 0]).sum(axis=1))
        drawn = (gain[which] * so_far).sum(axis=1) + spread[which] * rng.standard_normal(draws)
        so_far = np.column_stack([so_far, drawn])
    amount: Floats = np.exp(mean[count:] + so_far[:, count:])
    return amount
