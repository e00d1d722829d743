"""Drafts: credentials before the sealer's part, and after it, each alone or as one of a class.

The learners of a course differ in a few texts: names, birth, the numbers they are known by. So from a course's second
learner on everything else is built, judged, completed, checked and canonicalised once, with stand-ins where those
texts go (a class), and a learner adds the texts (a member). A learner who has more of his own (grades, addresses, own
identifiers of the credential) is a document by himself. The bytes are the same either way.

Work goes by the batch: a class fills all its members in one crossing into Rust.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from eseal.credential.annex_i import annex_i
from eseal.credential.building import Award, CourseKey, build, full_name
from eseal.credential.checking import check, check_many
from eseal.credential.completion import Completion, complete, credential_id_of, fresh_credential_id
from eseal.credential.facts import award_facts
from eseal.credential.likeness import is_seen
from eseal.credential.micro_credential import Identifier
from eseal.credential.nodes import date_time
from eseal.credential.validity import ended, ends
from eseal.errors import InvalidInput
from eseal.sealcore import Document, Template, canonical_many, digest_many
from eseal.terms import LegalIdentifier

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from eseal.credential.micro_credential import Learner, MicroCredential
    from eseal.credential.page import Pages
    from eseal.terms import AwardFacts, Fault, Grant, LegalEntity

_COMPLETIONS_KEPT: Final = 8
_STAND_IN: Final = "stand-in for {}"
_BIRTH: Final = date(1001, 1, 1)
_ID: Final = "urn:credential:00000000-0000-4000-8000-000000000000"
_MOMENT: Final = datetime(1001, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Whole:
    """A credential that is a document by itself."""

    document: Document

    def facts(self) -> AwardFacts:
        """What the mandate policy asks."""
        return award_facts(self.document)

    def credential_id(self) -> str:
        """The id to seal under: the caller's own where it is one, else a fresh one."""
        return credential_id_of(self.document)

    def completion(self, *, sealer: LegalEntity, grant: Grant, display: Any, pages: Pages) -> Completion:
        """What ``sealer`` adds; see ``Completion.of``."""
        return Completion.of(self.document, sealer=sealer, grant=grant, display=display, pages=pages)

    def complete(self, completion: Completion, *, credential_id: str, issued: datetime) -> Document:
        """Add the sealer's part; see ``completion.complete``."""
        return complete(self.document, completion, credential_id=credential_id, issued=issued)


@dataclass(frozen=True, slots=True)
class Member:
    """A credential as one of a class: ``texts`` go into the class's holes."""

    of: Class = field(repr=False)
    texts: tuple[str, ...] = field(repr=False)

    def facts(self) -> AwardFacts:
        """What the mandate policy asks: the class's, and the same object for all of it."""
        return self.of.facts

    def credential_id(self) -> str:
        """A fresh id."""
        return fresh_credential_id()

    def completion(self, *, sealer: LegalEntity, grant: Grant, display: Any, pages: Pages) -> Completion:
        """What ``sealer`` adds to any of the class under ``grant``."""
        key = (sealer, grant.mandate_ids, grant.register_sha256)
        return self.of.completion(key, sealer=sealer, grant=grant, display=display, pages=pages)

    def complete(self, completion: Completion, *, credential_id: str, issued: datetime) -> CompletedMember | Document:
        """Add the sealer's part; a document by itself where a page has the learner's name on it."""
        if any(page.name for page in completion.pages):
            return complete(self.whole(), completion, credential_id=credential_id, issued=issued)
        completed = self.of.completed(completion)
        moment = date_time(issued)
        return CompletedMember(completed, (credential_id, *[moment] * completed.moments, *self.texts))

    def whole(self) -> Document:
        """The same credential as a document."""
        return Document.parse(self.of.template.fill(self.texts))


Draft: TypeAlias = Whole | Member


@dataclass(frozen=True, slots=True)
class CompletedMember:
    """A completed credential as one of a class."""

    of: CompletedClass = field(repr=False)
    values: tuple[str, ...] = field(repr=False)


CompletedDraft: TypeAlias = Document | CompletedMember


@dataclass(frozen=True, slots=True)
class CompletedClass:
    """A class with one completion. ``faults`` and ``missing`` are those of each member.

    The holes are the id, ``moments`` times the date of issue, and then those of the class; ``birth`` is the place of the
    date of birth among them. ``ends`` is when validity ends.
    """

    template: Template = field(repr=False)
    moments: int
    faults: tuple[Fault, ...]
    missing: tuple[str, ...]
    ends: tuple[tuple[str, datetime], ...] = ()
    birth: int | None = None


class Class:
    """What the learners of a course share, of those who have the same texts of their own. Safe for threads."""

    def __init__(self, document: Document, holes: Sequence[tuple[str, str]]) -> None:
        """``document`` has stand-ins at ``holes``: JSON pointers, and the names of the texts that go there."""
        self._document = document
        self._holes = tuple(pointer for pointer, _ in holes)
        self.names = tuple(name for _, name in holes)
        self._lock = Lock()
        self._completions: OrderedDict[object, Completion] = OrderedDict()
        self._completed: OrderedDict[Completion, CompletedClass] = OrderedDict()
        self.template = Template(document, self._holes)
        self.facts = award_facts(document)

    def completion(self, key: object, *, sealer: LegalEntity, grant: Grant, display: Any, pages: Pages) -> Completion:
        """The completion by what it depends on, made once."""
        found = self._completions.get(key)
        if found is None:
            found = Completion.of(self._document, sealer=sealer, grant=grant, display=display, pages=pages)
            self._keep(self._completions, key, found)
        return found

    def completed(self, completion: Completion) -> CompletedClass:
        """The class with the sealer's part in it, made once."""
        found = self._completed.get(completion)
        if found is None:
            document = complete(self._document, completion, credential_id=_ID, issued=_MOMENT)
            moments = [f"/{term}" for term in ("issued", "issuanceDate", "validFrom") if _is_moment(document, term)]
            found = CompletedClass(
                template=Template(document, ["/id", *moments, *self._holes]),
                moments=len(moments),
                faults=tuple(check(document)),
                missing=tuple(annex_i(document).missing),
                ends=ends(document),
                birth=1 + len(moments) + self.names.index("date_of_birth") if "date_of_birth" in self.names else None,
            )
            self._keep(self._completed, completion, found)
        return found

    def _keep(self, kept: OrderedDict[Any, Any], key: object, value: object) -> None:
        with self._lock:
            kept[key] = value
            while len(kept) > _COMPLETIONS_KEPT:
                kept.popitem(last=False)


def draft(course: MicroCredential, learner: Learner) -> Draft:
    """The credential of one learner. Raises InvalidInput as ``building.build`` does.

    The first learner of a MicroCredential object is a document by himself; from the second on there is a class.
    """
    asked = _asked(CourseKey(course))
    asked.append(None)
    member = _member(course, learner) if len(asked) > 1 else None
    return member or Whole(build(course, learner))


@lru_cache(maxsize=128)
def _asked(course: CourseKey) -> deque[None]:
    """One element for each learner of the course so far, up to two."""
    del course
    return deque(maxlen=2)


def content_digests(items: Sequence[Draft]) -> list[bytes]:
    """SHA-256 of each draft's canonical bytes: the same content has the same digest."""
    alone = iter(canonical_many([item.document for item in items if isinstance(item, Whole)]))
    filled = _filled([(item.of.template, item.texts) if isinstance(item, Member) else None for item in items])
    return digest_many("sha256", [next(alone) if data is None else data for data in filled])


def payloads(items: Sequence[CompletedDraft]) -> list[bytes]:
    """The canonical bytes of each completed credential."""
    alone = iter(canonical_many([item for item in items if isinstance(item, Document)]))
    filled = _filled([(item.of.template, item.values) if isinstance(item, CompletedMember) else None for item in items])
    return [next(alone) if data is None else data for data in filled]


def faults_of(items: Sequence[CompletedDraft]) -> list[list[Fault]]:
    """The faults of each completed credential; see ``checking.check``."""
    alone = iter(check_many([item for item in items if isinstance(item, Document)]))
    return [_faults(item) if isinstance(item, CompletedMember) else next(alone) for item in items]


def _faults(item: CompletedMember) -> list[Fault]:
    """The class's faults, and those of a member's own dates: the stand-in was born and issued long before any other."""
    of, issued = item.of, item.values[1]
    birth = item.values[of.birth] if of.birth is not None else None
    # All of these are written by date_time, so that their order is that of their texts.
    if not of.ends and (birth is None or birth <= issued):
        return list(of.faults)
    return [*of.faults, *ended(of.ends, issued, birth)]


def missing_elements(item: CompletedDraft) -> Sequence[str]:
    """The mandatory elements of Annex I that a completed credential lacks."""
    return item.of.missing if isinstance(item, CompletedMember) else annex_i(item).missing


def _filled(items: Sequence[tuple[Template, tuple[str, ...]] | None]) -> list[bytes | None]:
    """Fill each template with all that is meant for it, in one crossing each."""
    places: dict[int, list[int]] = {}
    for place, item in enumerate(items):
        if item is not None:
            places.setdefault(id(item[0]), []).append(place)
    filled: list[bytes | None] = [None] * len(items)
    for chosen in places.values():
        of_one = [item for place in chosen if (item := items[place]) is not None]
        for place, data in zip(chosen, of_one[0][0].fill_many([values for _, values in of_one]), strict=True):
            filled[place] = data
    return filled


def _is_moment(document: Document, term: str) -> bool:
    return bool(document.get(f"/{term}") == date_time(_MOMENT))


# --- Whose class a learner is in --------------------------------------------------------------------------------------------


def _member(course: MicroCredential, learner: Learner) -> Member | None:
    """The learner as one of a class, or None where he has more of his own than texts."""
    if learner.email_address or learner.credential_identifiers:
        return None
    texts = dict(_texts(learner))
    # What the sealer adds depends on some words that a credential may hold already, and a colon is in all of them. A blank
    # text is not judged like one that says something.
    if any(not is_seen(text) or (":" in text and name != "date_of_birth") for name, text in texts.items()):
        return None
    found = _class_of(CourseKey(course), _Shape.of(learner))
    return None if found is None else Member(found, tuple([texts[name] for name in found.names]))


def _texts(learner: Learner) -> Iterator[tuple[str, str]]:
    """The learner's own texts, by name."""
    for name in ("given_name", "family_name"):
        if text := getattr(learner, name):
            yield name, text
    if text := full_name(learner):
        yield "full_name", text
    if learner.date_of_birth:
        yield "date_of_birth", date_time(learner.date_of_birth)
    if learner.national_id:
        yield "national_id", learner.national_id.notation
    for number, identifier in enumerate(learner.identifiers):
        yield f"identifiers/{number}", identifier.notation


@dataclass(frozen=True, slots=True)
class _Shape:
    """What of a learner decides his class: everything but the texts, of which only who has which."""

    named: tuple[bool, bool, bool]
    born: bool
    national_id: tuple[str, str, str] | None
    schemes: tuple[str, ...]
    citizenship_countries: tuple[str, ...]
    award: Award

    @staticmethod
    def of(learner: Learner) -> _Shape:
        national = learner.national_id
        return _Shape(
            named=(bool(learner.given_name), bool(learner.family_name), bool(learner.full_name)),
            born=learner.date_of_birth is not None,
            national_id=(national.kind, national.country, national.scheme) if national else None,
            schemes=tuple([identifier.scheme for identifier in learner.identifiers]),
            citizenship_countries=learner.citizenship_countries,
            award=Award.of(learner),
        )

    def stand_in(self) -> Learner:
        """A learner of this shape whose texts are all different, and nobody's."""
        given, family, full = (
            _STAND_IN.format(name) if has else ""
            for name, has in zip(("given name", "family name", "full name"), self.named, strict=True)
        )
        national = None
        if self.national_id:
            kind, country, scheme = self.national_id
            national = LegalIdentifier(kind, _STAND_IN.format("national id"), country, scheme)
        return replace(
            self.award.learner,
            given_name=given,
            family_name=family,
            full_name=full,
            date_of_birth=_BIRTH if self.born else None,
            national_id=national,
            identifiers=tuple(
                Identifier(_STAND_IN.format(f"identifier {number}"), scheme)
                for number, scheme in enumerate(self.schemes)
            ),
            citizenship_countries=self.citizenship_countries,
        )


@lru_cache(maxsize=128)
def _class_of(course: CourseKey, shape: _Shape) -> Class | None:
    """The class, or None where even its stand-in has faults: then each learner is told for himself."""
    learner = shape.stand_in()
    try:
        document = build(course.course, learner)
    except InvalidInput:
        return None
    names = {text: name for name, text in _texts(learner)}
    holes = [(pointer, names[text]) for pointer, text in _person_texts(document) if text in names]
    if {name for _, name in holes} != set(names.values()):
        return None
    return Class(document, holes)


def _person_texts(document: Document) -> Iterator[tuple[str, str]]:
    """Every string of the person's own, with its pointer."""
    person = document.get("/credentialSubject")
    person.pop("hasClaim", None)
    waiting: list[tuple[str, Any]] = [("/credentialSubject", person)]
    while waiting:
        pointer, value = waiting.pop()
        if isinstance(value, str):
            yield pointer, value
        elif isinstance(value, dict):
            waiting += [(f"{pointer}/{name}", inner) for name, inner in value.items()]
        elif isinstance(value, list):
            waiting += [(f"{pointer}/{place}", inner) for place, inner in enumerate(value)]
