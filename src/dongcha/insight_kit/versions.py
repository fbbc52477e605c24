"""Fitted models on disk: one folder a version, written whole or not at all, never pickle."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from dongcha.errors import StoreError
from dongcha.insight_kit.base import Insight
from dongcha.insight_kit.contender import Contender

CONTENDER_FILE: Final = "contender.txt"


class Versions:
    """The folder `models/` of a workspace."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, insight: Insight, version: str, contender: Contender) -> None:
        """Write a version; a left-over of a job that was killed is replaced."""
        final = self.folder / insight.name / version
        draft = final.with_name(f".{version}.draft")
        for leftover in (draft, final):
            shutil.rmtree(leftover, ignore_errors=True)
        draft.mkdir(parents=True)
        contender.save(draft)
        (draft / CONTENDER_FILE).write_text(contender.name, "utf-8")
        draft.rename(final)

    def unread(self, insight: Insight, version: str) -> Contender:
        """A fresh contender of the kind that a version is; OSError where the version is gone."""
        return insight.contender((self.folder / insight.name / version / CONTENDER_FILE).read_text("utf-8"))

    def load(self, insight: Insight, version: str) -> Contender:
        """The fitted contender of a version; StoreError where its folder is missing or damaged."""
        folder = self.folder / insight.name / version
        try:
            contender = self.unread(insight, version)
            contender.load(folder)
        except (OSError, ValueError, KeyError) as error:
            raise StoreError(
                f"The model {insight.name} {version} cannot be read: {error}.",
                f"Train it anew: dongcha train {insight.name}.",
            ) from None
        return contender
