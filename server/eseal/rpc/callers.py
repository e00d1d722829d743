"""Who calls: the URI SAN of the client certificate that TLS has verified (RFC 5280 section 4.2.1.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eseal.errors import Unauthenticated
from eseal.terms import Caller

if TYPE_CHECKING:
    import grpc

    from eseal.rpc.settings import ServerSettings


class Callers:
    """Reads the caller of a call. Plain text connections are all the one caller that the settings name."""

    def __init__(self, settings: ServerSettings) -> None:
        self._assumed = Caller(settings.plaintext.caller) if settings.plaintext else None

    def of(self, context: grpc.aio.ServicerContext[object, object]) -> Caller:
        """The caller of ``context``; Unauthenticated where the certificate does not name exactly one."""
        if self._assumed is not None:
            return self._assumed
        uris = _uris(context)
        if len(uris) != 1:
            raise Unauthenticated(
                "CALLER_NOT_IDENTIFIED",
                f"The client certificate must carry exactly one URI in its subjectAltName; it carries {len(uris)}.",
            )
        return Caller(uris[0])

    def share(self, context: grpc.aio.ServicerContext[object, object]) -> str:
        """Whose share of the threads a call takes: its caller's, also where the call needs none."""
        return " ".join(_uris(context)) or context.peer()


def _uris(context: grpc.aio.ServicerContext[object, object]) -> list[str]:
    return sorted({uri.decode() for uri in context.auth_context().get("peer_uri", ())})
