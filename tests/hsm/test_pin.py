"""The PIN: one attempt, by whichever process, and never a retry that could lock the token."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from eseal.errors import SetupError
from eseal.hsm import Pkcs11KeyRoom, generate_key
from eseal.terms import Algorithm
from tests.hsm.conftest import fast

if TYPE_CHECKING:
    from eseal.hsm import HsmSettings
    from eseal.terms import SealKey
    from tests.harness.shim import Shim
    from tests.harness.token import SealToken

USER_PIN_COUNT_LOW, USER_PIN_FINAL_TRY, USER_PIN_LOCKED = 0x10000, 0x20000, 0x40000


def _refusal(settings: HsmSettings, key: SealKey) -> SetupError:
    with pytest.raises(SetupError) as caught:
        Pkcs11KeyRoom.open(settings, [key])
    return caught.value


def test_wrong_pin_is_tried_once(token: SealToken, shim: Shim) -> None:
    """A wrong PIN is refused after one attempt, over restarts as well; the right one in its place works at once."""
    key = token.seal_key("k")
    settings = fast(shim.before(token.settings))
    right = settings.pin_file.read_text()
    settings.pin_file.write_text("86420")
    logins = shim.counted("logins")

    refusals = [_refusal(settings, key) for _ in range(3)]

    assert {"HSM_PIN_INCORRECT"} == {refusal.reason for refusal in refusals}
    assert not any("86420" in refusal.message for refusal in refusals)
    assert logins + 1 == shim.counted("logins")
    settings.pin_file.write_text(right)
    Pkcs11KeyRoom.open(settings, [key]).close()


def test_wrong_pin_is_tried_once_by_many_processes(token: SealToken) -> None:
    """Worker processes that start together have one attempt in all."""
    token.seal_key("k")
    token.settings.pin_file.write_text("86420")
    program = (
        "import sys; from eseal.hsm import HsmSettings, generate_key;"
        "generate_key(HsmSettings.model_validate_json(sys.argv[1]), 'x', 'ES256')"
    )
    command = [sys.executable, "-c", program, token.settings.model_dump_json()]

    workers = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    said = [worker.communicate()[1] for worker in workers]

    assert all("CKR_PIN_INCORRECT" in text for text in said)
    assert 2 == sum("pin.refused remembers it: remove it" in text for text in said)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (0xA0, "HSM_PIN_INCORRECT"),
        (0xA3, "HSM_PIN_EXPIRED"),
        (0xA4, "HSM_PIN_LOCKED"),
        (0x102, "HSM_PIN_NOT_INITIALIZED"),
    ],
)
def test_each_refusal_has_its_own_words(token: SealToken, shim: Shim, code: int, reason: str) -> None:
    """A wrong, an expired, a locked and an absent PIN ask for different acts."""
    key = token.seal_key("k")
    shim.set(login_fail_with=code)

    assert reason == _refusal(shim.before(token.settings), key).reason


@pytest.mark.parametrize(
    ("code", "reason", "attempts"),
    [
        (0xA0, "HSM_PIN_INCORRECT", 1),
        (0xA3, "HSM_PIN_EXPIRED", 2),
        (0xA4, "HSM_PIN_LOCKED", 1),
        (0x102, "HSM_PIN_NOT_INITIALIZED", 2),
    ],
)
def test_refusal_is_remembered_by_its_reason(
    token: SealToken, shim: Shim, code: int, reason: str, attempts: int
) -> None:
    """The next start says the same again; what says nothing against the PIN is asked again, and is over when it is."""
    key, settings = token.seal_key("k"), shim.before(token.settings)
    guard = settings.pin_file.with_name("pin.refused")
    shim.set(login_fail_with=code)
    logins = shim.counted("logins")

    said = [_refusal(settings, key) for _ in range(2)]

    assert [reason] * 2 == [refusal.reason for refusal in said]
    assert logins + attempts == shim.counted("logins")
    assert (attempts == 1) == (f"The file {guard} remembers it" in said[1].message)
    shim.set(login_fail_with=0)
    if attempts == 1:
        guard.unlink()
    Pkcs11KeyRoom.open(settings, [key]).close()


def test_pin_from_the_environment_has_no_guard(token: SealToken, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each start would try a wrong PIN again, so the log warns; a file that is named guards it as any other."""
    key = token.seal_key("k")
    monkeypatch.setenv("ESEAL_TEST_PIN", token.settings.pin())
    unguarded = token.having(pin_file=None, pin_env="ESEAL_TEST_PIN")
    warned = []
    for settings in (unguarded, unguarded.model_copy(update={"pin_guard": token.settings.pin_file.with_name("guard")})):
        with capture_logs() as logs:
            Pkcs11KeyRoom.open(settings, [key]).close()
        warned.append(any(entry["event"] == "hsm_pin_unguarded" for entry in logs))

    assert [True, False] == warned


@pytest.mark.parametrize(
    ("flag", "reason"), [(USER_PIN_FINAL_TRY, "HSM_PIN_FINAL_TRY"), (USER_PIN_LOCKED, "HSM_PIN_LOCKED")]
)
def test_last_attempt_is_a_persons(token: SealToken, shim: Shim, flag: int, reason: str) -> None:
    """Where the token says that one attempt or none is left, none is made."""
    key = token.seal_key("k")
    shim.set(pin_flags=flag)
    logins = shim.counted("logins")

    assert reason == _refusal(shim.before(token.settings), key).reason
    assert logins == shim.counted("logins")


def test_earlier_mistake_does_not_forbid(token: SealToken, shim: Shim) -> None:
    """CKF_USER_PIN_COUNT_LOW alone says that somebody mistyped; the right PIN logs in and clears it."""
    key = token.seal_key("k")
    shim.set(pin_flags=USER_PIN_COUNT_LOW)

    Pkcs11KeyRoom.open(shim.before(token.settings), [key]).close()


def test_pin_that_is_not_there(token: SealToken) -> None:
    """A missing file, an empty one and an unset variable are told apart from a wrong PIN, by their name."""
    missing = token.having(pin_file=token.settings.pin_file.with_name("nowhere"))
    unset = token.having(pin_file=None, pin_env="ESEAL_TEST_NO_SUCH_PIN")

    for settings, named in ((missing, "nowhere"), (unset, "ESEAL_TEST_NO_SUCH_PIN")):
        with pytest.raises(SetupError, match=named) as caught:
            generate_key(settings, "k", Algorithm.ES256)
        assert "HSM_PIN_MISSING" == caught.value.reason


def test_user_of_the_vendors_own(token: SealToken, shim: Shim) -> None:
    """`user_type` is who logs in: Luna's Crypto User has a number of its own."""
    key = token.seal_key("k")
    quirks = token.settings.quirks.model_copy(update={"user_type": 0x80000001})
    with Pkcs11KeyRoom.open(fast(shim.before(token.settings), quirks=quirks), [key]) as room:
        assert room.healthy()

    assert shim.counted("user_type") == 0x80000001
