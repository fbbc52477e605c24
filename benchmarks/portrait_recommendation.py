"""What behaviour, feeling and topics bring to recommendations: rankers of each alone, in pairs and together.

    python -m benchmarks.portrait_recommendation FOLDER [--folds 2] [--horizon 90] [--seed 7] [--json]
    python -m benchmarks.portrait_recommendation --amazon musical_instruments_5core_2014.parquet

FOLDER and `--amazon` as in `benchmarks.portrait`. *Behaviour*: the behaviour model's ranking. *Feeling*: neighbours of
what one reviewed, liked things pulling and disliked ones pushing, times how well a product is liked. *Topics*: products
whose reviews are like one's own texts (latent semantic analysis). *Counts*: the nine counting rankers of the insight
`recommendation`. Sets of rankers are fused by reciprocal ranks, and by a judge that learnt a horizon earlier. NDCG@10,
Recall@10 and MRR over who bought something within the horizon, mean over the cutoffs.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import polars as pl
from scipy.sparse import csr_matrix

import dongcha
from benchmarks.portrait import asked_for, examples
from dongcha import columns as c
from dongcha.as_of import Horizon
from dongcha.insight_kit.facts import Example, Facts
from dongcha.insight_kit.moods import MOOD
from dongcha.insight_kit.parts import Feeling
from dongcha.insight_kit.pretrained import Pretrained, history_of, pretrain
from dongcha.insights.recommendation import Recommendation, measured
from dongcha.insights.recommendation.contenders import numbered, who_bought
from dongcha.insights.recommendation.finish import LISTED
from dongcha.insights.recommendation.rankers import Given, Rankers
from dongcha.jobs.study import Study
from dongcha.models.ranking.blend import Blend, Lists, Ranker
from dongcha.models.ranking.scored import Scored
from dongcha.models.text.dense import Dense

OFFERED: Final = 100
EACH: Final = 50
WIDTH: Final = 64
NEUTRAL: Final = 0.3
"""What a review of no feeling still says for its product: it was bought."""
PRIOR_REVIEWS: Final = 5.0
SETS: Final = (
    ("behaviour",), ("feeling",), ("topics",), ("counts",),
    ("behaviour", "feeling"), ("behaviour", "topics"), ("feeling", "topics"), ("behaviour", "feeling", "topics"),
    ("counts", "behaviour"), ("counts", "feeling"), ("counts", "topics"), ("counts", "behaviour", "feeling", "topics"),
)  # fmt: skip


class Moment:
    """One cutoff: who then bought, what, and every part's rankers for them, by models learnt at an earlier one."""

    def __init__(self, example: Example, model: Pretrained, felt: Feeling, themes: Dense) -> None:
        self.facts, self.wanted = who_bought(example)
        self.rankers = Rankers.of(self.facts)
        told = _told(self.facts, self.rankers, felt, themes)
        self.by_part: dict[str, list[Ranker]] = {
            "behaviour": [self.rankers.by_behaviour(self.facts, model)],
            "feeling": [_by_feeling(told, self.rankers, len(self.facts.features))],
            "topics": [_by_topics(told, self.rankers, len(self.facts.features))],
            "counts": self.rankers.judged(self.facts),
        }
        self.histories = self.rankers.histories(self.facts)

    def of(self, parts: Sequence[str]) -> list[Ranker]:
        return [ranker for part in parts for ranker in self.by_part[part]]

    def lists(self, parts: Sequence[str], seed: int) -> Lists:
        popularity, wanted = self.rankers.popularity, numbered(self.wanted, self.rankers)
        rankers = self.of(parts)
        return Lists.of(rankers, popularity, self.histories, wanted, seed=seed, each=EACH, unseen_only=False)

    def figures(self, scored: Scored) -> dict[str, float]:
        products = self.rankers.counts.history.products
        listed = [[products[int(k)] for k in row if k >= 0] for row in scored.listed(LISTED)[0]]
        return measured(pl.Series(listed, dtype=pl.List(pl.String)), self.wanted)


class _Told:
    """Texts over row numbers: whose, about which product, how felt, and their vectors."""

    def __init__(self, said: pl.DataFrame, customers: pl.Series, products: pl.Series, vectors: np.ndarray) -> None:
        self.who, self.what = (
            _numbers(said[name], ids) for name, ids in ((c.CUSTOMER_ID, customers), (c.PRODUCT_ID, products))
        )
        self.mood, self.vectors, self.products = said["mood"].to_numpy(), vectors, len(products)


def _told(facts: Facts, rankers: Rankers, felt: Feeling, themes: Dense) -> _Told:
    said = felt.moods.of(history_of(facts).said).with_columns(pl.col(MOOD).fill_null(0.0))
    vectors = themes.encode(said[c.TEXT].to_list())
    return _Told(said, facts.entities, rankers.counts.history.products, vectors)


def _numbers(names: pl.Series, ids: pl.Series) -> np.ndarray:
    places = pl.DataFrame({"id": ids.cast(pl.String), "place": np.arange(len(ids))})
    found = pl.DataFrame({"id": names}).join(places, on="id", how="left", maintain_order="left")
    return found["place"].fill_null(-1).to_numpy()


def _by_feeling(told: _Told, rankers: Rankers, rows: int) -> Given:
    both, about = (told.who >= 0) & (told.what >= 0), told.what >= 0
    own = csr_matrix((NEUTRAL + told.mood[both], (told.who[both], told.what[both])), shape=(rows, told.products))
    count = np.bincount(told.what[about], minlength=told.products)
    liked = np.bincount(told.what[about], told.mood[about], told.products)
    level = told.mood.mean() if len(told.mood) else 0.0
    weights = np.maximum((liked + PRIOR_REVIEWS * level) / (count + PRIOR_REVIEWS), 0.01)
    found = (own @ rankers.neighbours.following).tocsr()
    found.data = np.maximum(found.data, 1e-6) * weights[found.indices]
    return Given(Scored.of(found))


def _by_topics(told: _Told, rankers: Rankers, rows: int) -> Given:
    mine, theirs = np.zeros((rows, told.vectors.shape[1])), np.zeros((told.products, told.vectors.shape[1]))
    np.add.at(mine, told.who[told.who >= 0], told.vectors[told.who >= 0])
    np.add.at(theirs, told.what[told.what >= 0], told.vectors[told.what >= 0])
    theirs /= np.maximum(np.linalg.norm(theirs, axis=1, keepdims=True), 1e-9)
    alike = mine @ theirs.T
    best = np.argsort(-alike, axis=1, kind="stable")[:, :OFFERED]
    places = (np.repeat(np.arange(rows), best.shape[1]), best.ravel())
    return Given(Scored.of(csr_matrix((np.take_along_axis(alike, best, axis=1).ravel(), places), shape=alike.shape)))


def fold(earlier: Example, later: Example, seed: int) -> dict[tuple[str, str], dict[str, float]]:
    """(parts, fused by) → figures at the later cutoff."""
    felt, model = Feeling(), pretrain(earlier.facts, seed=seed)
    felt.learn(earlier.facts, seed)
    themes = Dense.fit(history_of(earlier.facts).said[c.TEXT].to_list(), width=WIDTH, seed=seed)
    then, now = (Moment(example, model, felt, themes) for example in (earlier, later))
    found: dict[tuple[str, str], dict[str, float]] = {}
    for parts in SETS:
        name, rankers = "+".join(parts), now.of(parts)
        if len(rankers) == 1:
            found[name, "–"] = now.figures(rankers[0].scores(now.histories))
            continue
        judge = Blend.learnt([then.lists(parts, seed)], seed=seed, each=EACH, unseen_only=False)
        for how, blend in (("ranks", Blend(None, EACH, unseen_only=False)), ("judge", judge)):
            found[name, how] = now.figures(blend.scores(rankers, now.rankers.popularity, now.histories))
    popular: Ranker = now.rankers.recent
    found["popular", "–"] = now.figures(popular.scores(now.histories))
    return found


def main() -> None:
    """Run and print."""
    with asked_for(__doc__ or "", folds=2) as (asked, folder):
        shop, horizon = dongcha.open(folder), Horizon(asked.horizon)
        study = Study(shop.desk, Recommendation(), shop.as_of())
        folds = [fold(earlier, later, asked.seed) for _, earlier, later in examples(study, horizon, asked.folds)]
    lines: list[dict[str, Any]] = [
        {"parts": parts, "fused": how} | {k: float(np.mean([each[parts, how][k] for each in folds])) for k in figures}
        for (parts, how), figures in folds[0].items()
    ]
    if asked.json:
        print(json.dumps(lines))
        return
    print("| parts | fused by | NDCG@10 | Recall@10 | MRR |\n|---|---|---|---|---|")
    for line in lines:
        cells = " | ".join(f"{line[k]:.4f}" for k in ("ndcg_at_10", "recall_at_10", "mrr"))
        print(f"| {line['parts']} | {line['fused']} | {cells} |")


if __name__ == "__main__":
    main()
