"""A behaviour model as files that are served without torch: an ONNX encoder and tables, each in fp32 and in int8.

The products' vectors stay out of the ONNX file: they are both read and ranked, and at a million products they alone
would be half a gigabyte.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dongcha.models.behaviour.model import BehaviourModel
from dongcha.models.behaviour.network import Network
from dongcha.models.behaviour.serving import (
    BIAS,
    ENCODER,
    PRODUCTS,
    SCALES,
    SCAN,
    SERVED,
    TABLES,
)
from dongcha.models.behaviour.timelines import PRODUCT

if TYPE_CHECKING:
    from onnx import TensorProto

OPSET: Final = 17
IR_VERSION: Final = 8


class _Newest(nn.Module):
    """Summed embeddings (rows, steps, width) and each row's newest step (rows,) in; vectors (rows, width) out."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, events: Tensor, newest: Tensor) -> Tensor:
        states = self.network.states(events)
        return states.gather(1, newest[:, None, None].expand(-1, 1, states.shape[2]))[:, 0]


def export(model: BehaviourModel, folder: Path) -> None:
    """Write what `serving.Served.open` reads."""
    folder.mkdir(parents=True, exist_ok=True)
    _encoders(model.network, folder)
    _tables(model.network, folder)
    _scan(model.network, folder)
    told = {"sizes": model.network.sizes, "length": model.network.config.length, "width": model.network.config.width}
    (folder / SERVED).write_text(json.dumps(told), "utf-8")


def _encoders(network: Network, folder: Path) -> None:
    from onnxruntime.quantization import QuantType, quantize_dynamic  # type: ignore[import-untyped, unused-ignore]

    given = (torch.zeros(2, 3, network.config.width), torch.tensor([2, 1]))
    exact, small = (str(folder / ENCODER[kind]) for kind in ("fp32", "int8"))
    # The tracing exporter: the newer one holds the number of rows and steps of the example fast.
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _Newest(network).eval(),
            given,
            exact,
            input_names=["events", "newest"],
            output_names=["vectors"],
            dynamic_axes={"events": {0: "rows", 1: "steps"}, "newest": {0: "rows"}, "vectors": {0: "rows"}},
            opset_version=OPSET,
            dynamo=False,
        )
    # Convolutions stay in fp32: onnxruntime's in int8 are slower on CPUs.
    few = ["MatMul", "Gemm", "LSTM"]
    with _quiet():
        quantize_dynamic(exact, small, weight_type=QuantType.QInt8, per_channel=True, op_types_to_quantize=few)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The quantiser recommends steps, on the root logger, that so small a graph does not need."""
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def _tables(network: Network, folder: Path) -> None:
    from safetensors.numpy import save_file

    vectors = network.of_products()[0].detach().numpy()
    coded, scales = by_row(vectors)
    np.save(folder / PRODUCTS["fp32"], vectors)
    np.save(folder / PRODUCTS["int8"], coded)
    others = {n: t.weight.detach().numpy() for n, t in network.embed.items() if n != PRODUCT}  # type: ignore[operator]
    save_file({BIAS: network.bias.detach().numpy()[:, 0].copy(), SCALES: scales, **others}, folder / TABLES)


def by_row(vectors: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Each row as int8, and what it is to be multiplied by, shape (rows,)."""
    scales = np.maximum(np.abs(vectors).max(axis=1), np.finfo(np.float32).tiny * 127) / np.float32(127)
    return np.rint(vectors / scales[:, None]).astype(np.int8), scales.astype(np.float32)


def _scan(network: Network, folder: Path) -> None:
    """A graph that scores every product with whole numbers; its tables are handed over when it is opened."""
    from onnx import TensorProto, helper

    width, products = network.config.width, network.sizes[PRODUCT]
    nodes = [
        helper.make_node("DynamicQuantizeLinear", ["vectors"], ["coded", "scale", "zero"]),
        helper.make_node("MatMulInteger", ["coded", PRODUCT, "zero"], ["whole"]),
        helper.make_node("Cast", ["whole"], ["real"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["scale", SCALES], ["scales_of_both"]),
        helper.make_node("Mul", ["real", "scales_of_both"], ["unbiased"]),
        helper.make_node("Add", ["unbiased", BIAS], ["scores"]),
    ]
    tables = [
        _given(PRODUCT, TensorProto.INT8, [width, products]),
        _given(SCALES, TensorProto.FLOAT, [products]),
        _given(BIAS, TensorProto.FLOAT, [products]),
    ]
    takes = [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["rows", width])]
    gives = [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["rows", products])]
    graph = helper.make_graph(nodes, "scan", takes, gives, tables)
    opsets = [helper.make_opsetid("", OPSET)]
    made = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
    (folder / SCAN).write_bytes(made.SerializeToString())


def _given(name: str, kind: int, shape: list[int]) -> TensorProto:
    from onnx import TensorProto

    table = TensorProto(name=name, data_type=kind, dims=shape, data_location=TensorProto.EXTERNAL)
    table.external_data.add(key="location", value="given")
    return table
