"""A SoftHSM token to practise with, in a directory of its own. A practice token protects nothing."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from eseal.errors import SetupError
from eseal.hsm.settings import HsmSettings

_MODULES = (
    Path("/usr/lib/softhsm/libsofthsm2.so"),
    Path("/usr/lib64/softhsm/libsofthsm.so"),
    Path("/usr/lib64/pkcs11/libsofthsm2.so"),
    Path("/usr/local/lib/softhsm/libsofthsm2.so"),
    Path("/opt/homebrew/lib/softhsm/libsofthsm2.so"),
)


def softhsm_module() -> Path:
    """Where SoftHSM's PKCS#11 library is on this machine. SetupError where it is not installed."""
    for path in _MODULES:
        if path.exists():
            return path
    raise SetupError("SOFTHSM_MISSING", "SoftHSM is not installed: on Debian and Ubuntu, apt-get install softhsm2.")


def practice_token(
    directory: Path, *, label: str = "eseal practice", pin: str = "1234", sessions: int = 4
) -> HsmSettings:
    """Make a SoftHSM token in ``directory``: softhsm2.conf, tokens/ and the file pin; the settings that open it.

    SetupError where SoftHSM is not installed or the directory holds a token already.
    """
    module = softhsm_module()
    tokens = directory / "tokens"
    configuration = directory / "softhsm2.conf"
    if configuration.exists():
        raise SetupError("TOKEN_EXISTS", f"{directory} holds a practice token already; remove it or name another one.")
    tokens.mkdir(parents=True, mode=0o700)
    configuration.write_text(
        f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n",
        encoding="utf-8",
    )
    pin_file = directory / "pin"
    pin_file.touch(mode=0o600)
    pin_file.write_text(f"{pin}\n", encoding="utf-8")
    environment = {"SOFTHSM2_CONF": str(configuration)}
    init_token(environment, label=label, pin=pin)
    return HsmSettings(module=module, token_label=label, pin_file=pin_file, environment=environment, sessions=sessions)


def init_token(environment: dict[str, str], *, label: str, pin: str, slot: str = "") -> None:
    """Initialise a SoftHSM token: a free one, or the one in ``slot``, whose keys are lost. SetupError where that fails."""
    tool = shutil.which("softhsm2-util")
    if tool is None:
        raise SetupError(
            "SOFTHSM_MISSING", "softhsm2-util is not installed: on Debian and Ubuntu, apt-get install softhsm2."
        )
    place = ("--slot", slot) if slot else ("--free",)
    # A practice token's security officer never does anything, so its PIN may be the user's, padded to the least length.
    command = (tool, "--init-token", *place, "--label", label, "--pin", pin, "--so-pin", pin.rjust(8, "0"))
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - our own arguments
    if done.returncode:
        raise SetupError("TOKEN_NOT_MADE", f"softhsm2-util could not make a token: {done.stderr.strip()}.")
