"""What do customers praise and blame? Names mined from public reviews, and from simulated shops with known truth.

    python -m benchmarks.aspect_terms FOLDER [--customers 1500] [--seed 3] [--top 20] [--json]

FOLDER holds public data as its INDEX.md lists it: of musical instruments, clothing and Chinese shopping reviews the
first names are printed, to be read by a person. The simulated shops, English and Chinese, plant eight aspects, each
with its own mood in a review. Names and moods are learnt from the first half of the reviews; figures are on the second.
`met`: planted aspects of which a mined name stands in their phrases and in no other's. `auc`, `spearman`: our polarity
of each planted aspect that a mined name points at, against its planted mood, beside the polarity of the whole text;
`mixed`: in reviews that praise one thing and blame another.
"""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import nullcontext, redirect_stdout
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from dongcha import columns as c
from dongcha.evaluation.metrics import auc, spearman
from dongcha.models.text.aspect_terms import AspectTerms
from dongcha.models.text.aspects import clause_polarity
from dongcha.models.text.linear import SIGNS, signs
from dongcha.models.text.polarity import Polarity
from dongcha.sources.simulate import chinese_talk, english_talk, simulate

PLANTED: Final = {"en": english_talk.REVIEWS.aspects, "zh": chinese_talk.REVIEWS.aspects}
DAYS: Final = 730
PUBLIC: Final = {
    "instruments": ("amazon_reviews/musical_instruments_5core_2014.parquet", ("summary", "reviewText"), "asin"),
    "chinese": ("chinese/online_shopping_10_cats.parquet", ("review",), None),
    "clothing": ("reviews_en/womens_clothing_ecommerce_reviews.parquet", ("Title", "Review Text"), "Clothing ID"),
}
"""Name → file, columns of a text, and the column that names its product."""


def pointed_at(terms: AspectTerms, language: str) -> dict[str, str]:
    """Mined name → the one planted aspect whose phrases hold it."""
    said = {aspect.name: "\n".join((*aspect.praise, *aspect.blame)).lower() for aspect in PLANTED[language]}
    held: dict[str, set[str]] = {name: set() for name in terms.names}
    for form, name in terms.forms.items():
        held[name] |= {aspect for aspect, phrases in said.items() if form in phrases}
    return {name: aspects.pop() for name, aspects in held.items() if len(aspects) == 1}


def simulated(language: str, customers: int, seed: int) -> dict[str, Any]:
    shop = simulate(customers, language=language, days=DAYS, seed=seed)  # type: ignore[arg-type]
    reviews = shop.tables[c.REVIEWS].filter(pl.col(c.TEXT).is_not_null()).sort(c.REVIEW_ID)
    texts = [f"{title or ''}\n{text}" for title, text in reviews.select(c.TITLE, c.TEXT).rows()]
    half = len(texts) // 2
    stars = signs(reviews[c.RATING].cast(pl.Float64).to_numpy()[:half])
    terms = AspectTerms.of(texts[:half], reviews[c.PRODUCT_ID].to_list()[:half])
    model, shares = Polarity.fit(texts[:half], stars, seed=seed), [np.mean(stars == sign) for sign in SIGNS]
    meant = pointed_at(terms, language)
    planted = {(r, a): mood for r, a, mood in shop.secrets.frames["review_aspects"].rows()}
    rows = [
        (texts[half + k], one.clause, mood, review)
        for k, (review, mentions) in enumerate(zip(reviews[c.REVIEW_ID][half:], terms.found(texts[half:]), strict=True))
        for one in mentions
        if (mood := planted.get((review, meant.get(one.aspect)))) is not None
    ]
    said, clauses, moods, of_reviews = (list(column) for column in zip(*rows, strict=True))
    felt = clause_polarity(model.probabilities, shares, said, clauses)
    whole, mood = model.polarity(said), np.array(moods)
    signs_of: dict[str, set[bool]] = {}
    for (review, _), value in planted.items():
        signs_of.setdefault(review, set()).add(value > 0)
    mixed = np.array([len(signs_of[review]) == 2 for review in of_reviews])
    good = (mood > 0).astype(float)
    return {
        "names": terms.names,
        "met": len(set(meant.values())),
        "mentions": len(mood),
        "auc": auc(good, felt),
        "auc_whole": auc(good, whole),
        "spearman": spearman(mood, felt),
        "spearman_whole": spearman(mood, whole),
        "sign_right": float(np.mean((felt > 0) == (mood > 0))),
        "sign_right_whole": float(np.mean((whole > 0) == (mood > 0))),
        "mixed": int(mixed.sum()),
        "mixed_auc": auc(good[mixed], felt[mixed]),
        "mixed_auc_whole": auc(good[mixed], whole[mixed]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--customers", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--top", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found: dict[str, Any] = {}
    with redirect_stdout(sys.stderr) if asked.json else nullcontext():
        for name, (file, columns, product) in PUBLIC.items():
            table = pl.read_parquet(asked.folder / file).drop_nulls(columns[-1])
            texts = table.select(pl.concat_str(columns, separator="\n", ignore_nulls=True)).to_series().to_list()
            about = None if product is None else table[product].cast(pl.String).to_list()
            found[name] = AspectTerms.of(texts, about).names[: asked.top]
            print(f"{name}: {', '.join(found[name])}", flush=True)
        for language in PLANTED:
            found[language] = simulated(language, asked.customers, asked.seed)
            for figure, value in found[language].items():
                print(
                    f"  {language} {figure:18} {value:.3f}"
                    if isinstance(value, float)
                    else f"  {language} {figure} {value}"
                )
    if asked.json:
        print(json.dumps(found, ensure_ascii=False))


if __name__ == "__main__":
    main()
