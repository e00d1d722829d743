"""A running server, a course and a way to run ``eseal bulk`` as a person does."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest
from typer.testing import CliRunner

from eseal.bulk.course import read_course
from eseal.cli import app
from tests.bulk.site import EXAMPLE
from tests.harness.server import RunningServer, practice_set, running_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from eseal_client import MicroCredential

    Bulk = Callable[..., "Done"]


class Done(NamedTuple):
    """How a command ended, and what it said."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server on a practice set."""
    with running_server(practice_set(tmp_path_factory.mktemp("bulk") / "set")) as running:
        yield running


@pytest.fixture(scope="session")
def course() -> MicroCredential:
    """The ECIU example."""
    return read_course(EXAMPLE / "course.toml")


@pytest.fixture
def bulk(server: RunningServer) -> Bulk:
    """Run ``eseal bulk`` against the server, as a member's back end."""

    def run(*arguments: object, member: str = "dcu", target: str = "") -> Done:
        identity = server.practice.folder / "callers" / member
        command = ["bulk", *arguments, "--identity", identity, "--server", target or server.target]
        done = CliRunner().invoke(app, list(map(str, command)))
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
        return Done(done.exit_code, done.stdout, done.stderr)

    return run


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a class list of these lines."""

    def written(*lines: str, name: str = "learners.csv") -> Path:
        path = tmp_path / name
        path.write_text("".join(f"{line}\r\n" for line in lines), encoding="utf-8", newline="")
        return path

    return written
