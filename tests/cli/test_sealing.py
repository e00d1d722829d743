"""`eseal issue` and `eseal seal` in the hands of a clumsy person: exit status 2, one sentence, no traceback."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from eseal.cli import app
from eseal.cli.sealing import _free_path

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "arguments",
    [
        ["issue", "absent.json", "absent.json", "--identity", "."],
        ["seal", "absent.json", "--identity", "."],
        ["seal", ".", "--identity", "."],
        ["seal", "FILE", "--identity", "absent"],
        ["seal", "FILE", "--identity", "."],
        ["seal", "FILE", "--identity", ".", "--out", "FILE"],
        ["serve", "--config", "absent.toml"],
        ["doctor", "--config", "absent.toml"],
        ["dev", "init", "FILE"],
        ["dev", "init", "new", "--listen", "foo"],
        ["dev", "init", "new", "--metrics", "127.0.0.1:99999"],
    ],
)
def test_misuse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    """What cannot be done as asked is exit status 2, before anything is done."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "FILE").write_text("{}")

    done = CliRunner().invoke(app, arguments)

    assert 2 == done.exit_code, done.output
    assert not (tmp_path / "new").exists() or not any((tmp_path / "new").iterdir())


def test_nothing_is_written_over(tmp_path: Path) -> None:
    """Another seal of the same credential goes beside the first; the same bytes go where they are."""
    path = tmp_path / "a.jsonld"
    path.write_bytes(b"one")

    assert path == _free_path(path, b"one")
    assert tmp_path / "a.2.jsonld" == _free_path(path, b"two")
