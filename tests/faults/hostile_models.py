"""Files that pretend to be models. Those that would run something create the file `canary` when they do.

`fires` says how a careless reader sets it off: "pickle" or "joblib" (by loading it), "every" (by reading pickle after
pickle), "predict" (by predicting with it), or "" for what does harm otherwise, or none but to those who trust it.
"""

import bz2
import gzip
import io
import lzma
import pickle
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import joblib
import numpy as np
from lightgbm import Booster
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from apps.scoring_engine.ml.tests.estimator_examples import fitted as _fitted
from apps.scoring_engine.ml.tests.estimator_examples import saved

PROTO, STOP = b"\x80\x04", b"."
fitted = cache(_fitted)


@dataclass(frozen=True)
class Hostile:
    name: str
    build: Callable[[Path], bytes]
    fires: str = ""


CASES: list[Hostile] = []


def hostile(fires: str = "") -> Callable[[Callable[[Path], bytes]], Callable[[Path], bytes]]:
    def keep(build: Callable[[Path], bytes]) -> Callable[[Path], bytes]:
        CASES.append(Hostile(build.__name__.strip("_"), build, fires))
        return build

    return keep


# Pickles by hand


def text(value: str) -> bytes:
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def call(module: str, name: str, *args: bytes) -> bytes:
    return stacked(module, name) + b"(" + b"".join(args) + b"tR"


def stacked(module: str, name: str) -> bytes:
    return text(module) + text(name) + b"\x93"


def whole(*parts: bytes) -> bytes:
    return PROTO + b"".join(parts) + STOP


def touch(canary: Path) -> bytes:
    return text(f"touch {canary}")


def code(canary: Path) -> str:
    return f"open({str(canary)!r}, 'w').close()"


class Reduced:
    """Pickles as the call of `function` with `args`."""

    def __init__(self, function: Any, *args: Any) -> None:
        self.made = (function, args)

    def __reduce__(self) -> Any:
        return self.made


def with_state(model: Any, **changes: Any) -> Any:
    """The model with other attributes, as unpickling would give it."""
    vars(model).update(changes)
    return model


def in_logistic(value: Any) -> bytes:
    return saved(with_state(_fitted("logistic")[-1], extra_=value))


# Calls by every road a pickle has


@hostile("pickle")
def system_of_os(canary: Path) -> bytes:
    return whole(call("os", "system", touch(canary)))


@hostile("pickle")
def system_of_posix(canary: Path) -> bytes:
    return whole(call("posix", "system", touch(canary)))


@hostile("pickle")
def builtins_exec(canary: Path) -> bytes:
    return whole(call("builtins", "exec", text(code(canary))))


@hostile("pickle")
def builtins_eval(canary: Path) -> bytes:
    return whole(call("builtins", "eval", text(code(canary))))


@hostile("pickle")
def builtins_by_their_old_name(canary: Path) -> bytes:
    return b"\x80\x02c__builtin__\neval\n(" + text(code(canary)) + b"tR."


@hostile("pickle")
def subprocess_of_a_list(canary: Path) -> bytes:
    return whole(call("subprocess", "check_output", b"](" + text("touch") + text(str(canary)) + b"e"))


@hostile("pickle")
def protocol_0_as_text(canary: Path) -> bytes:
    return f"cposix\nsystem\n(S'touch {canary}'\ntR.".encode()


@hostile("pickle")
def step_INST(canary: Path) -> bytes:
    return PROTO + f"(S'touch {canary}'\niposix\nsystem\n.".encode()


@hostile("pickle")
def step_OBJ(canary: Path) -> bytes:
    return PROTO + f"(cposix\nsystem\nS'touch {canary}'\no.".encode()


@hostile("pickle")
def names_from_the_memo(canary: Path) -> bytes:
    return whole(text("posix"), b"q\x05", text("system"), b"q\x07", b"00", b"h\x05h\x07\x93(", touch(canary), b"tR")


@hostile("pickle")
def names_overwritten_in_the_memo(canary: Path) -> bytes:
    first = text("numpy") + b"q\x00" + text("ndarray") + b"q\x01" + text("posix") + b"q\x00" + text("system") + b"q\x01"
    return whole(first, b"0000h\x00h\x01\x93(", touch(canary), b"tR")


@hostile("pickle")
def attributes_of_an_allowed_module(canary: Path) -> bytes:
    return whole(call("joblib.numpy_pickle", "os.system", touch(canary)))


@hostile("pickle")
def attributes_of_an_alias(canary: Path) -> bytes:
    return whole(call("posixpath", "os.system", touch(canary)))


@hostile("pickle")
def step_EXT1_after_add_extension(canary: Path) -> bytes:
    added = call("copyreg", "add_extension", text("posix"), text("system"), b"K\xf0")
    return whole(added, b"0\x82\xf0(", touch(canary), b"tR")


@hostile("pickle")
def a_call_within_a_call(canary: Path) -> bytes:
    module = call("builtins", "__import__", text("posix"))
    return whole(call("builtins", "getattr", module, text("system")), b"(", touch(canary), b"tR")


@hostile("pickle")
def import_module_and_attrgetter(canary: Path) -> bytes:
    module = call("importlib", "import_module", text("posix"))
    getter = call("operator", "attrgetter", text("system"))
    return whole(getter, b"(", module, b"tR(", touch(canary), b"tR")


@hostile("pickle")
def functools_partial(canary: Path) -> bytes:
    return whole(call("functools", "partial", stacked("posix", "system"), touch(canary)), b"(tR")


@hostile("pickle")
def partial_changed_by_its_state(canary: Path) -> bytes:
    clean = call("functools", "partial", stacked("builtins", "print"))
    state = b"(" + stacked("posix", "system") + b"(" + touch(canary) + b"t}Nt"
    return whole(clean, state, b"b(tR")


@hostile("pickle")
def defaultdict_with_a_factory(canary: Path) -> bytes:
    factory = call("functools", "partial", stacked("posix", "system"), touch(canary))
    made = call("collections", "defaultdict", factory)
    return whole(call("operator", "getitem", made, text("x")))


@hostile("pickle")
def a_map_made_into_a_list(canary: Path) -> bytes:
    mapped = call("builtins", "map", stacked("posix", "system"), b"](" + touch(canary) + b"e")
    return whole(call("builtins", "list", mapped))


@hostile("pickle")
def bytes_of_a_map_by_NEWOBJ(canary: Path) -> bytes:
    mapped = call("builtins", "map", stacked("posix", "system"), b"](" + touch(canary) + b"e")
    return whole(stacked("builtins", "bytes"), b"(", mapped, b"t\x81")


@hostile("pickle")
def step_NEWOBJ_EX(canary: Path) -> bytes:
    mapped = call("builtins", "map", stacked("posix", "system"), b"](" + touch(canary) + b"e")
    return whole(stacked("builtins", "bytes"), b"(", mapped, b"t}\x92")


@hostile("pickle")
def attribute_set_by_a_state_in_two_parts(canary: Path) -> bytes:
    """BUILD with (None, {...}) sets attributes of a class: its own __setstate__ runs the next BUILD."""
    cls = stacked("sklearn._loss.link", "LogitLink")
    swap = b"N}" + text("__setstate__") + stacked("posix", "system") + b"s\x86b"
    return whole(cls, b"q\x01", swap, b"0h\x01)\x81", touch(canary), b"b")


@hostile("pickle")
def runpy_run_code(canary: Path) -> bytes:
    return whole(call("runpy", "_run_code", text(code(canary)), b"}"))


@hostile("pickle")
def pydoc_pipepager(canary: Path) -> bytes:
    return whole(call("pydoc", "pipepager", text(""), touch(canary)))


@hostile("pickle")
def timeit_timeit(canary: Path) -> bytes:
    return whole(call("timeit", "timeit", text("pass"), text(code(canary))))


@hostile("pickle")
def profile_of_code(canary: Path) -> bytes:
    return whole(call("cProfile", "run", text(code(canary)), text("/dev/null")))


@hostile("pickle")
def numpy_f2py_getlincoef(canary: Path) -> bytes:
    return whole(call("numpy.f2py.crackfortran", "getlincoef", text(code(canary)), b"}"))


@hostile("pickle")
def numpy_testing_runstring(canary: Path) -> bytes:
    return whole(call("numpy.testing._private.utils", "runstring", text(code(canary)), b"}"))


@hostile("pickle")
def loads_of_bytes_within(canary: Path) -> bytes:
    inner = system_of_posix(canary)
    return whole(call("_pickle", "loads", b"C" + bytes([len(inner)]) + inner))


@hostile("pickle")
def load_of_another_file(canary: Path) -> bytes:
    beside = canary.with_suffix(".other")
    beside.write_bytes(system_of_posix(canary))
    return whole(call("joblib.numpy_pickle", "load", text(str(beside))))


@hostile("pickle")
def generator_with_a_constructor_of_its_own(canary: Path) -> bytes:
    """numpy's own constructor calls what it is given: the second argument, with the first."""
    return whole(call("numpy.random._pickle", "__generator_ctor", touch(canary), stacked("posix", "system")))


@hostile("every")
def a_second_pickle_after_a_clean_one(canary: Path) -> bytes:
    return pickle.dumps(fitted("logistic"), 4) + system_of_posix(canary)


@hostile("joblib")
def hidden_in_an_array_of_objects(canary: Path) -> bytes:
    return in_logistic(np.array([Reduced(exec, code(canary)), "clean"], dtype=object))


@hostile("joblib")
def nested_twice_in_arrays_of_objects(canary: Path) -> bytes:
    inner = np.array([Reduced(exec, code(canary)), None], dtype=object)
    outer = np.empty(1, dtype=object)
    outer[0] = inner
    return in_logistic(outer)


@hostile("joblib")
def hidden_in_a_sound_model(canary: Path) -> bytes:
    return in_logistic({"deep": [({"deeper": Reduced(exec, code(canary))},)]})


@hostile("joblib")
def packed_with_zlib(canary: Path) -> bytes:
    return zlib.compress(system_of_posix(canary))


@hostile("joblib")
def packed_with_gzip(canary: Path) -> bytes:
    return gzip.compress(system_of_posix(canary))


@hostile("joblib")
def packed_with_bz2(canary: Path) -> bytes:
    return bz2.compress(system_of_posix(canary))


@hostile("joblib")
def packed_with_xz(canary: Path) -> bytes:
    return lzma.compress(system_of_posix(canary))


@hostile("predict")
def a_transformer_that_evaluates_what_it_is_given(canary: Path) -> bytes:
    return saved(make_pipeline(FunctionTransformer(eval), fitted("logistic")[-1]))


# Names that look like allowed ones


@hostile()
def a_name_in_other_letters(canary: Path) -> bytes:
    return whole(call("sklearn.pipelіne", "Pipeline"))


@hostile()
def a_name_with_a_blank(canary: Path) -> bytes:
    return whole(call("sklearn.pipeline", "Pipeline "))


@hostile()
def a_reference_to_something_outside(canary: Path) -> bytes:
    return whole(text("0"), b"Q")


@hostile()
def an_array_kept_in_another_file(canary: Path) -> bytes:
    cls = stacked("joblib.numpy_pickle_compat", "NDArrayWrapper")
    return whole(cls, b")\x81}", text("filename"), text("/etc/passwd"), b"sb")


@hostile()
def a_class_where_a_value_belongs(canary: Path) -> bytes:
    return in_logistic(LogisticRegression)


@hostile()
def an_attribute_of_the_machinery(canary: Path) -> bytes:
    return saved(with_state(_fitted("logistic")[-1], __class__="x"))


# What compiled code would trust


@hostile()
def pointers_passed_off_as_bytes(canary: Path) -> bytes:
    """A dtype that says of its objects that it has none: raw bytes would be followed as addresses."""
    content = in_logistic(np.array(["x"], dtype=object))
    return content.replace(b"K?t\x94b", b"K\x00t\x94b")


def with_nodes(change: Callable[[np.ndarray], None]) -> bytes:
    forest = _fitted("forest")
    tree = forest.estimators_[0].tree_
    state = tree.__getstate__()
    state["nodes"] = state["nodes"].copy()
    change(state["nodes"])
    tree.__setstate__(state)
    return saved(forest)


@hostile()
def a_tree_that_leads_out_of_its_memory(canary: Path) -> bytes:
    def change(nodes: np.ndarray) -> None:
        nodes["left_child"][0] = 10**9

    return with_nodes(change)


@hostile()
def a_tree_that_goes_round_for_ever(canary: Path) -> bytes:
    def change(nodes: np.ndarray) -> None:
        nodes["left_child"][0] = nodes["right_child"][0] = 0

    return with_nodes(change)


@hostile()
def a_tree_that_looks_beyond_its_columns(canary: Path) -> bytes:
    def change(nodes: np.ndarray) -> None:
        nodes["feature"][0] = 10**6

    return with_nodes(change)


@hostile()
def a_tree_of_another_kind(canary: Path) -> bytes:
    model = _fitted("boosting")[-1]
    model.estimators_[0, 0] = LogisticRegression()
    return saved(model)


@hostile()
def boosting_that_writes_beyond_its_result(canary: Path) -> bytes:
    model = _fitted("boosting")[-1]
    model.estimators_ = np.repeat(model.estimators_, 500, axis=1)
    return saved(model)


@hostile()
def histograms_that_lead_out_of_their_memory(canary: Path) -> bytes:
    model = _fitted("histograms")
    model._predictors[0][0].nodes["left"][0] = 2**31
    return saved(model)


@hostile()
def lightgbm_text_that_leads_out_of_its_memory(canary: Path) -> bytes:
    return in_lightgbm("left_child=1", "left_child=9")


@hostile()
def lightgbm_text_of_wrong_sizes(canary: Path) -> bytes:
    return in_lightgbm("tree_sizes=", "tree_sizes=9")


def in_lightgbm(old: str, new: str) -> bytes:
    model = _fitted("lightgbm")
    changed = model.booster_.model_to_string(num_iteration=-1).replace(old, new, 1)
    with patch.object(Booster, "model_to_string", lambda self, num_iteration: changed):
        return saved(model)


@hostile()
def lightgbm_told_not_to_check_columns(canary: Path) -> bytes:
    model = _fitted("lightgbm")
    model._other_params["seed"] = "1 predict_disable_shape_check=true"
    return saved(model)


# Bombs


@hostile()
def zip_bomb_of_zlib(canary: Path) -> bytes:
    return _bomb(zlib.compressobj(9))


@hostile()
def zip_bomb_of_gzip(canary: Path) -> bytes:
    return _bomb(zlib.compressobj(9, wbits=31))


@hostile()
def zip_bomb_of_bz2(canary: Path) -> bytes:
    return _bomb(bz2.BZ2Compressor())


@hostile()
def zip_bomb_of_xz(canary: Path) -> bytes:
    return _bomb(lzma.LZMACompressor(preset=0))


def _bomb(packer: Any) -> bytes:
    return b"".join(packer.compress(bytes(2**20)) for _ in range(300)) + packer.flush()


@hostile()
def an_array_of_a_million_million(canary: Path) -> bytes:
    content = saved(with_state(_fitted("logistic")[-1], coef_=np.zeros((1, 3))))
    return content.replace(b"K\x01K\x03\x86", b"K\x01\x8a\x06\x00\x00\x00\x00\x00\x01\x86", 1)


@hostile()
def bytes_stated_and_not_there(canary: Path) -> bytes:
    return whole(b"\x96" + struct.pack("<Q", 2**40))


@hostile()
def tuples_that_take_for_ever_to_hash(canary: Path) -> bytes:
    doubled = b"".join(b"h" + bytes([n]) + b"h" + bytes([n]) + b"\x86q" + bytes([n + 1]) for n in range(60))
    return whole(b")q\x00(", doubled, b"t}h\x3cNs\x86")


@hostile()
def more_steps_than_any_model(canary: Path) -> bytes:
    return zlib.compress(whole(b"(", b"N" * 3_100_000, b"t"))


@hostile()
def an_array_within_an_array_that_readers_disagree_on(canary: Path) -> bytes:
    """joblib would not read the inner one's bytes, a naive scanner would: from there they see different steps."""
    inner = io.BytesIO()
    joblib.dump(np.zeros(3), inner)
    content = in_logistic(np.array(["x"], dtype=object))
    start = content.index(b"\x80\x05", 2)
    return content[:start] + inner.getvalue() + content[start:]


# Broken, or something else


@hostile()
def empty(canary: Path) -> bytes:
    return b""


@hostile()
def cut_in_half(canary: Path) -> bytes:
    content = saved(fitted("lightgbm"))
    return content[: len(content) // 2]


@hostile()
def cut_within_an_array(canary: Path) -> bytes:
    content = saved(fitted("forest"))
    return content[: content.index(b"NumpyArrayWrapper") + 900]


@hostile()
def packed_and_cut(canary: Path) -> bytes:
    return saved(fitted("lightgbm"), compress=3)[:-40]


@hostile()
def followed_by_more(canary: Path) -> bytes:
    return saved(fitted("logistic")) + b"\x00"


@hostile()
def packed_and_followed_by_more(canary: Path) -> bytes:
    return saved(fitted("logistic"), compress=3) + b"more"


@hostile()
def random_bytes(canary: Path) -> bytes:
    return np.random.default_rng(5).bytes(5000)


@hostile()
def a_numpy_file(canary: Path) -> bytes:
    file = io.BytesIO()
    np.save(file, np.array([{"a": 1}], dtype=object))
    return file.getvalue()


@hostile()
def a_zip_archive(canary: Path) -> bytes:
    file = io.BytesIO()
    np.savez(file, a=np.zeros(3))
    return file.getvalue()


@hostile()
def a_list_of_models(canary: Path) -> bytes:
    return saved([fitted("logistic")])


@hostile()
def a_model_that_classifies_nothing(canary: Path) -> bytes:
    return saved(fitted("logistic")[:-1][-1])


def careless(content: bytes, how: str, canary: Path) -> None:
    """What nobody should do with a file, to show that it would have run."""
    file = io.BytesIO(content)
    if how == "joblib":
        joblib.load(file)
    elif how == "predict":
        joblib.load(file).predict_proba(code(canary))
    else:
        pickle.load(file)
        if how == "every":
            pickle.load(file)
