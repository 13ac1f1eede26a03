"""What the file of an estimator would load, told without loading any of it."""

import io
import pickle
from dataclasses import dataclass

from apps.common.sentences import Sentence

from ..risk_model import UNREADABLE, ModelFileError
from ..vocabulary import one_line
from .allowed import CLASSIFIERS, Key
from .trace import Made, Seen, Tracer
from .trees import check_made
from .unpacking import unpack


@dataclass(frozen=True, slots=True)
class Scan:
    """data: the unpacked pickle; outermost: class of the model; sklearn_versions: that its parts were fitted with."""

    data: bytes
    names: frozenset[Key]
    outermost: Key
    sklearn_versions: frozenset[str]

    @property
    def types(self) -> tuple[str, ...]:
        return tuple(sorted(".".join(key) for key in self.names))


def list_types(content: bytes) -> tuple[str, ...]:
    """The names ("module.name", sorted) that reading the model in these bytes would load.

    Executes nothing. Raises ModelFileError, one clause, for what is no estimator, broken, too large, or would load or
    do anything that is not on the exact list of allowed.py.
    """
    return scan(content).types


def scan(content: bytes) -> Scan:
    data = unpack(content)
    if data[:1] != pickle.PROTO or data[1:2] not in (b"\x02", b"\x03", b"\x04", b"\x05"):
        raise ModelFileError(Sentence("it is not what joblib.dump writes"))
    file, seen = io.BytesIO(data), Seen()
    try:
        model = Tracer(file, seen).load()
        if file.read(1):
            raise ModelFileError(Sentence("more follows the model"))
        check_made(seen.made)
    except ModelFileError:
        raise
    except UNREADABLE as error:
        what = one_line(str(error), 100) or type(error).__name__
        raise ModelFileError(Sentence("it is broken or cut short ({reason})", reason=what)) from None
    return Scan(data, frozenset(seen.names), _outermost(model), _versions(seen))


def _outermost(model: object) -> Key:
    if type(model) is not Made or model.key not in CLASSIFIERS or type(model.state) is not dict:
        what = ".".join(model.key) if type(model) is Made else f"a {type(model).__name__}"
        raise ModelFileError(Sentence("it holds {what}, and no classifier that is known", what=what))
    return model.key


def _versions(seen: Seen) -> frozenset[str]:
    found = [made.state.get("_sklearn_version") for made in seen.made if type(made.state) is dict]
    return frozenset(version for version in found if type(version) is str)


__all__ = ["Scan", "list_types", "scan"]
