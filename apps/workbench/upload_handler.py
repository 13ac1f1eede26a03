"""Takes a file of applicants as it arrives: what Django would write to a folder in clear is sealed instead."""

from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, StopUpload

from apps.common.errors import TooLarge
from apps.common.sentences import Sentence
from apps.portfolio.sealed_files import SealedSpool

FORM_BYTES = 1 << 16  # of the form beside the file


class SealedUpload(UploadedFile):
    """`spool` holds it."""

    def __init__(self, spool: SealedSpool, name: str | None, size: int) -> None:
        super().__init__(file=None, name=name, size=size)
        self.spool = spool


class SealingHandler(FileUploadHandler):
    chunk_size = 1 << 18

    def handle_raw_input(self, input_data: Any, META: Any, content_length: int, *_: Any, **__: Any) -> None:
        if content_length > settings.UPLOAD_BYTES + FORM_BYTES:
            raise TooLarge(Sentence("A file has at most {most} MiB.", most=settings.UPLOAD_BYTES >> 20))

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._spool = SealedSpool()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if start + len(raw_data) > settings.UPLOAD_BYTES:
            raise StopUpload(connection_reset=True)
        self._spool.write(raw_data)

    def file_complete(self, file_size: int) -> SealedUpload:
        return SealedUpload(self._spool, self.file_name, file_size)
