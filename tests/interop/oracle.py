"""The EU's own validator (DSS) as a function: files in, what it found out. Built with Maven where it is not yet."""

from __future__ import annotations

import json
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_PROJECT = Path(__file__).parent / "dss"
_JAR = _PROJECT / "target/dss-oracle/dss-oracle.jar"
_SOURCES = (_PROJECT / "pom.xml", _PROJECT / "src/main/java/eseal/interop/Oracle.java")
_BUILD_SECONDS = 600
_RUN_SECONDS = 300


def dss(
    files: Sequence[Path], *, anchors: Iterable[Path] = (), contents: Iterable[Path] = (), at: str = ""
) -> list[dict[str, Any]]:
    """Ask DSS about each file; one answer a file, in order. ``at`` is an ISO instant."""
    options = [word for path in anchors for word in ("--anchor", str(path))]
    options += [word for path in contents for word in ("--content", str(path))]
    options += ["--at", at] if at else []
    command = ["java", "-jar", str(_built()), *options, *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_RUN_SECONDS, check=False)
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [str(path) for path in files] == [answer["file"] for answer in answers]
    return answers


@lru_cache(maxsize=1)
def _built() -> Path:
    if shutil.which("java") is None or shutil.which("mvn") is None:
        pytest.skip("DSS needs Java 17 and Maven.")
    if not _JAR.exists() or _JAR.stat().st_mtime < max(source.stat().st_mtime for source in _SOURCES):
        command = ["mvn", "-q", "-B", "package"]
        done = subprocess.run(
            command, cwd=_PROJECT, capture_output=True, text=True, timeout=_BUILD_SECONDS, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
    return _JAR
