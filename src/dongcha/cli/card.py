"""A model card, drawn."""

from __future__ import annotations

from typing import Any

from dongcha.cli.render import figure, stdout, table


def draw(card: dict[str, Any], language: str) -> None:
    """Print a model card: where it comes from, how good it is beside the baselines, its limits."""
    stdout().print(
        f"[bold]{card['insight']} {card['version']}[/], answered by {card['contender']}, made {card['made_at'][:16]}"
    )
    stdout().print(f"  {card['why']}", markup=False, soft_wrap=True)
    stdout().print(
        f"  as of {card['as_of']}, {card['horizon_days']} days ahead, seed {card['seed']}, dongcha {card['dongcha']}"
    )
    stdout().print(f"  tables: {', '.join(f'{k}@{v}' for k, v in card['table_versions'].items())}")
    trained = card["trained_on"]
    if trained:
        stdout().print(f"  trained on {len(trained)} cutoffs, {trained[0]['as_of']} to {trained[-1]['as_of']}")
    if card["mean_metrics"]:
        _draw_metrics(card)
    for name, part in card["quality"].items():
        if isinstance(part, list) and part:
            table(name, list(part[0]), [[_cell(v) for v in row.values()] for row in part])
    limits = card["limits"].get(language)
    if limits:
        stdout().print(f"  {limits}", markup=False, soft_wrap=True)


def _draw_metrics(card: dict[str, Any]) -> None:
    metrics = list(next(iter(card["mean_metrics"].values())))
    rows = [(name, *(_cell(found[m]) for m in metrics)) for name, found in card["mean_metrics"].items()]
    table(f"Mean over {len(card['folds'])} folds (headline: {card['headline']})", ("contender", *metrics), rows)


def _cell(value: Any) -> str:
    return figure(value) if not isinstance(value, float) or abs(value) < 100 else f"{value:,.0f}"
