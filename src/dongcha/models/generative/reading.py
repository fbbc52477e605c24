"""What a trained network makes of many rows: where they stand, and what each part of them costs to tell."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from dongcha.models.behaviour.timelines import Codes
from dongcha.models.generative.network import Network
from dongcha.models.generative.training import Rows

Array = NDArray[np.float64]
Vectors = NDArray[np.float32]


def places(network: Network, rows: Rows) -> tuple[Vectors, Vectors]:
    """Mean and standard deviation of each row's place, shape (rows, latent) each."""
    means = np.zeros((len(rows.values), network.config.latent), dtype=np.float32)
    deviations = np.zeros_like(means)
    with torch.inference_mode():
        for chunk, batch in rows.in_order(network.config.length):
            mean, log_variance = network.place(batch)
            means[chunk], deviations[chunk] = mean.numpy(), torch.exp(0.5 * log_variance).numpy()
    return means, deviations


def costs(network: Network, rows: Rows) -> tuple[dict[str, Array], Array, Codes]:
    """Nats that each row costs, told from its mean place.

    Field → of all its events, (rows,); of its numbers, (rows, columns); and how many events that are, (rows,).
    """
    fields = {name: np.zeros(len(rows.values)) for name in network.sizes}
    columns = np.zeros(rows.values.shape)
    with torch.inference_mode():
        for chunk, batch in rows.in_order(network.config.length):
            told = network.told(batch, network.place(batch)[0])
            columns[chunk] = told.numbers.double().numpy()
            for name, nats in told.fields.items():
                fields[name][chunk] = nats.sum(dim=1).double().numpy()
    return fields, columns, np.minimum(rows.timelines.lengths(), network.config.length)
