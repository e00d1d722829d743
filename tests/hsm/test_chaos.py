"""The HSM fails in every way that an HSM fails, under load, and the pool heals by itself.

Each test ends with the key room healthy, every request answered with a valid signature or an error, and none later than
its deadline (``Clients`` checks that).
"""

from __future__ import annotations

import subprocess
import sys
import time
from functools import partial
from typing import TYPE_CHECKING

import pytest
from pkcs11 import Attribute
from structlog.testing import capture_logs

from eseal.errors import SetupError
from eseal.hsm import Pkcs11KeyRoom, metrics
from eseal.hsm.algorithms import public_facts
from eseal.hsm.connection import Connection
from eseal.hsm.settings import QuirkSettings
from eseal.terms import Algorithm
from tests.harness.token import invalid, make_pair
from tests.hsm.conftest import FAST, Clients, fast, wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from eseal.terms import SealKey
    from tests.harness.shim import Shim
    from tests.harness.token import SealToken

BUSY = {"quirks": QuirkSettings(busy=("CKR_FUNCTION_FAILED",), busy_seconds=0.01)}


def discarded() -> float:
    """How many sessions this process discarded, for whatever cause."""
    return sum(
        sample.value for metric in metrics.REOPENED.collect() for sample in metric.samples if "total" in sample.name
    )


def test_close_all_sessions_from_outside(shared_token: SealToken, shared_key: SealKey, shim: Shim) -> None:
    """C_CloseAllSessions underneath closes every session and logs out: the pool logs in again and nobody sees it."""
    settings = fast(shim.before(shared_token.settings))
    with Pkcs11KeyRoom.open(settings, [shared_key]) as room, Clients(room, shared_key) as clients:
        for _ in range(5):
            assert clients.signs(400)
            room._connection.module.cryptoki.close_all_sessions(room._connection._token.slot.slot_id)

        assert clients.signs()
        assert room.healthy()
    assert not clients.errors


def test_finalize_underneath(shared_token: SealToken, shared_key: SealKey, shim: Shim) -> None:
    """C_Finalize underneath takes the module away: it is started again, once; requests wait for that or are told."""
    settings = fast(shim.before(shared_token.settings))
    started = shim.counted("initialized")
    with Pkcs11KeyRoom.open(settings, [shared_key]) as room, Clients(room, shared_key) as clients:
        assert clients.signs()
        room._connection.module.cryptoki.finalize()

        assert clients.signs()
        assert room.healthy()
        assert started + 2 == shim.counted("initialized")
    # What a module does to calls under way when it is finalised beneath them is undefined (PKCS#11 v2.40 section 5.4): a
    # request may fail twice, and then it is told so.
    assert set(clients.errors) <= {"HSM_FAILED"}


def test_sessions_of_an_earlier_start_close_nobody_elses(shared_token: SealToken, shared_key: SealKey) -> None:
    """The numbers of sessions come again after a restart: one that is closed late does not close the one that has its."""
    connection = Connection(shared_token.settings, {shared_key: public_facts(shared_key)})
    try:
        old = connection.open_session()
        connection.restart()
        new = connection.open_session()
        assert old._handle == new._handle
        old.close()
        new.try_out()
    finally:
        connection.close()


def test_a_trial_is_made_wherever_its_worker_is(shared_token: SealToken, shared_key: SealKey) -> None:
    """A worker that kept its session while the circuit opened, and waits for work, tries out the one that follows it."""
    with Pkcs11KeyRoom.open(fast(shared_token.settings, sessions=1), [shared_key]) as room:
        for _ in range(20):
            assert wait_for(lambda: room.healthy() and not room._keeper._vacant)
            room._keeper._events.put(partial(room._keeper._try_later, "TEST"))
            assert wait_for(lambda: not room.healthy())
            assert wait_for(room.healthy)


def test_the_interpreter_may_end_before_the_room_is_closed(token: SealToken) -> None:
    """Sessions that sign are stopped first: a module that is taken down beneath them would crash."""
    certificate = token.settings.pin_file.parent / "k.der"
    certificate.write_bytes(token.seal_key("k", Algorithm.RS256).certificate)
    program = (
        "import os, sys, threading, time; from eseal.hsm import HsmSettings, Pkcs11KeyRoom; from eseal.terms import *;"
        "chain = open(sys.argv[2], 'rb').read(); key = SealKey('k', Algorithm.RS256, (chain,));"
        "room = Pkcs11KeyRoom.open(HsmSettings.model_validate_json(sys.argv[1]), [key]);"
        "load = lambda: room.sign(key, [os.urandom(32)] * 3000, lane=Lane.BULK);"
        "[threading.Thread(target=load, daemon=True).start() for _ in range(3)];"
        "time.sleep(0.3)"
    )
    for _ in range(3):
        subprocess.run([sys.executable, "-c", program, token.settings.model_dump_json(), certificate], check=True)


def test_token_directory_moved_away_and_back(token: SealToken, shim: Shim) -> None:
    """While the token is away the answer is UNAVAILABLE at once, and nothing queues; once it is back, seals are made."""
    key = token.seal_key("k")
    directory = token.settings.pin_file.parent
    with Pkcs11KeyRoom.open(fast(shim.before(token.settings)), [key]) as room, Clients(room, key) as clients:
        assert clients.signs()
        (directory / "tokens").rename(directory / "away")
        assert wait_for(lambda: not room.healthy())
        (answer,) = room.sign(key, [bytes(32)])
        assert "HSM_AWAY" == answer.reason
        assert answer.retry_after > 0
        (directory / "away").rename(directory / "tokens")

        assert wait_for(room.healthy)
        assert clients.signs()


def test_token_initialised_anew_with_another_key(token: SealToken, shim: Shim) -> None:
    """Another key under the same label seals nothing: the key no longer matches its certificate. The first one does."""
    key = token.seal_key("k")
    directory = token.settings.pin_file.parent
    with Pkcs11KeyRoom.open(fast(shim.before(token.settings)), [key]) as room, Clients(room, key) as clients:
        assert clients.signs()
        _replace_token(token, directory)
        assert wait_for(lambda: _cause(room, key) == "KEY_CERTIFICATE_MISMATCH")
        assert not room.healthy()
        (directory / "tokens").rename(directory / "another")
        (directory / "first").rename(directory / "tokens")

        assert wait_for(room.healthy)
        assert clients.signs()


def _cause(room: Pkcs11KeyRoom, key: SealKey) -> str:
    (answer,) = room.sign(key, [bytes(32)])
    return "" if isinstance(answer, bytes) else answer.metadata.get("cause", "")


def _replace_token(token: SealToken, directory: Path) -> None:
    """Put a token of the same name, PIN and key label in the place of this one, from another process as people do."""
    (directory / "tokens").rename(directory / "first")
    (directory / "tokens").mkdir()
    program = (
        "import sys; from eseal.hsm import HsmSettings, generate_key; from eseal.hsm.practice import init_token;"
        "s = HsmSettings.model_validate_json(sys.argv[1]);"
        "init_token(s.environment, label=s.token_label, pin=s.pin()); generate_key(s, 'k', 'ES256')"
    )
    subprocess.run([sys.executable, "-c", program, token.settings.model_dump_json()], check=True)


@pytest.mark.parametrize("kind", ["secp256k1", "Ed25519", "RSA"])
def test_key_of_another_kind(token: SealToken, kind: str) -> None:
    """A key of a kind that no seal certificate has, or another one's, is no fault of ours: it is not the certificate's."""
    key = token.seal_key("k")
    with Pkcs11KeyRoom.open(fast(token.settings), [key]) as room:
        with room._connection.writing() as session:
            for one in list(session.get_objects({Attribute.LABEL: "k"})):
                one.destroy()
            make_pair(session, kind, "k")
        room._connection.module.cryptoki.close_all_sessions(room._connection._token.slot.slot_id)
        assert wait_for(lambda: _cause(room, key) == "KEY_CERTIFICATE_MISMATCH")
        assert not room.healthy()

    with pytest.raises(SetupError) as caught:
        Pkcs11KeyRoom.open(token.settings, [key])
    assert "KEY_CERTIFICATE_MISMATCH" == caught.value.reason


def test_one_key_goes_and_comes_back(token: SealToken) -> None:
    """A key that is gone when sessions are opened is refused, named in the log once, and used again when it is back."""
    stays, goes = token.seal_key("stays"), token.seal_key("goes")
    with capture_logs() as logs, Pkcs11KeyRoom.open(fast(token.settings), [stays, goes]) as room:
        _relabel(room, "goes", "elsewhere")
        room._connection.module.cryptoki.close_all_sessions(room._connection._token.slot.slot_id)
        with Clients(room, stays) as clients:
            assert clients.signs(400)
        (answer,) = room.sign(goes, [bytes(32)])
        assert "KEY_NOT_FOUND" == answer.reason
        assert room.healthy()
        _relabel(room, "elsewhere", "goes")

        assert wait_for(lambda: [] == invalid(goes, [bytes(32)] * 8, room.sign(goes, [bytes(32)] * 8)))
    told = [(entry["event"], entry["key"]) for entry in logs if entry["event"].startswith("hsm_key_")]
    assert [("hsm_key_refused", "goes"), ("hsm_key_accepted", "goes")] == told


def _relabel(room: Pkcs11KeyRoom, old: str, new: str) -> None:
    with room._connection.writing() as session:
        for one in list(session.get_objects({Attribute.LABEL: old})):
            one[Attribute.LABEL] = new


def test_pin_changed(token: SealToken, shim: Shim) -> None:
    """A PIN that is wrong by now is tried once, whatever happens; the right one in its file heals the pool."""
    key = token.seal_key("k")
    pin_file = token.settings.pin_file
    with Pkcs11KeyRoom.open(fast(shim.before(token.settings)), [key]) as room, Clients(room, key) as clients:
        assert clients.signs()
        right = pin_file.read_text()
        pin_file.write_text("13579\n")
        logins = shim.counted("logins")
        room._connection.module.cryptoki.close_all_sessions(room._connection._token.slot.slot_id)
        assert wait_for(lambda: not room.healthy())
        time.sleep(2.5)  # several probes, and time enough for a restart of the module
        assert logins + 1 == shim.counted("logins")
        (answer,) = room.sign(key, [bytes(32)])
        assert "HSM_PIN_INCORRECT" == answer.metadata["cause"]
        pin_file.write_text(right)

        assert wait_for(room.healthy)
        assert clients.signs()
        assert logins + 2 == shim.counted("logins")


def test_module_sleeps(shared_token: SealToken, shared_key: SealKey, shim: Shim) -> None:
    """Where a signature takes longer than callers can wait they are told so in time, and later ones are served."""
    settings = fast(shim.before(shared_token.settings))
    with Pkcs11KeyRoom.open(settings, [shared_key]) as room, Clients(room, shared_key, deadline=0.3) as clients:
        assert clients.signs()
        shim.set(delay_us=500_000)
        assert wait_for(lambda: clients.errors["HSM_TIMEOUT"] and clients.errors["HSM_QUEUE_TIMEOUT"])
        shim.set(delay_us=0)

        assert clients.signs()
        assert room.healthy()


def test_every_nth_sign_fails(shared_token: SealToken, shared_key: SealKey, shim: Shim) -> None:
    """CKR_DEVICE_ERROR now and then costs a session, not an answer: the retry on a fresh one succeeds."""
    settings = fast(shim.before(shared_token.settings))
    restarts = shim.counted("finalized")
    with Pkcs11KeyRoom.open(settings, [shared_key]) as room, Clients(room, shared_key) as clients:
        shim.set(fail_every=7)
        assert clients.signs(1000, 20)
        shim.set(fail_every=0)

        assert clients.signs()
        assert room.healthy()
        assert restarts == shim.counted("finalized")
    # Four threads share the counter, so a retry is now and then the nth call as well.
    assert clients.errors.total() <= clients.signed / 20


def test_busy_now_and_then(shared_token: SealToken, shared_key: SealKey, shim: Shim) -> None:
    """A return value that means busy costs a rest, and no session: nobody sees it."""
    settings = fast(shim.before(shared_token.settings), **BUSY)
    logins, reopened = shim.counted("logins"), discarded()
    with Pkcs11KeyRoom.open(settings, [shared_key]) as room, Clients(room, shared_key) as clients:
        shim.set(fail_with=0x06, fail_every=11)
        assert clients.signs(500, 20)
        shim.set(fail_every=0)

        assert clients.signs()
        assert room.healthy()
        assert logins + 1 == shim.counted("logins")
        assert reopened == discarded()
    # Four threads share the counter, so a second attempt is now and then the nth call as well.
    assert set(clients.errors) <= {"HSM_BUSY"}
    assert clients.errors.total() <= clients.signed / 20


def test_busy_for_good(shared_token: SealToken, shared_key: SealKey, shim: Shim) -> None:
    """While the HSM is too busy callers are told to come again, the circuit stays closed, and no session is lost."""
    settings = fast(shim.before(shared_token.settings), **BUSY)
    reopened = discarded()
    with Pkcs11KeyRoom.open(settings, [shared_key]) as room, Clients(room, shared_key) as clients:
        assert clients.signs()
        shim.set(fail_with=0x06, fail_every=1)
        assert wait_for(lambda: clients.errors["HSM_BUSY"] > 20)
        assert room.healthy()
        shim.set(fail_every=0)

        assert clients.signs()
        assert reopened == discarded()
    assert set(clients.errors) == {"HSM_BUSY"}


def test_busy_after_a_failure(shared_token: SealToken, shared_key: SealKey, shim: Shim) -> None:
    """Where the session that takes a failed one's place says that the token is busy, it is kept as any other would be."""
    settings = fast(shim.before(shared_token.settings), **BUSY)
    with Pkcs11KeyRoom.open(settings, [shared_key]) as room:
        reopened = discarded()
        shim.set(fail_with=0x06, fail_once_with=0x30, fail_every=1)
        (answer,) = room.sign(shared_key, [bytes(32)])
        shim.set(fail_every=0)

        assert "HSM_BUSY" == answer.reason
        assert reopened + 1 == discarded()


def test_every_sign_fails(shared_token: SealToken, shared_key: SealKey, shim: Shim) -> None:
    """A device that signs nothing any more: the module is restarted, the circuit opens, and closes by itself."""
    settings = fast(shim.before(shared_token.settings))
    # The shim counts for the whole process, and another test finalises on purpose while calls are inside.
    restarts, inside = shim.counted("finalized"), shim.counted("finalized_while_inside")
    with Pkcs11KeyRoom.open(settings, [shared_key]) as room, Clients(room, shared_key) as clients:
        assert clients.signs()
        shim.set(fail_every=1)
        assert wait_for(lambda: not room.healthy())
        assert wait_for(lambda: restarts + 1 <= shim.counted("finalized"))
        assert inside == shim.counted("finalized_while_inside")
        shim.set(fail_every=0)

        assert wait_for(room.healthy)
        assert clients.signs()


def test_wrong_signature(shared_token: SealToken, shared_key: SealKey, shim: Shim) -> None:
    """A module that returns a wrong signature is not noticed here: whoever asked for it proves it (issuance, step 8)."""
    with Pkcs11KeyRoom.open(fast(shim.before(shared_token.settings)), [shared_key]) as room:
        digests = [bytes([n]) * 32 for n in range(20)]
        shim.set(wrong_every=4)

        wrong = invalid(shared_key, digests, room.sign(shared_key, digests))

        assert 5 == len(wrong)
        assert all(isinstance(answer, bytes) for answer in wrong)
        assert room.healthy()


def test_calls_that_never_return(shared_token: SealToken, shared_key: SealKey, shim: Shim) -> None:
    """A call that does not come back costs a thread and a session, not the caller: others take their places."""
    settings = fast(shim.before(shared_token.settings))
    with Pkcs11KeyRoom.open(settings, [shared_key]) as room, Clients(room, shared_key, deadline=1.0) as clients:
        assert clients.signs()
        shim.set(hang=1)
        assert wait_for(lambda: room._keeper.stuck)
        shim.set(hang=2)
        assert wait_for(room.healthy)
        assert clients.signs()
        assert room._keeper.stuck
        shim.set(hang=0)

        assert wait_for(lambda: not room._keeper.stuck)
        assert clients.signs()


def test_nothing_returns_any_more(shared_token: SealToken, shared_key: SealKey, shim: Shim) -> None:
    """A module that hangs for good costs no more threads than a bound, and issuance says so; it heals when they come back."""
    settings = fast(shim.before(shared_token.settings))
    with Pkcs11KeyRoom.open(settings, [shared_key]) as room, Clients(room, shared_key, deadline=1.0) as clients:
        assert clients.signs()
        shim.set(hang=1)
        assert wait_for(lambda: not room.healthy())
        time.sleep(4)  # a bound that is none would be passed: a session is given up in 0.8 s
        assert len(room._keeper.stuck) <= 2 * settings.sessions
        assert not room.healthy()
        assert "HSM_STUCK" == _cause(room, shared_key)
        shim.set(hang=0)

        assert wait_for(room.healthy)
        assert clients.signs()
        assert not room._keeper.stuck
        assert settings.sessions == len(room._keeper.workers)


def test_too_many_are_stuck(shared_token: SealToken, shared_key: SealKey, shim: Shim) -> None:
    """As many calls as there are sessions may be stuck while others sign; one more opens the circuit until one is back."""
    settings = fast(shim.before(shared_token.settings), sessions=1)
    with Pkcs11KeyRoom.open(settings, [shared_key]) as room:
        _let_one_hang(room, shared_key, shim)
        assert isinstance(room.sign(shared_key, [bytes(32)])[0], bytes)
        assert 1 == len(room._keeper.stuck)
        _let_one_hang(room, shared_key, shim)
        assert wait_for(lambda: not room.healthy())
        time.sleep(1)  # several attempts
        assert "HSM_STUCK" == _cause(room, shared_key)
        assert 2 == len(room._keeper.stuck)
        shim.set(hang=0)

        assert wait_for(room.healthy)
        assert isinstance(room.sign(shared_key, [bytes(32)])[0], bytes)


def _let_one_hang(room: Pkcs11KeyRoom, key: SealKey, shim: Shim) -> None:
    shim.set(hang=1)
    (answer,) = room.sign(key, [bytes(32)], deadline=time.monotonic() + 3)
    assert "HSM_STUCK" == answer.reason
    shim.set(hang=2)


def test_our_own_fault_in_the_recovery(
    shared_token: SealToken, shared_key: SealKey, shim: Shim, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What nobody foresaw opens the circuit, so that nobody waits for what is left undone; the next attempt closes it."""
    # Writing a traceback takes its time on a busy machine; it must not look as if the module hung.
    recovery = FAST.model_copy(update={"stuck_seconds": 20})
    settings = fast(shim.before(shared_token.settings), recovery=recovery)

    def fail() -> None:
        raise ZeroDivisionError

    with Pkcs11KeyRoom.open(settings, [shared_key]) as room, Clients(room, shared_key) as clients:
        assert clients.signs()
        monkeypatch.setattr(room._connection, "open_session", fail)
        room._connection.module.cryptoki.close_all_sessions(room._connection._token.slot.slot_id)
        assert wait_for(lambda: not room.healthy())
        assert "HSM_RECOVERY_FAILED" == _cause(room, shared_key)
        monkeypatch.undo()

        assert wait_for(room.healthy)
        assert clients.signs()
