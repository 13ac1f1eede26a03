"""Making the model of a file that was followed first (types.py): by joblib's reader, which finds listed names only."""

import io
from collections.abc import Iterator
from typing import Any

from apps.common.sentences import Sentence

from ..risk_model import UNREADABLE, ModelFileError
from ..vocabulary import one_line
from .allowed import resolve
from .types import Scan

_SAME_VERSION_PARTS = 2  # 1.9.1 and 1.9.3 read each other's models; 1.8 and 1.9 only by chance


def load(scan: Scan) -> Any:
    """The classifier itself, set to use one thread. Raises ModelFileError, one clause."""
    check_versions(scan)
    from joblib.numpy_pickle import NumpyUnpickler

    class _Reader(NumpyUnpickler):
        def find_class(self, module: str, name: str) -> Any:
            if (module, name) not in scan.names:
                raise ModelFileError(
                    Sentence("it names {type}, which was not listed", type=one_line(f"{module}.{name}", 120))
                )
            return resolve((module, name))

    try:
        model = _Reader("", io.BytesIO(scan.data), ensure_native_byte_order=True).load()
        _use_one_thread(model)
    except ModelFileError:
        raise
    except UNREADABLE as error:
        raise ModelFileError(
            Sentence("it cannot be loaded ({reason})", reason=one_line(str(error), 150) or type(error).__name__)
        ) from None
    except RuntimeError as error:  # LightGBMError among them
        raise ModelFileError(Sentence("it cannot be loaded ({reason})", reason=one_line(str(error), 150))) from None
    return model


def _use_one_thread(model: Any) -> None:
    """Threads add in another order each time."""
    for part in _parts(model, set()):
        if "n_jobs" in vars(part):
            part.n_jobs = 1


def check_versions(scan: Scan) -> None:
    import sklearn

    for version in sorted(scan.sklearn_versions):
        if version.split(".")[:_SAME_VERSION_PARTS] != sklearn.__version__.split(".")[:_SAME_VERSION_PARTS]:
            raise ModelFileError(
                Sentence(
                    "it was fitted with scikit-learn {fitted}, and {installed} is installed here;"
                    " fit it again with that",
                    fitted=one_line(version, 20),
                    installed=sklearn.__version__,
                )
            )


def _parts(value: Any, seen: set[int]) -> Iterator[Any]:
    """Every estimator within an estimator."""
    import numpy as np

    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, dict):
        inside: Any = value.values()
    elif isinstance(value, list | tuple):
        inside = value
    elif isinstance(value, np.ndarray):
        inside = value.ravel().tolist() if value.dtype.hasobject else ()
    else:
        inside = vars(value).values() if hasattr(value, "__dict__") and not isinstance(value, type) else ()
        if inside:
            yield value
    for part in inside:
        yield from _parts(part, seen)
