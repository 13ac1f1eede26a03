"""A file that never lies in clear: it is sealed piece by piece as it arrives, and opened piece by piece when read."""

import hashlib
import io
import tempfile
import uuid
from collections.abc import Callable

from apps.common.crypto import OpenKey, draw_key

PIECE = 1 << 20  # bytes
OVERHEAD = 28  # of a nonce and a tag


def piece_context(upload_id: uuid.UUID, number: int) -> str:
    return f"upload:{upload_id}:file:{number}"


class SealedSpool:
    """Takes the bytes of one file and keeps them sealed, in a nameless file, under a key that was just drawn."""

    def __init__(self) -> None:
        self.id, self.key = uuid.uuid4(), draw_key()
        self.size = self.pieces = self.lines = 0
        self._sha = hashlib.sha256()
        self._waiting = bytearray()
        self._sealed = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()

    def write(self, data: bytes) -> None:
        self._sha.update(data)
        self.size += len(data)
        self.lines += data.count(b"\n")
        self._waiting += data
        while len(self._waiting) >= PIECE:
            self._seal(bytes(self._waiting[:PIECE]))
            del self._waiting[:PIECE]

    def finish(self) -> None:
        if self._waiting:
            self._seal(bytes(self._waiting))
            self._waiting.clear()

    @property
    def digest(self) -> str:
        return self._sha.hexdigest()

    def sealed_piece(self, number: int) -> bytes:
        self._sealed.seek(number * (PIECE + OVERHEAD))
        return self._sealed.read(PIECE + OVERHEAD)

    def close(self) -> None:
        self._sealed.close()

    def _seal(self, data: bytes) -> None:
        self._sealed.write(self.key.seal_bytes(data, piece_context(self.id, self.pieces)))
        self.pieces += 1


class SealedFile(io.RawIOBase):
    """The clear bytes of a sealed file, for readers that seek. `read_piece` gives a sealed piece by its number."""

    def __init__(self, upload_id: uuid.UUID, key: OpenKey, size: int, read_piece: Callable[[int], bytes]) -> None:
        self._id, self._key, self._size, self._read_piece = upload_id, key, size, read_piece
        self._at = 0
        self._number, self._piece = -1, b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(base + offset, 0)
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if self._at >= self._size:
            return 0
        number, start = divmod(self._at, PIECE)
        if number != self._number:
            sealed = self._read_piece(number)
            self._number, self._piece = number, self._key.plain(sealed, piece_context(self._id, number))
        found = self._piece[start : start + len(buffer)]
        buffer[: len(found)] = found
        self._at += len(found)
        return len(found)
