"""How soon is a planted turn of mood seen, at one false alarm per product-year? Real moods, resampled.

    python -m benchmarks.brand FOLDER [--only musical airline chinese simulated] [--runs N] [--seed 7] [--json]

FOLDER holds public data as its INDEX.md lists it. A run is one subject for two years: moods are drawn from those of one
real subject (a product, an airline, a category of shopping reviews), in random order so that no turn of its own is
left, and come at a steady rate. From a day of the second year on, so large a share of them is replaced by the worst
mood that the mean falls by what is asked. All rules look for falls, see the moods by day, learn nothing about the turn,
and are told the spread of the source's moods. A rule's threshold is the one that gives one false alarm per product-year
over runs without a turn, for each volume its own; how many false alarms each volume has under one threshold for all is
printed beside it. An alarm is counted where the number passes the threshold from below. Delay counts from the turn to
the first alarm after it, at most 180 days, over runs in which no alarm was on when the mood turned. `simulated`: shops
by `dongcha.sources.simulate`, whose best-selling brand turns; the other brands tell the false alarms.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.mood_alarms import PEERS
from dongcha.models.change.spread import Days, Spread
from dongcha.models.change.turns import Observed, Turns

YEAR: Final = 365
WITHIN: Final = 90
CENSORED: Final = 180
A_DAY: Final = (0.1, 0.3, 1.0, 5.0)
FALLS: Final = (0.2, 0.4, 0.8)
"""Of the mean mood, from -1 to 1."""
FEWEST: Final = 20
OURS: Final = "dongcha"
Floats = NDArray[np.float64]
Rule = Callable[[Days], Floats]
Line = dict[str, Any]


def musical(folder: Path) -> list[Floats]:
    import polars as pl

    table = pl.read_parquet(folder / "amazon_reviews" / "musical_instruments_5core_2014.parquet")
    return _moods(table.select(pl.col("asin").alias("of"), ((pl.col("overall") - 1) / 4).alias("mood")))


def airline(folder: Path) -> list[Floats]:
    import polars as pl

    table = pl.read_parquet(folder / "brand_monitoring" / "twitter_us_airline_sentiment.parquet")
    named = pl.col("airline_sentiment").replace_strict({"negative": 0.0, "neutral": 0.5, "positive": 1.0})
    airlines = "virginamerica|united|southwestair|jetblue|usairways|americanair"
    of = pl.col("text").str.to_lowercase().str.extract(f"@({airlines})")
    return _moods(table.select(of.alias("of"), named.alias("mood")).drop_nulls())


def chinese(folder: Path) -> list[Floats]:
    import polars as pl

    table = pl.read_parquet(folder / "chinese" / "online_shopping_10_cats.parquet")
    return _moods(table.select(pl.col("cat").alias("of"), pl.col("label").cast(pl.Float64).alias("mood")))


def _moods(table: Any) -> list[Floats]:
    parts = table.sort("of", maintain_order=True).partition_by("of", maintain_order=True)
    return [part["mood"].to_numpy() for part in parts if len(part) >= FEWEST]


SOURCES: Final = {"musical": musical, "airline": airline, "chinese": chinese}


def drawn(random: np.random.Generator, moods: Floats, a_day: float, fall: float, turn: float) -> Days:
    """Two years of one subject, its mean mood lower by `fall` (of 2, from -1 to 1) from the day `turn` on."""
    when = np.sort(random.uniform(0, 2 * YEAR, random.poisson(a_day * 2 * YEAR)))
    felt = random.choice(moods, len(when))
    worst = moods.min()
    share = min((fall / 2) / max(moods.mean() - worst, 1e-9), 1.0)
    felt[(when >= turn) & (random.random(len(when)) < share)] = worst
    return Days.of(when, felt)


def rules(spread: Spread, turns: Turns) -> dict[str, Rule]:
    """Each rule's number per day."""
    deviation = float(np.sqrt(spread.dispersion * spread.mean * (1 - spread.mean)))
    peers: dict[str, Rule] = {
        name: (lambda days, rule=rule: rule(Observed(days.day, days.number, days.total), deviation))  # type: ignore[misc]
        for name, rule in PEERS.items()
    }
    return {OURS: lambda days: _ours(turns, spread, days), **peers}


def _ours(turns: Turns, spread: Spread, days: Days) -> Floats:
    return turns.follow(spread.worth(days)).down


def alarms(day: Floats, number: Floats, threshold: float) -> Floats:
    """The days of the second year on which the number passes the threshold from below."""
    over = number >= threshold
    first = over & ~np.concatenate([[False], over[:-1]])
    return np.asarray(day[first & (day >= YEAR)])


@dataclass(frozen=True)
class Quiet:
    """Runs without a turn: the day and the number per day, by the rate of moods."""

    runs: dict[float, list[tuple[Floats, Floats]]]

    def rate(self, threshold: float, a_day: float | None = None) -> float:
        """False alarms per product-year."""
        chosen = [run for rate, runs in self.runs.items() if a_day in (None, rate) for run in runs]
        return sum(len(alarms(*run, threshold)) for run in chosen) / len(chosen)

    def threshold(self, wanted: float = 1.0) -> float:
        """The least number that gives at most so many false alarms per product-year."""
        seen = np.unique(np.concatenate([number for runs in self.runs.values() for _, number in runs]))
        tried = np.quantile(seen, np.linspace(0.3, 1.0, 400))
        fine = [value for value in tried[::-1] if self.rate(value) <= wanted]
        high = float(tried[-1]) * 1.001
        for value in tried[::-1]:
            if self.rate(float(value)) > wanted:
                break
            high = float(value)
        return high if fine else float(tried[-1]) * 1.001


def measured(source: str, folder: Path, runs: int, seed: int) -> Iterator[Line]:
    """One line per rule, fall and volume."""
    subjects = SOURCES[source](folder)
    spread = Spread.fit([Days.of(np.arange(float(len(moods))), moods) for moods in subjects])
    by_rule = rules(spread, Turns(spread.mean, spread.strength))
    random = np.random.default_rng(seed)
    still = {rate: [drawn(random, _one(random, subjects), rate, 0.0, 0.0) for _ in range(runs)] for rate in A_DAY}
    turned = {
        (rate, fall): [
            (turn, drawn(random, _one(random, subjects, fall), rate, fall, turn))
            for turn in random.uniform(YEAR, 2 * YEAR - CENSORED, runs)
        ]
        for rate in A_DAY
        for fall in FALLS
    }
    for name, rule in by_rule.items():
        quiet = Quiet({rate: [(days.day, rule(days)) for days in runs_] for rate, runs_ in still.items()})
        common = quiet.threshold()
        own = {rate: Quiet({rate: quiet.runs[rate]}).threshold() for rate in A_DAY}
        for (rate, fall), cases in turned.items():
            threshold = own[rate]
            found = [_delay(days, rule(days), turn, threshold) for turn, days in cases]
            delay, texts = (np.array(each) for each in zip(*found, strict=True))
            yield {
                "source": source,
                "rule": name,
                "threshold": threshold,
                "reviews_a_day": rate,
                "fall": fall,
                "false_alarms_a_year": quiet.rate(threshold, rate),
                "under_one_threshold": quiet.rate(common, rate),
                "delay_days": float(np.nanmedian(delay)),
                "delay_texts": float(np.nanmedian(texts)),
                "seen_within_90_days": float(np.mean(delay[np.isfinite(delay)] <= WITHIN)),
                "at_own_threshold": quiet.rate(Turns().alarm_at(YEAR), rate) if name == OURS else None,
            }


def _one(random: np.random.Generator, subjects: list[Floats], fall: float = 0.0) -> Floats:
    """A subject whose mood can fall so far."""
    fit = [moods for moods in subjects if moods.mean() - moods.min() >= fall / 2]
    return fit[random.integers(len(fit))]


def _delay(days: Days, number: Floats, turn: float, threshold: float) -> tuple[float, float]:
    """Days, and moods, from the turn to the first alarm after it, at most CENSORED days; NaN if one was on already."""
    after = days.day >= np.floor(turn)
    if (number[~after][-1:] >= threshold).any():
        return float("nan"), float("nan")
    over = np.flatnonzero((number >= threshold) & after & (days.day < turn + CENSORED))
    end = float(days.day[over[0]]) + 1 if len(over) else turn + CENSORED
    meanwhile = after & (days.day < end)
    return min(end - turn, float(CENSORED)), float(days.number[meanwhile].sum())


def simulated(seed: int, shops: int) -> Iterator[Line]:
    """Whole shops, each with a brand that turns: the delay of the planted turn, and alarms about the other brands."""
    import polars as pl

    from dongcha.sources.simulate import simulate

    found: dict[str, list[tuple[float, float]]] = {}
    false: dict[str, list[tuple[Floats, Floats]]] = {}
    for number in range(shops):
        shop = simulate(1500, days=2 * YEAR, seed=seed + number)
        tables, planted = shop.tables, shop.truth["brand_mood"].row(0, named=True)
        said = tables["reviews"].join(tables["products"].select("product_id", "brand"), on="product_id")
        start = said["happened_at"].min().timestamp() / 86400
        told = said.select("brand", (pl.col("happened_at").dt.epoch("s") / 86400 - start).alias("day"), "rating")
        brands = {
            str(name): Days.of(part["day"].to_numpy(), (part["rating"].to_numpy() - 1) / 4)
            for (name,), part in told.sort("brand", "day").group_by(["brand"], maintain_order=True)
            if len(part) >= FEWEST
        }
        spread = Spread.fit(list(brands.values()))
        turn = planted["from"].timestamp() / 86400 - start
        for name, rule in rules(spread, Turns(spread.mean, spread.strength)).items():
            for brand, days in brands.items():
                if brand == planted["brand"]:
                    found.setdefault(name, []).append((turn, days, rule(days)))  # type: ignore[arg-type]
                else:
                    false.setdefault(name, []).append((days.day, rule(days)))
    for name, cases in found.items():
        quiet = Quiet({1.0: false[name]})
        threshold = quiet.threshold()
        each = [_delay(days, number, turn, threshold) for turn, days, number in cases]  # type: ignore[misc]
        delay, texts = (np.array(part) for part in zip(*each, strict=True))
        yield {
            "source": "simulated shops",
            "rule": name,
            "threshold": threshold,
            "brands": len(false[name]),
            "shops": len(cases),
            "false_alarms_a_year": quiet.rate(threshold),
            "delay_days": float(np.nanmedian(delay)),
            "delay_texts": float(np.nanmedian(texts)),
            "seen_within_90_days": float(np.mean(delay[np.isfinite(delay)] <= WITHIN)),
            "at_own_threshold": quiet.rate(Turns().alarm_at(YEAR)) if name == OURS else None,
        }


def main(argv: list[str] | None = None) -> None:
    asked = _arguments().parse_args(argv)
    lines: list[Line] = []
    for source in asked.only:
        told = (
            simulated(asked.seed, asked.shops)
            if source == "simulated"
            else measured(source, asked.folder, asked.runs, asked.seed)
        )
        mine = list(told)
        lines += mine
        if not asked.json:
            _print(source, mine)
    if asked.json:
        json.dump(lines, sys.stdout, indent=1)


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="+", choices=[*SOURCES, "simulated"], default=[*SOURCES, "simulated"])
    parser.add_argument("--runs", type=int, default=60, help="per volume and fall")
    parser.add_argument("--shops", type=int, default=5)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    return parser


def _print(source: str, lines: list[Line]) -> None:
    print(f"\n{source}: median days to the alarm / moods until then / seen within {WITHIN} days")
    if "reviews_a_day" not in lines[0]:
        for line in lines:
            print(f"  {line['rule']:26} {_cell(line)}  {line['false_alarms_a_year']:.2f} false alarms a brand-year")
        return
    for name in dict.fromkeys(line["rule"] for line in lines):
        mine = [line for line in lines if line["rule"] == name]
        print(f"  {name}")
        for rate in A_DAY:
            row = [line for line in mine if line["reviews_a_day"] == rate]
            own = row[0]["at_own_threshold"]
            note = f", under theory's {own:.2f}" if own is not None else ""
            falls = "   ".join(f"-{line['fall']}: {_cell(line)}" for line in row)
            false = f"{row[0]['under_one_threshold']:.2f}{note}"
            print(f"    {rate:4} a day  {falls}   false alarms under one threshold {false}")


def _cell(line: Line) -> str:
    return f"{line['delay_days']:4.0f} d {line['delay_texts']:4.0f} {line['seen_within_90_days']:4.0%}"


if __name__ == "__main__":
    main()
