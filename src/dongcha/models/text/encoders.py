"""Stronger encoders behind the interface of `Dense`: a sentence-transformers model, or an embeddings endpoint."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from dongcha.errors import MissingDataError, SettingsError
from dongcha.models.text.dense import Vectors, unit
from dongcha.models.text.tokens import CHARACTERS_READ

TEXTS_AT_ONCE: Final = 64
ENDPOINT_CHARACTERS: Final = 6_000
"""Endpoints refuse what is longer than their model's window, commonly 8,192 tokens."""


class Encoder(Protocol):
    """Whatever turns texts into vectors."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors (texts, width) of length 1, float32."""


@dataclass(frozen=True)
class SentenceEncoder:
    """A sentence-transformers model (Reimers & Gurevych 2019) in a folder, or by a name that is in the local cache.

    Nothing is downloaded unless `download`. Needs the extra `text`.
    """

    model: str
    download: bool = False

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors (texts, width) of length 1.

        Raises SettingsError where the extra or the model is not there.
        """
        if not texts:
            return np.empty((0, 0), dtype=np.float32)
        read = [text[:CHARACTERS_READ] for text in texts]
        return unit(np.asarray(self._transformer.encode(read, batch_size=TEXTS_AT_ONCE, show_progress_bar=False)))

    @cached_property
    def _transformer(self) -> Any:
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError as missing:
            raise SettingsError("sentence-transformers is not installed.", "pip install 'dongcha[text]'") from missing
        try:
            return SentenceTransformer(self.model, local_files_only=not self.download)
        except (OSError, ValueError) as missing:
            where = "in that folder" if Path(self.model).exists() else "on this machine"
            raise SettingsError(f"No sentence-transformers model '{self.model}' {where}.", str(missing)) from missing


@dataclass(frozen=True)
class EndpointEncoder:
    """An OpenAI-compatible embeddings endpoint (vLLM, Ollama, llama.cpp, a hosted one). Needs the extra `llm`.

    The texts leave this machine for `url`. The key is read from the environment variable `key_variable`, never stored.
    """

    url: str
    model: str
    key_variable: str = "OPENAI_API_KEY"
    timeout_seconds: float = 60.0

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors (texts, width) of length 1; of each text the first 6,000 characters are sent.

        Raises SettingsError where the extra is not there, MissingDataError where the endpoint does not answer well.
        """
        try:
            import openai
        except ImportError as missing:
            raise SettingsError("The openai client is not installed.", "pip install 'dongcha[llm]'") from missing
        key = os.environ.get(self.key_variable) or "none"
        client = openai.OpenAI(base_url=self.url, api_key=key, timeout=self.timeout_seconds)
        # Endpoints refuse an empty input, and with it the whole batch.
        sent = [text[:ENDPOINT_CHARACTERS].strip() or "." for text in texts]
        rows: list[list[float]] = []
        try:
            for start in range(0, len(sent), TEXTS_AT_ONCE):
                rows += _asked(client, self.model, sent[start : start + TEXTS_AT_ONCE])
        except openai.OpenAIError as reason:
            raise MissingDataError(f"The embeddings endpoint {self.url} failed: {reason}", "Is it running?") from reason
        return unit(np.array(rows, dtype=np.float64).reshape(len(rows), -1)) if rows else np.empty((0, 0), np.float32)


def _asked(client: Any, model: str, texts: Sequence[str]) -> list[list[float]]:
    """One batch, in the order of the texts whatever the order of the answer."""
    answer = client.embeddings.create(model=model, input=list(texts), encoding_format="float")
    rows = {item.index: item.embedding for item in answer.data}
    if sorted(rows) != list(range(len(texts))) or len({len(row) for row in rows.values()}) != 1:
        raise MissingDataError(
            f"The endpoint answered {len(rows)} vectors for {len(texts)} texts.", "Is it compatible?"
        )
    return [rows[place] for place in range(len(texts))]
