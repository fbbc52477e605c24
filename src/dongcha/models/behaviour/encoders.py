"""Ways to read a sequence, behind one interface: a correction to each event's state from what came before it.

Every correction begins at zero: the last layer of each residual branch does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

EncoderName = Literal["transformer", "lstm", "cnn", "none"]


def zero(layer: nn.Linear) -> nn.Linear:
    """The layer, giving zeros until it learns."""
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


class Attention(nn.Module):
    """Causal self-attention over (rows, steps, width)."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.mixed = nn.Linear(width, 3 * width)
        self.out = zero(nn.Linear(width, width))

    def forward(self, x: Tensor) -> Tensor:
        rows, steps, width = x.shape
        query, key, value = self.mixed(x).view(rows, steps, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        dropout = self.dropout if self.training else 0.0
        seen = F.scaled_dot_product_attention(query, key, value, dropout_p=dropout, is_causal=True)
        mixed: Tensor = self.out(seen.transpose(1, 2).reshape(rows, steps, width))
        return mixed


class Block(nn.Module):
    """Normalise, attend, add; normalise, think, add (Xiong et al. 2020 put the norm first: it needs no warm-up)."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width, heads, dropout)
        self.think = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), zero(nn.Linear(4 * width, width)))
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.drop(self.attention(self.norm1(x)))
        thought: Tensor = x + self.drop(self.think(self.norm2(x)))
        return thought


class Transformer(nn.Module):
    """Causal self-attention with learnt places (SASRec: Kang & McAuley 2018)."""

    def __init__(self, width: int, layers: int, heads: int, dropout: float, length: int) -> None:
        super().__init__()
        self.places = nn.Embedding(length, width)
        nn.init.zeros_(self.places.weight)
        self.blocks = nn.ModuleList(Block(width, heads, dropout) for _ in range(layers))

    def forward(self, x: Tensor) -> Tensor:
        seen = x + self.places.weight[: x.shape[1]]
        for block in self.blocks:
            seen = block(seen)
        return seen - x


class Lstm(nn.Module):
    """Long short-term memory (GRU4Rec's idea: Hidasi et al. 2016)."""

    def __init__(self, width: int, layers: int, heads: int, dropout: float, length: int) -> None:
        super().__init__()
        self.cell = nn.LSTM(width, width, layers, batch_first=True, dropout=dropout if layers > 1 else 0.0)
        self.out = zero(nn.Linear(width, width))

    def forward(self, x: Tensor) -> Tensor:
        correction: Tensor = self.out(self.cell(x)[0])
        return correction


class Cnn(nn.Module):
    """Dilated causal convolutions with residuals (NextItNet: Yuan et al. 2019)."""

    KERNEL: Final = 3

    def __init__(self, width: int, layers: int, heads: int, dropout: float, length: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2 * layers))
        self.filters = nn.ModuleList(nn.Conv1d(width, width, self.KERNEL, dilation=2**k) for k in range(2 * layers))
        self.out = nn.ModuleList(zero(nn.Linear(width, width)) for _ in range(2 * layers))
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        seen = x
        for depth, (norm, filters, out) in enumerate(zip(self.norms, self.filters, self.out, strict=True)):
            before = F.pad(norm(seen).transpose(1, 2), ((self.KERNEL - 1) * 2**depth, 0))
            seen = seen + self.drop(out(F.gelu(filters(before)).transpose(1, 2)))
        return seen - x


class Nothing(nn.Module):
    """No correction: the fading sum alone, to measure the others against."""

    def __init__(self, width: int, layers: int, heads: int, dropout: float, length: int) -> None:
        super().__init__()

    def forward(self, x: Tensor) -> Tensor:
        return torch.zeros_like(x)


ENCODERS: Final[dict[str, Callable[[int, int, int, float, int], nn.Module]]] = {
    "transformer": Transformer,
    "lstm": Lstm,
    "cnn": Cnn,
    "none": Nothing,
}
"""Name → made of (width, layers, heads, dropout, length); reads and gives (rows, steps, width), left-aligned.

Padding stands at the end of a row, after everything that may look at it, so no mask is needed.
"""


def encoder(name: EncoderName, *, width: int, layers: int, heads: int, dropout: float, length: int) -> nn.Module:
    """A fresh encoder by name."""
    return ENCODERS[name](width, layers, heads, dropout, length)
