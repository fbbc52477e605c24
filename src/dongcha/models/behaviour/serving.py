"""A behaviour model answered from files, without torch: vectors of timelines, and the likeliest products."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from dongcha.models.behaviour.timelines import PRODUCT, Codes, Timelines
from dongcha.models.ranking.scored import Scored
from dongcha.models.ranking.sequences import Sequences

Precision = Literal["fp32", "int8"]
Vectors = NDArray[np.float32]

ENCODER: Final[Mapping[Precision, str]] = {"fp32": "encoder.onnx", "int8": "encoder.int8.onnx"}
PRODUCTS: Final[Mapping[Precision, str]] = {"fp32": "products.npy", "int8": "products.int8.npy"}
SCAN: Final = "scan.int8.onnx"
TABLES: Final = "tables.safetensors"
SERVED: Final = "served.json"
SCALES: Final = "scales"
BIAS: Final = "bias"
ROWS_AT_ONCE: Final = 256
BLOCK: Final = 128


@dataclass(frozen=True)
class Served:
    """What `export` wrote, opened. Every product is scored: see benchmarks.behaviour_inference for why.

    `tables`: field → vectors of its codes, the last for none; products' in fp32 or as int8 with `scales`.
    """

    precision: Precision
    sizes: Mapping[str, int]
    length: int
    tables: Mapping[str, NDArray[Any]]
    scales: Vectors
    bias: Vectors
    encoder: Any
    scan: Any

    @classmethod
    def open(cls, folder: Path, precision: Precision = "int8", threads: int = 1) -> Served:
        """Read the folder; the products' vectors are mapped, not copied, where they are fp32."""
        from safetensors.numpy import load_file

        told = json.loads((folder / SERVED).read_text("utf-8"))
        tables = load_file(folder / TABLES)
        scales, bias = tables.pop(SCALES), tables.pop(BIAS)
        tables[PRODUCT] = np.load(folder / PRODUCTS[precision], mmap_mode="r")
        given = {PRODUCT: tables[PRODUCT][:-1].T, SCALES: scales[:-1], BIAS: bias} if precision == "int8" else None
        return cls(
            precision=precision,
            sizes=told["sizes"],
            length=told["length"],
            tables=tables,
            scales=scales,
            bias=bias,
            encoder=_session(folder / ENCODER[precision], threads),
            scan=_session(folder / SCAN, threads, given) if given else None,
        )

    def vectors(self, timelines: Timelines) -> Vectors:
        """Each row's state after its newest event, shape (rows, width); zeros for a row without events."""
        coded = timelines.paced()
        found = np.zeros((len(coded), self.tables[PRODUCT].shape[1]), dtype=np.float32)
        lengths = np.minimum(coded.lengths(), self.length)
        rows = np.argsort(lengths, kind="stable")
        rows = rows[lengths[rows] > 0]
        for start in range(0, len(rows), ROWS_AT_ONCE):
            chunk = rows[start : start + ROWS_AT_ONCE]
            events = self._events(coded.newest(chunk, self.length))
            found[chunk] = self.encoder.run(None, {"events": events, "newest": lengths[chunk] - 1})[0]
        return found

    def scores(self, vectors: Vectors) -> Vectors:
        """Every product's score for every vector, shape (rows, products)."""
        if self.scan is not None:
            return np.asarray(self.scan.run(None, {"vectors": vectors})[0])
        return np.asarray(vectors @ self.tables[PRODUCT][:-1].T + self.bias)

    def top(self, vectors: Vectors, count: int, without: Sequences | None = None) -> Scored:
        """Each vector's `count` likeliest of all products but those in `without`'s row."""
        count = min(count, self.sizes[PRODUCT])
        items, scores = [np.empty((0, count), np.int64)], [np.empty((0, count), np.float32)]
        for start in range(0, len(vectors), ROWS_AT_ONCE):
            found = self.scores(vectors[start : start + ROWS_AT_ONCE])
            if without is not None:
                taken = without.take(np.arange(start, start + len(found)))
                found[taken.rows(), taken.items] = -np.inf
            items.append(np.sort(_highest(found, count), axis=1))
            scores.append(np.take_along_axis(found, items[-1], axis=1))
        flat = np.concatenate(scores).ravel()
        wanted = np.isfinite(flat)
        rows = np.repeat(np.arange(len(vectors)), count)[wanted]
        starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(vectors)))])
        return Scored(np.concatenate(items).ravel()[wanted], flat[wanted], starts, self.sizes[PRODUCT])

    def _events(self, fields: Mapping[str, Codes]) -> Vectors:
        """The summed embeddings of the fields' codes, shape (rows, steps, width)."""
        summed: Vectors = np.asarray(self.tables[PRODUCT][fields[PRODUCT]], dtype=np.float32)
        if self.precision == "int8":
            summed = summed * self.scales[fields[PRODUCT]][..., None]
        for name, table in self.tables.items():
            if name != PRODUCT:
                summed = summed + table[fields[name]]
        return summed


def _highest(scores: Vectors, count: int) -> Codes:
    """The places of each row's `count` highest, in no order."""
    return np.stack([_highest_of(row, count) for row in scores])


def _highest_of(row: Vectors, count: int) -> Codes:
    """Only scores at or above the `count`-th highest of the blocks' maxima can be among the highest.

    NumPy's partition alone takes milliseconds at 100,000 products, and much longer on some orders than on others.
    """
    whole = len(row) // BLOCK * BLOCK
    most = row[:whole].reshape(-1, BLOCK).max(axis=1)
    enough = len(most) >= count
    near = (
        np.flatnonzero(row >= np.partition(most, len(most) - count)[len(most) - count])
        if enough
        else np.arange(len(row))
    )
    beyond = len(near) - count
    return near[np.argpartition(row[near], beyond)[beyond:]] if beyond else near


def _session(file: Path, threads: int, given: Mapping[str, NDArray[Any]] | None = None) -> Any:
    import onnxruntime  # type: ignore[import-untyped, unused-ignore]

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    if given:
        values = [onnxruntime.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(table)) for table in given.values()]
        options.add_external_initializers(list(given), values)
    return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
