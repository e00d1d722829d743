"""The protected header that we seal with."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from eseal import sealcore
from eseal.errors import NotBuilt
from eseal.jades.header import ClaimedTime, protected_header
from eseal.jades.levels import reached, require_built
from eseal.terms import Level, SealKey
from tests.harness.soft_seal import SoftSealer

AT = datetime(2026, 1, 31, 12, 0, 0, 999_999, tzinfo=UTC)


@pytest.fixture(scope="module")
def sealer() -> SoftSealer:
    """Return a sealer with an ES256 key."""
    return SoftSealer()


def _decoded(protected: str) -> dict[str, object]:
    return json.loads(sealcore.base64url_decode(protected))


def test_members_in_the_order_of_the_profile(sealer: SoftSealer) -> None:
    """The header has the members of the proven profile, in order, and nothing else."""
    header = _decoded(sealer.header(AT))

    assert ["alg", "cty", "x5t#S256", "x5c", "typ", "b64", "iat", "crit"] == list(header)
    assert ("ES256", "vc+ld+json", "jose+json", False) == tuple(header[name] for name in ("alg", "cty", "typ", "b64"))
    assert (int(AT.timestamp()), ["b64"]) == (header["iat"], header["crit"])


def test_older_viewers_get_sigt(sealer: SoftSealer) -> None:
    """Asked for sigT, the header has it in UTC, names it in crit, and has no iat."""
    abroad = AT.astimezone(timezone(timedelta(hours=2)))
    header = _decoded(sealer.header(abroad, ClaimedTime.SIGT))

    assert ("2026-01-31T12:00:00Z", ["b64", "sigT"]) == (header["sigT"], header["crit"])
    assert "iat" not in header


def test_anchor_is_left_out_of_x5c(sealer: SoftSealer) -> None:
    """A chain that holds the self-signed root is sent without it, the leaf first."""
    chain = tuple(link.der for link in sealer.certificate.chain)
    sent = _decoded(protected_header(SealKey("soft", sealer.algorithm, chain), signing_time=AT))

    assert 3 == len(chain)
    assert sent == _decoded(sealer.header(AT))
    assert 2 == len(sent["x5c"])


def test_time_must_know_its_zone(sealer: SoftSealer) -> None:
    """A naive time is refused: nobody could say when that was."""
    with pytest.raises(ValueError, match="time zone"):
        sealer.header(datetime(2026, 1, 31))  # noqa: DTZ001


@pytest.mark.parametrize("level", [Level.B_T, Level.B_LT, Level.B_LTA])
def test_levels_that_are_not_built_say_so(level: Level) -> None:
    """Asking for more than B-B answers UNIMPLEMENTED."""
    require_built(Level.B_B)
    with pytest.raises(NotBuilt, match=level.value):
        require_built(level)


@pytest.mark.parametrize(
    ("expected", "elements"),
    [
        ("B-B", []),
        ("B-B", ["cSig"]),
        ("B-B", ["xVals", "rVals", "arcTst"]),
        ("B-T", ["sigTst"]),
        ("B-T", ["sigTst", "xVals"]),
        ("B-LT", ["sigTst", "xVals", "rVals"]),
        ("B-LT", ["sigTst", "anyValData"]),
        ("B-LTA", ["sigTst", "xVals", "rVals", "arcTst"]),
        ("B-T", ["sigTst", "xRefs", "xVals", "rVals", "arcTst"]),
    ],
)
def test_level_follows_the_structure(expected: str, elements: list[str]) -> None:
    """The level is what the elements reach together; what is no JAdES reaches none."""
    assert expected == reached(elements, is_jades=True)
    assert "NOT_ETSI" == reached(elements, is_jades=False)
