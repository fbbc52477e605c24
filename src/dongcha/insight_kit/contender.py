"""Who may answer an insight's question: fitted, asked, saved and loaded alike."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from enum import Enum
from pathlib import Path
from typing import ClassVar

import numpy as np
import polars as pl

from dongcha.evaluation.reasons import typical_of
from dongcha.insight_kit.facts import Example, Facts


class Role(Enum):
    """A baseline is what a model must beat; a candidate may be promoted when it does."""

    CANDIDATE = "candidate"
    BASELINE = "baseline"


class Contender(ABC):
    """One way to answer an insight's question. Made with no argument, then fitted or loaded."""

    name: ClassVar[str]
    role: ClassVar[Role] = Role.CANDIDATE

    @abstractmethod
    def fit(self, past: Sequence[Example], now: Facts, *, seed: int) -> None:
        """Learn from examples whose labels were complete by `now.as_of`, and from the unlabelled facts of now."""

    def follow(self, champion: Contender) -> None:  # noqa: B027 most have nothing to take over
        """Before a fit: take over from the present champion, of the same kind, what must outlive a refit."""

    @abstractmethod
    def predict(self, facts: Facts) -> pl.DataFrame:
        """entity_id (as in `facts`, same order) + the columns the insight yields."""

    def beside(self, facts: Facts) -> pl.DataFrame:
        """Columns of the answer that are only shown: no metric reads them, so that a backtest does not ask for them."""
        return pl.DataFrame()

    def contributions(self, facts: Facts) -> tuple[tuple[str, ...], np.ndarray]:
        """Feature names and their signed pushes, shape (entities, features); none where it cannot tell."""
        return (), np.empty((len(facts.features), 0))

    def typical_values(self, names: Sequence[str], values: np.ndarray) -> np.ndarray:
        """What is typical of features, shape (names,), beside the values (entities, names) that a reason tells."""
        return typical_of(values)

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write everything `predict` needs, without pickle."""

    @abstractmethod
    def load(self, folder: Path) -> None:
        """Read what `save` wrote."""

    def export(self, folder: Path, facts: Facts) -> None:  # noqa: B027 most need nothing but the one customer
        """Write what all customers together say as of the facts, for answers about one of whom alone facts are given.

        None of it may be about any one customer.
        """

    def reads(self) -> Sequence[str] | None:
        """The features that `predict` looks at, once loaded: no others are told to who answers live; None for all."""
        return None

    def opened(self, folder: Path, exported: Path) -> Callable[[Facts], pl.DataFrame]:
        """`predict` for the facts of one customer, from what `save` and `export` wrote; nothing heavy is imported."""
        self.load(folder)
        return self.predict
