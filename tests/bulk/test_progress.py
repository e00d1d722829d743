"""What a person at a terminal sees while `eseal bulk` runs."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import termios
from typing import TYPE_CHECKING

from tests.bulk.site import EXAMPLE, class_list
from tests.harness.server import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.harness.server import RunningServer

LEARNERS = 800
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
# A line of the bar: how many of all, how many a second, how long it still takes.
_BAR = re.compile(rf"(\d+)/{LEARNERS} +(\d+)/s +(\d:\d\d:\d\d)")


def seen(terminal: int) -> str:
    """Everything that is written to a terminal until nobody has it open any more, without colours and movements."""
    shown = bytearray()
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:
            # Linux says end of file like this.
            part = b""
        if not part:
            return _CONTROL.sub("", shown.decode())
        shown += part


def test_a_bar_for_a_person(server: RunningServer, tmp_path: Path) -> None:
    """On a terminal there is a bar with the count, the rate and the time left, which grows; the summary is last."""
    learners = class_list(tmp_path / "learners.csv", LEARNERS)
    identity = server.practice.folder / "callers/dcu"
    command = ["bulk", "issue", "--course", EXAMPLE / "course.toml", "--learners", learners, "--out", tmp_path / "out"]
    options = ["--identity", identity, "--server", server.target, "--streams", "1", "--batch", "5", "--window", "1"]
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 100))
    running = subprocess.Popen(
        [sys.executable, "-m", "eseal", *map(str, [*command, *options])],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=ROOT,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "100"},
    )
    os.close(theirs)
    screen = seen(ours)
    os.close(ours)

    assert 0 == running.wait(timeout=30), screen
    bars = [(int(count), int(rate), left) for count, rate, left in _BAR.findall(screen)]
    counts = [count for count, _, _ in bars]
    assert counts == sorted(counts)
    assert 1 < len(set(counts)), screen
    assert all(0 < rate for _, rate, _ in bars)
    assert f"{LEARNERS} sealed: " in screen[screen.rindex(f"/{LEARNERS}") :], screen
