"""The bytes of a model file, unpacked within bounds; what joblib would unpack, by the same first bytes."""

import bz2
import lzma
import zlib
from typing import Any

from apps.common.sentences import Sentence

from ..risk_model import ModelFileError

MOST_FILE_BYTES = 64 * 2**20
MOST_BYTES = 256 * 2**20  # unpacked
_MOST_XZ_MEMORY = 128 * 2**20
_REFUSED = {
    b"ZF": "it is packed the way of joblib before 0.10; save it again",
    b"PK": "it is a zip archive, and only what joblib.dump writes is read",
    b"\x04\x22\x4d\x18": "it is packed with lz4; save it with compress=3 (zlib) or without",
    b"\x93NUMPY": "it is a numpy file, and only what joblib.dump writes is read",
    b"\x89HDF": "it is an HDF5 file, and only what joblib.dump writes is read",
}


def unpack(content: bytes) -> bytes:
    """Raises ModelFileError for what is too large, packed or unpacked, broken, or followed by more."""
    if len(content) > MOST_FILE_BYTES:
        raise ModelFileError(Sentence("it is larger than {most} MiB", most=MOST_FILE_BYTES // 2**20))
    for start, why in _REFUSED.items():
        if content.startswith(start):
            raise ModelFileError(why)
    unpacker = _unpacker(content)
    return content if unpacker is None else _unpacked(unpacker, content)


def _unpacker(content: bytes) -> Any:
    if content.startswith(b"\x78"):
        return zlib.decompressobj()
    if content.startswith(b"\x1f\x8b"):
        return zlib.decompressobj(wbits=31)
    if content.startswith(b"BZ"):
        return bz2.BZ2Decompressor()
    if content.startswith((b"\xfd7zXZ", b"\x5d\x00")):
        return lzma.LZMADecompressor(memlimit=_MOST_XZ_MEMORY)
    return None


def _unpacked(unpacker: Any, content: bytes) -> bytes:
    try:
        data = unpacker.decompress(content, MOST_BYTES + 1)
    except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError) as error:
        raise ModelFileError(
            Sentence("it is packed, but cannot be unpacked ({reason})", reason=type(error).__name__)
        ) from None
    if len(data) > MOST_BYTES:
        raise ModelFileError(Sentence("it unpacks to more than {most} MiB", most=MOST_BYTES // 2**20))
    if not unpacker.eof:
        raise ModelFileError(Sentence("it is packed, and cut short"))
    if unpacker.unused_data:
        raise ModelFileError(Sentence("more follows the packed model"))
    return data
