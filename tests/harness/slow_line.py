"""A slow line: TLS and the beginning of a call go through at once; then the client's bytes come one a second."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading
import time
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from tests.harness.server import RunningServer

# RFC 9113 sections 3.4, 4.1 and 6.
PREFACE = len(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
FRAME_HEADER = 9
DATA, HEADERS, RST_STREAM = 0x0, 0x1, 0x3
END_STREAM = 0x1
SECONDS_A_BYTE = 1.0


class SlowLine:
    """One connection to a server as a member's back end; a gRPC client in plain text calls ``target``.

    Of what the client's calls carry (DATA) so many ``quick`` bytes go through at once, and all that follows a byte a
    second, each in a TLS record of its own. A ``deaf`` line takes nothing from the server once the quick bytes are through.
    """

    def __init__(self, server: RunningServer, member: str = "dcu", *, quick: int = 0, deaf: bool = False) -> None:
        identity = server.practice.folder / "callers" / member
        context = ssl.create_default_context(cafile=identity / "ca.pem")
        context.load_cert_chain(identity / "certificate.pem", identity / "key.pem")
        context.set_alpn_protocols(["h2"])
        self._server = context.wrap_socket(
            socket.create_connection(("127.0.0.1", server.port)), server_hostname="localhost"
        )
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._quick, self._deaf = quick, deaf
        self._began = self._is_slow = False
        self._answers = bytearray()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        # How many bytes came slowly, and when the server ended a call (seconds, monotonic).
        self.trickled = 0
        self.ended: list[float] = []

    @property
    def target(self) -> str:
        """Where a client without TLS calls."""
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, _type: type[BaseException] | None, _error: object, _traceback: TracebackType | None) -> None:
        self._over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._server.close()
        self._listener.close()

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            client, _ = self._listener.accept()
            with client:
                self._carry(client)

    def _carry(self, client: socket.socket) -> None:
        """Carry bytes both ways until the line is closed or one end hangs up."""
        said, due = bytearray(), 0.0
        while not self._over.is_set():
            for received in self._received(client):
                said += received
                self._server.sendall(self._at_once(said))
            if self._is_slow and said and time.monotonic() >= due:
                self._server.sendall(said[:1])
                del said[:1]
                self.trickled += 1
                due = time.monotonic() + SECONDS_A_BYTE

    def _received(self, client: socket.socket) -> Iterator[bytes]:
        """Yield what the client says, and hand on what the server does."""
        ends = [client] if self._deaf and not self._quick else [client, self._server]
        if not (self._server in ends and self._server.pending()):
            select.select(ends, [], [], 0.02)
        for end in ends:
            end.settimeout(0)
            try:
                received = end.recv(65536)
            except (BlockingIOError, ssl.SSLWantReadError):
                continue
            finally:
                end.settimeout(None)
            if not received:
                raise ConnectionResetError
            if end is client:
                yield received
            else:
                self._answers += received
                self._note_ends()
                client.sendall(received)

    def _at_once(self, said: bytearray) -> bytes:
        """Take from the front what goes through at once: all up to the first frame with too many bytes of DATA."""
        end = 0 if self._began else PREFACE
        for start, length, kind, _ in _frames(said, end):
            if kind == DATA and length > self._quick:
                self._is_slow = True
            if self._is_slow or len(said) < start + FRAME_HEADER + length:
                break
            self._quick -= length if kind == DATA else 0
            end = start + FRAME_HEADER + length
            self._began = True
        if not self._began:
            return b""
        taken = bytes(said[:end])
        del said[:end]
        return taken

    def _note_ends(self) -> None:
        """Note when the server ends a call: by its trailers, or by a reset."""
        end = 0
        for start, length, kind, flags in _frames(self._answers, 0):
            if len(self._answers) < start + FRAME_HEADER + length:
                break
            if kind == RST_STREAM or (kind == HEADERS and flags & END_STREAM):
                self.ended.append(time.monotonic())
            end = start + FRAME_HEADER + length
        del self._answers[:end]


def _frames(content: bytes | bytearray, start: int) -> Iterator[tuple[int, int, int, int]]:
    """The frames from ``start`` on as (start, length, type, flags); the last one may not be whole."""
    while len(content) >= start + FRAME_HEADER:
        length = int.from_bytes(content[start : start + 3])
        yield start, length, content[start + 3], content[start + 4]
        start += FRAME_HEADER + length
