"""The steps down the loss: one learning rate that rises and falls, and products' vectors touched only where met."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import torch
from torch import Tensor

from dongcha.models.behaviour.network import Network

RAISED: Final = 0.1
"""The share of all steps in which the learning rate rises; then it falls to nothing (Smith & Topin 2018)."""


class Optimizer:
    """Adam for all weights; of the products only those that a batch met are touched, however many there are."""

    def __init__(self, network: Network, rate: float, products_rate: float, weight_decay: float) -> None:
        products = list(network.of_products())
        others = [weight for weight in network.parameters() if all(weight is not product for product in products)]
        self.parts: tuple[tuple[torch.optim.Optimizer, float], ...] = (
            (torch.optim.SparseAdam(products), rate * products_rate),
            (torch.optim.AdamW(others, weight_decay=weight_decay), rate),
        )

    def step(self, loss: Tensor, done: float) -> None:
        """One step down the loss, `done` being the share of all steps that lie behind."""
        share = done / RAISED if done < RAISED else 0.5 * (1 + np.cos(np.pi * (done - RAISED) / (1 - RAISED)))
        for part, peak in self.parts:
            part.zero_grad()
            for group in part.param_groups:
                group["lr"] = peak * max(float(share), 0.01)
        torch.autograd.backward(loss)
        for part, _ in self.parts:
            part.step()

    def rate(self) -> float:
        """The learning rate of the last step, of all weights but the products'."""
        return float(self.parts[1][0].param_groups[0]["lr"])

    def tensors(self) -> dict[str, Tensor]:
        """What the optimizers remember of each weight."""
        return {
            f"{place}.{weight}.{name}": value if isinstance(value, Tensor) else torch.tensor(value)
            for place, (part, _) in enumerate(self.parts)
            for weight, values in part.state_dict()["state"].items()
            for name, value in values.items()
        }

    def restore(self, stored: Mapping[str, Tensor]) -> None:
        """Remember what `tensors` gave."""
        for place, (part, _) in enumerate(self.parts):
            remembered: dict[int, dict[str, Tensor | int]] = {}
            for key, value in stored.items():
                at, weight, name = key.split(".", 2)
                if int(at) == place:
                    # SparseAdam counts steps in a plain number, AdamW in a tensor.
                    counted = name == "step" and isinstance(part, torch.optim.SparseAdam)
                    remembered.setdefault(int(weight), {})[name] = int(value) if counted else value
            part.load_state_dict({**part.state_dict(), "state": remembered})
