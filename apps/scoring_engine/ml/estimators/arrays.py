"""Arrays and their types as a file states them: only what numpy itself would write, and never longer than the file."""

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..risk_model import ModelFileError

if TYPE_CHECKING:
    import numpy as np

MOST_DIMENSIONS = 4
_CODE = re.compile(r"[biufcSUVOM]\d{1,6}", re.ASCII)
_WRAPPER_KEYS = {"subclass", "shape", "order", "dtype", "allow_mmap", "numpy_array_alignment_bytes"}


@dataclass(eq=False)
class Dtype:
    """A numpy dtype: `numpy` is None until its state was checked to be the one that numpy gives that dtype."""

    code: str
    numpy: "np.dtype | None" = None


@dataclass(eq=False)
class Array:
    """data: raw bytes, or the objects of an object array. None before it is built."""

    dtype: Dtype | None = None
    shape: tuple[int, ...] = ()
    data: Any = None

    @property
    def objects(self) -> list[Any]:
        return self.data if type(self.data) is list else []

    def numbers(self) -> "np.ndarray":
        import numpy as np

        if self.dtype is None or type(self.data) is not bytes:
            raise ModelFileError("an array of objects stands where numbers belong")
        return np.frombuffer(self.data, self.dtype.numpy).reshape(self.shape)


def dtype_of(args: tuple[Any, ...]) -> Dtype:
    code = args[0] if len(args) == 3 and args[1:] == (False, True) else None
    if type(code) is not str or not _CODE.fullmatch(code):
        raise ModelFileError("it holds a type of array that numpy would not write")
    return Dtype(code)


def settle_dtype(dtype: Dtype, state: Any) -> None:
    """Numpy believes flags and offsets of a dtype's state, which decide what is read as a pointer: check all of it."""
    import numpy as np

    try:
        known = _structured(state) if dtype.code.startswith("V") else np.dtype(dtype.code)
        if state[1] == ">":
            known = known.newbyteorder(">")
    except (ValueError, TypeError, LookupError):
        raise ModelFileError("it holds a type of array that numpy cannot make") from None
    made = known.__reduce__()
    if _plain(made[2]) != _plain(state, read=True) or made[1][0] != dtype.code or known.itemsize == 0:
        raise ModelFileError("it holds a type of array that is not as numpy would write it")
    dtype.numpy = known


def _structured(state: Any) -> "np.dtype":
    import numpy as np

    _, _, _, names, fields, itemsize, _, _ = state
    parts = [fields[name] for name in names]
    if any(part[0].numpy is None or part[0].numpy.kind not in "biuf" for part in parts):
        raise ValueError("fields must be numbers")
    layout = {
        "names": list(names),
        "formats": [part[0].numpy for part in parts],
        "offsets": [part[1] for part in parts],
        "itemsize": itemsize,
    }
    plain = np.dtype(layout)
    return plain if plain.__reduce__()[2][-2:] == state[-2:] else np.dtype(layout, align=True)


def _plain(state: Any, *, read: bool = False) -> Any:
    """A dtype's state with the types of its fields by name, to compare; True is not 1 here."""
    if type(state) is not tuple or len(state) != 8:
        return None
    fields = state[4]
    if fields is not None:
        fields = [(name, (part[0].numpy if read else part[0]).str, part[1]) for name, part in fields.items()]
    parts = (*state[:4], fields, *state[5:])
    return [(type(part), part) for part in parts]


def size_of(dtype: Any, shape: Any) -> int:
    """Items of an array of this shape, once both are sound."""
    sound = type(shape) is tuple and len(shape) <= MOST_DIMENSIONS and all(type(n) is int and n >= 0 for n in shape)
    if not sound or type(dtype) is not Dtype or dtype.numpy is None:
        raise ModelFileError("it holds an array without a sound shape and type")
    return math.prod(shape)


def check_wrapper(state: Any, is_ndarray: bool) -> None:
    if type(state) is not dict or set(state) != _WRAPPER_KEYS or not is_ndarray:
        raise ModelFileError("it holds an array that joblib would not write so")
    if state["order"] not in ("C", "F") or state["numpy_array_alignment_bytes"] != 16:
        raise ModelFileError("it holds an array that joblib would not write so")


def filled(dtype: Any, shape: Any, data: Any) -> Array:
    """Raises ModelFileError unless the data are as many as the shape says."""
    size = size_of(dtype, shape)
    if dtype.numpy.hasobject:
        if type(data) is not list or len(data) != size:
            raise ModelFileError("it holds an array of objects with more or fewer than its shape says")
        return Array(dtype, shape, data)
    if type(data) not in (bytes, bytearray) or len(data) != size * dtype.numpy.itemsize:
        raise ModelFileError("it holds an array with more or fewer bytes than its shape says")
    return Array(dtype, shape, bytes(data))
