"""What the network is asked while it learns: what comes next, against drawn products, and who is who."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from dongcha.models.behaviour.network import Network
from dongcha.models.behaviour.timelines import DAYS_AHEAD, GAP, KIND, LATER, PRODUCT, Timelines

BESIDE: Final = {KIND: 0.2, GAP: 0.2, **dict.fromkeys(DAYS_AHEAD, 0.3), "later": 0.4}
"""What foretelling anything else weighs beside foretelling the next product."""
POPULARITY_POWER: Final = 0.75
"""Products to compare with are drawn by popularity to this power (Mikolov et al. 2013)."""
TEMPERATURE: Final = 0.2
"""What the contrast's cosines are divided by."""


@dataclass(frozen=True)
class Sampler:
    """Draws products, shared by a batch, and knows how likely each was to be drawn."""

    chance: Tensor
    """Shape (products,), float32."""
    reached: Tensor
    """The chances added up, shape (products,), float64."""

    @classmethod
    def of(cls, timelines: Timelines) -> Sampler:
        size = timelines.sizes[PRODUCT]
        counts = np.bincount(timelines.fields[PRODUCT], minlength=size + 1)[:size]
        weight = (counts + 1.0) ** POPULARITY_POWER
        chance = weight / weight.sum()
        return cls(torch.from_numpy(chance.astype(np.float32)), torch.from_numpy(np.cumsum(chance)))

    def draw(self, count: int) -> Tensor:
        """Products, shape (count,), with replacement."""
        return torch.searchsorted(self.reached, torch.rand(count, dtype=torch.float64)).clamp(max=len(self.chance) - 1)


def parts_of(
    network: Network, fields: Mapping[str, Tensor], sampler: Sampler, negatives: int, contrast: float = 0.0
) -> dict[str, Tensor]:
    """The parts of one batch's loss, as they weigh: the next product, kind of event and gap; and the customer's own."""
    target = fields[PRODUCT][:, 1:]
    asked = all(name in fields for name in LATER)
    # The newest event has no next one: its state is wanted only where it may be a question.
    everywhere = network(fields if asked else {name: codes[:, :-1] for name, codes in fields.items()})
    states = everywhere[:, : target.shape[1]]
    known = target < network.sizes[PRODUCT]
    parts = {PRODUCT: product_loss(network, states[known], target[known], sampler, negatives)}
    for name in network.heads:
        # What follows a question stands at the question itself; the next event's fields stand one step on.
        at, wanted = (everywhere, fields[name]) if name in DAYS_AHEAD else (states, fields[name][:, 1:])
        there = wanted < network.sizes[name]
        if there.any():
            parts[name] = BESIDE[name] * F.cross_entropy(network.heads[name](at[there]), wanted[there])
    if asked:
        parts["later"] = BESIDE["later"] * _later_loss(network, everywhere, fields, sampler, negatives)
    if contrast:
        parts["contrast"] = contrast * contrast_loss(states, steps_of(network, fields) - 1)
    return parts


def _later_loss(
    network: Network, states: Tensor, fields: Mapping[str, Tensor], sampler: Sampler, negatives: int
) -> Tensor:
    """Questions against the products bought some time after them."""
    asked = [fields[name] < network.sizes[PRODUCT] for name in LATER]
    wanted = torch.cat([fields[name][there] for name, there in zip(LATER, asked, strict=True)])
    return product_loss(network, torch.cat([states[there] for there in asked]), wanted, sampler, negatives)


def product_loss(network: Network, states: Tensor, target: Tensor, sampler: Sampler, negatives: int) -> Tensor:
    """Cross-entropy against drawn products (Bengio & Senécal 2008), or all where those are no more than would be drawn.

    The own product counts once and each drawn one by the inverse of its expected count, so the sum under the softmax is
    right in the mean. Correcting the own product too, as is common, would count it as if it were drawn.
    """
    if not len(target):
        return states.sum() * 0.0
    if network.sizes[PRODUCT] <= negatives:
        vectors, bias = network.looked_up(torch.arange(network.sizes[PRODUCT]))
        return F.cross_entropy(F.linear(states, vectors, bias), target)
    drawn = sampler.draw(negatives)
    own_vectors, own_bias = network.looked_up(target)
    vectors, bias = network.looked_up(drawn)
    own = (states * own_vectors).sum(-1) + own_bias
    others = F.linear(states, vectors, bias - torch.log(sampler.chance[drawn] * negatives))
    others = others.masked_fill(drawn == target[:, None], -torch.inf)
    scores = torch.cat([own[:, None], others], dim=1)
    return F.cross_entropy(scores, torch.zeros_like(target))


def steps_of(network: Network, fields: Mapping[str, Tensor]) -> Tensor:
    """How many events each row has, shape (rows,)."""
    return torch.stack([codes < network.sizes[name] for name, codes in fields.items()]).any(dim=0).sum(dim=1)


def contrast_loss(states: Tensor, lengths: Tensor) -> Tensor:
    """Whose are they? A customer's state at a random earlier step is to be told from other customers' by the newest.

    InfoNCE in the batch over two crops of a customer's events, as in CL4SRec (Xie et al. 2022). Crops that end at
    different steps need no second forward pass: `states` (rows, steps, width) holds them all.
    """
    rows = torch.nonzero(lengths > 1)[:, 0]
    if len(rows) < 2:
        return states.sum() * 0.0
    newest = lengths[rows] - 1
    earlier = (torch.rand(len(rows)) * newest).long()
    one, other = F.normalize(states[rows, newest], dim=1), F.normalize(states[rows, earlier], dim=1)
    alike = one @ other.T / TEMPERATURE
    own = torch.arange(len(rows))
    return (F.cross_entropy(alike, own) + F.cross_entropy(alike.T, own)) / 2
