"""How to reach a server, and as whom."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

SERVICE_CONFIG = {
    "methodConfig": [
        {
            "name": [
                {"service": "eseal.v1.IssuanceService", "method": method}
                for method in ("Issue", "Seal", "ExplainMandate")
            ]
            + [{"service": "eseal.v1.VerificationService", "method": "Verify"}],
            "retryPolicy": {
                "maxAttempts": 5,
                "initialBackoff": "0.2s",
                "maxBackoff": "5s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ]
}


@dataclass(frozen=True, slots=True)
class Identity:
    """A client certificate, its key, and the CA that the server's certificate comes from: all PEM."""

    ca: bytes
    certificate: bytes
    key: bytes

    @staticmethod
    def from_folder(folder: Path | str) -> Identity:
        """Read ``ca.pem``, ``certificate.pem`` and ``key.pem`` in ``folder``."""
        folder = Path(folder)
        return Identity(*((folder / name).read_bytes() for name in ("ca.pem", "certificate.pem", "key.pem")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """A server's address and the identity to call it with; without one, plain text (loopback only).

    ``timeout`` is in seconds, for one call; a stream has none. ``batch`` items go into one message of a stream, fewer
    where they are large (8 MiB), and at most ``window`` messages are unanswered at once: that bounds the memory of a bulk
    run, here and at the server. ``check``: canonicalise each returned payload anew (RFC 8785) instead of comparing its
    digest alone.
    """

    target: str
    identity: Identity | None = None
    timeout: float = 60.0
    batch: int = 50
    window: int = 4
    attempts: int = 5
    check: bool = True

    def options(self) -> list[tuple[str, Any]]:
        """The channel's options: messages of any size, UNAVAILABLE tried again by gRPC itself."""
        return [
            ("grpc.max_receive_message_length", -1),
            ("grpc.max_send_message_length", -1),
            ("grpc.enable_retries", 1),
            ("grpc.service_config", json.dumps(SERVICE_CONFIG)),
        ]

    def credentials(self) -> grpc.ChannelCredentials | None:
        """TLS with the client certificate."""
        if self.identity is None:
            return None
        return grpc.ssl_channel_credentials(self.identity.ca, self.identity.key, self.identity.certificate)
