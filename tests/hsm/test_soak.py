"""Thirty-two threads on one process: no crash, no leak, every signature valid."""

from __future__ import annotations

import gc
import resource
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from eseal.hsm import Pkcs11KeyRoom
from eseal.terms import Algorithm
from tests.hsm.conftest import Clients

if TYPE_CHECKING:
    from tests.harness.token import SealToken

THREADS = 32
A_FEW = 4
LEAK_BYTES = 8 * 1024 * 1024


def _resident() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def _descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@pytest.mark.parametrize("seconds", [3, pytest.param(60, marks=pytest.mark.soak)])
def test_many_threads(shared_token: SealToken, seconds: float, record_property: pytest.RecordProperty) -> None:
    """Every answer is a valid signature; threads, descriptors and memory end where they were after the warm-up."""
    key = shared_token.seal_key(f"soak-{seconds}", Algorithm.ES256)
    before_threads = threading.active_count()
    with Pkcs11KeyRoom.open(shared_token.having(sessions=8), [key]) as room:
        with Clients(room, key, threads=THREADS, batch=3, deadline=10) as clients:
            time.sleep(max(1.0, seconds / 6))
            resident, descriptors, signed = _resident(), _descriptors(), clients.signed
            time.sleep(seconds)
            grown, opened, more = _resident() - resident, _descriptors() - descriptors, clients.signed - signed
        assert not clients.errors
        sessions = sum(worker.session is not None for worker in room._keeper.workers)
    record_property("signatures", more)
    print(f"{more} signatures in {seconds} s by {THREADS} threads, {grown / 1024:.0f} KiB more resident")  # noqa: T201

    assert more > 100 * seconds
    assert 8 == sessions
    assert opened < A_FEW  # SoftHSM opens a file of its store now and then
    assert grown < LEAK_BYTES
    assert before_threads == threading.active_count()
