"""Documents to seal, read from the caller's bytes."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eseal.credential.annex_i import annex_i
from eseal.credential.building import parse
from eseal.credential.checking import check
from eseal.credential.facts import award_facts
from eseal.errors import InvalidInput
from tests.credential import courses
from tests.harness.vectors import vector

LIMIT = 8 * 1024 * 1024


def test_the_uploadable_form_gives_its_credential() -> None:
    """The Commission's {"credential": ...} is read like the credential alone."""
    uploadable = parse(vector("edc/2023-Sample-MC-Annex1-unsigned-uploadable.json").read_bytes(), max_bytes=LIMIT)
    bare = parse(vector("edc/2023-Sample-MC-Annex1-unsigned.jsonld").read_bytes(), max_bytes=LIMIT)

    assert bare.get("/credentialSubject/hasClaim") == uploadable.get("/credentialSubject/hasClaim")
    assert not uploadable.has("/deliveryDetails")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"{", "JSON"),
        (b'{"a":1,"a":2}', "JSON"),
        (b"\xff", "JSON"),
        (b"[]", "NOT_A_CREDENTIAL"),
        (b'{"type":"x"}', "NOT_A_CREDENTIAL"),
        (b'{"payload":"{}","signatures":[]}', "ALREADY_SEALED"),
        (b'{"credentialSubject":{},"proof":{}}', "ALREADY_SEALED"),
        (b'{"credentialSubject":{}}', "CONTEXT_OR_TYPE"),
        (b'{"credentialSubject":{},"@context":"https://www.w3.org/2018/credentials/v1","type":"x"}', "CONTEXT_OR_TYPE"),
    ],
)
def test_what_is_not_a_credential_is_refused(data: bytes, reason: str) -> None:
    """Each refusal has its reason; nothing is guessed."""
    with pytest.raises(InvalidInput) as refused:
        parse(data, max_bytes=LIMIT)

    assert reason == refused.value.reason


def test_an_oversized_credential_is_refused() -> None:
    """One byte over the limit is too much."""
    data = vector("edc-minimal/generic.json").read_bytes()

    assert parse(data, max_bytes=len(data)).has("/issuer")
    with pytest.raises(InvalidInput):
        parse(data, max_bytes=len(data) - 1)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=20), inner, max_size=4),
    max_leaves=20,
)


@given(
    st.fixed_dictionaries(
        {
            "@context": st.just(
                ["https://www.w3.org/2018/credentials/v1", "http://data.europa.eu/snb/model/context/edc-ap"]
            ),
            "type": st.just(["VerifiableCredential", "EuropeanDigitalCredential"]),
            "credentialSubject": JSON,
        },
        optional={"id": JSON, "issuer": JSON, "displayParameter": JSON, "credentialProfiles": JSON, "evidence": JSON},
    )
)
def test_any_json_in_a_credentials_clothes_is_read(credential: dict[str, object]) -> None:
    """Facts, Annex I, completion and check end in faults at the most, however odd the document."""
    document = parse(json.dumps(credential).encode(), max_bytes=LIMIT)

    award_facts(document)
    annex_i(document)
    with contextlib.suppress(InvalidInput):
        check(courses.completed(document, courses.mandate()))
