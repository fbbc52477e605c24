"""Each epoch's figures for TensorBoard, where they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from dongcha.errors import UsageError


class Log(Protocol):
    """Called with an epoch, from 0, and its figures."""

    def __call__(self, epoch: int, figures: Mapping[str, float]) -> None: ...


@contextmanager
def logged(folder: Path | None) -> Iterator[Log]:
    """A log into the folder, or into nothing. Raises UsageError where TensorBoard is not installed."""
    if folder is None:
        yield lambda epoch, figures: None
        return
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as missing:
        raise UsageError("Training logs need TensorBoard.", 'pip install "dongcha[logs]"') from missing

    with SummaryWriter(str(folder)) as writer:

        def log(epoch: int, figures: Mapping[str, float]) -> None:
            for name, value in figures.items():
                writer.add_scalar(f"behaviour/{name}", value, epoch)
            writer.flush()

        yield log
