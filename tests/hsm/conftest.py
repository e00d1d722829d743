"""What the tests of the key room share: a token, its keys, the shim before it, and clients that keep it busy."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Self

import pytest

from eseal.errors import EsealError
from eseal.hsm import HsmSettings, Pkcs11KeyRoom, RecoverySettings
from eseal.hsm.practice import softhsm_module
from eseal.terms import Lane, SealKey
from tests.harness.shim import Shim, build
from tests.harness.token import DIGEST_LENGTHS, SealToken, invalid, make_token

if TYPE_CHECKING:
    from collections.abc import Iterator

# Seconds become fractions, so that a test sees every step of the ladder.
FAST = RecoverySettings(
    failures=3,
    window_seconds=5,
    reinitialise_interval_seconds=1.5,
    quiesce_seconds=2,
    probe_seconds=0.1,
    max_probe_seconds=0.4,
    stuck_seconds=0.8,
)


@pytest.fixture(scope="session")
def shared_token(tmp_path_factory: pytest.TempPathFactory) -> SealToken:
    """A token for tests that only sign in it."""
    return make_token(tmp_path_factory.mktemp("shared") / "token")


@pytest.fixture(scope="session")
def shared_key(shared_token: SealToken) -> SealKey:
    """A P-256 key in it."""
    return shared_token.seal_key("shared")


@pytest.fixture(scope="session")
def shim_library(tmp_path_factory: pytest.TempPathFactory) -> Shim:
    """The shim, built."""
    return Shim(build(tmp_path_factory.mktemp("shim")), softhsm_module())


@pytest.fixture
def shim(shim_library: Shim) -> Iterator[Shim]:
    """The shim, behaving until told otherwise."""
    shim_library.behave()
    yield shim_library
    shim_library.behave()


@pytest.fixture
def token(tmp_path) -> SealToken:
    """A token for one test to ruin."""
    return make_token(tmp_path / "token")


def fast(settings: HsmSettings, **changes: object) -> HsmSettings:
    """``settings`` with a ladder that is quick to climb."""
    return settings.model_copy(update={"recovery": FAST, "sessions": 4, **changes})


def wait_for(condition, seconds: float = 10.0) -> bool:
    """Whether ``condition()`` came true in time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.01)
    return bool(condition())


class Clients:
    """Threads that sign without pause, each answer checked: a valid signature or an error, within its deadline.

    As a context manager: inside, the clients sign; at its end they stop and what was wrong is raised.
    """

    SLACK = 1.0  # seconds that a thread may be late on a busy machine

    def __init__(self, room: Pkcs11KeyRoom, key: SealKey, *, threads: int = 4, batch: int = 5, deadline: float = 2.0):
        self._room, self._key, self._batch, self._deadline = room, key, batch, deadline
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self.signed = 0
        self.errors: Counter[str] = Counter()
        self.wrong: list[object] = []
        self.slowest = 0.0
        self._threads = [threading.Thread(target=self._work, args=(n,)) for n in range(threads)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(self._deadline + 5)
        if kind is None:
            assert not any(thread.is_alive() for thread in self._threads), "a client hangs"
            assert [] == self.wrong
            assert self.slowest < self._deadline + self.SLACK

    def signs(self, count: int = 40, seconds: float = 10.0) -> bool:
        """Whether ``count`` more signatures come within ``seconds``."""
        target = self.signed + count
        return wait_for(lambda: self.signed >= target, seconds)

    def _work(self, number: int) -> None:
        lane = Lane.BULK if number % 2 else Lane.INTERACTIVE
        while not self._stop.is_set():
            digests = [os.urandom(DIGEST_LENGTHS[self._key.algorithm]) for _ in range(self._batch)]
            started = time.monotonic()
            answers = self._room.sign(self._key, digests, lane=lane, deadline=started + self._deadline)
            elapsed = time.monotonic() - started
            bad = invalid(self._key, digests, answers)
            errors = [answer.reason for answer in bad if isinstance(answer, EsealError)]
            with self._lock:
                self.slowest = max(self.slowest, elapsed)
                self.signed += len(digests) - len(bad)
                self.errors.update(errors)
                self.wrong += [answer for answer in bad if not isinstance(answer, EsealError)]
            if errors:
                time.sleep(0.01)
