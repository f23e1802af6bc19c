"""The demo's business: two years of a subscription service that does not stand still.

Each row is one look at one customer, taken every 30 days from the day he joins: what he pays, how he uses the
service, how often he called. `churned` says whether he left within the following 30 days, so a label is known 30
days after its row, and whoever left is not looked at again. About a quarter of the looks end in `Yes`.

What happens, by day from 2023-01-01 (day 0):

| day | event | what it does to data and model |
|---|---|---|
| 0 | | heavy users stay, callers leave |
| 180 | price change | `charges` of `monthly` and `yearly` rise by a quarter, and people start to mind what they pay |
| 300 | new plan `family` | a value that no earlier row has, taken by up to 30 % of those who join |
| 360 to 640 | slow taste drift | heavy use turns, step by step, from a reason to stay into a sign of leaving |
| 420 to 429 | billing bug | `charges` is missing in every row |
| always | | labels come 30 days late; a fifth of `satisfaction` is missing, more often where it is low |

`gender` decides nothing: it is there for the fairness gate.

Everything is drawn from one seeded generator; the same seed gives the same table on every machine.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

PRICE_CHANGE: Final = 180
FAMILY_PLAN: Final = 300
TASTE_DRIFT: Final = (360, 640)
BILLING_BUG: Final = (420, 430)
"""Half-open: the last day with missing charges is 429."""
LABEL_DELAY: Final = 30  # days
_MONTH: Final = 30  # days between two looks at a customer
START: Final = datetime(2023, 1, 1, tzinfo=UTC).timestamp()
DAY_S: Final = 86_400.0

FEATURES: Final = (
    "plan",
    "tenure",
    "charges",
    "support_calls",
    "usage_hours",
    "country",
    "payment_method",
    "satisfaction",
)
"""The inputs of the demo's model; `gender` and `customer_id` are none."""

_COUNTRIES: Final = ("DE", "FR", "NL", "PL", "SE")
_PAYMENTS: Final = ("card", "direct_debit", "invoice")
_PRICE: Final = {"monthly": 34.0, "yearly": 26.0, "family": 48.0}  # per month
_RISE: Final = 1.25
_LOOKS: Final = 3.6  # looks at one customer on average, before he leaves
_SPARE: Final = 1.15  # customers beyond those expected to be needed, so that rows never run out

Array = npt.NDArray[Any]
Columns = dict[str, Array]


_VETERAN = 200  # months


@dataclass(frozen=True)
class LiveRow:
    """One request of the demo's live part, with what will turn out to be true.

    Args:
        features: Inputs by name, as a gateway takes them; None where missing.
        key: The customer.
        truth: `Yes` or `No`.
    """

    features: dict[str, Any]
    key: str
    truth: str


def subscription_table(seed: int, *, rows: int = 17_500, days: int = 730) -> pa.Table:
    """Return the history, in order of time.

    Args:
        seed: Seed of everything random.
        rows: Rows of the table, at least 100; they spread evenly over the days, so that fewer make each day thinner.
        days: Length of the history, at least 60 days. Events keep their day.

    Returns:
        Columns `customer_id` (text), `event_time` (UTC), the model's inputs, `gender`, and `churned` (`Yes`, `No`).
    """
    rng = np.random.default_rng(seed)
    drawn = _history(rng, rows, days)
    kept = np.sort(rng.choice(len(drawn["day"]), size=rows, replace=False))
    return _table({name: values[kept] for name, values in drawn.items()})


def live_rows(seed: int, n: int, *, day: float = 730.0, veterans: float = 0.0) -> list[LiveRow]:
    """Return requests for a live gateway: looks at n different customers in the 30 days that start on a day.

    Args:
        seed: Seed of everything random.
        n: Number of requests, in order of time.
        day: First day, 0 or later; from the end of the taste drift on nothing changes any more.
        veterans: Share of customers of 200 months, longer than in any training row: another business was bought.
    """
    rng = np.random.default_rng(seed)
    days = int(day) + _MONTH
    drawn = _history(rng, int((1.25 * n + 50) * days / _MONTH), days)
    # Within 30 days each customer is looked at once.
    at = np.flatnonzero((drawn["day"] >= day) & (drawn["day"] < day + _MONTH))
    kept = np.sort(rng.choice(at, size=n, replace=False))
    columns = {name: values[kept] for name, values in drawn.items()}
    columns["tenure"] = np.where(rng.random(n) < veterans, _VETERAN, columns["tenure"])
    features = {name: columns[name].tolist() for name in FEATURES}
    return [
        LiveRow(
            features={name: _plain(features[name][i]) for name in FEATURES},
            key=f"L{seed}-{columns['customer_id'][i]}",
            truth="Yes" if columns["left"][i] else "No",
        )
        for i in range(n)
    ]


def _history(rng: np.random.Generator, rows: int, days: int) -> Columns:
    """Return every look at every customer who ever joined, in order of time; more than `rows`."""
    count = int(rows * _SPARE / _LOOKS * (1 + 2 * _MONTH * _LOOKS / days)) + 200
    # The first customers joined before day 0, so that the business does not start empty.
    joined = rng.uniform(-2 * _MONTH * _LOOKS, days, count)
    people = _customers(rng, joined)
    people["customer_id"] = np.array([f"C{i:06d}" for i in range(count)], dtype=object)
    alive = np.ones(count, dtype=bool)
    looks: list[Columns] = []
    for month in range(int(days / _MONTH + 2 * _LOOKS) + 1):
        day = joined + _MONTH * month
        alive &= day < days
        at = np.flatnonzero(alive)
        if not at.size:
            break
        some = {name: values[at] for name, values in people.items()}
        look = some | _look(rng, some, day[at], np.full(at.size, month))
        alive[at[look["left"]]] = False
        is_shown = look["day"] >= 0
        looks.append({name: values[is_shown] for name, values in look.items()})
    merged = {name: np.concatenate([look[name] for look in looks]) for name in looks[0]}
    order = np.argsort(merged["day"], kind="stable")
    return {name: values[order] for name, values in merged.items()}


def _customers(rng: np.random.Generator, joined: Array) -> Columns:
    """Return what stays with a customer, by the day he joined."""
    n = len(joined)
    share = 0.3 * np.clip((joined - FAMILY_PLAN) / 60, 0, 1)
    plan = rng.choice(("monthly", "yearly"), n, p=(0.6, 0.4)).astype(object)
    plan[rng.random(n) < share] = "family"
    return {
        "plan": plan,
        "country": rng.choice(_COUNTRIES, n, p=(0.4, 0.2, 0.15, 0.15, 0.1)).astype(object),
        "payment_method": rng.choice(_PAYMENTS, n, p=(0.5, 0.35, 0.15)).astype(object),
        "gender": rng.choice(("female", "male"), n).astype(object),
        "habit": rng.normal(0.0, 0.8, n),
        "mood": rng.normal(0.0, 0.6, n),
        "rate": rng.lognormal(0.0, 0.18, n),
    }


def _look(rng: np.random.Generator, people: Columns, day: Array, tenure: Array) -> Columns:
    """Return what one look sees on these days, with whether the customer then leaves."""
    n = len(day)
    plan = people["plan"]
    price = np.array([_PRICE[name] for name in plan]) * people["rate"]
    price[(day >= PRICE_CHANGE) & (plan != "family")] *= _RISE
    use = people["habit"] + rng.normal(0.0, 0.6, n)
    calls = rng.poisson(np.exp(0.1 - 0.5 * people["mood"]))
    mood = people["mood"] - 0.25 * (calls - 1.2) + rng.normal(0.0, 0.4, n)
    satisfaction = np.clip(np.round(3.2 + 1.1 * mood), 1, 5)
    hidden = rng.random(n) < np.where(satisfaction <= 2, 0.32, 0.17)  # noqa: PLR2004  the unhappy do not answer
    left = rng.random(n) < 1 / (1 + np.exp(-_leaning(day, plan, price, use, calls, mood, tenure)))
    charges = np.round(price, 2)
    charges[(day >= BILLING_BUG[0]) & (day < BILLING_BUG[1])] = np.nan
    return {
        "day": day,
        "tenure": tenure.astype(np.int64),
        "charges": charges,
        "support_calls": calls.astype(np.int64),
        "usage_hours": np.round(np.exp(2.5 + 0.6 * use), 1),
        "satisfaction": np.where(hidden, np.nan, satisfaction),
        "left": left,
    }


def _leaning(
    day: Array, plan: Array, price: Array, use: Array, calls: Array, mood: Array, tenure: Array
) -> Array:
    """Return the log odds of leaving within 30 days."""
    family = plan == "family"
    minds_price = np.where(day < PRICE_CHANGE, 0.02, 0.07)
    usual = np.where(plan == "monthly", 36.0, np.where(family, 48.0, 28.0))
    before, after = -1.3, 0.7  # what an hour more (in standard deviations) does to the log odds
    start, end = TASTE_DRIFT
    taste = before + (after - before) * np.clip((day - start) / (end - start), 0, 1)
    return np.asarray(
        -0.65
        + np.where(plan == "yearly", -0.5, 0.1)
        + np.where(family, -0.4, 0.0)
        + np.where(family, 0.15, 0.6) * (calls - 1.2)
        - 0.6 * mood
        + taste * use
        + minds_price * (price - usual)
        - 0.25 * np.log1p(tenure)
    )


def _table(columns: Columns) -> pa.Table:
    moments = ((START + columns["day"] * DAY_S) * 1e6).astype(np.int64)  # microseconds
    return pa.table(
        {
            "customer_id": pa.array(columns["customer_id"], pa.string()),
            "event_time": pa.array(moments, pa.timestamp("us", tz="UTC")),
            "plan": pa.array(columns["plan"], pa.string()),
            "tenure": pa.array(columns["tenure"], pa.int64()),
            "charges": pa.array(columns["charges"], pa.float64(), from_pandas=True),
            "support_calls": pa.array(columns["support_calls"], pa.int64()),
            "usage_hours": pa.array(columns["usage_hours"], pa.float64()),
            "country": pa.array(columns["country"], pa.string()),
            "payment_method": pa.array(columns["payment_method"], pa.string()),
            "satisfaction": pa.array(columns["satisfaction"], pa.float64(), from_pandas=True),
            "gender": pa.array(columns["gender"], pa.string()),
            "churned": pa.array(np.where(columns["left"], "Yes", "No"), pa.string()),
        }
    )


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and np.isnan(value) else value
