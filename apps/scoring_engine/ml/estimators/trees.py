"""Trees are read by compiled code that trusts them: every step must lead further down, and every column be there."""

from collections.abc import Callable, Iterator
from typing import Any

from ..risk_model import ModelFileError
from . import allowed
from .arrays import Array
from .lightgbm_text import check_booster_text
from .trace import Made

_NOT_SOUND = "a tree in it leads out of itself"
_MIXED = "its trees are of another kind than its class has"


def check_made(made: list[Made]) -> None:
    """Raises ModelFileError for an object that compiled code could not be trusted with."""
    for one in made:
        rule = _RULES.get(one.key)
        if rule is not None:
            rule(one.state if type(one.state) is dict else {})


def _check_tree(state: dict[str, Any]) -> None:
    nodes = _nodes(state.get("nodes"), ("left_child", "right_child", "feature"))
    values = state.get("values")
    if type(values) is not Array or values.shape[:2] != (len(nodes), 1) or state.get("node_count") != len(nodes):
        raise ModelFileError(_NOT_SOUND)
    _check_steps(nodes["left_child"], nodes["right_child"], nodes["left_child"] == -1)
    if type(state.get("max_depth")) is not int:
        raise ModelFileError(_NOT_SOUND)
    _check_finite(values.numbers())


def _check_predictor(state: dict[str, Any]) -> None:
    nodes = _nodes(state.get("nodes"), ("left", "right", "feature_idx", "is_leaf", "is_categorical", "value"))
    if nodes["is_categorical"].any():
        raise ModelFileError("a tree in it splits by categories itself; give the model codes of its categories")
    _check_steps(nodes["left"], nodes["right"], nodes["is_leaf"] == 1)
    _check_finite(nodes["value"])


def _check_finite(values: Any) -> None:
    import numpy as np

    if values.dtype.kind != "f" or not np.isfinite(values).all():
        raise ModelFileError("a tree in it answers with something that is no number")


def _nodes(array: Any, names: tuple[str, ...]) -> Any:
    nodes = array.numbers() if type(array) is Array and len(array.shape) == 1 else None
    if nodes is None or not len(nodes) or not set(names) <= set(nodes.dtype.names or ()):
        raise ModelFileError(_NOT_SOUND)
    return nodes


def _check_steps(left: Any, right: Any, leaf: Any) -> None:
    """Children come after their parents, so that no walk goes round in a circle."""
    import numpy as np

    own = np.arange(len(left))
    for child in (left.astype("i8"), right.astype("i8")):
        if not (leaf | ((child > own) & (child < len(own)))).all():
            raise ModelFileError(_NOT_SOUND)


def _columns_used(tree: Made) -> tuple[int, int]:
    """Least and most column that its splits look at; (0, -1) without a split."""
    predictor = tree.key == allowed.TREE_PREDICTOR
    nodes = tree.state["nodes"].numbers()
    splits = nodes["is_leaf"] == 0 if predictor else nodes["left_child"] != -1
    used = nodes["feature_idx" if predictor else "feature"][splits]
    return (int(used.min()), int(used.max())) if len(used) else (0, -1)


def _check_columns(trees: list[Made], state: dict[str, Any], key: allowed.Key) -> None:
    width = state.get("n_features_in_")
    for tree in trees:
        if type(tree) is not Made or tree.key != key or type(width) is not int:
            raise ModelFileError(_MIXED)
        least, most = _columns_used(tree)
        if least < 0 or most >= width or (key == allowed.TREE and tree.args[0] != width):
            raise ModelFileError("a tree in it looks at columns that its model has not")


def _check_single(state: dict[str, Any]) -> None:
    if "tree_" not in state:  # a pattern that was never fitted: it predicts nothing
        return
    _check_columns([state.get("tree_")], state, allowed.TREE)


def _inside(estimators: Any, kinds: tuple[str, ...]) -> Iterator[Made]:
    parts = estimators.objects if type(estimators) is Array else estimators
    if type(parts) is not list or not parts:
        raise ModelFileError(_MIXED)
    for part in parts:
        if type(part) is not Made or part.key[1] not in kinds or type(part.state) is not dict:
            raise ModelFileError(_MIXED)
        yield part


def _check_forest(kinds: tuple[str, ...]) -> Callable[[dict[str, Any]], None]:
    def check(state: dict[str, Any]) -> None:
        if "estimators_" not in state:
            return
        inside = _inside(state.get("estimators_"), kinds)
        _check_columns([part.state.get("tree_") for part in inside], state, allowed.TREE)

    return check


def _check_boosting(state: dict[str, Any]) -> None:
    estimators = state.get("estimators_")
    if estimators is None:
        return
    two_classes = type(estimators) is Array and estimators.shape[1:] == (1,)
    if not two_classes or state.get("n_trees_per_iteration_") != 1:
        raise ModelFileError("it has more than two classes, and a model of credit has good and bad")
    _check_forest(("DecisionTreeRegressor",))(state)


def _check_histograms(state: dict[str, Any]) -> None:
    rounds = state.get("_predictors")
    if rounds is None:
        return
    if type(rounds) is not list or any(type(trees) is not list or len(trees) != 1 for trees in rounds):
        raise ModelFileError("it has more than two classes, and a model of credit has good and bad")
    _check_columns([trees[0] for trees in rounds], state, allowed.TREE_PREDICTOR)


def _check_lightgbm(state: dict[str, Any]) -> None:
    """Its parameters go to LightGBM as one text: a blank in one of them would be another parameter."""
    others = state.get("_other_params")
    booster = state.get("_Booster")
    if booster is None:
        return
    if type(others) is not dict or type(booster) is not Made or booster.key != allowed.BOOSTER:
        raise ModelFileError("its LightGBM model is not as LightGBM writes it")
    texts = [text for part in (state, others) for pair in part.items() for text in pair if type(text) is str]
    if any(" " in text or "=" in text or "predict" in text or not text.isprintable() for text in texts):
        raise ModelFileError("a parameter of its LightGBM model could change how it predicts")
    if any(type(value) not in (str, int, float, bool, type(None)) for value in others.values()):
        raise ModelFileError("a parameter of its LightGBM model is no number and no text")


def _check_booster(state: dict[str, Any]) -> None:
    if "handle" in state or type(state.get("_handle")) is not str:
        raise ModelFileError("its LightGBM model has no text")
    check_booster_text(state["_handle"])


def _rules() -> dict[allowed.Key, Callable[[dict[str, Any]], None]]:
    by_name: dict[str, Callable[[dict[str, Any]], None]] = {
        "DecisionTreeClassifier": _check_single,
        "DecisionTreeRegressor": _check_single,
        "ExtraTreeClassifier": _check_single,
        "RandomForestClassifier": _check_forest(("DecisionTreeClassifier",)),
        "ExtraTreesClassifier": _check_forest(("ExtraTreeClassifier",)),
        "GradientBoostingClassifier": _check_boosting,
        "HistGradientBoostingClassifier": _check_histograms,
        "TreePredictor": _check_predictor,
        "LGBMClassifier": _check_lightgbm,
        "Booster": _check_booster,
        "Tree": _check_tree,
    }
    return {key: by_name[key[1]] for key in allowed.ALLOWED if key[1] in by_name}


_RULES = _rules()
