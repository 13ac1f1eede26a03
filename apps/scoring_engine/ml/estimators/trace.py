"""Following a pickle without doing what it says: joblib's own reader, with inert stand-ins for all it would make.

Each name must be on the exact list, each call must be one that scikit-learn, LightGBM or numpy writes, with the
arguments that it writes, and each array must be as long as it says. A pickle has no branches: what is followed here is
all that reading it would do.
"""

import io
import pickle
import pickletools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..risk_model import ModelFileError
from .allowed import (
    ALLOWED,
    ARRAY_WRAPPER,
    BUNCH,
    DEFAULTED,
    GENERATORS,
    LOSS,
    NDARRAY,
    NUMBER_TYPES,
    ORDERED,
    PLAIN,
    SEED,
    TREE,
    Key,
)
from .arrays import Array, Dtype, check_wrapper, dtype_of, filled, settle_dtype, size_of

MOST_STEPS = 3_000_000
_STEPS = frozenset(
    (
        "PROTO", "FRAME", "STOP", "MARK", "MEMOIZE", "BINPUT", "LONG_BINPUT", "BINGET", "LONG_BINGET", "NONE",
        "NEWTRUE", "NEWFALSE", "BININT", "BININT1", "BININT2", "LONG1", "LONG4", "BINFLOAT", "BINUNICODE",
        "SHORT_BINUNICODE", "BINUNICODE8", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8", "EMPTY_LIST",
        "APPEND", "APPENDS", "EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "EMPTY_DICT", "SETITEM",
        "SETITEMS", "EMPTY_SET", "ADDITEMS", "FROZENSET", "GLOBAL", "STACK_GLOBAL", "REDUCE", "BUILD", "NEWOBJ",
    )
)  # fmt: skip
_SCALARS = (str, bytes, int, float, bool, type(None))


class Name:
    """A class or function that the file names."""

    def __init__(self, key: Key) -> None:
        self.key = key


@dataclass(eq=False)
class Made:
    """An object that the file would make; state: the attributes it would be given."""

    key: Key
    args: tuple[Any, ...] = ()
    state: Any = None


class Mapping(dict):
    """A Bunch, OrderedDict or defaultdict."""


@dataclass
class Seen:
    """What the whole of a file, nested pickles included, names and would make."""

    names: set[Key] = field(default_factory=set)
    made: list[Made] = field(default_factory=list)
    steps: int = 0


class Tracer(pickle._Unpickler):
    dispatch: dict[int, Callable[["Tracer"], None]] = {}

    def __init__(self, file: io.BytesIO, seen: Seen, *, nested: bool = False) -> None:
        super().__init__(file)
        self._file, self._seen, self._nested = file, seen, nested

    def find_class(self, module: str, name: str) -> Name:
        key = (module, name)
        if key not in ALLOWED:
            # Escaped, so that a letter of another script is seen to be one.
            raise ModelFileError(f"it names {ascii(f'{module}.{name}')[1:-1][:150]}, which no model needs")
        self._seen.names.add(key)
        return Name(key)

    def persistent_load(self, pid: Any) -> Any:
        raise ModelFileError("it refers to something outside itself")

    def count(self) -> None:
        self._seen.steps += 1
        if self._seen.steps > MOST_STEPS:
            raise ModelFileError(f"it takes more than {MOST_STEPS:,} steps to read")

    def load_bytearray8(self) -> None:
        """Without making room for more than the file has; to everything here its content is bytes."""
        size = int.from_bytes(self.read(8), "little")
        frame = self._unframer.current_frame
        if size > max(_left(self._file), _left(frame) if frame else 0):
            raise ModelFileError("it states more bytes than it has")
        self.append(self.read(size))

    def load_reduce(self) -> None:
        args = self.stack.pop()
        made = _called(self.stack.pop(), args)
        if type(made) is Made:
            self._seen.made.append(made)
        self.append(made)

    def load_newobj(self) -> None:
        args, cls = self.stack.pop(), self.stack.pop()
        if type(cls) is not Name or cls.key not in PLAIN or args != ():
            raise ModelFileError("it makes an object in a way that no model needs")
        made = Mapping() if cls.key == BUNCH else Made(cls.key)
        if type(made) is Made:
            self._seen.made.append(made)
        self.append(made)

    def load_build(self) -> None:
        state, made = self.stack.pop(), self.stack[-1]
        if type(made) is Made and made.key == ARRAY_WRAPPER:
            if self._nested:  # where joblib's own reader would read on as if no array followed
                raise ModelFileError("it holds an array of objects that joblib would not write so")
            self.stack[-1] = self._read_array(state)
        else:
            _give_state(made, state)

    def load_setitems(self) -> None:
        items = self.pop_mark()
        self._set(items)

    def load_setitem(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self._set([key, value])

    def _set(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if type(target) not in (dict, Mapping) or len(items) % 2:
            raise ModelFileError("it sets items of something that has none")
        for key, value in zip(items[::2], items[1::2], strict=True):
            target[_plain_key(key)] = _value(value)

    def load_appends(self) -> None:
        items = self.pop_mark()
        self._extend(items)

    def load_append(self) -> None:
        self._extend([self.stack.pop()])

    def _extend(self, items: list[Any]) -> None:
        if type(self.stack[-1]) is not list:
            raise ModelFileError("it appends to something that is no list")
        self.stack[-1].extend(map(_value, items))

    def load_additems(self) -> None:
        items = self.pop_mark()
        if type(self.stack[-1]) is not set:
            raise ModelFileError("it adds to something that is no set")
        self.stack[-1].update(map(_plain_key, items))

    def load_frozenset(self) -> None:
        self.append(frozenset(map(_plain_key, self.pop_mark())))

    def _read_array(self, state: Any) -> Array:
        wrapped = type(state) is dict and type(state.get("subclass")) is Name and state["subclass"].key == NDARRAY
        check_wrapper(state, wrapped)
        dtype, shape = state["dtype"], state["shape"]
        size = size_of(dtype, shape)
        if dtype.numpy.hasobject:
            return self._read_objects(shape)
        self._file.read(int.from_bytes(self._file.read(1), "little"))
        length = size * dtype.numpy.itemsize
        if length > _left(self._file):
            raise ModelFileError("it is cut short, or states an array larger than it is")
        return filled(dtype, shape, self._file.read(length))

    def _read_objects(self, shape: tuple[int, ...]) -> Array:
        array = Tracer(self._file, self._seen, nested=True).load()
        if type(array) is not Array or type(array.data) is not list or array.shape != shape:
            raise ModelFileError("it holds an array of objects that is something else")
        return array


def _left(file: io.BytesIO) -> int:
    return file.getbuffer().nbytes - file.tell()


def _plain_key(key: Any) -> Any:
    """Other keys could take for ever to hash."""
    if type(key) in _SCALARS or (type(key) is Made and key.key[1] == "scalar"):
        return key
    raise ModelFileError("it has a key that is neither text nor number")


def _value(value: Any) -> Any:
    """A class may be the type of numbers, nothing else: as an attribute it would be called."""
    for part in value if type(value) is tuple else (value,):
        if type(part) is Name and part.key not in NUMBER_TYPES and part.key != NDARRAY:
            raise ModelFileError(f"it keeps {'.'.join(part.key)} itself where a value belongs")
    return value


# Calls, each with the arguments that its own library writes


def _called(function: Any, args: Any) -> Any:
    rule = _CALLS.get(function.key) if type(function) is Name else None
    made = rule(function.key, args) if rule and type(args) is tuple else None
    if made is None:
        what = ".".join(function.key) if type(function) is Name else "an object"
        raise ModelFileError(f"it calls {what} in a way that no model needs")
    return made


def _is_name(value: Any, *keys: Key) -> bool:
    return type(value) is Name and value.key in keys


def _is_made(value: Any, name: str) -> bool:
    return type(value) is Made and value.key[1] == name


def _tree(key: Key, args: tuple[Any, ...]) -> Made | None:
    sound = len(args) == 3 and type(args[0]) is int and 0 < args[0] < 100_000 and args[2] == 1
    if not sound or type(args[1]) is not Array or args[1].shape != (1,) or args[1].numbers().dtype != "i8":
        return None
    return Made(key, args) if 1 <= args[1].numbers()[0] <= 2 else None


def _mapping(key: Key, args: tuple[Any, ...]) -> Mapping | None:
    return Mapping() if args == () or (key == DEFAULTED and len(args) == 1 and _is_name(args[0], ORDERED)) else None


def _slice(key: Key, args: tuple[Any, ...]) -> Made | None:
    return Made(key, args) if len(args) == 3 and all(a is None or type(a) is int for a in args) else None


def _empty_array(key: Key, args: tuple[Any, ...]) -> Array | None:
    return Array() if len(args) == 3 and _is_name(args[0], NDARRAY) and args[1:] == ((0,), b"b") else None


def _scalar(key: Key, args: tuple[Any, ...]) -> Made | None:
    sound = len(args) == 2 and type(args[0]) is Dtype and args[0].numpy is not None
    if not sound or args[0].numpy.kind not in "biufUS" or len(filled(args[0], (), args[1]).data) == 0:
        return None
    return Made(key, args)


def _from_buffer(key: Key, args: tuple[Any, ...]) -> Array | None:
    if len(args) != 4 or args[3] not in ("C", "F") or type(args[0]) not in (bytes, bytearray):
        return None
    return filled(args[1], args[2], args[0])


def _bit_generator(key: Key, args: tuple[Any, ...]) -> Made | None:
    return Made(key, args) if len(args) == 1 and _is_name(args[0], *GENERATORS) else None


def _generator(key: Key, args: tuple[Any, ...]) -> Made | None:
    return Made(key, args) if len(args) == 1 and _is_made(args[0], "__bit_generator_ctor") else None


def _seed(key: Key, args: tuple[Any, ...]) -> Made | None:
    sound = len(args) == 3 and _is_name(args[0], SEED) and type(args[1]) is int and args[2] is None
    return Made(key, args) if sound else None


_CALLS: dict[Key, Callable[[Key, tuple[Any, ...]], Any]] = {
    TREE: _tree,
    LOSS: lambda key, args: Made(key) if args == () else None,
    ORDERED: _mapping,
    DEFAULTED: _mapping,
    ("builtins", "slice"): _slice,
    ("numpy", "dtype"): lambda key, args: dtype_of(args),
    ("numpy._core.multiarray", "_reconstruct"): _empty_array,
    ("numpy._core.multiarray", "scalar"): _scalar,
    ("numpy._core.numeric", "_frombuffer"): _from_buffer,
    ("numpy.random._pickle", "__bit_generator_ctor"): _bit_generator,
    ("numpy.random._pickle", "__generator_ctor"): _generator,
    ("numpy.random._pickle", "__randomstate_ctor"): _generator,
    ("numpy.random.bit_generator", "__pyx_unpickle_SeedSequence"): _seed,
}


# States


def _give_state(made: Any, state: Any) -> None:
    if type(made) is Dtype and made.numpy is None:
        settle_dtype(made, state)
    elif type(made) is Array and made.dtype is None:
        _fill(made, state)
    elif type(made) is Mapping and type(state) is dict:
        return  # a Bunch ignores it too
    elif type(made) is Made and made.state is None:
        made.state = _checked_state(made, state)
    else:
        raise ModelFileError("it gives a state to something that takes none")


def _fill(array: Array, state: Any) -> None:
    if type(state) is not tuple or len(state) != 5 or state[0] != 1 or type(state[3]) is not bool:
        raise ModelFileError("it holds an array that numpy would not write so")
    made = filled(state[2], state[1], state[4])
    array.dtype, array.shape, array.data = made.dtype, made.shape, made.data


def _checked_state(made: Made, state: Any) -> Any:
    of_numpy = made.key[0].startswith("numpy.random.")
    if of_numpy and type(state) in (tuple, dict):
        return state
    if of_numpy or type(state) is not dict or made.key[1] == "scalar":
        raise ModelFileError(f"it gives {'.'.join(made.key)} a state of another kind")
    if any(type(name) is not str or not name.isidentifier() or name.startswith("__") for name in state):
        raise ModelFileError(f"it gives {'.'.join(made.key)} an attribute that no model has")
    return state


def _counted(load: Callable[[Tracer], None]) -> Callable[[Tracer], None]:
    def step(self: Tracer) -> None:
        self.count()
        load(self)

    return step


def _refused(name: str) -> Callable[[Tracer], None]:
    def step(self: Tracer) -> None:
        raise ModelFileError(f"it takes the step {name}, which no model needs")

    return step


def _steps() -> dict[int, Callable[[Tracer], None]]:
    """Of each code: as pickle reads it, as Tracer does where it says so, or refused."""
    table = {}
    for code in pickletools.opcodes:
        plain = pickle._Unpickler.dispatch[ord(code.code)]
        load = getattr(Tracer, plain.__name__) if plain.__name__ in vars(Tracer) else plain
        table[ord(code.code)] = _counted(load) if code.name in _STEPS else _refused(code.name)
    table[pickle.STOP[0]] = pickle._Unpickler.dispatch[pickle.STOP[0]]
    return table


Tracer.dispatch = _steps()
