"""The register under a running server: changes take effect whole, and only if right."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from eseal.mandate.policy import Policy
from eseal.mandate.problems import InvalidRegister
from eseal.mandate.source import RegisterSource

from .house import FACTS, NOON, NORTH_CALLER, SEALER, House, write

if TYPE_CHECKING:
    from pathlib import Path

MANDATE = "mandates/north-2026.toml"


@pytest.fixture
def folder(house: House, tmp_path: Path) -> Path:
    """The register's folder."""
    return write(tmp_path / "register", house.files)


def test_a_change_comes_into_use(house: House, folder: Path) -> None:
    """A changed file is another register; the log says so with its digest."""
    source = RegisterSource(folder)
    before = source.current
    house.scope["languages"] = ["ga"]
    write(folder, house.files)
    with capture_logs() as logs:
        assert source.refresh()

    assert source.current is not before
    assert [("register_reloaded", source.current.sha256.hex())] == [
        (one["event"], one["register_sha256"]) for one in logs
    ]
    assert not source.refresh()


def test_a_change_that_keeps_size_and_time_comes_into_use(house: House, folder: Path) -> None:
    """A day put in place of another, by a tool that keeps the file's time, is seen all the same."""
    house.files["status/n.toml"] = {"mandate": "north-2026", "withdrawn_on": date(2026, 6, 20), "reason": "ended"}
    write(folder, house.files)
    source = RegisterSource(folder, interval=0)
    path = folder / "status/n.toml"
    before = path.stat()
    path.write_text(path.read_text().replace("2026-06-20", "2026-06-10"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert source.refresh()
    assert date(2026, 6, 10) == source.current.statuses["north-2026"].withdrawn_on


def test_a_wrong_change_does_not(house: House, folder: Path) -> None:
    """The state before stays in use; the problems are logged once, and told to whoever asks until they are mended."""
    source = RegisterSource(folder)
    before = source.current
    mandate = (folder / MANDATE).read_bytes()
    (folder / MANDATE).write_bytes(mandate.replace(b"awarding_body", b"awarding_boy"))
    with capture_logs() as logs:
        assert not source.refresh()
        assert not source.refresh()

    assert source.current is before
    assert ["register_refused"] == [one["event"] for one in logs]
    assert any(f"{MANDATE}:2: unknown-key" in one for one in logs[0]["problems"])
    assert isinstance(source.refused, InvalidRegister)
    (folder / MANDATE).write_bytes(mandate)
    source.refresh()
    assert source.refused is None
    assert house.files


def test_a_folder_that_goes_away(folder: Path) -> None:
    """A register whose folder is unmounted stays as it was."""
    source = RegisterSource(folder)
    folder.rename(folder.with_name("elsewhere"))
    with capture_logs():
        assert not source.refresh()

    assert source.current.members
    assert source.refused


def test_a_wrong_register_at_start(house: House, folder: Path) -> None:
    """A server does not start on a register that is wrong."""
    house.files[MANDATE]["sealer"] = "NTRNL-00000000"
    write(folder, house.files)
    with pytest.raises(InvalidRegister):
        RegisterSource(folder)


def test_withdrawal_reaches_a_running_policy(house: House, folder: Path) -> None:
    """A mandate that is withdrawn while the server runs grants nothing more, without a restart."""
    with RegisterSource(folder, interval=0.02) as source:
        policy = Policy(source, SEALER, usage=house.ledger)
        assert policy.decide(NORTH_CALLER, FACTS, at=NOON).grant
        status = {"mandate": "north-2026", "withdrawn_on": NOON.date(), "reason": "ended"}
        with capture_logs():
            write(folder, {"status/north-2026.toml": status})
            deadline = time.monotonic() + 10
            while policy.decide(NORTH_CALLER, FACTS, at=NOON).grant and time.monotonic() < deadline:
                time.sleep(0.02)

        assert ["mandate-not-withdrawn"] == [one.rule for one in policy.decide(NORTH_CALLER, FACTS, at=NOON).refusals]


def test_a_batch_sees_one_state(house: House, folder: Path) -> None:
    """A batch that has begun is judged to its end by the register it began with."""
    source = RegisterSource(folder)
    sitting = Policy(source, SEALER, usage=house.ledger).sitting(at=NOON)
    first = sitting.grant(NORTH_CALLER, FACTS)
    house.scope["languages"] = ["ga"]
    write(folder, house.files)
    with capture_logs():
        source.refresh()

    assert first.register_sha256 == sitting.decide(NORTH_CALLER, FACTS).register_sha256


def test_many_threads_read_while_it_changes(house: House, folder: Path) -> None:
    """Readers see the one state or the other, each whole, and never an error."""
    source = RegisterSource(folder)
    policy = Policy(source, SEALER, usage=house.ledger)
    states = {source.current.sha256}

    def decide(_: int) -> bytes:
        decision = policy.decide(NORTH_CALLER, FACTS, at=NOON)
        assert decision.grant
        return decision.grant.register_sha256

    with capture_logs(), ThreadPoolExecutor(4) as threads:
        seen = []
        for number in range(5):
            seen.append(threads.map(decide, range(50)))
            house.files["members/north.toml"]["legal_names"]["ga"] = f"Ollscoil {number}"
            write(folder, house.files)
            source.refresh()
            states.add(source.current.sha256)
        found = {sha256 for answers in seen for sha256 in answers}

    assert found <= states
    assert 6 == len(states)
