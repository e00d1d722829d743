"""A remote QSCD over the CSC API: every algorithm, both versions, and what a service may do wrong."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from eseal.errors import EsealError, Overloaded, SetupError, Unavailable
from eseal.hsm.csc.room import CscKeyRoom
from eseal.hsm.csc.settings import CscSettings
from eseal.terms import Algorithm, Lane, SealKey
from tests.harness.csc_service import CLIENT_ID, CLIENT_SECRET, KEYS, MULTISIGN, CscService, csc_service
from tests.harness.token import DIGEST_LENGTHS, invalid
from tests.hsm.conftest import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CscService]:
    """The strict service, once for this module."""
    with csc_service(tmp_path_factory.mktemp("csc")) as service:
        yield service


@pytest.fixture
def service(running: CscService) -> CscService:
    """The service, behaving until told otherwise."""
    running.order(
        fail={}, delay=0, wrong=False, fewer=False, pin=False, credential={}, accepts=CLIENT_SECRET, status=503,
        pin_error=None, token_answer=None,
    )  # fmt: skip
    running.secret_file.write_text(CLIENT_SECRET)
    return running


def settings_of(service: CscService, **changes: object) -> CscSettings:
    """What a client of the service configures."""
    return CscSettings.model_validate(
        {
            "url": service.url,
            "client_id": CLIENT_ID,
            "client_secret_file": service.secret_file,
            "probe_seconds": 0.1,
            "max_probe_seconds": 0.3,
            "request_seconds": 5,
        }
        | changes
    )


def digests_for(key: SealKey, count: int) -> list[bytes]:
    """Random digests as long as the key's algorithm has them."""
    return [os.urandom(DIGEST_LENGTHS[key.algorithm]) for _ in range(count)]


@pytest.mark.parametrize("api", ["v1", "v2"])
@pytest.mark.parametrize("name", list(KEYS))
def test_signs_with_every_algorithm(service: CscService, name: str, api: str) -> None:
    """Each algorithm over both versions, in the caller's order, with more digests than one authorization allows."""
    key = service.key(name)
    before = service.order()
    with CscKeyRoom.open(settings_of(service, api=api), [key]) as room:
        digests = digests_for(key, 2 * MULTISIGN + 3)

        answers = room.sign(key, digests)

    asked = service.order() - before
    assert [] == invalid(key, digests, answers)
    assert 3 == asked["authorize"] == asked["signHash"]
    assert len(digests) == asked["signatures"]


def test_the_dummy_as_it_is(tmp_path: Path) -> None:
    """certomancer-csc-dummy itself, version 1.0.4.0 without any authentication."""
    with csc_service(tmp_path, strict=False) as dummy:
        key = dummy.key("p256")
        with CscKeyRoom.open(CscSettings(url=dummy.url, api="v1"), [key]) as room:
            digests = digests_for(key, 12)
            assert [] == invalid(key, digests, room.sign(key, digests))


def test_callers_share_an_authorization(service: CscService) -> None:
    """Single digests that come within the window go out together."""
    key = service.key("p256")
    with CscKeyRoom.open(settings_of(service, window_seconds=0.3, connections=1), [key]) as room:
        before = service.order()
        wrong: list[object] = []

        def call() -> None:
            digests = digests_for(key, 1)
            wrong.extend(invalid(key, digests, room.sign(key, digests)))

        threads = [threading.Thread(target=call) for _ in range(MULTISIGN)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    asked = service.order() - before
    assert [] == wrong
    assert 1 == asked["authorize"]
    assert MULTISIGN == asked["signatures"]


def test_access_token_is_asked_for_once(service: CscService) -> None:
    """One token serves many requests, and an expired one is replaced without anyone noticing."""
    key = service.key("p256")
    with CscKeyRoom.open(settings_of(service), [key]) as room:
        before = service.order()
        for _ in range(5):
            assert isinstance(room.sign(key, digests_for(key, 1))[0], bytes)
        assert 0 == (service.order() - before)["token"]

        service.order(forget_tokens=True)

        assert isinstance(room.sign(key, digests_for(key, 1))[0], bytes)
        assert 1 == (service.order() - before)["token"]


@pytest.mark.parametrize("method", ["authorize", "signHash"])
def test_a_failure_is_tried_once_more(service: CscService, method: str) -> None:
    """A passing failure costs a new authorization, never an old one's second use."""
    key = service.key("p256")
    with CscKeyRoom.open(settings_of(service), [key]) as room:
        service.order(fail={method: 1})
        digests = digests_for(key, 3)

        assert [] == invalid(key, digests, room.sign(key, digests))


def test_circuit_opens_and_closes_by_itself(service: CscService) -> None:
    """After failures in a row nothing queues and callers know when to come again; when the service is back, so are we."""
    key = service.key("p256")
    with CscKeyRoom.open(settings_of(service, failures=2, probe_seconds=0.3), [key]) as room:
        service.order(fail={"authorize": 1000, "info": 1000})
        first = [room.sign(key, digests_for(key, 1))[0] for _ in range(2)]
        assert wait_for(lambda: not room.healthy())
        started = time.monotonic()
        (refused,) = room.sign(key, digests_for(key, 1))
        assert time.monotonic() - started < 0.5

        assert {"QSCD_FAILED"} == {answer.reason for answer in first}
        assert first[0].retry_after == 7
        assert "QSCD_AWAY" == refused.reason
        assert refused.retry_after > 0

        service.order(fail={})

        assert wait_for(room.healthy)
        assert isinstance(room.sign(key, digests_for(key, 1))[0], bytes)


def test_service_that_is_gone(tmp_path: Path) -> None:
    """A service that was killed is a passing failure; its successor on the same port is used without a restart of ours."""
    with csc_service(tmp_path) as service:
        key = service.key("p256")
        room = CscKeyRoom.open(settings_of(service, failures=1, request_seconds=1), [key])
    with room:
        assert "QSCD_FAILED" == room.sign(key, digests_for(key, 1))[0].reason
        assert wait_for(lambda: not room.healthy())


def test_deadline_is_kept(service: CscService) -> None:
    """A service that takes its time costs no caller more than its deadline."""
    key = service.key("p256")
    with CscKeyRoom.open(settings_of(service, connections=1, max_batch=1), [key]) as room:
        service.order(delay=1)
        started = time.monotonic()

        answers = room.sign(key, digests_for(key, 3), deadline=started + 0.4)

        assert time.monotonic() - started < 0.9
        assert isinstance(answers[0], Unavailable)
        assert all(isinstance(answer, Overloaded) for answer in answers[1:])
        service.order(delay=0)


def test_interactive_goes_first(service: CscService) -> None:
    """A single call overtakes a bulk batch that waits."""
    key = service.key("p256")
    with CscKeyRoom.open(settings_of(service, connections=1), [key]) as room:
        service.order(delay=0.05)
        bulk = threading.Thread(
            target=room.sign, args=(key, digests_for(key, 20 * MULTISIGN)), kwargs={"lane": Lane.BULK}
        )
        bulk.start()
        assert wait_for(lambda: room._lanes.depth(Lane.BULK) > 0)
        started = time.monotonic()

        assert isinstance(room.sign(key, digests_for(key, 1))[0], bytes)

        assert time.monotonic() - started < 1
        assert room._lanes.depth(Lane.BULK) > 0
        bulk.join()


@pytest.mark.parametrize("order", ["wrong", "fewer"])
def test_answers_that_do_not_fit(service: CscService, order: str) -> None:
    """Too few signatures are an error; wrong ones are handed on, for issuance to find (step 8)."""
    key = service.key("p256")
    with CscKeyRoom.open(settings_of(service), [key]) as room:
        service.order(**{order: True})
        digests = digests_for(key, 2)

        bad = invalid(key, digests, room.sign(key, digests))

    assert 2 == len(bad)
    assert all(isinstance(answer, EsealError if order == "fewer" else bytes) for answer in bad)


def test_wrong_secret_is_sent_once(service: CscService) -> None:
    """A refused client secret is not sent again until another one stands in its place; then the service is back."""
    key = service.key("p256")
    with CscKeyRoom.open(settings_of(service), [key]) as room:
        service.order(accepts="changed", forget_tokens=True)
        before = service.order()

        assert "QSCD_REFUSED" == room.sign(key, digests_for(key, 1))[0].reason
        assert wait_for(lambda: not room.healthy())
        time.sleep(0.5)
        assert 1 == (service.order() - before)["token"]

        service.secret_file.write_text("changed")

        assert wait_for(room.healthy)
        assert isinstance(room.sign(key, digests_for(key, 1))[0], bytes)


def test_wrong_secret_at_start(service: CscService) -> None:
    """The house does not open with a wrong secret, and says what to do."""
    service.secret_file.write_text("wrong")

    with pytest.raises(SetupError, match="refused our client id or secret"):
        CscKeyRoom.open(settings_of(service), [service.key("p256")])


def test_explicit_credential(service: CscService) -> None:
    """A credential that asks for a PIN gets it; without one the house does not open."""
    key = service.key("p256")
    service.order(pin=True, credential={"auth": {"mode": "explicit"}})

    with pytest.raises(SetupError, match="asks for a PIN"):
        CscKeyRoom.open(settings_of(service), [key])
    with CscKeyRoom.open(settings_of(service, pin_file=service.folder / "pin"), [key]) as room:
        assert isinstance(room.sign(key, digests_for(key, 1))[0], bytes)


@pytest.mark.parametrize(
    "said", [{"error": "invalid_pin"}, {"error": "invalid_request", "error_description": "Invalid parameter PIN"}]
)
def test_wrong_pin_is_sent_once(service: CscService, said: dict[str, str]) -> None:
    """A PIN that the service refused is not sent again, by callers or probes, until another one stands in its place."""
    key, pin = service.key("p256"), service.folder / "other-pin"
    pin.write_text("00000")
    service.order(pin=True, pin_error=said, credential={"auth": {"mode": "explicit"}})
    with CscKeyRoom.open(settings_of(service, pin_file=pin), [key]) as room:
        before = service.order()

        assert "QSCD_REFUSED" == room.sign(key, digests_for(key, 1))[0].reason
        assert wait_for(lambda: not room.healthy())
        time.sleep(0.5)
        room.sign(key, digests_for(key, 1))
        assert 1 == (service.order() - before)["authorize"]

        pin.write_text((service.folder / "pin").read_text())

        assert wait_for(room.healthy)
        assert isinstance(room.sign(key, digests_for(key, 1))[0], bytes)


def test_wrong_pin_is_sent_once_by_many_connections(service: CscService) -> None:
    """Connections that ask at the same moment have one attempt in all."""
    key, pin = service.key("p256"), service.folder / "other-pin"
    pin.write_text("00000")
    service.order(pin=True, delay=0.2, credential={"auth": {"mode": "explicit"}})
    with CscKeyRoom.open(settings_of(service, pin_file=pin, window_seconds=0, connections=4), [key]) as room:
        before = service.order()

        answers = room.sign(key, digests_for(key, 4 * MULTISIGN))

    assert {"QSCD_REFUSED"} == {answer.reason for answer in answers}
    assert 1 == (service.order() - before)["authorize"]


def test_refusal_that_is_not_of_the_pin(service: CscService) -> None:
    """What the service refuses for another cause says nothing about the PIN: the next seal sends it again."""
    key = service.key("p256")
    service.order(pin=True, credential={"auth": {"mode": "explicit"}})
    with CscKeyRoom.open(settings_of(service, pin_file=service.folder / "pin"), [key]) as room:
        service.order(fail={"authorize": 1}, status=403)

        assert "QSCD_REFUSED" == room.sign(key, digests_for(key, 1))[0].reason
        assert room.healthy()
        assert isinstance(room.sign(key, digests_for(key, 1))[0], bytes)


@pytest.mark.parametrize("answer", [{"token_type": "Bearer"}, {"access_token": None}, {"access_token": 5}, [], "x"])
def test_token_answer_without_a_token(service: CscService, answer: object) -> None:
    """An answer without an access token is one more failure: the circuit opens, and closes when there are tokens again."""
    key = service.key("p256")
    with CscKeyRoom.open(settings_of(service, failures=1), [key]) as room:
        service.order(token_answer=answer, forget_tokens=True)
        assert "unreadable_answer" == room.sign(key, digests_for(key, 1))[0].metadata["cause"]
        assert wait_for(lambda: not room.healthy())
        time.sleep(0.5)  # several probes
        with pytest.raises(SetupError, match="unreadable_answer"):
            CscKeyRoom.open(settings_of(service), [key])
        service.order(token_answer=None)

        assert wait_for(room.healthy)
        assert isinstance(room.sign(key, digests_for(key, 1))[0], bytes)


def test_our_own_fault_while_probing(service: CscService, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody foresaw in a probe does not end the probing."""
    key = service.key("p256")

    def fail(credential_id: str) -> None:
        raise ZeroDivisionError

    with CscKeyRoom.open(settings_of(service, failures=1), [key]) as room:
        monkeypatch.setattr(room._service, "probe", fail)
        service.order(fail={"authorize": 2})
        assert "QSCD_FAILED" == room.sign(key, digests_for(key, 1))[0].reason
        time.sleep(0.5)
        assert not room.healthy()
        monkeypatch.undo()

        assert wait_for(room.healthy)


@pytest.mark.parametrize(
    ("credential", "said"),
    [
        ({"key": {"status": "disabled", "algo": ["1.2.840.10045.4.3.2"]}}, "is disabled"),
        ({"key": {"status": "enabled", "algo": ["1.2.840.10045.4.3.4"]}}, "does not sign with ES256"),
        ({"cert": {"certificates": ["MAA="]}}, "has another certificate"),
        ({"auth": {"mode": "oauth2code"}}, "needs a person at every seal"),
        ({"key": 5}, "unreadable_answer"),
        ({"cert": {"certificates": ["%"]}}, "unreadable_answer"),
    ],
)
def test_credential_is_checked_at_start(service: CscService, credential: dict[str, object], said: str) -> None:
    """A credential that cannot seal by itself with the configured certificate is refused, and the message says why."""
    service.order(credential=credential)

    with pytest.raises(SetupError, match=said):
        CscKeyRoom.open(settings_of(service), [service.key("p256")])


def test_unknown_credential(service: CscService) -> None:
    """A label that the service does not know is named."""
    key = service.key("p256")
    unknown = SealKey("seal/nobody", Algorithm.ES256, key.chain)

    with pytest.raises(SetupError, match="seal key 'seal/nobody'"):
        CscKeyRoom.open(settings_of(service), [unknown])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"url": "http://qtsp.example"}, "https"),
        ({"token_url": "http://qtsp.example/token"}, "https"),
        ({"client_id": None}, "belong together"),
        ({"certificate": "tls.pem"}, "belong together"),
        ({"secret": "x"}, "Extra inputs"),
    ],
)
def test_settings_that_do_not_go_together(changes: dict[str, object], said: str) -> None:
    """Secrets go over TLS or not at all, and half a pair is refused."""
    good = {"url": "https://qtsp.example", "client_id": "eseal", "client_secret_file": "secret"}

    with pytest.raises(ValidationError, match=said):
        CscSettings.model_validate(good | changes)
