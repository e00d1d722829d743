"""The configuration file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from eseal.config import load
from eseal.errors import SetupError

if TYPE_CHECKING:
    from pathlib import Path

MINIMAL = """
[server]
[server.plaintext]
caller = "spiffe://x"
[hsm]
module = "lib.so"
token_label = "t"
pin_env = "PIN"
[[keys]]
label = "k"
algorithm = "ES256"
certificate_chain = "chain.pem"
[mandate]
register = "register"
"""


def _load(folder: Path, text: str) -> object:
    path = folder / "eseal.toml"
    path.write_text(text)
    return load(path)


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    """Relative paths and the SQLite file are taken from the configuration's own folder; absolute ones stay."""
    config = _load(tmp_path, MINIMAL.replace('"register"', '"/srv/register"'))

    assert tmp_path / "chain.pem" == config.keys[0].certificate_chain
    assert f"sqlite:///{tmp_path}/ledger.db" == config.ledger.url
    assert "/srv/register" == str(config.mandate.register_folder)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[hsm]", "[hsm]\ncolour = 1", "hsm.colour"),
        ("[mandate]", "[mandat]", "mandat"),
        ('pin_env = "PIN"', "", "pin"),
        ('algorithm = "ES256"', 'algorithm = "EdDSA"', "keys.0.algorithm"),
        ("[server]", '[server]\nlisten = "0.0.0.0:1"', "loopback"),
        ("[server.plaintext]\ncaller", "[server.tls]\ncertificate", "server"),
        ("[server]", "[server", "TOML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    """An unknown key, a missing one, a wrong value: each is named."""
    with pytest.raises(SetupError) as caught:
        _load(tmp_path, MINIMAL.replace(old, new))

    assert said in caught.value.message


def test_absent_file(tmp_path: Path) -> None:
    """A configuration that is not there is said so."""
    with pytest.raises(SetupError, match="Cannot read"):
        load(tmp_path / "none.toml")
