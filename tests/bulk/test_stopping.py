"""Ctrl-C and SIGTERM where `eseal bulk` is not in the middle of a run (test_command.py has that)."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from tests.bulk.site import EXAMPLE
from tests.harness.server import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.harness.server import RunningServer

COURSE = EXAMPLE / "course.toml"
SIGNALS = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
# The command with a folder that sends itself a signal while results.csv is put in order.
STOPPED_AT_THE_END = """
import signal, sys
from eseal.bulk.folder import Folder
from eseal.cli import main
number = int(sys.argv.pop(1))
Folder.finish = lambda folder: signal.raise_signal(number)
main()
"""


def started(server: RunningServer, learners: Path, *options: object, target: str = "") -> subprocess.Popen[str]:
    """Start ``eseal bulk issue`` as a process of its own."""
    return process(["-m", "eseal"], server, learners, *options, target=target)


def process(
    program: list[str], server: RunningServer, learners: Path, *options: object, target: str = ""
) -> subprocess.Popen[str]:
    """Start ``program``, which is the command line, with a class list to issue."""
    identity = server.practice.folder / "callers/dcu"
    command = ["bulk", "issue", "--course", COURSE, "--learners", learners, "--identity", identity]
    return subprocess.Popen(
        [sys.executable, *program, *map(str, [*command, "--server", target or server.target, *options])],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def ended(running: subprocess.Popen[str]) -> tuple[int, str, str]:
    """How it ended, and what it said."""
    said, complaint = running.communicate(timeout=30)
    return running.returncode, said, complaint


@SIGNALS
@pytest.mark.parametrize("done", ["sent", "sealed"])
def test_while_the_list_is_read(server: RunningServer, tmp_path: Path, number: signal.Signals, done: str) -> None:
    """Exit status 3, and one sentence that says that nothing was done; there is no output folder yet."""
    learners = tmp_path / "learners.csv"
    os.mkfifo(learners)
    running = started(server, learners, *(["--check"] if done == "sealed" else ["--out", tmp_path / "out"]))
    end = None
    while end is None:
        # Only once the list is being read can anybody write into it.
        assert running.poll() is None, running.communicate()
        with suppress(OSError):
            end = os.open(learners, os.O_WRONLY | os.O_NONBLOCK)
        time.sleep(0.01)
    running.send_signal(number)

    assert (3, "", f"Stopped. Nothing was {done}. Run the same command again.\n") == ended(running)
    assert not (tmp_path / "out").exists()
    os.close(end)


@SIGNALS
def test_while_the_server_is_asked(server: RunningServer, number: signal.Signals) -> None:
    """A dry run that waits for a server which says nothing: exit status 3 and one sentence."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(30)
        target = f"127.0.0.1:{silent.getsockname()[1]}"
        running = started(server, EXAMPLE / "learners.csv", "--check", target=target)
        asking, _ = silent.accept()
        running.send_signal(number)
        done = ended(running)
        asking.close()

    assert (3, "", "Stopped. Nothing was sealed. Run the same command again.\n") == done


@SIGNALS
def test_after_the_last_answer(server: RunningServer, tmp_path: Path, number: signal.Signals) -> None:
    """What was sealed is in the folder; exit status 3, and the same command again finds it there."""
    program = ["-c", STOPPED_AT_THE_END, str(int(number))]
    done = ended(process(program, server, EXAMPLE / "learners.csv", "--out", tmp_path / "out"))
    status, said, _ = ended(started(server, EXAMPLE / "learners.csv", "--out", tmp_path / "out"))

    assert (3, "", "Stopped. What is there is whole. Run the same command again.\n") == done
    assert 0 == status
    assert "4 were there already" in said
