"""Whatever people write into a register's files, it loads or its problems are told: never anything else."""

from __future__ import annotations

import random
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
import tomlkit

from eseal.mandate.problems import InvalidRegister
from eseal.mandate.register import Register

from .house import files, write

if TYPE_CHECKING:
    from pathlib import Path

VALUES = [
    '""', '"x"', "0", "-1", "1.5", "nan", "inf", "1e400", "99999999999999999999", "true", "[]", "[[]]", "{}", "{ a = 1 }",
    "0001-01-01", "9999-12-31", "2026-02-29", "2026-01-01T00:00:00Z", "12:00:00", '"any"', '["any"]', '["en", "en"]', '[1, "a"]',
    '"north"', '"faculty"', '"north-2026"', '"NTRNL-"', '"../x.pdf"', '"/x.pdf"', '"Europe/.."', '"Factory"', '"\\u212a"',
    '"\\u0000"', '"x\\n"', f'"{"a" * 5000}"', "{ lowest = 1, highest = 8 }", "{ daily = 0 }",
]  # fmt: skip
NAMES = ["a.toml", "b.toml.jws", "c.pdf", "d.pem", ".hidden", "README.md", "é.toml", "a b.toml"]
FOLDERS = ["", "members/", "mandates/", "status/", "agreements/", "certificates/", "x/"]
STATUS = b'mandate = "north-2026"\n\n[[suspension]]\nvalid_from = 2026-01-01\nvalid_until = 2026-01-02\nreason = "y"\n'
MORE = b"""
[[sub_mandate]]
id = "fac"
member = "faculty"
valid_from = 2026-01-01
[sub_mandate.scope]
isced_f = ["07"]
[[accreditation]]
id = "http://data.europa.eu/snb/data/accreditation/x"
date_issued = 2026-01-01
limit_jurisdictions = ["IRL"]
"""


def _register() -> dict[str, bytes]:
    texts = {name: one if isinstance(one, bytes) else tomlkit.dumps(one).encode() for name, one in files().items()}
    texts["members/north.toml"] += MORE
    return {**texts, "status/n.toml": STATUS}


def _spoil(texts: dict[str, bytes], chance: random.Random) -> None:
    """Change a line, a byte or a file's name, or take a file away."""
    name = chance.choice(list(texts))
    lines = texts[name].split(b"\n")
    place = chance.randrange(len(lines))
    match chance.choice(["value", "value", "value", "line", "cut", "byte", "copy", "gone"]):
        case "value":
            lines[place] = lines[place].split(b"=")[0] + b"= " + chance.choice(VALUES).encode()
        case "line":
            lines.insert(place, chance.choice(lines))
        case "cut":
            lines[place] = lines[place][: chance.randrange(len(lines[place]) + 1)]
        case "byte" if lines[place]:
            line = bytearray(lines[place])
            line[chance.randrange(len(line))] ^= 1 << chance.randrange(8)
            lines[place] = bytes(line)
        case "copy":
            texts[chance.choice(FOLDERS) + chance.choice(NAMES)] = texts[name]
        case "gone":
            del texts[name]
            return
    texts[name] = b"\n".join(lines)


@pytest.mark.parametrize("seed", [*range(4), *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(4, 60))])
def test_any_register_loads_or_tells_why(tmp_path: Path, seed: int) -> None:
    """Each problem has a file and a line in it."""
    chance = random.Random(seed)  # noqa: S311 - the same registers on every run
    for number in range(40):
        texts = _register()
        for _ in range(chance.choice([1, 1, 2, 3])):
            _spoil(texts, chance)
        folder = write(tmp_path / str(number), texts)
        with suppress(InvalidRegister):
            Register.load(folder)
            continue
        assert _problems(folder)


def _problems(folder: Path) -> bool:
    with pytest.raises(InvalidRegister) as told:
        Register.load(folder)
    return all(one.file and one.line >= 1 and one.message for one in told.value.problems)
