"""What the operator decides about a remote QSCD: the ``[qscd]`` table of the configuration."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from eseal.errors import SetupError
from eseal.hsm.settings import KeyRoomSettings


class CscSettings(KeyRoomSettings):
    """A remote signing service with the API of the Cloud Signature Consortium; unknown keys are refused."""

    url: str = Field(description="Where the service is: what stands before `/csc/v2` in its addresses.")
    api: Literal["v1", "v2"] = Field(default="v2", description="`v2`, or `v1` for 1.0.4.0, which many still have.")
    token_url: str | None = Field(
        default=None,
        description="The OAuth 2.0 token endpoint; left out, it is `oauth2/token` below what the service's `info` names.",
    )
    client_id: str | None = Field(
        default=None,
        description="OAuth 2.0 client credentials (RFC 6749 section 4.4), scope `service`. Left out, no token is asked for: "
        "for a service that knows its callers by their TLS certificates alone.",
    )
    client_secret_file: Path | None = Field(
        default=None, description="A file with the client secret, readable by this service alone."
    )
    client_auth: Literal["client_secret_basic", "client_secret_post"] = Field(
        default="client_secret_basic", description="How the client secret is sent (RFC 6749 section 2.3.1)."
    )
    pin_file: Path | None = Field(
        default=None,
        description="A file with the credential's PIN, where its authorization mode is explicit. One-time passwords need a "
        "person and cannot be served.",
    )
    ca: Path | None = Field(
        default=None, description="A PEM file with the CAs of the service's TLS; none: the system's."
    )
    certificate: Path | None = Field(default=None, description="A PEM file: our TLS client certificate and its chain.")
    private_key: Path | None = Field(default=None, description="A PEM file: the key of `certificate`.")
    connections: int = Field(default=4, ge=1, le=64, description="Requests under way at once, in each worker process.")
    window_seconds: float = Field(
        default=0.02,
        ge=0,
        le=5,
        description="How long the first digest after a pause waits for others, so that they share one authorization.",
    )
    max_batch: int = Field(
        default=100, ge=1, description="Digests in one authorization; the credential's `multisign` may make it less."
    )
    request_seconds: float = Field(default=15.0, gt=0, description="How long one request may take.")
    failures: int = Field(
        default=3,
        ge=1,
        description="After so many failed turns in a row the service counts as away: the circuit opens.",
    )
    probe_seconds: float = Field(
        default=1.0, gt=0, description="While it is away: the pause before the next attempt; it doubles each time."
    )
    max_probe_seconds: float = Field(default=30.0, gt=0, description="The longest pause between two attempts.")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        """Secrets go over TLS, and come in pairs."""
        for name in ("url", "token_url"):
            address = getattr(self, name)
            if address is not None and not _is_safe(address):
                message = f"{name} must be an https address"
                raise ValueError(message)
        if (self.client_id is None) != (self.client_secret_file is None):
            message = "client_id and client_secret_file belong together"
            raise ValueError(message)
        if (self.certificate is None) != (self.private_key is None):
            message = "certificate and private_key belong together"
            raise ValueError(message)
        return self

    def client_secret(self) -> str:
        """Read the client secret, anew each time. SetupError where there is none."""
        return _secret(self.client_secret_file, "client_secret_file")

    def pin(self) -> str | None:
        """Read the PIN; None where none is configured. SetupError where it cannot be read."""
        return None if self.pin_file is None else _secret(self.pin_file, "pin_file")


def _secret(path: Path | None, name: str) -> str:
    try:
        secret = path.read_text(encoding="utf-8").rstrip("\r\n") if path else ""
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError("QSCD_SECRET_MISSING", f"qscd.{name} cannot be read: {error}.") from error
    if not secret:
        raise SetupError("QSCD_SECRET_MISSING", f"qscd.{name} is empty or not set.")
    return secret


def _is_safe(address: str) -> bool:
    """Whether secrets may go there: TLS, or no further than this machine."""
    parts = urlsplit(address)
    if parts.scheme == "https":
        return bool(parts.hostname)
    try:
        return parts.scheme == "http" and ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False
