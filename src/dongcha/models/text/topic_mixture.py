"""Topics as word distributions, each beside what everybody says; how many of them the texts bear out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dongcha.models.text.topic_counts import Array, Counts

EVERYBODY: Final = 0.8
"""Of a topic's words this share is taken for what everybody says (Zhai et al. 2004): stop words of any language too."""
ROUNDS: Final = 10
STARTS: Final = 10
SMOOTHING: Final = 0.001
LADDER: Final = (1, 2, 3, 4, 6, 8, 11, 15, 20, 27)
"""The numbers of topics to try: more than a person reads would be no insight."""
FEWEST_A_TOPIC: Final = 10
"""Texts in each half for each topic tried."""
TRIED_ON: Final = 4_000
"""Texts on which numbers are tried."""


@dataclass(frozen=True)
class Mixture:
    """Word distributions of topics over one vocabulary.

    A text is of one topic while fitting (the mixture of unigrams, Nigam et al. 2000, which suits short texts), of
    several when it is read. Every topic speaks of its own words in 20 % of its words only, the rest is the background.
    """

    distributions: Array
    """(topics, words), each row of sum 1; 0 for words that came later than the topic."""
    background: Array
    """How often everybody says each word, (words,), above 0."""
    shares: Array
    """How much of the texts each topic took, (topics,), of sum 1."""

    @classmethod
    def empty(cls) -> Mixture:
        """No topics over no words."""
        return cls(np.empty((0, 0)), np.empty(0), np.empty(0))

    @classmethod
    def fit(
        cls, counts: Counts, vectors: NDArray[np.floating[Any]], background: Array, topics: int, seed: int
    ) -> Mixture:
        """Group the `vectors` of the texts (texts, any) by k-means, then find the groups' own words by EM."""
        from sklearn.cluster import KMeans

        groups = KMeans(topics, n_init=STARTS, random_state=seed).fit_predict(vectors)
        member = np.eye(topics)[groups]
        mixture = cls(_normal((counts.T @ member).T + 10 * SMOOTHING), background, member.mean(axis=0))
        for _ in range(ROUNDS):
            mixture = mixture._again(counts)
        return mixture

    def _again(self, counts: Counts) -> Mixture:
        likely = _log(self.shares) + self.evidence(counts)
        of = np.exp(likely - likely.max(axis=1, keepdims=True))
        of /= of.sum(axis=1, keepdims=True)
        own = (1 - EVERYBODY) * self.distributions
        words = (counts.T @ of).T * own / (own + EVERYBODY * self.background)
        return Mixture(_normal(words + SMOOTHING), self.background, of.mean(axis=0))

    def evidence(self, counts: Counts, unknown: Array | float = 0.0) -> Array:
        """How much likelier each topic makes each text than the background alone, in nats, (texts, topics).

        `unknown`: how many words each text has that are not counted, (texts,): no topic says them.
        """
        lift = (1 - EVERYBODY) * self.distributions / self.background + EVERYBODY
        others = np.log(EVERYBODY) * np.broadcast_to(unknown, counts.shape[0])
        return np.asarray(counts @ np.log(lift).T + others[:, None], dtype=np.float64)

    def total_evidence(self, counts: Counts) -> Array:
        """The same of all topics by their shares, (texts,)."""
        from scipy.special import logsumexp

        return np.asarray(logsumexp(self.evidence(counts) + _log(self.shares), axis=1), dtype=np.float64)

    def weights(self, counts: Counts) -> Array:
        """What part of each text's own words each topic tells, (texts, topics), each row of sum 1.

        Folded in by EM with the word distributions fixed (Hofmann 1999), drawn a little towards the topics' shares.
        """
        from scipy.sparse import csr_matrix

        rows = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
        own = (1 - EVERYBODY) * self.distributions.T[counts.indices]
        everybody = EVERYBODY * self.background[counts.indices, None]
        gather = csr_matrix((counts.data, np.arange(counts.nnz), counts.indptr), shape=(counts.shape[0], counts.nnz))
        weights = np.tile(self.shares, (counts.shape[0], 1))
        for _ in range(ROUNDS):
            told = weights[rows] * own
            told /= told.sum(axis=1, keepdims=True) + everybody
            weights = _normal(gather @ told + self.shares / 10)
        return weights

    def take(self, topics: NDArray[np.int64]) -> Mixture:
        """These topics alone."""
        shares = self.shares[topics]
        return Mixture(self.distributions[topics], self.background, shares / max(shares.sum(), 1e-12))

    def wider(self, background: Array) -> Mixture:
        """Over more words, which everybody says so often, (new words,), and no topic does."""
        none = np.zeros((len(self.distributions), len(background)))
        return Mixture(
            np.hstack([self.distributions, none]), np.concatenate([self.background, background]), self.shares
        )

    def beside(self, other: Mixture) -> Mixture:
        """These topics, then the other's, which are over the same words; shares by how many topics each has."""
        mine, theirs = len(self.shares), len(other.shares)
        shares = np.concatenate([self.shares * mine, other.shares * theirs]) / max(mine + theirs, 1)
        return Mixture(np.vstack([self.distributions, other.distributions]), self.background, shares)


def best_number(counts: Counts, vectors: NDArray[np.floating[Any]], background: Array, most: int, seed: int) -> int:
    """How many topics the texts bear out, 0 to `most`: fitted on each half, judged by its evidence on the other.

    Of those numbers which are not surely worse than the best, the smallest (one standard error of the difference,
    Breiman et al. 1984): 0 where no topics foretell the other half better than the background does.
    """
    order = np.random.default_rng(seed).permutation(counts.shape[0])[:TRIED_ON]
    halves = order[::2], order[1::2]
    ladder = [k for k in LADDER if k <= most and k * FEWEST_A_TOPIC <= len(halves[1])]
    found = [np.zeros(len(order))]
    for k in ladder:
        fits = [Mixture.fit(counts[half], vectors[half], background, k, seed) for half in halves]
        judged = zip(fits, reversed(halves), strict=True)
        found.append(np.concatenate([fit.total_evidence(counts[other]) for fit, other in judged]))
    best = max(found, key=lambda evidence: float(evidence.mean()))
    error = [float((best - evidence).std() / np.sqrt(max(len(order), 1))) for evidence in found]
    enough = [float((best - evidence).mean()) <= e for evidence, e in zip(found, error, strict=True)]
    return (0, *ladder)[enough.index(True)]


def _normal(rows: Array) -> Array:
    return np.asarray(rows / rows.sum(axis=1, keepdims=True), dtype=np.float64)


def _log(shares: Array) -> Array:
    return np.asarray(np.log(np.maximum(shares, 1e-12)), dtype=np.float64)
