"""Events in, states out, and from a state what comes next: which product, which kind of event, after how long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dongcha.models.behaviour.encoders import EncoderName, encoder
from dongcha.models.behaviour.timelines import DAYS_AHEAD, GAP, KIND, PRODUCT, UNREAD

SMALL: Final = 0.02
FORETOLD: Final = (KIND, GAP, *DAYS_AHEAD)
"""Fields that have a head of their own; products are foretold by their vectors."""


@dataclass(frozen=True)
class NetworkConfig:
    """The network's shape. `length`: how many of a customer's newest events are read."""

    encoder: EncoderName = "transformer"
    width: int = 128
    layers: int = 1
    heads: int = 2
    length: int = 50
    dropout: float = 0.5
    fading: float = 0.6
    """What one event farther back weighs in the sum that the encoder corrects, before training."""
    scale: float = 3.0
    """What states are multiplied by, before training: low enough that a warm start does not begin too sure."""


class Network(nn.Module):
    """A fading sum of the events' embeddings, corrected by an encoder that begins at zero.

    The sum alone, over embeddings from `warm_start`, is a good simple recommender; whatever the encoder learns is
    learnt on top of it. `sizes`: field → number of codes; code `sizes[field]` means none.
    """

    def __init__(self, sizes: Mapping[str, int], config: NetworkConfig) -> None:
        super().__init__()
        self.sizes, self.config = dict(sizes), config
        read = {name: size for name, size in sizes.items() if name not in UNREAD}
        self.embed = nn.ModuleDict({name: _table(size, config.width, name == PRODUCT) for name, size in read.items()})
        self.drop = nn.Dropout(config.dropout)
        self.read = encoder(
            config.encoder,
            width=config.width,
            layers=config.layers,
            heads=config.heads,
            dropout=config.dropout,
            length=config.length,
        )
        self.fading = nn.Parameter(torch.logit(torch.tensor(config.fading)))
        self.scale = nn.Parameter(torch.log(torch.tensor(config.scale)))
        self.bias = nn.Parameter(torch.zeros(sizes[PRODUCT], 1))
        self.heads = nn.ModuleDict({k: nn.Linear(config.width, sizes[k]) for k in FORETOLD if k in sizes})

    def forward(self, fields: Mapping[str, Tensor]) -> Tensor:
        """Field → codes (rows, steps), left-aligned; returns states (rows, steps, width)."""
        summed = torch.stack([table(fields[name]) for name, table in self.embed.items()]).sum(dim=0)
        return self.states(self.drop(summed))

    def states(self, events: Tensor) -> Tensor:
        """From the events' summed embeddings, shape (rows, steps, width), the states, in the same shape."""
        states: Tensor = fading_sum(events, torch.sigmoid(self.fading)) + self.read(events)
        return states * self.scale.exp()

    @property
    def products(self) -> Tensor:
        """The products' vectors, shape (products, width)."""
        return self.of_products()[0][:-1]

    def of_products(self) -> tuple[Tensor, Tensor]:
        """The weights of which each step touches but a few rows: vectors (products + 1, width), biases."""
        table = self.embed[PRODUCT]
        assert isinstance(table, nn.Embedding)
        return table.weight, self.bias

    def product_scores(self, states: Tensor) -> Tensor:
        """Every product's score, shape (rows, products); higher is likelier next."""
        return F.linear(states, self.products, self.bias[:, 0])

    def looked_up(self, products: Tensor) -> tuple[Tensor, Tensor]:
        """These products' vectors (…, width) and biases (…): of the catalogue only they get a gradient."""
        return self.embed[PRODUCT](products), F.embedding(products, self.bias, sparse=True)[..., 0]


def _table(size: int, width: int, sparse: bool) -> nn.Embedding:
    """Small vectors, and zeros for "none"."""
    table = nn.Embedding(size + 1, width, padding_idx=size, sparse=sparse)
    nn.init.normal_(table.weight, std=SMALL)
    nn.init.zeros_(table.weight[-1])
    return table


def fading_sum(events: Tensor, fading: Tensor) -> Tensor:
    """At every step the sum of the events so far, each step back weighing `fading` times less: (rows, steps, width)."""
    steps = torch.arange(events.shape[1], device=events.device)
    age = steps[:, None] - steps[None, :]
    weight = torch.where(age >= 0, fading ** age.clamp(min=0), 0.0)
    return weight @ events


def last_states(states: Tensor, fields: Mapping[str, Tensor], sizes: Mapping[str, int]) -> Tensor:
    """Each row's state after its newest event, shape (rows, width)."""
    there = torch.stack([codes < sizes[name] for name, codes in fields.items()]).any(dim=0)
    newest = (there.sum(dim=1) - 1).clamp(min=0)
    return states[torch.arange(len(states), device=states.device), newest]
