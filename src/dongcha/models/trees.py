"""Gradient-boosted trees kept twice: LightGBM's own text to learn and explain with, ONNX to answer with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from dongcha.models.tree_pushes import TreePushes

if TYPE_CHECKING:
    import lightgbm

ONNX: Final = ".onnx"
OPSET: Final = 5
"""The first of `ai.onnx.ml` whose trees are double throughout, as LightGBM's are."""
IR_VERSION: Final = 10
AT_MOST: Final = 0
SUM: Final = 1


@dataclass(frozen=True)
class Trees:
    """A saved booster, held whole. What it says is read from the ONNX; only large trees are LightGBM's to explain."""

    text: str
    onnx: bytes

    def predict(self, X: NDArray[Any], *, raw_score: bool = True, pred_contrib: bool = False) -> NDArray[np.float64]:
        """The raw score of each row of X (rows, columns), NaN for missing; or each column's push on it, as LightGBM."""
        if pred_contrib and self._pushes is not None:
            return np.pad(self._pushes(X), ((0, 0), (0, 1)), constant_values=self._pushes.mean)
        if pred_contrib or not raw_score:
            return np.asarray(self._booster.predict(X, raw_score=raw_score, pred_contrib=pred_contrib))
        found = self._session.run(None, {"X": np.asarray(X, dtype=np.float64)})[0]
        return np.asarray(found[:, 0], dtype=np.float64)

    @cached_property
    def _session(self) -> Any:
        import onnxruntime  # type: ignore[import-untyped, unused-ignore]

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        return onnxruntime.InferenceSession(self.onnx, options, providers=["CPUExecutionProvider"])

    @cached_property
    def _pushes(self) -> TreePushes | None:
        """None for trees so large that LightGBM has to explain them."""
        try:
            return TreePushes.of(self.text)
        except ValueError:
            return None

    @cached_property
    def _booster(self) -> lightgbm.Booster:
        import lightgbm

        return lightgbm.Booster(model_str=self.text)

    def save_model(self, file: str) -> None:
        """Write both files again elsewhere."""
        Path(file).write_text(self.text, "utf-8")
        Path(file).with_suffix(ONNX).write_bytes(self.onnx)


def save_trees(booster: lightgbm.Booster | Trees, file: Path) -> None:
    """Write the booster's text to `file`, and beside it the same trees as ONNX."""
    booster.save_model(str(file))
    if not isinstance(booster, Trees):
        file.with_suffix(ONNX).write_bytes(as_onnx(booster.dump_model()))


def load_trees(file: Path) -> lightgbm.Booster | Trees:
    """Read what `save_trees` wrote; of a file without its ONNX, from before there was one, LightGBM reads the text."""
    if file.with_suffix(ONNX).exists():
        return Trees(file.read_text("utf-8"), file.with_suffix(ONNX).read_bytes())
    import lightgbm

    return lightgbm.Booster(model_file=str(file))


def as_onnx(told: Mapping[str, Any]) -> bytes:
    """LightGBM's dumped model of numeric splits as one ONNX node, in doubles: the same sums to the last bit or two.

    The usual converter, onnxmltools, holds thresholds in single precision. Raises ValueError for a kind of split that
    LightGBM never makes of our numbers.
    """
    from onnx import TensorProto, helper

    nodes, leaves, roots = _flat(told)
    reals = ("nodes_splits", "leaf_weights")
    attributes: dict[str, Any] = {k: v for k, v in (nodes | leaves).items() if k not in reals}
    attributes |= {
        k: helper.make_tensor(k, TensorProto.DOUBLE, [len(v)], v) for k, v in (nodes | leaves).items() if k in reals
    }
    modes = helper.make_tensor("nodes_modes", TensorProto.UINT8, [len(nodes["nodes_splits"])], nodes["nodes_modes"])
    attributes |= {"nodes_modes": modes, "tree_roots": roots, "n_targets": 1, "aggregate_function": SUM}
    node = helper.make_node("TreeEnsemble", ["X"], ["raw"], domain="ai.onnx.ml", post_transform=0, **attributes)
    takes = helper.make_tensor_value_info("X", TensorProto.DOUBLE, ["rows", told["max_feature_idx"] + 1])
    gives = helper.make_tensor_value_info("raw", TensorProto.DOUBLE, ["rows", 1])
    graph = helper.make_graph([node], "trees", [takes], [gives])
    opsets = [helper.make_opsetid("ai.onnx.ml", OPSET), helper.make_opsetid("", 21)]
    made: bytes = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION).SerializeToString()
    return made


def _flat(told: Mapping[str, Any]) -> tuple[dict[str, list[Any]], dict[str, list[Any]], list[int]]:
    """The trees' nodes and leaves as the columns that ONNX asks for, and each tree's first node."""
    names = ("featureids", "splits", "modes", "truenodeids", "trueleafs", "falsenodeids", "falseleafs")
    nodes: dict[str, list[Any]] = {f"nodes_{name}": [] for name in (*names, "missing_value_tracks_true")}
    leaves: dict[str, list[Any]] = {"leaf_targetids": [], "leaf_weights": []}

    def leaf(value: float) -> int:
        leaves["leaf_targetids"].append(0)
        leaves["leaf_weights"].append(float(value))
        return len(leaves["leaf_weights"]) - 1

    def place(branch: Mapping[str, Any], side: str, at: int) -> None:
        ends = "leaf_value" in branch
        nodes[f"nodes_{side}nodeids"][at] = leaf(branch["leaf_value"]) if ends else split(branch)
        nodes[f"nodes_{side}leafs"][at] = int(ends)

    def split(branch: Mapping[str, Any]) -> int:
        at = len(nodes["nodes_splits"])
        row = (branch["split_feature"], branch["threshold"], AT_MOST, 0, 0, 0, 0, _missing_goes_left(branch))
        for column, value in zip(nodes.values(), row, strict=True):
            column.append(value)
        place(branch["left_child"], "true", at)
        place(branch["right_child"], "false", at)
        return at

    def tree(top: Mapping[str, Any]) -> int:
        if "leaf_value" not in top:
            return split(top)
        # ONNX knows no tree without a split.
        same = {"leaf_value": top["leaf_value"]}
        return split(_always(same))

    return nodes, leaves, [tree(one["tree_structure"]) for one in told["tree_info"]]


def _always(leaf: Mapping[str, Any]) -> dict[str, Any]:
    known = {"split_feature": 0, "threshold": 0.0, "decision_type": "<=", "missing_type": "None", "default_left": True}
    return {**known, "left_child": leaf, "right_child": leaf}


def _missing_goes_left(branch: Mapping[str, Any]) -> int:
    if branch["decision_type"] != "<=" or branch["missing_type"] == "Zero":
        raise ValueError(f"a split by '{branch['decision_type']}', missing as '{branch['missing_type']}'")
    # Where nothing was missing when it learnt, LightGBM takes what is missing now for a zero.
    return int(branch["default_left"] if branch["missing_type"] == "NaN" else branch["threshold"] >= 0)
