"""The PKCS#11 module that misbehaves on command (tests/hsm/shim), built once a run."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from eseal.hsm import HsmSettings

SOURCE = Path(__file__).resolve().parents[1] / "hsm/shim/shim.c"
SETTINGS = (
    "delay_us",
    "remote",
    "fail_every",
    "fail_with",
    "fail_once_with",
    "wrong_every",
    "hang",
    "open_hang",
    "max_sessions",
    "max_rw_sessions",
    "open_fail_with",
    "opens_left",
    "login_fail_with",
    "pin_flags",
)


def build(directory: Path) -> Path:
    """Compile the shim into ``directory``; skips where there is no C compiler."""
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None:
        pytest.skip("no C compiler")
    built = directory / "shim.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", built, SOURCE, "-ldl", "-lpthread"], check=True)
    return built


class Shim:
    """The shim as this process has it loaded."""

    def __init__(self, path: Path, behind: Path) -> None:
        os.environ["ESEAL_SHIM_MODULE"] = str(behind)
        self.path = path
        self._library = ctypes.CDLL(str(path))
        self._library.shim_get.restype = ctypes.c_long
        self._library.C_GetFunctionList(ctypes.byref(ctypes.c_void_p()))

    def before(self, settings: HsmSettings) -> HsmSettings:
        """The same token, through the shim."""
        return settings.model_copy(update={"module": self.path})

    def set(self, **values: int) -> None:
        """Misbehave from now on. Settings change one after the other, under calls that run: what sets them off goes last."""
        for name, value in values.items():
            self._library.shim_set(name.encode(), ctypes.c_long(value))

    def counted(self, name: str) -> int:
        """A setting or counter."""
        return int(self._library.shim_get(name.encode()))

    def behave(self) -> None:
        """Take every setting back, and let go of the calls that hang."""
        self.set(**dict.fromkeys(SETTINGS, 0))
