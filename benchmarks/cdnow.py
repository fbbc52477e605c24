"""Lifetime value on CDNOW: the first 39 weeks are known, the next 39 are forecast.

    python -m benchmarks.cdnow FOLDER_WITH_cdnow_master.parquet_AND_cdnow.parquet [--json]

First BG/NBD's parameters on the 1/10 sample, beside those of Fader, Hardie & Lee (2005) and, where it is installed,
those of the `lifetimes` package; then every contender and the past mean on the full cohort.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import dongcha
from benchmarks.retail import show
from dongcha.as_of import AsOf
from dongcha.features.point_in_time import Snapshot
from dongcha.models.tabular.bg_nbd import BgNbd

WEEK_DAYS = 7
HORIZON_DAYS = 39 * WEEK_DAYS
PUBLISHED = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426, "log_likelihood": -9582.4}


def opened(folder: Path, file: Path) -> Any:
    """A workspace with one of the two files in it."""
    shop = dongcha.new(folder, currency="USD", name="CDNOW")
    text = (folder / "dongcha.toml").read_text("utf-8")
    text = text.replace("horizon_days = 90", f"horizon_days = {HORIZON_DAYS}").replace("folds = 4", "folds = 1")
    (folder / "dongcha.toml").write_text(text, "utf-8")
    (report,) = shop.load_layout("cdnow", file)
    print(f"{file.name}: {report.read:,} rows = {report.accepted:,} accepted + {report.quarantined:,} quarantined")
    return shop


def parameters(shop: Any) -> dict[str, dict[str, float]]:
    """Ours, the published and the peer's parameters on the sample, in weeks."""
    names = ["repeat_purchase_days", "last_purchase_age_days", "age_days"]
    x, days_x, days = Snapshot(shop.lake, AsOf.parse("1997-10-01")).features(names).drop("customer_id").to_numpy().T
    t_x, age = days_x / WEEK_DAYS, days / WEEK_DAYS
    ours = BgNbd.fit(x, t_x, age)
    likelihood = ours.log_likelihood(x, t_x, age)
    found = {
        "published": PUBLISHED,
        "dongcha": {"r": ours.r, "alpha": ours.alpha, "a": ours.a, "b": ours.b, "log_likelihood": likelihood},
    }
    if (peer := _lifetimes(x, t_x, age)) is not None:
        found["lifetimes"] = peer
    return found


def _lifetimes(x: np.ndarray, t_x: np.ndarray, age: np.ndarray) -> dict[str, float] | None:
    try:
        from lifetimes import BetaGeoFitter
    except ImportError:
        return None
    fitted = BetaGeoFitter().fit(x, t_x, age)
    return {**dict(fitted.params_), "log_likelihood": float(fitted.log_likelihood_)}


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = parameters(opened(Path(folder) / "sample", asked.data / "cdnow.parquet"))
        shop = opened(Path(folder) / "full", asked.data / "cdnow_master.parquet")
        rows = shop.backtest("lifetime_value", as_of="1998-07-01")
    if asked.json:
        print(json.dumps({"parameters": found, "folds": rows}))
        return
    print("\n| BG/NBD on the 1/10 sample | " + " | ".join(PUBLISHED) + " |\n|---|" + "---|" * len(PUBLISHED))
    for name, values in found.items():
        print(f"| {name} | " + " | ".join(f"{values[k]:.4f}" for k in PUBLISHED) + " |")
    print()
    show("lifetime_value", rows)


if __name__ == "__main__":
    main()
