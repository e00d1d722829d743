"""The typed stub is the extension's contract: it says what the binary has, no more and no less."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ALLOWED = Path(__file__).with_name("stub-allowlist.txt")
SERVER = Path(__file__).resolve().parents[2] / "server"


def test_stub_is_the_binarys() -> None:
    """Mypy's stubtest finds no name, argument or default on one side that the other lacks."""
    done = subprocess.run(
        [sys.executable, "-m", "mypy.stubtest", "eseal.sealcore", "--ignore-disjoint-bases", "--allowlist", ALLOWED],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"MYPYPATH": str(SERVER)},
    )

    assert 0 == done.returncode, done.stdout + done.stderr
