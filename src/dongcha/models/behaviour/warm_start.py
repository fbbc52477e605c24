"""Where training begins: vectors of products that are taken near each other are alike."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from dongcha.models.ranking.sequences import Sequences
from dongcha.models.ranking.transitions import Transitions, TransitionsConfig

REACH: Final = 10
DAMPING: Final = 0.3
"""The power of its own frequency by which a product's counts are divided: less than chance would ask for (0.5), since
what is taken often is also taken next often."""


def warm_start(sequences: Sequences, width: int, seed: int) -> NDArray[np.float32]:
    """Shape (products, width): a factorisation of log counts of products taken within 10 steps of each other.

    Factors of co-occurrence are what skip-gram embeddings approximate (Levy & Goldberg 2014), in seconds instead of
    epochs. Their mean squared length is 1; a product never taken gets zeros.
    """
    from scipy.sparse import diags
    from sklearn.utils.extmath import randomized_svd

    near = TransitionsConfig(reach=REACH, backward=1.0, from_power=0.0, to_power=0.0, kept=sequences.catalogue)
    counts = Transitions(near).fit(sequences).following
    counts.data = np.log1p(counts.data)
    taken = np.maximum(np.bincount(sequences.items, minlength=sequences.catalogue), 1).astype(np.float32)
    damped = diags(taken**-DAMPING) @ counts @ diags(taken**-DAMPING)
    factors = min(width, sequences.catalogue - 1)
    left, strength, _ = randomized_svd(damped.tocsr(), factors, random_state=seed)
    vectors = np.zeros((sequences.catalogue, width), dtype=np.float32)
    vectors[:, :factors] = left * np.sqrt(strength)
    squares = (vectors**2).sum(axis=1)
    typical = squares[squares > 0].mean() if squares.any() else 1.0
    return np.asarray(vectors / np.sqrt(typical), dtype=np.float32)
