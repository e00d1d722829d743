"""A practice set and a real server on it: ``eseal dev init`` and ``eseal serve`` as a user runs them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from eseal.cli.dev import CALLERS, init
from eseal.terms import Algorithm
from eseal.trust import practice as pki
from eseal_client.wire import issuance_pb2_grpc, verification_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 30
STOP_SECONDS = 40


@dataclass(frozen=True)
class PracticeSet:
    """A folder that ``eseal dev init`` made."""

    folder: Path

    @property
    def config(self) -> Path:
        """Its eseal.toml."""
        return self.folder / "eseal.toml"

    @property
    def root(self) -> Path:
        """Its trust anchor."""
        return self.folder / "trust/root.pem"

    @property
    def issuing_ca(self) -> pki.Issued:
        """The CA that certified its seal key, which may certify more."""
        folder = self.folder / "pki"
        return pki.Issued(
            x509.load_pem_x509_certificate((folder / "issuing-ca.pem").read_bytes()),
            pki.Issued(x509.load_pem_x509_certificate(self.root.read_bytes())),
            load_pem_private_key((folder / "issuing-ca.key").read_bytes(), None),
        )

    def recertify(self, **options: Any) -> None:
        """Give the seal key another certificate, with these options of ``practice.seal_certificate``."""
        chain = self.folder / "seal/chain.pem"
        public_key = x509.load_pem_x509_certificate(chain.read_bytes()).public_key()
        chain.write_bytes(pki.seal_certificate(self.issuing_ca, public_key, **options).chain_pem)

    def caller(self, member: str) -> str:
        """The URI of a member's back end."""
        return CALLERS[member]

    def configure(self, *replacements: tuple[str, str]) -> None:
        """Edit eseal.toml; each text must be there."""
        text = self.config.read_text()
        for old, new in replacements:
            assert old in text, f"eseal.toml does not say {old!r}"
            text = text.replace(old, new)
        self.config.write_text(text)


def practice_set(folder: Path, algorithm: Algorithm = Algorithm.ES256, processes: int = 1) -> PracticeSet:
    """Make a practice set that listens on free ports."""
    init(folder, algorithm=algorithm, listen="127.0.0.1:0", metrics="127.0.0.1:0", processes=processes)
    return PracticeSet(folder)


class RunningServer:
    """A server process on a practice set."""

    def __init__(self, practice: PracticeSet, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self.practice = practice
        self.process = process
        self.port = port
        self.log = log

    @property
    def target(self) -> str:
        """The server's host:port."""
        return f"127.0.0.1:{self.port}"

    def credentials(self, member: str = "dcu") -> grpc.ChannelCredentials:
        """The member's back end's client certificate."""
        identity = self.practice.folder / "callers" / member
        return grpc.ssl_channel_credentials(
            (identity / "ca.pem").read_bytes(),
            (identity / "key.pem").read_bytes(),
            (identity / "certificate.pem").read_bytes(),
        )

    @contextlib.contextmanager
    def channel(self, member: str = "dcu") -> Iterator[grpc.Channel]:
        """A channel as the member's back end."""
        options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
        with grpc.secure_channel(self.target, self.credentials(member), options) as channel:
            yield channel

    @contextlib.contextmanager
    def issuance(self, member: str = "dcu") -> Iterator[issuance_pb2_grpc.IssuanceServiceStub]:
        """The IssuanceService as the member's back end calls it."""
        with self.channel(member) as channel:
            yield issuance_pb2_grpc.IssuanceServiceStub(channel)

    @contextlib.contextmanager
    def verification(self, member: str = "dcu") -> Iterator[verification_pb2_grpc.VerificationServiceStub]:
        """The VerificationService."""
        with self.channel(member) as channel:
            yield verification_pb2_grpc.VerificationServiceStub(channel)

    def stop(self) -> int:
        """SIGTERM, and the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS)


@contextlib.contextmanager
def running_server(practice: PracticeSet) -> Iterator[RunningServer]:
    """Serve ``practice`` in a process of its own until the context ends."""
    port_file = practice.folder / "port"
    port_file.unlink(missing_ok=True)
    log = practice.folder / "server.log"
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "eseal", "serve", "--config", practice.config, "--port-file", port_file],
            stderr=out,
            stdout=out,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
    try:
        yield RunningServer(practice, process, _port(process, port_file, log), log)
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def refused_start(practice: PracticeSet) -> str:
    """Try to serve ``practice``; it must refuse. Return what it says."""
    done = subprocess.run(
        [sys.executable, "-m", "eseal", "serve", "--config", practice.config],
        capture_output=True,
        timeout=START_SECONDS,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done
    return done.stderr


def _port(process: subprocess.Popen[bytes], port_file: Path, log: Path) -> int:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if port_file.exists():
            return int(port_file.read_text())
        if process.poll() is not None:
            break
        time.sleep(0.02)
    raise AssertionError(f"the server did not start:\n{log.read_text()}")
