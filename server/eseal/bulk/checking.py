"""The dry run: everything that a seal would be refused for, found without sealing.

The house's own rules are applied here, row by row, as the server would: building, profiles, Annex I. The mandate is
asked of the server, once for each different set of facts that its policy looks at, and with a stand-in for the learner:
neither the policy nor Annex I asks who the learner is, and a dry run tells nobody.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from eseal.bulk.course import place_of
from eseal.bulk.faults import Mistake
from eseal.credential.annex_i import annex_i
from eseal.credential.building import build, parse
from eseal.credential.checking import check
from eseal.credential.completion import Completion, complete, fresh_credential_id
from eseal.credential.facts import award_facts
from eseal.credential.micro_credential import Display
from eseal.errors import InvalidInput, NotBuilt
from eseal.jades.levels import require_built
from eseal.rpc.translate import domain
from eseal.terms import Caller, Fault, Grant, LegalEntity
from eseal_client import EsealError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from eseal.bulk.learners import Columns, Person
    from eseal.credential.micro_credential import Learner
    from eseal.sealcore import Document
    from eseal.terms import AwardFacts, Level
    from eseal_client import ExplainMandateResponse, MicroCredential

# Stand-ins for what only the server knows; they conform, so that what does not is the registrar's.
SEALER: Final = LegalEntity("Sealer", "Sealer", "NTRNL-00000000", "NL")
NOBODY: Final = Grant(Caller(""), "", (), self_issue=True, register_sha256=b"")
MAX_CREDENTIAL_BYTES: Final = 8 * 1024 * 1024
# Which columns make the part of a learner that a pointer names, in the request or in the credential.
COLUMNS: Final = {
    "national_id": ("national_id", "national_id_country"),
    "nationalID": ("national_id", "national_id_country"),
    "assessment_grades": ("assessment_grade",),
    "identifiers": ("identifier",),
    "credential_identifiers": ("credential_identifier",),
    "citizenshipCountry": ("citizenship_countries",),
    "dateOfBirth": ("date_of_birth",),
    "contactPoint": ("email_address",),
    "identifier": ("identifier",),
    "givenName": ("given_name",),
    "familyName": ("family_name",),
    "fullName": ("full_name", "given_name", "family_name"),
}
_OF_A_LEARNER: Final = re.compile(rf"/learner/([^/]+)|/credentialSubject/({'|'.join(COLUMNS)})(?:/|$)")


@dataclass(slots=True)
class Explanation:
    """What the mandate policy says of one set of facts, the first row that has it, and how many have."""

    facts: AwardFacts
    row: int
    answer: ExplainMandateResponse
    rows: int = 1


@dataclass(frozen=True, slots=True)
class Shortage:
    """A quota that has not room for all rows of its mandate."""

    mandate_id: str
    rule: str
    rows: int
    room: int


@dataclass(slots=True)
class Check:
    """What a dry run found. A mistake of the course is told once, with the first row that meets it.

    ``gone`` is why the mandate could not be asked any more; what needs no server was looked at all the same.
    """

    rows: int = 0
    mistakes: list[Mistake] = field(default_factory=list)
    explanations: list[Explanation] = field(default_factory=list)
    gone: EsealError | None = None
    _told: set[Fault] = field(default_factory=set)

    def first(self, fault: Fault) -> bool:
        """Whether this fault of the course is met for the first time."""
        new = fault not in self._told
        self._told.add(fault)
        return new

    def shortages(self) -> Iterator[Shortage]:
        """Yield the quotas that the policy would refuse some of these rows for, were none of them sealed yet."""
        rows: Counter[str] = Counter()
        room: dict[tuple[str, str], int] = {}
        for explanation in self.explanations:
            rows.update(dict.fromkeys(explanation.answer.mandate_ids, explanation.rows))
            room |= {(one.mandate_id, one.rule): one.limit - one.used for one in explanation.answer.quotas}
        for (mandate_id, rule), left in room.items():
            if rows[mandate_id] > left:
                yield Shortage(mandate_id, rule, rows[mandate_id], max(0, left))


def level_mistakes(level: Level | None) -> list[Mistake]:
    """What is wrong with the level that is asked for."""
    try:
        if level is not None:
            require_built(level)
    except NotBuilt as error:
        return [Mistake("--level", "level-built", error.message)]
    return []


def check_learners(
    course_file: str,
    course: MicroCredential,
    columns: Columns,
    people: Iterable[Person],
    explain: Callable[[bytes], ExplainMandateResponse],
) -> Check:
    """Check a class list against the rules of the house. ``explain`` asks the server."""
    found = Check()
    asked = domain(course, "/micro_credential")
    for person in people:
        found.rows += 1
        try:
            learner = domain(person.learner, "/learner")
            faults = _faults(build(asked, learner), asked.display)
            document = build(asked, _stand_in(learner))
            faults += _missing(document)
        except InvalidInput as error:
            faults = list(error.faults) or [Fault("", error.reason.lower().replace("_", "-"), error.message)]
        # The course decides: its files are what is large.
        if not faults and not found.explanations:
            faults = _too_large(document)
        for fault in faults:
            _tell(found, fault, course_file, columns, person)
        if not faults:
            _explain(found, document, person.row.number, explain)
    return found


def check_credential(found: Check, file: str, data: bytes, explain: Callable[[bytes], ExplainMandateResponse]) -> None:
    """Check one credential that somebody else built, and add to what was ``found``."""
    found.rows += 1
    try:
        document = parse(data, max_bytes=MAX_CREDENTIAL_BYTES)
        faults = _faults(document, None)
    except InvalidInput as error:
        faults = list(error.faults) or [Fault("", error.reason.lower().replace("_", "-"), error.message)]
    for fault in faults:
        found.mistakes.append(Mistake(file, fault.rule, fault.message, column=fault.pointer or "/"))
    if not faults:
        _explain(found, document, found.rows, explain)


def _stand_in(learner: Learner) -> Learner:
    """A learner of the same kind whom nobody is: the rows of a list become alike, and are answered once."""
    return replace(
        learner,
        given_name=learner.given_name and "X",
        family_name=learner.family_name and "X",
        full_name=learner.full_name and "X",
        date_of_birth=None,
        national_id=learner.national_id and replace(learner.national_id, notation="X"),
        identifiers=tuple(replace(one, notation="X") for one in learner.identifiers),
        email_address="",
        credential_identifiers=(),
    )


def _missing(document: Document) -> list[Fault]:
    """The mandatory elements of Annex I that a credential lacks."""
    sentence = "Annex I of Council Recommendation 2022/C 243/02 asks for: {}."
    return [
        Fault("/credentialSubject", "annex-i", sentence.format(element))
        for element in annex_i(document).missing
        # Known once it is sealed.
        if element != "Date of issuing"
    ]


def _faults(document: Document, display: Display | None) -> list[Fault]:
    """Every fault of the document as it would be completed. The page is the course's: a personal one differs in the name."""
    shown = Display(template=display.template) if display else None
    completion = Completion.of(document, sealer=SEALER, grant=NOBODY, display=shown)
    moment = datetime.now(UTC).replace(microsecond=0)
    return check(complete(document, completion, credential_id=fresh_credential_id(), issued=moment))


def _too_large(document: Document) -> list[Fault]:
    if len(document.canonical()) <= MAX_CREDENTIAL_BYTES:
        return []
    sentence = f"A credential has at most {MAX_CREDENTIAL_BYTES} bytes, and this one would have more: its pages and"
    return [Fault("", "max-credential-bytes", f"{sentence} attachments are in it, a third larger than their files.")]


def _tell(found: Check, fault: Fault, course_file: str, columns: Columns, person: Person) -> None:
    """Say a fault where the registrar can mend it: by key in the course file, or by row and column in the list."""
    row = person.row
    if of_a_learner := _OF_A_LEARNER.match(fault.pointer):
        # The sentence may name what the cell says; the rule and the place are enough.
        part = of_a_learner[1] or of_a_learner[2]
        column = columns.written(*COLUMNS.get(part, (part,)))
        sentence = "The cell does not hold what this rule asks for."
        found.mistakes.append(Mistake(columns.table.name, fault.rule, sentence, row.number, row.line, column))
    elif found.first(fault):
        place = place_of(fault.pointer)
        where = "" if place else f" (at {fault.pointer or '/'} of the credential; first met in row {row.number})"
        found.mistakes.append(Mistake(course_file, fault.rule, fault.message + where, column=place))


def _explain(found: Check, document: Document, row: int, explain: Callable[[bytes], ExplainMandateResponse]) -> None:
    facts = award_facts(document)
    for known in reversed(found.explanations):
        if facts == known.facts:
            known.rows += 1
            return
    if found.gone is None:
        try:
            found.explanations.append(Explanation(facts, row, explain(document.canonical())))
        except EsealError as error:
            found.gone = error
