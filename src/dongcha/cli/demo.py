"""`dongcha demo`: a shop with known truth, from raw files to what a manager would ask."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dongcha.cli.options import opened
from dongcha.errors import UsageError

if TYPE_CHECKING:
    from dongcha.assemble import Shop

FOLDS = 2
"""Half of a shop's own default: a first look should not take long."""
SHOPS = {"en": ("Willow & Rye", "GBP"), "zh": ("青禾小铺", "CNY")}


def demo(
    customers: Annotated[int, typer.Option(help="How many customers the shop has.", min=50)] = 1500,
    language: Annotated[str, typer.Option(help="en or zh.")] = "en",
    seed: Annotated[int, typer.Option(help="The same seed makes the same shop.", min=0)] = 7,
    serve: Annotated[bool, typer.Option(help="Serve the dashboard afterwards, on port 8600.")] = True,
    workspace: Annotated[Path | None, typer.Option("--workspace", "-w", help="By default ./demo-shop.")] = None,
) -> None:
    """Simulate a shop with known truth, load it, train, score, and answer what a manager would ask."""
    from dongcha.assemble import Shop, new_workspace
    from dongcha.cli.report import print_report
    from dongcha.cli.service import PORT, serve_shop
    from dongcha.settings import FILE

    if language not in SHOPS:
        raise UsageError(f"The demo does not speak '{language}'.", "Choose --language en or --language zh.")
    folder = workspace or Path("demo-shop")
    if not (folder / FILE).exists():
        name, currency = SHOPS[language]
        new_workspace(folder, name=name, language=language, currency=currency, folds=FOLDS)
    with opened(folder) as shop:
        truth = _load(shop, customers, language, seed)
        shop.run()
    print_report(shop, truth)
    if serve:
        serve_shop(Shop(folder), "127.0.0.1", PORT)


def _load(shop: Shop, customers: int, language: str, seed: int) -> Path:
    """Simulate into files, load them like any other; returns the folder of what no model may see."""
    from dongcha.sources.simulate import simulate, write

    raw = shop.folder / f"raw-{customers}-{language}-{seed}"
    if not (raw / "truth").is_dir():
        shop.desk.progress("Simulating a shop", 0, 1)
        write(simulate(customers, language=language, seed=seed), raw)  # type: ignore[arg-type]
    files = sorted(raw.glob("*.parquet"))
    for done, file in enumerate(files):
        shop.desk.progress("Loading", done, len(files))
        shop.load(file, file.stem)
    return raw / "truth"


COMMANDS = (demo,)
