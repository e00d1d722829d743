"""What can be had: every shape that Issue makes and every profile that Seal takes, one list for all who ask about them."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from eseal.credential.micro_credential import (
    Attachment,
    Display,
    FurtherInformation,
    Identifier,
    Learner,
    LearningOutcome,
    MicroCredential,
    NotionalWorkload,
    Organisation,
    Skill,
    Stackability,
)
from eseal.credential.profile import concept
from eseal.terms import LegalIdentifier, Profile
from tests.credential import courses
from tests.credential.bases import QDR, bases

if TYPE_CHECKING:
    from collections.abc import Iterator

MANDATED = (Profile.GENERIC, Profile.MANDATE)
ALLIANCE = Organisation(
    legal_name={"en": courses.SEALER.legal_name},
    country="NLD",
    identifiers=(LegalIdentifier("eidas", courses.SEALER.organization_identifier, "NLD"),),
)
OUTSIDE = Organisation(
    legal_name={"en": "Stranger College"},
    country="FRA",
    identifiers=(LegalIdentifier("registration", "S-9", "FRA"),),
)


@dataclass(frozen=True)
class Shape:
    """A kind of credential: what Issue is asked for, or what Seal is sent; and the profiles that what comes out names."""

    name: str
    profiles: tuple[Profile, ...]
    course: MicroCredential | None = None
    learner: Learner = courses.learner()  # noqa: RUF009 - frozen
    credential: bytes = b""


def catalogue() -> list[Shape]:
    """Every shape, by a name of its own."""
    return [*_issued(), *_sealed()]


def _issued() -> Iterator[Shape]:
    eciu = courses.eciu_course
    yield Shape("generic", (Profile.GENERIC,), eciu(awarding_bodies=(ALLIANCE,)))
    yield Shape("mandate", MANDATED, eciu())
    yield Shape("accredited", (Profile.MANDATE, Profile.ACCREDITED), eciu(accreditation=_accreditation()))
    yield Shape("accredited, self-issued", (Profile.ACCREDITED,), _accredited_by_itself())
    yield Shape("joint award", MANDATED, eciu(awarding_bodies=(courses.DCU, courses.TWENTE)))
    yield Shape("joint award with a body outside", MANDATED, eciu(awarding_bodies=(courses.DCU, OUTSIDE)))
    yield Shape("several languages", MANDATED, _in_languages("en", "ga", "el", "bg", "mt", "hu"))
    yield Shape("not in English", MANDATED, _in_languages("nl"))
    yield Shape("parts", MANDATED, eciu(integration_stackability=_parts()))
    yield Shape("attachments", MANDATED, eciu(attachments=_attachments()))
    yield Shape("pages of the caller's own", MANDATED, eciu(display=courses.PAGES))
    yield Shape("personal page", MANDATED, eciu(display=Display(personal=True)))
    yield Shape("expiry", MANDATED, eciu(valid_from=_moment(2026), valid_until=_moment(2036)))
    yield Shape("many outcomes", MANDATED, eciu(learning_outcomes=tuple(_outcome(number) for number in range(12))))
    yield Shape("everything", MANDATED, courses.full_course(), courses.full_learner())
    pseudonym = Learner(identifiers=(Identifier("p-3f1c", "pseudonym of the course"),))
    yield Shape("pseudonym", MANDATED, eciu(), pseudonym)
    yield Shape("pseudonym on a personal page", MANDATED, eciu(display=Display(personal=True)), pseudonym)
    yield Shape("full name", MANDATED, eciu(), Learner(full_name="Ana Andromeda"))
    national_id = LegalIdentifier("other", "AB-234218", "ITA")
    yield Shape("national id", MANDATED, eciu(), Learner(national_id=national_id))
    own = {"date_of_issuing": date(2026, 5, 30), "grade_achieved": {"en": "9"}}
    yield Shape("own date and grade", MANDATED, eciu(), courses.learner(**own))


def _sealed() -> Iterator[Shape]:
    """Shapes that callers bring themselves: of profiles that Issue has no fields for."""
    yield Shape("converted", (Profile.CONVERTED, Profile.MANDATE), credential=_named("converted", Profile.CONVERTED))
    # The Commission's diploma supplement is an accredited credential besides: its every evidence needs an accreditation.
    evidence = bases()["accredited"][0]["evidence"]
    supplement = _named("diploma-supplement", Profile.DIPLOMA_SUPPLEMENT, evidence=evidence)
    profiles = (Profile.DIPLOMA_SUPPLEMENT, Profile.ACCREDITED, Profile.MANDATE)
    yield Shape("diploma supplement", profiles, credential=supplement)


def _named(base: str, profile: Profile, **changes: Any) -> bytes:
    """One of the parity test's credentials, that says of which profile it is."""
    credential = {**bases()[base][0], "credentialProfiles": concept(profile), **changes}
    del credential["credentialSchema"]
    return json.dumps(credential).encode()


def _accreditation() -> Any:
    return replace(courses.INSTITUTIONAL, id=QDR, type="820101cba6", report="https://data.deqar.eu/report/1")


def _accredited_by_itself() -> MicroCredential:
    return courses.eciu_course(awarding_bodies=(ALLIANCE,), accreditation=_accreditation())


def _in_languages(*languages: str) -> MicroCredential:
    texts = {
        "en": "Artificial Intelligence",
        "ga": "Intleacht Shaorga",
        "el": "Τεχνητή νοημοσύνη",
        "bg": "Изкуствен интелект",
        "mt": "Intelliġenza artifiċjali",
        "hu": "Mesterséges intelligencia: őű",
        "nl": "Kunstmatige intelligentie",
    }
    text = {language: texts[language] for language in languages}
    return courses.eciu_course(
        title=text,
        description=text,
        languages=languages,
        awarding_bodies=(replace(courses.DCU, legal_name=dict.fromkeys(languages, "Dublin City University")),),
        learning_outcomes=(LearningOutcome(title=text, description=text),),
        prerequisites=text,
        grade_achieved=text,
        further_information=FurtherInformation(note=text),
    )


def _parts() -> Stackability:
    """Two parts; the second has a part of its own."""
    third = _part("Part three")
    second = replace(_part("Part two"), integration_stackability=Stackability(stackable=True, parts=(third,)))
    return Stackability(stackable=True, parts=(_part("Part one"), second))


def _part(title: str) -> MicroCredential:
    return MicroCredential(
        title={"en": title},
        awarding_bodies=(),
        notional_workload=NotionalWorkload(ects_credits="0.5"),
        learning_outcomes=(LearningOutcome(title={"en": f"Outcome of {title}"}),),
    )


def _attachments() -> tuple[Attachment, ...]:
    return (
        Attachment("application/pdf", b"%PDF-1.7 a syllabus", {"en": "Syllabus"}),
        Attachment("image/png", courses.PIXEL, {"en": "Badge"}),
        Attachment("image/jpeg", b"\xff\xd8\xff\xe0 a photograph \xff\xd9"),
    )


def _outcome(number: int) -> LearningOutcome:
    skills = tuple(
        Skill(f"5fd5c985-eaaa-47aa-8314-62359c5450{place:02x}", {"en": f"skill {place}"}) for place in range(2)
    )
    return LearningOutcome(title={"en": f"Outcome {number}"}, esco_skills=skills if number % 2 else ())


def _moment(year: int) -> datetime:
    return datetime(year, 6, 1, tzinfo=UTC)
