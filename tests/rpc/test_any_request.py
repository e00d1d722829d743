"""Whatever a caller sends to Issue ends in a credential or in faults: never in an error of ours."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
from google.protobuf import json_format

from eseal.credential.draft import content_digests, draft, faults_of, missing_elements, payloads
from eseal.credential.page import Pages
from eseal.errors import InvalidInput
from eseal.rpc.translate import Courses, domain
from eseal.wire import credential_pb2
from tests.credential import courses
from tests.harness.server import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.descriptor import FieldDescriptor
    from google.protobuf.message import Message

EXAMPLE = ROOT / "clients/examples/introduction-to-artificial-intelligence.json"
TEXTS = [
    "", " ", "x", "\0", "a\nb", "\u202e", "²", "\u0663", "NaN", "-1", "1e3", "1.5", "9" * 5000, "a" * 20_000, "PT1H", "P", "en",
    "ENG", "en-GB", "IRL", "Online", "onlin", "urn:epass:person:1", "http://[", "https://example.org/ä", "mailto:x", "<x>", "#",
    "http://data.europa.eu/snb/eqf/²", "http://dаta.europa.eu/snb/eqf/6",
]  # fmt: skip
NUMBERS = [-(10**18), -1, 0, 1, 2, 9, 13, 31, 2**31 - 1, 10**15]
FILES = [b"", b"%PDF-", b"\x89PNG\r\n\x1a\n", bytes(3 * 2**20)]
LEARNER = {
    "givenName": "Ana", "fullName": "Ana Andromeda", "dateOfBirth": {"year": 2000, "month": 2, "day": 29},
    "nationalId": {"notation": "1", "country": "IRL"}, "identifiers": [{"notation": "1", "scheme": "Student number"}],
    "citizenshipCountries": ["IRL"], "emailAddress": "ana@example.org", "gradeAchieved": {"en": "9"},
    "assessmentGrades": [{"assessment": "", "grade": {"en": "9"}}], "credentialIdentifiers": [{"notation": "C1"}],
}  # fmt: skip
PAGES = Pages()


def _course() -> credential_pb2.MicroCredential:
    """The example, with a part like itself and what else may stand in it."""
    course, part = (json_format.Parse(EXAMPLE.read_text(), credential_pb2.MicroCredential()) for _ in range(2))
    course.integration_stackability.parts.append(part)
    course.attachments.add(media_type="image/png", content=courses.PIXEL)
    course.activities.add(title={"en": "Lectures"}, mode=["Online"]).start_date.year = 2026
    course.type_of_assessment[0].grading_scheme.title["en"] = "Pass or fail"
    course.valid_until.seconds = 2 * 10**9
    return course


def _fields(message: Message) -> Iterator[tuple[Any, FieldDescriptor]]:
    """Every field of a message and of the messages in it, set or not."""
    for field in message.DESCRIPTOR.fields:
        yield message, field
        if field.message_type is None or field.message_type.GetOptions().map_entry:
            continue
        inner = getattr(message, field.name)
        for one in inner if field.is_repeated else [inner] if message.HasField(field.name) else []:
            yield from _fields(one)


def _mutate(message: Message, chance: random.Random) -> None:
    """Change one field: another value, one more, or none."""
    inside, field = chance.choice(list(_fields(message)))
    if chance.random() < 0.2:
        inside.ClearField(field.name)
    elif field.message_type is not None and field.message_type.GetOptions().map_entry:
        getattr(inside, field.name)[chance.choice([*TEXTS, "en", "nl", "ga"])] = chance.choice(TEXTS)
    elif field.message_type is not None:
        getattr(inside, field.name).add() if field.is_repeated else getattr(inside, field.name).SetInParent()
    elif field.is_repeated:
        getattr(inside, field.name).append(chance.choice(TEXTS))
    elif field.type == field.TYPE_STRING:
        setattr(inside, field.name, chance.choice(TEXTS))
    elif field.type == field.TYPE_BYTES:
        setattr(inside, field.name, chance.choice(FILES))
    elif field.type == field.TYPE_BOOL:
        setattr(inside, field.name, chance.choice([False, True]))
    else:
        narrow = field.type != field.TYPE_INT64
        lowest = 0 if field.type == field.TYPE_UINT32 else -(2**31)
        allowed = [number for number in NUMBERS if not narrow or lowest <= number < 2**31]
        setattr(inside, field.name, chance.choice(allowed))


def _issue(course: credential_pb2.MicroCredential, learner: credential_pb2.Learner) -> None:
    """Do what Issue does short of policy, ledger and key, for one learner and then for a class of such."""
    awarded, person = Courses().read(course), domain(learner, "/learner")
    grant = courses.grant(courses.mandate(agreement=courses.agreement()))
    for _ in range(2):
        drafted = draft(awarded, person)
        content_digests([drafted])
        drafted.facts()
        completion = drafted.completion(sealer=courses.SEALER, grant=grant, display=awarded.display, pages=PAGES)
        completed = drafted.complete(completion, credential_id=courses.CREDENTIAL_ID, issued=courses.ISSUED)
        faults_of([completed])
        missing_elements(completed)
        payloads([completed])


@pytest.mark.parametrize("seed", [*range(6), *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(6, 100))])
def test_any_request_ends_in_a_credential_or_in_faults(seed: int) -> None:
    """Fields are emptied, filled with nonsense and added; each fault has a place in the request."""
    chance = random.Random(seed)  # noqa: S311 - the same requests on every run
    for _ in range(30):
        course, learner = _course(), json_format.ParseDict(LEARNER, credential_pb2.Learner())
        for _ in range(chance.choice([1, 1, 2, 4])):
            _mutate(chance.choice([course, course, learner]), chance)
        try:
            _issue(course, learner)
        except InvalidInput as refused:
            assert all(fault.pointer for fault in refused.faults), refused.faults  # noqa: PT017 - others end the test
