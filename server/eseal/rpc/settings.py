"""How the server listens: ``[server]`` in eseal.toml."""

from __future__ import annotations

import ipaddress
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

_LAST_PORT = 65535


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TlsSettings(_Frozen):
    """``[server.tls]``: mutual TLS. A caller is the URI SAN of its client certificate."""

    certificate: Path = Field(description="The server's certificate chain, PEM, leaf first.")
    private_key: Path = Field(description="The server's private key, PEM, unencrypted.")
    client_ca: Path = Field(description="The CA certificates that issue client certificates, PEM.")


class PlaintextSettings(_Frozen):
    """``[server.plaintext]``: no TLS, for a loopback address only (a sidecar, a developer's machine)."""

    caller: str = Field(description="The caller URI that every connection is taken to be.")


class ServerSettings(_Frozen):
    """``[server]``: exactly one of ``tls`` and ``plaintext`` must be there."""

    listen: str = Field("127.0.0.1:50051", description="host:port to listen on; port 0 takes a free one.")
    tls: TlsSettings | None = Field(None, description="Mutual TLS.")
    plaintext: PlaintextSettings | None = Field(None, description="No TLS; loopback only.")
    processes: int = Field(
        1, ge=1, le=64, description="Worker processes on the one port (SO_REUSEPORT), each with its own token session."
    )
    single_seal_threads: int = Field(
        2,
        ge=1,
        le=256,
        description="Threads for unary Issue and Seal, per process. Calls of one caller that wait for one are sealed together, "
        "which costs far less than one by one; so more threads are not faster.",
    )
    interactive_threads: int = Field(32, ge=1, le=256, description="Threads for the other unary calls, per process.")
    bulk_threads: int = Field(4, ge=1, le=256, description="Threads for the batches of streams, per process.")
    caller_calls: int = Field(
        1000, ge=1, description="Unary calls of one caller that may wait in each process; more is RESOURCE_EXHAUSTED."
    )
    caller_streams: int = Field(
        16, ge=1, description="Streams that one caller may have open in each process; more is RESOURCE_EXHAUSTED."
    )
    caller_bytes: int = Field(
        256 * 1024 * 1024,
        ge=1024 * 1024,
        description="Bytes of one caller that may be under way in each process: a single call beyond that is RESOURCE_EXHAUSTED, "
        "and of each stream only one message is read at a time.",
    )
    stream_window: int = Field(4, ge=1, le=64, description="Batches of one stream that are under way at once.")
    max_batch_items: int = Field(1000, ge=1, le=10_000, description="Items that one stream message may carry.")
    max_message_bytes: int = Field(
        16 * 1024 * 1024,
        ge=65_536,
        description="Largest gRPC message in bytes, either way; larger is RESOURCE_EXHAUSTED.",
    )
    keepalive: float = Field(
        60.0,
        ge=1,
        le=7200,
        description="Seconds of silence after which a client is asked whether it is there (an HTTP/2 PING). One that has not "
        "answered after as many again is gone: its calls are ended, and what they held is free.",
    )
    metrics: str = Field("", description="host:port of the Prometheus metrics; empty means none.")
    grace: float = Field(30.0, ge=0, description="Seconds that a stopping server gives to what is in flight.")

    @field_validator("listen", "metrics")
    @classmethod
    def _host_and_port(cls, address: str) -> str:
        return require_address(address) if address else address

    @model_validator(mode="after")
    def _one_way_in(self) -> ServerSettings:
        if (self.tls is None) == (self.plaintext is None):
            raise ValueError("exactly one of [server.tls] and [server.plaintext] must be given")
        if self.plaintext is not None and not is_loopback(self.host):
            raise ValueError(f"[server.plaintext] is allowed on a loopback address only, not on {self.host!r}")
        return self

    @property
    def host(self) -> str:
        """The host part of ``listen``, without brackets."""
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """The port part of ``listen``."""
        return int(self.listen.rpartition(":")[2])


def require_address(address: str) -> str:
    """Return ``address`` if it is host:port; ValueError else."""
    host, _, port = address.rpartition(":")
    if not (host and port.isdecimal() and int(port) <= _LAST_PORT):
        raise ValueError(f"{address!r} is not host:port with a port from 0 to {_LAST_PORT}")
    return address


def is_loopback(host: str) -> bool:
    """Whether ``host`` can be reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
