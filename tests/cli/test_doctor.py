"""``eseal doctor`` says what it found as it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typer.testing import CliRunner

from eseal.cli import app
from tests.harness.server import practice_set

if TYPE_CHECKING:
    from pathlib import Path


def test_brackets_are_shown(tmp_path: Path) -> None:
    """Labels and faults with brackets in them are no markup: a label looks as in the token, a table keeps its name."""
    practice = practice_set(tmp_path / "set")
    practice.configure(('label = "seal-1"', 'label = "seal[/1]"'))
    labelled = CliRunner().invoke(app, ["doctor", "--config", str(practice.config)], env={"COLUMNS": "300"})
    text = practice.config.read_text()
    practice.config.write_text(text[: text.index("[hsm]")] + text[text.index("[[keys]]") :])
    without = CliRunner().invoke(app, ["doctor", "--config", str(practice.config)], env={"COLUMNS": "300"})

    assert 1 == labelled.exit_code
    assert "certificate of seal[/1]" in labelled.output
    assert "no private key with the label 'seal[/1]'" in labelled.output
    assert 1 == without.exit_code
    assert "either [hsm] or [qscd]" in without.output
