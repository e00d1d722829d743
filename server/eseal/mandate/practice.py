"""A practice register: the ECIU alliance, three of its universities, and the bodies of the Commission's samples.

Names and the identifiers below are public; everything else is made up for practice and says so: days, scopes, and the
agreement documents, which bind nobody. The bodies of the Commission's sample credentials do not exist; they are listed
by the numbers that the samples give them, so that the samples can be sealed under a mandate.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageDraw, ImageFont

from eseal.errors import SetupError
from eseal.mandate.files import Alliance, Mandate, Member
from eseal.mandate.register import Register
from eseal.mandate.writing import render

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from eseal.mandate.fields import Table
    from eseal.terms import LegalEntity

_ANY = dict.fromkeys(
    ("profiles", "opportunity_types", "eqf", "ects_maximum", "isced_f", "languages", "countries"), "any"
)
_MICRO_CREDENTIALS = {**_ANY, "profiles": ["generic", "accredited"], "ects_maximum": 30}
_PAGE = (827, 1169)
"""A4 at 100 dots an inch."""


@dataclass(frozen=True, slots=True)
class _Body:
    """A practice member: what is true of it, and the scope that its practice mandate has."""

    id: str
    legal_names: dict[str, str]
    country: str
    identifiers: tuple[dict[str, str], ...]
    scope: dict[str, Any]
    lets_act: tuple[str, ...] = ()


_BODIES = (
    _Body(
        id="dcu",
        legal_names={"en": "Dublin City University", "ga": "Ollscoil Chathair Bhaile Átha Cliath"},
        country="IRL",
        identifiers=(
            {"kind": "registration", "notation": "999892588", "country": "IRL"},
            {"kind": "other", "notation": "https://ror.org/04a1a1e81", "scheme": "ROR"},
        ),
        scope={**_MICRO_CREDENTIALS, "joint_awards": True, "outside_bodies": True},
    ),
    _Body(
        id="utwente",
        legal_names={"en": "University of Twente", "nl": "Universiteit Twente"},
        country="NLD",
        identifiers=({"kind": "other", "notation": "https://ror.org/006hf6230", "scheme": "ROR"},),
        scope={
            **_MICRO_CREDENTIALS,
            "eqf": {"lowest": 5, "highest": 8},
            "languages": ["en", "nl"],
            "joint_awards": True,
            "quota": {"daily": 20000},
        },
    ),
    _Body(
        id="tuni",
        legal_names={"en": "Tampere University", "fi": "Tampereen yliopisto"},
        country="FIN",
        identifiers=({"kind": "other", "notation": "https://ror.org/033003e23", "scheme": "ROR"},),
        scope={
            **_MICRO_CREDENTIALS,
            "eqf": {"lowest": 6, "highest": 7},
            "languages": ["en", "fi", "sv"],
            "countries": ["FIN"],
        },
    ),
    _Body(
        id="uniz",
        legal_names={"en": "University of Zed"},
        country="IRL",
        identifiers=({"kind": "vat", "notation": "654321", "country": "IRL"},),
        scope=_ANY,
    ),
    _Body(
        id="edc-support",
        legal_names={"en": "European Digital Credentials for Learning Support Team"},
        country="BEL",
        identifiers=({"kind": "registration", "notation": "0000", "country": "BEL"},),
        scope=_ANY,
        lets_act=("uniz",),
    ),
)


def write_practice_register(folder: Path, *, sealer: LegalEntity, callers: Mapping[str, str], today: date) -> Register:
    """Write the register into ``folder`` and return it; ``callers`` maps member ids to their back end's URI.

    Raise SetupError for a caller of a member that a practice register does not have.
    """
    unknown = sorted(callers.keys() - {body.id for body in _BODIES})
    if unknown:
        known = ", ".join(body.id for body in _BODIES)
        raise SetupError("PRACTICE_MEMBER", f"A practice register has no member {', '.join(unknown)}, but {known}.")
    # Long enough in the past that awards of former years can be practised on.
    begin = date(today.year - 5, 1, 1)
    _write(folder / "alliance.toml", _alliance(sealer), "A practice register: see docs/mandate.md. It binds nobody.")
    for body in _BODIES:
        member = _member(body, callers.get(body.id), begin)
        _write(folder / f"members/{body.id}.toml", member, f"{body.legal_names['en']}, for practice.")
        mandate_id = f"{body.id}-practice"
        document = _agreement(body, sealer, begin)
        path = folder / f"agreements/{mandate_id}.pdf"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(document)
        mandate = _mandate(body, mandate_id, document, sealer=sealer, begin=begin, until=date(today.year + 1, 12, 31))
        _write(folder / f"mandates/{mandate_id}.toml", mandate, f"Practice mandate of {body.legal_names['en']}.")
    return Register.load(folder)


def _alliance(sealer: LegalEntity) -> Alliance:
    return Alliance.model_validate(
        {
            "name": "ECIU University (practice)",
            "time_zone": "Europe/Amsterdam",
            "practice": True,
            "sealer": [{"legal_name": sealer.legal_name, "organization_identifier": sealer.organization_identifier}],
        }
    )


def _member(body: _Body, caller: str | None, begin: date) -> Member:
    return Member.model_validate(
        {
            "id": body.id,
            "legal_names": body.legal_names,
            "country": body.country,
            "member_since": begin,
            "identifier": body.identifiers,
            "caller": [{"uri": caller, "valid_from": begin}] if caller else [],
            "sub_mandate": [{"id": other, "member": other, "valid_from": begin} for other in body.lets_act],
        }
    )


def _mandate(
    body: _Body, mandate_id: str, document: bytes, *, sealer: LegalEntity, begin: date, until: date
) -> Mandate:
    return Mandate.model_validate(
        {
            "id": mandate_id,
            "awarding_body": body.id,
            "sealer": sealer.organization_identifier,
            "signed_on": begin,
            "valid_from": begin,
            "valid_until": until,
            "scope": body.scope,
            "agreement": {
                "file": f"{mandate_id}.pdf",
                "sha256": hashlib.sha256(document).hexdigest(),
                "media_type": "application/pdf",
                "title": f"Practice agreement of {body.legal_names['en']}",
            },
        }
    )


def _agreement(body: _Body, sealer: LegalEntity, begin: date) -> bytes:
    """Draw a one-page PDF that says what a real agreement would, and that this is none."""
    page = Image.new("1", _PAGE, 1)
    pen = ImageDraw.Draw(page)
    name = body.legal_names["en"]
    pen.text((80, 90), "PRACTICE DOCUMENT: BINDS NOBODY", font=ImageFont.load_default(22), fill=0)
    pen.text((80, 150), "Mandate to seal credentials", font=ImageFont.load_default(34), fill=0)
    lines = (
        f"{name}",
        "lets",
        f"{sealer.legal_name}",
        f"({sealer.organization_identifier})",
        "seal on its behalf the credentials that it awards,",
        f"from {begin} on, within the scope that the register states.",
        "",
        "The awarding body alone answers for what the credentials say.",
    )
    for place, line in enumerate(lines):
        pen.text((80, 240 + 36 * place), line, font=ImageFont.load_default(20), fill=0)
    pdf = io.BytesIO()
    page.save(pdf, "PDF", resolution=100, title=f"Practice agreement of {name}")
    return pdf.getvalue()


def _write(path: Path, table: Table, title: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render(table, title=title), encoding="utf-8")
