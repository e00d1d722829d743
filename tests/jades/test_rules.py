"""The rules of the protected header: each broken at its boundary, each fault named."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eseal import sealcore
from eseal.jades.rules import PROFILE_RULES, read_header
from tests.harness.soft_seal import SoftSealer


@pytest.fixture(scope="module")
def members() -> dict[str, Any]:
    """Return a header that breaks no rule."""
    return sealcore.Document.parse(sealcore.base64url_decode(SoftSealer().header())).to_python()


def test_our_header_breaks_no_rule(members: dict[str, Any]) -> None:
    """What we write is what we ask for."""
    header = read_header(members, "/protected")

    assert [] == header.faults
    assert (False, 2) == (header.b64, len(header.certificates))


_DIGEST = {"digAlg": "S512", "digVal": sealcore.base64url_encode(bytes(64))}


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("alg", {"alg": None}),
        ("alg", {"alg": 7}),
        ("crit", {"crit": None}),
        ("crit", {"crit": []}),
        ("crit", {"crit": "b64"}),
        ("crit", {"crit": ["b64", "b64"]}),
        ("crit", {"crit": ["b64", ["iat"]]}),
        ("crit", {"crit": ["b64", "alg"]}),
        ("crit", {"crit": ["b64", "x5c"]}),
        ("crit", {"crit": ["b64", "nbf"], "nbf": 1}),
        ("crit", {"crit": ["b64", "sigT"]}),
        ("crit", {"sigD": {"mId": "x"}}),
        ("crit", {"b64": "false"}),
        ("signing-certificate", {"x5t#S256": None}),
        ("signing-certificate", {"x5t#S256": "no base64url="}),
        ("signing-certificate", {"x5t#o": _DIGEST}),
        ("signing-certificate", {"x5t#S256": None, "x5t#o": {"digAlg": "SHA1", "digVal": "AAAA"}}),
        ("signing-certificate", {"x5t#S256": None, "sigX5ts": [_DIGEST]}),
        ("signing-certificate", {"x5c": ["not base64"]}),
        ("signing-time", {"iat": None}),
        ("signing-time", {"sigT": "2024-01-01T00:00:00Z", "crit": ["b64", "sigT"]}),
        ("signing-time", {"iat": "1769860800"}),
        ("signing-time", {"iat": True}),
        ("signing-time", {"iat": 2**60}),
        ("signing-time", {"iat": None, "sigT": "2024-01-01T00:00:00+00:00"}),
        ("signing-time", {"iat": None, "sigT": "2024-13-01T00:00:00Z"}),
        ("sigT-ended", {"iat": None, "sigT": "2025-07-15T00:00:00Z"}),
        ("shape", {"x5t": "AAAA"}),
        ("shape", {"srCms": []}),
        ("shape", {"sigPId": {"digAlg": "S256"}}),
    ],
)
def test_broken_rule_is_named(members: dict[str, Any], rule: str, changes: dict[str, Any]) -> None:
    """Each rule, broken alone, is the fault; all but a mere shape take the name of JAdES away."""
    changed = {name: value for name, value in (members | changes).items() if value is not None}

    rules = {fault.rule for fault in read_header(changed, "/protected").faults}

    assert {rule} == rules
    assert (rule != "shape") == (rule in PROFILE_RULES)


@pytest.mark.parametrize(
    "changes",
    [
        {"iat": None, "sigT": "2025-07-14T23:59:59Z", "crit": ["b64", "sigT"]},
        {"x5t#S256": None, "x5t#o": _DIGEST},
        {"x5t#S256": None, "sigX5ts": [_DIGEST, _DIGEST]},
        {"exp": "any", "nbf": "any"},
        {"crit": ["b64", "exp", "iat"], "exp": 1},
    ],
)
def test_allowed_variants_break_no_rule(members: dict[str, Any], changes: dict[str, Any]) -> None:
    """What the standard allows beside our own profile is taken."""
    changed = {name: value for name, value in (members | changes).items() if value is not None}

    assert [] == read_header(changed, "/protected").faults


def test_counter_signature_has_no_content_type(members: dict[str, Any]) -> None:
    """Cty in a counter-signature is a fault, and only there."""
    faults = read_header(members, "/cSig", counter_signature=True).faults

    assert ["cty-in-counter-signature"] == [fault.rule for fault in faults]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
_NAMES = st.sampled_from(
    [
        "alg",
        "b64",
        "crit",
        "iat",
        "sigT",
        "x5c",
        "x5t#S256",
        "x5t#o",
        "sigX5ts",
        "sigD",
        "adoTst",
        "sigPId",
        "cty",
        "srCms",
    ]
)


@given(st.dictionaries(_NAMES, _JSON) | _JSON)
def test_no_header_is_too_strange(header: object) -> None:
    """Whatever JSON stands in a header, reading it ends in facts and faults."""
    assert isinstance(read_header(header, "").faults, list)
