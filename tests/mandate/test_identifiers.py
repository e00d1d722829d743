"""Identifiers: one key for every way of writing one, and checks by kind."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eseal.mandate.identifiers import KINDS, describe, form_fault, key, number_fault, organization_key
from eseal.terms import LegalIdentifier

EQUAL = [
    (LegalIdentifier("eidas", "NTRNL-08164880", "NLD"), LegalIdentifier("registration", "08164880", "NLD")),
    (LegalIdentifier("eidas", "VATIE-IE6433435F"), LegalIdentifier("vat", "6433435F", "IRL")),
    (LegalIdentifier("vat", "IE 6433435F", "IRL"), LegalIdentifier("vat", "6433435f", "IRL")),
    (LegalIdentifier("eidas", "VATEL-094259216"), LegalIdentifier("vat", "EL094259216", "GRC")),
    (LegalIdentifier("eidas", "VATGR-094259216"), LegalIdentifier("vat", "094259216", "GRC")),
    (
        LegalIdentifier("eidas", "LEIXG-529900T8BM49AURSDO55"),
        LegalIdentifier("other", "529900t8bm49aursdo55", scheme="lei"),
    ),
    (
        LegalIdentifier("other", "https://ror.org/04a1a1e81", scheme="ROR"),
        LegalIdentifier("other", "04A1A1E81", scheme="ror id"),
    ),
    (
        LegalIdentifier("other", "DCU.ie", scheme="SCHAC"),
        LegalIdentifier("other", "dcu.ie", scheme="schacHomeOrganization"),
    ),
    (
        LegalIdentifier("other", "NL ENSCHED01", scheme="Erasmus"),
        LegalIdentifier("other", "NLENSCHED01", scheme="erasmus code"),
    ),
    (LegalIdentifier("eidas", "NL/IE/08164880"), LegalIdentifier("eidas", "NL/BE/08164880")),
    (
        LegalIdentifier("other", "Res1818", scheme="Research Alliance"),
        LegalIdentifier("other", "Res1818", scheme="research alliance"),
    ),
]
DIFFERENT = [
    (LegalIdentifier("registration", "08164880", "NLD"), LegalIdentifier("registration", "8164880", "NLD")),
    (LegalIdentifier("registration", "08164880", "NLD"), LegalIdentifier("registration", "08164880", "BEL")),
    (LegalIdentifier("registration", "08164880", "NLD"), LegalIdentifier("tax", "08164880", "NLD")),
    (LegalIdentifier("registration", "12-3", "ITA"), LegalIdentifier("registration", "1-23", "ITA")),
    (LegalIdentifier("other", "x", scheme="A"), LegalIdentifier("other", "x", scheme="B")),
    (LegalIdentifier("eidas", "NL/IE/08164880"), LegalIdentifier("eidas", "BE/IE/08164880")),
    (LegalIdentifier("eidas", "NL/IE/08164880"), LegalIdentifier("registration", "08164880", "NLD")),
    (LegalIdentifier("other", "kul.be", scheme="SCHAC"), LegalIdentifier("other", "\u212aul.be", scheme="SCHAC")),
    (LegalIdentifier("other", "south.edu", scheme="SCHAC"), LegalIdentifier("other", "\u017fouth.edu", scheme="SCHAC")),
    (LegalIdentifier("vat", "SS1", "IRL"), LegalIdentifier("vat", "\u00df1", "IRL")),
    (LegalIdentifier("other", "res1818", scheme="A"), LegalIdentifier("other", "Res1818", scheme="A")),
]


@pytest.mark.parametrize(("one", "other"), EQUAL)
def test_ways_of_writing_one_identifier(one: LegalIdentifier, other: LegalIdentifier) -> None:
    """What the standards let people write differently has one key."""
    assert key(one) == key(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_nothing_is_guessed(one: LegalIdentifier, other: LegalIdentifier) -> None:
    """Another register, another scheme, other zeros or dashes: another identifier."""
    assert key(one) != key(other)


@pytest.mark.parametrize(
    ("identifier", "right"),
    [
        (LegalIdentifier("eidas", "NTRNL-08164880"), True),
        (LegalIdentifier("eidas", "NTRNL-08164880", "NLD"), True),
        (LegalIdentifier("eidas", "NTRNL-08164880", "BEL"), False),
        (LegalIdentifier("eidas", "NTRZZ-1"), False),
        (LegalIdentifier("eidas", "ntrnl-08164880"), False),
        (LegalIdentifier("eidas", "NTRNL08164880"), False),
        (LegalIdentifier("eidas", "NTRNL-"), False),
        (LegalIdentifier("eidas", "PNONL-1234"), False),
        (LegalIdentifier("eidas", "VATEL-094259216"), True),
        (LegalIdentifier("eidas", "PSDNL-DNB-R123456"), True),
        (LegalIdentifier("eidas", "PSDNL-R123456"), False),
        (LegalIdentifier("eidas", "LEIXG-529900T8BM49AURSDO55"), True),
        (LegalIdentifier("eidas", "LEIXG-529900T8BM49AURSDO5"), False),
        (LegalIdentifier("other", "529900T8BM49AURSDO55", scheme="LEI"), True),
        (LegalIdentifier("other", "529900-T8BM49AURSDO55", scheme="LEI"), False),
        (LegalIdentifier("eidas", "NL/IE/08164880"), True),
        (LegalIdentifier("eidas", "NL/QQ/08164880"), False),
        (LegalIdentifier("eidas", "NL/08164880"), False),
        (LegalIdentifier("vat", " - ", "IRL"), False),
        (LegalIdentifier("registration", "-", "IRL"), False),
        (LegalIdentifier("eidas", "LEINL-529900T8BM49AURSDO55"), False),
        (LegalIdentifier("eidas", "NTRXG-1"), False),
        (LegalIdentifier("eidas", "EI:SE-5567082620"), True),
        (LegalIdentifier("registration", "0000", "IRL"), True),
        (LegalIdentifier("registration", "0000"), False),
        (LegalIdentifier("vat", "1", "IE"), False),
        (LegalIdentifier("other", "x"), False),
        (LegalIdentifier("other", "x", scheme="Our list"), True),
        (LegalIdentifier("other", "utwente.nl", scheme="SCHAC"), True),
        (LegalIdentifier("other", "utwente", scheme="SCHAC"), False),
        (LegalIdentifier("other", "NL ENSCHED01", scheme="ERASMUS"), True),
        (LegalIdentifier("other", "P LISBOA109", scheme="Erasmus"), True),
        (LegalIdentifier("other", "ENSCHEDE", scheme="Erasmus"), False),
        (LegalIdentifier("other", "https://ror.org/006hf6230", scheme="ROR"), True),
        (LegalIdentifier("other", "https://ror.org/106hf6230", scheme="ROR"), False),
        (LegalIdentifier("other", "DEQARINST0245", scheme="DEQAR"), True),
        (LegalIdentifier("other", "0245", scheme="DEQAR"), False),
        (LegalIdentifier("other", "999892588", scheme="PIC"), True),
        (LegalIdentifier("other", "99989258", scheme="EU-PIC"), False),
    ],
)
def test_forms(identifier: LegalIdentifier, right: bool) -> None:  # noqa: FBT001
    """Each kind has its form (EN 319 412-1 clause 5.1.4 for eidas), and what breaks it is said."""
    assert right == (form_fault(identifier) is None)


@pytest.mark.parametrize(
    ("identifier", "right"),
    [
        (LegalIdentifier("eidas", "LEIXG-529900T8BM49AURSDO55"), True),
        (LegalIdentifier("eidas", "LEIXG-529900T8BM49AURSDO56"), False),
        (LegalIdentifier("other", "529900T8BM49AURSDO54", scheme="LEI"), False),
        (LegalIdentifier("vat", "6433435F", "IRL"), True),
        (LegalIdentifier("vat", "IE6433435E", "IRL"), False),
        (LegalIdentifier("eidas", "VATEL-094259216"), True),
        (LegalIdentifier("eidas", "VATEL-094259217"), False),
        (LegalIdentifier("vat", "654321", "IRL"), False),
        (LegalIdentifier("vat", "1", "USA"), True),
        (LegalIdentifier("eidas", "NTRFI-2077474-0"), True),
        (LegalIdentifier("eidas", "NTRFI-2077474-1"), False),
        (LegalIdentifier("eidas", "NTRBE-0403.170.701"), True),
        (LegalIdentifier("eidas", "NTRBE-0403.170.702"), False),
        (LegalIdentifier("eidas", "NTRFR-552008443"), True),
        (LegalIdentifier("eidas", "NTRFR-552008444"), False),
        (LegalIdentifier("eidas", "NTRNL-08164880"), True),
        (LegalIdentifier("registration", "999892588", "IRL"), True),
        (LegalIdentifier("other", "04a1a1e81", scheme="ROR"), True),
        (LegalIdentifier("other", "033003e23", scheme="ROR"), True),
        (LegalIdentifier("other", "04a1a1e82", scheme="ROR"), False),
        (LegalIdentifier("other", "04a1a1f81", scheme="ROR"), False),
    ],
)
def test_numbers(identifier: LegalIdentifier, right: bool) -> None:  # noqa: FBT001
    """Check digits are computed where the kind has them; where none exist nothing is claimed."""
    assert right == (number_fault(identifier) is None)


def test_a_seal_certificates_identifier_has_a_key() -> None:
    """The sealer's organizationIdentifier compares with what credentials state."""
    assert key(LegalIdentifier("registration", "08164880", "NLD")) == organization_key("NTRNL-08164880")


text = st.text(max_size=24)


@given(st.builds(LegalIdentifier, st.sampled_from(KINDS), text, text, text))
def test_anything_that_a_credential_says_has_a_key(identifier: LegalIdentifier) -> None:
    """Callers write what they like: it gets a key and a description, and never an exception."""
    assert 3 == len(key(identifier))
    assert describe(identifier)
    form_fault(identifier)
    number_fault(identifier)


@given(st.sampled_from(["registration", "vat"]), st.text("0123456789AB-. ", min_size=1).filter(str.strip))
def test_eidas_notation_and_plain_number_agree(kind: str, number: str) -> None:
    """The EN 319 412-1 notation of any number has the key of the number itself."""
    prefix = {"registration": "NTR", "vat": "VAT"}[kind]

    assert key(LegalIdentifier(kind, number, "IRL")) == organization_key(f"{prefix}IE-{number.strip()}")
