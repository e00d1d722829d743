"""What reflection knows, methods included.

ghz and ``grpcurl describe`` ask for a method by its full name. The descriptor pool of protobuf's C runtime finds
messages, enums and services by theirs, and no methods; their service is in the same file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf import descriptor_pool

if TYPE_CHECKING:
    from google.protobuf.descriptor import FileDescriptor


class Symbols:
    """The default descriptor pool, as far as reflection asks it, answering for methods too."""

    def __init__(self) -> None:
        self._pool = descriptor_pool.Default()

    def __getattr__(self, name: str) -> object:
        return getattr(self._pool, name)

    def FindFileContainingSymbol(self, symbol: str) -> FileDescriptor:  # noqa: N802 - protobuf's name
        """Return the file that defines a symbol; KeyError for a symbol that no file defines."""
        try:
            return self._pool.FindFileContainingSymbol(symbol)
        except KeyError:
            service, _, method = symbol.rpartition(".")
            return self._pool.FindServiceByName(service).methods_by_name[method].containing_service.file
