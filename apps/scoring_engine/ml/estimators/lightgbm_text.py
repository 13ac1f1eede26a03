"""The text of a LightGBM model, checked before LightGBM reads it: its reader trusts sizes and steps as they stand."""

import math
import re
from typing import Any

from ..risk_model import ModelFileError

MOST_LEAVES = 131_072
MOST_DEPTH = 1_000
_END = "end of trees\n"
_INNER = ("split_feature", "threshold", "decision_type", "left_child", "right_child", "split_gain", "internal_value",
          "internal_weight", "internal_count")  # fmt: skip
_LEAF = ("leaf_value", "leaf_weight", "leaf_count")
_TREE_KEYS = {"Tree", "num_leaves", "num_cat", "is_linear", "shrinkage", *_INNER, *_LEAF}
_WHOLE = re.compile(r"-?\d{1,9}", re.ASCII)
_BROKEN = "the text of its LightGBM model is not as LightGBM writes it"


def check_booster_text(text: str) -> None:
    if not text.isascii() or "\0" in text:
        raise ModelFileError(_BROKEN)
    header, start, rest = text.partition("\nTree=0\n")
    head = _lines(header.removeprefix("tree\n").rstrip("\n"), flags=("average_output",))
    known = head.get("num_class") == head.get("num_tree_per_iteration") == "1"
    if not start or not known or not head.get("objective", "").startswith("binary"):
        raise ModelFileError("its LightGBM model is not of two classes, or has no tree")
    columns = _whole(head.get("max_feature_idx", "")) + 1
    if any(len(head.get(key, "").split(" ")) != columns for key in ("feature_names", "feature_infos")):
        raise ModelFileError(_BROKEN)
    _check_trees(start[1:] + rest, [_whole(size) for size in head.get("tree_sizes", "").split(" ")], columns)


def _check_trees(text: str, sizes: list[int], columns: int) -> None:
    place = 0
    for number, size in enumerate(sizes):
        block = text[place : place + size]
        if size <= 0 or not block.startswith(f"Tree={number}\n"):
            raise ModelFileError(_BROKEN)
        _check_tree(_lines(block.rstrip("\n")), columns)
        place += size
    if not text.startswith(_END, place):
        raise ModelFileError(_BROKEN)


def _check_tree(tree: dict[str, str], columns: int) -> None:
    leaves = _whole(tree.get("num_leaves", ""))
    if not set(tree) <= _TREE_KEYS or not 1 <= leaves <= MOST_LEAVES:
        raise ModelFileError(_BROKEN)
    if tree.get("num_cat") != "0" or tree.get("is_linear", "0") != "0":
        raise ModelFileError("a tree in it splits by categories itself, or is linear; give the model numbers")
    lengths: dict[str, Any] = dict.fromkeys(_LEAF, leaves) | dict.fromkeys(_INNER, leaves - 1)
    # A tree of one leaf leaves the empty lists of its splits out, or empty.
    found = {key: tree.get(key, "").split() for key in lengths}
    if any(len(found[key]) != length for key, length in lengths.items() if leaves > 1 or key == "leaf_value"):
        raise ModelFileError(_BROKEN)
    if not all(math.isfinite(float(value)) for value in found["leaf_value"]):
        raise ModelFileError("a tree in it answers with something that is no number")
    if leaves > 1:
        if any(not 0 <= _whole(feature) < columns for feature in found["split_feature"]):
            raise ModelFileError("a tree in it looks at columns that its model has not")
        _check_steps(found["left_child"], found["right_child"], leaves)


def _check_steps(left: list[str], right: list[str], leaves: int) -> None:
    """A child from 0 on is a later node, one below 0 the leaf -1 - child; each is reached once."""
    depth, reached = [0] * len(left), set()
    for node, children in enumerate(zip(left, right, strict=True)):
        for child in map(_whole, children):
            if child in reached or not -leaves <= child < len(left) or 0 <= child <= node:
                raise ModelFileError("a tree in it leads out of itself")
            reached.add(child)
            if child >= 0:
                depth[child] = depth[node] + 1
    if max(depth) > MOST_DEPTH:
        raise ModelFileError(f"a tree in it is deeper than {MOST_DEPTH}")


def _lines(text: str, flags: tuple[str, ...] = ()) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in text.split("\n"):
        key, is_pair, value = line.partition("=")
        if key in found or not (is_pair or key in flags):
            raise ModelFileError(_BROKEN)
        found[key] = value
    return found


def _whole(text: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise ModelFileError(_BROKEN)
    return int(text)
