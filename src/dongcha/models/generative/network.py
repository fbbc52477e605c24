"""A customer in, a point in latent space; a point in, each event foretold from those before, and a row of numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dongcha.models.behaviour.encoders import Block

SMALL: Final = 0.02
LOG_VARIANCE: Final = (-8.0, 4.0)
NARROWEST: Final = -3.0
"""Natural log of the least standard deviation of a rebuilt number: a spike at one value may not be worth all else."""


@dataclass(frozen=True)
class VaeConfig:
    """The network's shape and how it learns. `length`: how many of a customer's newest events are read."""

    latent: int = 8
    width: int = 48
    layers: int = 1
    heads: int = 2
    length: int = 50
    queries: int = 4
    """In how many ways the encoder looks over the events."""
    dropout: float = 0.1
    forgotten: float = 0.5
    """The share of earlier events hidden from the decoder, so that it must ask the latent (Bowman et al. 2016)."""
    free_nats: float = 0.1
    """What each latent dimension may tell at no cost (Kingma et al. 2016)."""
    events_weight: float = 0.25
    """What a nat of events weighs beside one of the numbers: a customer's events are far from independent."""
    product_groups: int = 32
    most_codes: int = 128
    steps: int = 800
    """How many batches are learnt from at least: few customers are passed over more often."""
    fewest_epochs: int = 4
    warming: float = 0.3
    """The share of epochs in which telling things through the latent grows from free to its full cost."""
    patience: float = 0.35
    """The share of epochs that may be worse than an earlier one."""
    batch_rows: int = 64
    learning_rate: float = 0.004
    weight_decay: float = 0.01
    checked_share: float = 0.1
    """The share of customers kept from training, to stop by."""

    def epochs(self, rows: int) -> int:
        """How often so many rows are passed over."""
        return max(-(-self.steps // -(-rows // self.batch_rows)), self.fewest_epochs)


@dataclass(frozen=True)
class Batch:
    """Some customers as tensors."""

    fields: Mapping[str, Tensor]
    """Field → codes (rows, steps), left-aligned; code `sizes[field]` means none."""
    counts: Tensor
    """How many steps each row has, (rows,)."""
    values: Tensor
    """Scaled numbers (rows, columns), 0 where missing."""
    known: Tensor
    """Whether each number is there, (rows, columns), bool."""


@dataclass(frozen=True)
class Told:
    """What the decoder says of a batch, in nats: the cost of each event's fields and of each number."""

    fields: Mapping[str, Tensor]
    """Field → (rows, steps), 0 where there is none."""
    numbers: Tensor
    """(rows, columns): the number where known, and whether it is."""

    def rows(self, events_weight: float) -> Tensor:
        """All of a row's, (rows,)."""
        events = torch.stack([nats.sum(dim=1) for nats in self.fields.values()]).sum(dim=0) if self.fields else 0.0
        return events_weight * events + self.numbers.sum(dim=1)


class Events(nn.Module):
    """An event is the sum of its fields' vectors."""

    def __init__(self, sizes: Mapping[str, int], width: int) -> None:
        super().__init__()
        self.tables = nn.ModuleDict({k: nn.Embedding(size + 1, width, padding_idx=size) for k, size in sizes.items()})
        self.width = width

    def forward(self, batch: Batch) -> Tensor:
        """(rows, steps, width)."""
        vectors = [table(batch.fields[name]) for name, table in self.tables.items()]
        steps = max([0, *(codes.shape[1] for codes in batch.fields.values())])
        return torch.stack(vectors).sum(dim=0) if vectors else torch.zeros(len(batch.counts), steps, self.width)


class Encoder(nn.Module):
    """Looks over the events with a few learnt queries (Lee et al. 2019), beside the numbers and what is missing."""

    def __init__(self, columns: int, config: VaeConfig) -> None:
        super().__init__()
        width = config.width
        self.ages = nn.Embedding(config.length, width)
        nn.init.normal_(self.ages.weight, std=SMALL)
        self.think = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))
        self.ask = nn.Linear(width, config.queries)
        self.read = nn.Sequential(
            nn.Linear(config.queries * width + 2 * columns, 2 * width),
            nn.GELU(),
            nn.Dropout(config.dropout),
            nn.Linear(2 * width, 2 * config.latent),
        )

    def forward(self, events: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """Mean and log variance of each row's place, (rows, latent) each."""
        age = batch.counts[:, None] - 1 - torch.arange(events.shape[1])
        thought = self.think(events + self.ages(age.clamp(min=0)))
        weight = self.ask(thought).masked_fill(age[..., None] < 0, -1e9).softmax(dim=1)
        weight = weight * (age >= 0)[..., None]
        seen = (weight.transpose(1, 2) @ thought).flatten(1)
        mean, log_variance = self.read(torch.cat([seen, batch.values, (~batch.known).float()], dim=1)).chunk(2, dim=1)
        return mean, log_variance.clamp(*LOG_VARIANCE)


class Decoder(nn.Module):
    """Causal self-attention over the events so far; the latent stands first, to be attended to, and in every step."""

    def __init__(self, sizes: Mapping[str, int], columns: int, config: VaeConfig) -> None:
        super().__init__()
        width = config.width
        self.first, self.every = nn.Linear(config.latent, width), nn.Linear(config.latent, width)
        self.places = nn.Embedding(config.length, width)
        nn.init.normal_(self.places.weight, std=SMALL)
        self.blocks = nn.Sequential(*(Block(width, config.heads, config.dropout) for _ in range(config.layers)))
        self.norm = nn.LayerNorm(width)
        self.heads = nn.ModuleDict({name: nn.Linear(width, size) for name, size in sizes.items()})
        self.number = nn.Sequential(nn.Linear(config.latent, 2 * width), nn.GELU(), nn.Linear(2 * width, 2 * columns))
        self.log_deviation = nn.Parameter(torch.zeros(columns))
        self.forgotten = config.forgotten

    def states(self, place: Tensor, events: Tensor) -> Tensor:
        """Before each event what is known of it: (rows, steps, width), step k from `place` and the events before k."""
        before = events[:, :-1]
        if self.training:
            before = before * (torch.rand(before.shape[:2]) >= self.forgotten)[..., None]
        steps = torch.cat([self.first(place)[:, None], before], dim=1)
        steps = steps + self.every(place)[:, None] + self.places.weight[: steps.shape[1]]
        states: Tensor = self.norm(self.blocks(steps))
        return states

    def numbers(self, place: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Of each number its mean, the logit of its being known (rows, columns), and log deviation (columns,)."""
        mean, known = self.number(place).chunk(2, dim=1)
        return mean, known, self.log_deviation.clamp(min=NARROWEST)


class Network(nn.Module):
    """Encoder and decoder. `sizes`: field → number of codes; `may_miss`: which numbers are sometimes missing."""

    may_miss: Tensor

    def __init__(self, sizes: Mapping[str, int], may_miss: Tensor, config: VaeConfig) -> None:
        super().__init__()
        self.sizes, self.config = dict(sizes), config
        self.register_buffer("may_miss", may_miss, persistent=False)
        self.events = Events(sizes, config.width)
        self.encode = Encoder(len(may_miss), config)
        self.decode = Decoder(sizes, len(may_miss), config)

    def place(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Mean and log variance of each row's place, (rows, latent) each."""
        found: tuple[Tensor, Tensor] = self.encode(self.events(batch), batch)
        return found

    def told(self, batch: Batch, place: Tensor) -> Told:
        """What it costs to tell the batch to someone who knows each row's place."""
        states = self.decode.states(place, self.events(batch)) if self.sizes else None
        fields = {k: _cost(head(states), batch.fields[k], self.sizes[k]) for k, head in self.decode.heads.items()}
        return Told(fields, self._numbers(batch, place))

    def _numbers(self, batch: Batch, place: Tensor) -> Tensor:
        mean, known, log_deviation = self.decode.numbers(place)
        off = (batch.values - mean) * torch.exp(-log_deviation)
        normal = (0.5 * off**2 + log_deviation) * batch.known
        return normal + self.may_miss * F.binary_cross_entropy_with_logits(known, batch.known.float(), reduction="none")


def _cost(scores: Tensor, codes: Tensor, none: int) -> Tensor:
    """Cross-entropy of codes (rows, steps) under scores (rows, steps, size); 0 where there is none."""
    return F.cross_entropy(scores.transpose(1, 2), codes, ignore_index=none, reduction="none")


def divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Nats that each dimension tells beyond a standard normal, (rows, latent)."""
    return 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance)


def drawn(mean: Tensor, log_variance: Tensor) -> Tensor:
    """A place from each row's normal distribution, through which gradients flow (Kingma & Welling 2014)."""
    return mean + torch.randn_like(mean) * torch.exp(0.5 * log_variance)
