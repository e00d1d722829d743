"""What the pool promises while the HSM works: order, deadlines, lanes, limits, and a clean end."""

from __future__ import annotations

import os
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from pkcs11 import Attribute, ObjectClass
from structlog.testing import capture_logs

from eseal.errors import DeadlineExceeded, EsealError, Internal, Overloaded, SetupError, Unavailable
from eseal.hsm import HsmSettings, Pkcs11KeyRoom
from eseal.hsm.connection import Connection
from eseal.terms import Algorithm, Lane, SealKey
from eseal.trust import practice
from tests.harness.token import DIGEST_LENGTHS, SealToken, invalid, make_pair
from tests.hsm.conftest import Clients, fast, wait_for

if TYPE_CHECKING:
    from tests.harness.shim import Shim


def _digests(count: int, algorithm: Algorithm = Algorithm.ES256) -> list[bytes]:
    return [os.urandom(DIGEST_LENGTHS[algorithm]) for _ in range(count)]


def test_deadline_while_waiting(shared_token: SealToken, shared_key: SealKey, shim: Shim) -> None:
    """What no session had begun is Overloaded, what the HSM had begun is Unavailable, what is signed is handed over."""
    settings = fast(shim.before(shared_token.settings), sessions=1)
    with Pkcs11KeyRoom.open(settings, [shared_key]) as room:
        shim.set(delay_us=300_000)
        digests = _digests(5)
        started = time.monotonic()

        answers = room.sign(shared_key, digests, deadline=started + 0.75)

        assert 0.75 <= time.monotonic() - started < 1.4
        assert not invalid(shared_key, digests[:2], answers[:2])
        assert isinstance(answers[2], Unavailable)
        assert {Overloaded} == {type(answer) for answer in answers[3:]}
        assert all(answer.retry_after > 0 for answer in answers[2:])


def test_deadline_that_has_passed(shared_token: SealToken, shared_key: SealKey) -> None:
    """The key is not touched for a caller that has gone."""
    with Pkcs11KeyRoom.open(shared_token.settings, [shared_key]) as room:
        answers = room.sign(shared_key, _digests(2), deadline=time.monotonic() - 1)

        assert [DeadlineExceeded] * 2 == [type(answer) for answer in answers]


def test_wait_is_bounded_without_a_deadline(shared_token: SealToken, shared_key: SealKey, shim: Shim) -> None:
    """A caller that sets no deadline waits for wait_seconds."""
    settings = fast(shim.before(shared_token.settings), sessions=1, wait_seconds=0.2)
    with Pkcs11KeyRoom.open(settings, [shared_key]) as room:
        shim.set(delay_us=400_000)

        (answer,) = room.sign(shared_key, _digests(1))

        assert isinstance(answer, Unavailable)


def test_queue_limit(shared_token: SealToken, shared_key: SealKey, shim: Shim) -> None:
    """A full lane refuses at once and says when to come again; the other lane is not concerned."""
    settings = shim.before(shared_token.settings).model_copy(update={"sessions": 1, "queue_limit": 10})
    with Pkcs11KeyRoom.open(settings, [shared_key]) as room:
        shim.set(hang=1)
        callers = [
            threading.Thread(target=room.sign, args=(shared_key, _digests(count)), kwargs={"lane": lane})
            for count, lane in ((1, Lane.INTERACTIVE), (12, Lane.BULK))
        ]
        callers[0].start()
        assert wait_for(lambda: shim.counted("inside") > 0)
        callers[1].start()
        assert wait_for(lambda: 12 == room._lanes.depth(Lane.BULK))

        refused = room.sign(shared_key, _digests(10), lane=Lane.BULK)
        shim.set(hang=0)

        assert {"HSM_QUEUE_FULL"} == {answer.reason for answer in refused}
        assert all(answer.retry_after > 0 for answer in refused)
        assert isinstance(room.sign(shared_key, _digests(1))[0], bytes)
        for caller in callers:
            caller.join()


def test_interactive_goes_before_bulk_and_bulk_is_not_starved(
    shared_token: SealToken, shared_key: SealKey, shim: Shim
) -> None:
    """A small batch passes a large one by; a flood of small ones leaves bulk its share."""
    settings = fast(shim.before(shared_token.settings), sessions=1)
    with Pkcs11KeyRoom.open(settings, [shared_key]) as room:
        shim.set(delay_us=5_000)
        bulk: list[object] = []
        large = threading.Thread(
            target=lambda: bulk.extend(
                room.sign(shared_key, _digests(100), lane=Lane.BULK, deadline=time.monotonic() + 20)
            )
        )
        large.start()
        assert wait_for(lambda: room._lanes.depth(Lane.BULK) > 0)
        started = time.monotonic()
        assert isinstance(room.sign(shared_key, _digests(1))[0], bytes)
        assert time.monotonic() - started < 0.4

        with Clients(room, shared_key, threads=4, batch=1, deadline=5):
            large.join(20)

        assert not large.is_alive()
        assert 100 == sum(isinstance(answer, bytes) for answer in bulk)


def test_sessions_are_as_many_as_the_token_has(shared_token: SealToken, shared_key: SealKey, shim: Shim) -> None:
    """A token that says it has few sessions gets few, one of which stays logged in."""
    shim.set(max_sessions=3)
    with Pkcs11KeyRoom.open(fast(shim.before(shared_token.settings), sessions=8), [shared_key]) as room:
        assert 2 == len(room._keeper.workers)


def test_read_write_sessions_have_a_limit_of_their_own(
    shared_token: SealToken, shared_key: SealKey, shim: Shim
) -> None:
    """A token with few read/write sessions has read-only ones all the same; the limit counts where we open such."""
    shim.set(max_sessions=64, max_rw_sessions=3)
    settings = fast(shim.before(shared_token.settings))
    quirks = settings.quirks.model_copy(update={"read_write_sessions": True})
    opened = []
    for one in (settings, settings.model_copy(update={"quirks": quirks})):
        with Pkcs11KeyRoom.open(one, [shared_key]) as room:
            opened.append(len(room._keeper.workers))

    assert [4, 2] == opened


def test_sessions_that_come_later(shared_token: SealToken, shared_key: SealKey, shim: Shim) -> None:
    """What the token could not give at the start is asked for again, without a restart of the module, and used."""
    shim.set(opens_left=3)  # the one that stays logged in, and one that signs
    restarts = shim.counted("finalized")
    with Pkcs11KeyRoom.open(fast(shim.before(shared_token.settings)), [shared_key]) as room:
        assert isinstance(room.sign(shared_key, _digests(1))[0], bytes)
        time.sleep(2)
        assert 1 == sum(worker.session is not None for worker in room._keeper.workers)
        assert restarts == shim.counted("finalized")
        shim.set(opens_left=0)

        assert wait_for(lambda: 4 == sum(worker.session is not None for worker in room._keeper.workers))
        assert isinstance(room.sign(shared_key, _digests(1))[0], bytes)


def test_digest_of_another_length(shared_token: SealToken, shared_key: SealKey) -> None:
    """A digest that is not the algorithm's is refused, and so is a key that the room was not opened with."""
    stranger = SealKey("stranger", Algorithm.ES256, shared_key.chain)
    with Pkcs11KeyRoom.open(shared_token.settings, [shared_key]) as room:
        assert isinstance(room.sign(shared_key, [bytes(31)])[0], Internal)
        assert isinstance(room.sign(stranger, [bytes(32)])[0], Internal)
        assert [] == room.sign(shared_key, [])


def test_several_keys(shared_token: SealToken) -> None:
    """Keys of every algorithm are used side by side, each in its own lane of the same sessions."""
    keys = [shared_token.seal_key(f"several-{algorithm}", algorithm) for algorithm in Algorithm]
    with Pkcs11KeyRoom.open(shared_token.settings, keys) as room:
        for key in keys:
            digests = _digests(20, key.algorithm)

            assert [] == invalid(key, digests, room.sign(key, digests))


def test_certificate_that_ended(token: SealToken) -> None:
    """Nothing is sealed outside the certificate's validity; another key's certificate is another matter."""
    now = datetime.now(UTC)
    ended = practice.Lifetime(now - timedelta(days=30), now - timedelta(days=1))
    old, new = token.seal_key("old", lifetime=ended), token.seal_key("new")
    with Pkcs11KeyRoom.open(token.settings, [old, new]) as room:
        assert "SEAL_CERTIFICATE_EXPIRED" == room.sign(old, _digests(1))[0].reason
        assert isinstance(room.sign(new, _digests(1))[0], bytes)

    with pytest.raises(SetupError, match="ended on"):
        Pkcs11KeyRoom.open(token.settings, [old])


def test_certificate_that_ends_while_the_service_runs(token: SealToken) -> None:
    """The clock decides at every signature, not only at start."""
    key = token.seal_key("k")
    today = [datetime.now(UTC)]
    with Pkcs11KeyRoom.open(token.settings, [key], clock=lambda: today[0]) as room:
        assert isinstance(room.sign(key, _digests(1))[0], bytes)
        today[0] += timedelta(days=400)

        assert "SEAL_CERTIFICATE_EXPIRED" == room.sign(key, _digests(1))[0].reason


def test_certificate_near_its_end(token: SealToken) -> None:
    """Thirty days before its end the log warns, once a day."""
    key = token.seal_key("k", lifetime=practice.Lifetime(not_after=datetime.now(UTC) + timedelta(days=29)))
    with capture_logs() as logs, Pkcs11KeyRoom.open(fast(token.settings), [key]):
        time.sleep(1)

    assert 1 == sum(entry["event"] == "seal_certificate_ends" for entry in logs)


def test_another_keys_certificate(shared_token: SealToken, shared_key: SealKey) -> None:
    """A certificate over another key is refused at start, whatever the label says."""
    other = shared_token.seal_key(f"other-{os.urandom(4).hex()}")

    with pytest.raises(SetupError) as caught:
        Pkcs11KeyRoom.open(shared_token.settings, [SealKey(shared_key.label, shared_key.algorithm, other.chain)])

    assert "KEY_CERTIFICATE_MISMATCH" == caught.value.reason


def test_certificate_for_another_algorithm(shared_token: SealToken, shared_key: SealKey) -> None:
    """A P-256 certificate cannot be configured for ES384 or RSA."""
    for algorithm in (Algorithm.ES384, Algorithm.PS256, Algorithm.RS256):
        with pytest.raises(SetupError) as caught:
            Pkcs11KeyRoom.open(shared_token.settings, [SealKey(shared_key.label, algorithm, shared_key.chain)])
        assert "KEY_ALGORITHM_MISMATCH" == caught.value.reason


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"module": "/nowhere/libpkcs11.so"}, "HSM_MODULE_NOT_LOADED"),
        ({"token_label": "absent"}, "HSM_TOKEN_NOT_FOUND"),
        ({"slot": 987654}, "HSM_TOKEN_NOT_FOUND"),
        ({"environment": {"SOFTHSM2_CONF": "/nowhere/softhsm2.conf"}}, "HSM_MODULE_NOT_STARTED"),
    ],
)
def test_hsm_that_is_absent(
    shared_token: SealToken, shared_key: SealKey, changes: dict[str, object], reason: str
) -> None:
    """A module, a token or a configuration that is not there is named, with what to do."""
    with pytest.raises(SetupError) as caught:
        Pkcs11KeyRoom.open(shared_token.having(**changes), [shared_key])

    assert reason == caught.value.reason
    assert len(caught.value.message) > 60


def test_private_key_without_public_object(token: SealToken) -> None:
    """Where the token holds private keys alone, a trial signature shows which of them is the certificate's."""
    key, other = token.seal_key("k"), token.seal_key("other")
    connection = Connection(token.settings, {})
    with connection.writing() as session:
        for public in list(session.get_objects({Attribute.CLASS: ObjectClass.PUBLIC_KEY})):
            public.destroy()
    connection.close()

    with Pkcs11KeyRoom.open(token.settings, [key]) as room:
        digests = _digests(3)
        assert [] == invalid(key, digests, room.sign(key, digests))
    with pytest.raises(SetupError, match="not the one"):
        Pkcs11KeyRoom.open(token.settings, [SealKey("k", Algorithm.ES256, other.chain)])


def test_private_key_alone_of_another_kind(token: SealToken) -> None:
    """Where the public key is missing too, a key of another kind or size is told as another key, not as a broken HSM."""
    key, other = token.seal_key("k"), token.seal_key("k384", Algorithm.ES384)
    connection = Connection(token.settings, {})
    with connection.writing() as session:
        for one in list(session.get_objects({Attribute.LABEL: "k"})):
            one.destroy()
        make_pair(session, "RSA", "k")[0].destroy()
        for public in list(session.get_objects({Attribute.CLASS: ObjectClass.PUBLIC_KEY, Attribute.LABEL: "k384"})):
            public.destroy()
    connection.close()

    for label, chain in (("k", key.chain), ("k384", key.chain)):
        with pytest.raises(SetupError) as caught:
            Pkcs11KeyRoom.open(token.settings, [SealKey(label, Algorithm.ES256, chain)])
        assert "KEY_CERTIFICATE_MISMATCH" == caught.value.reason
    Pkcs11KeyRoom.open(token.settings, [other]).close()


def test_close_under_load(shared_token: SealToken, shared_key: SealKey) -> None:
    """Closing finishes what is in the HSM, answers the rest, and leaves nothing behind: it can be opened again."""
    for _ in range(3):
        room = Pkcs11KeyRoom.open(fast(shared_token.settings), [shared_key])
        threads = threading.active_count()
        with Clients(room, shared_key, threads=6) as clients:
            assert clients.signs()
            room.close()
            assert wait_for(lambda: clients.errors["SHUTTING_DOWN"])
        assert threads > threading.active_count()


def test_two_rooms_share_a_module(shared_token: SealToken, shared_key: SealKey) -> None:
    """Two rooms on one token in one process share the module and the login; either may close first."""
    first = Pkcs11KeyRoom.open(shared_token.settings, [shared_key])
    second = Pkcs11KeyRoom.open(shared_token.settings, [shared_key])
    first.close()

    assert isinstance(second.sign(shared_key, _digests(1))[0], bytes)
    second.close()


def test_refusals_are_of_the_error_family(shared_token: SealToken, shared_key: SealKey) -> None:
    """What is no signature is an EsealError, so that it can be told to the caller."""
    room = Pkcs11KeyRoom.open(shared_token.settings, [shared_key])
    room.close()

    assert all(isinstance(answer, EsealError) for answer in room.sign(shared_key, _digests(3)))
    assert not room.healthy()


def test_settings_that_cannot_be() -> None:
    """A token that is not named, a PIN from two places or none, and unknown keys are refused."""
    good = {"module": "/m.so", "token_label": "t", "pin_env": "PIN"}
    HsmSettings.model_validate(good)
    for bad in ({"token_label": None}, {"pin_env": None}, {"pin_file": "/pin"}, {"pin": "1234"}):
        with pytest.raises(ValueError, match=r"name the token|where the PIN|not permitted"):
            HsmSettings.model_validate({**good, **bad})


def test_return_value_that_is_none() -> None:
    """A misspelt name under `busy` would never be met, so it is refused; a vendor's own number is taken."""
    good = {"module": "/m.so", "token_label": "t", "pin_env": "PIN"}
    settings = HsmSettings.model_validate({**good, "quirks": {"busy": ["CKR_FUNCTION_FAILED", "CKR_0x80000123"]}})

    assert settings.quirks.busy == ("CKR_FUNCTION_FAILED", "CKR_0x80000123")
    with pytest.raises(ValueError, match="'CKR_FUNCTION_FALED' is no return value that eseal knows"):
        HsmSettings.model_validate({**good, "quirks": {"busy": ["CKR_FUNCTION_FALED"]}})
