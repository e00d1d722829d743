"""The EDC application profiles by their names in a credential: credentialProfiles concepts and credentialSchema ids."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from eseal.credential.nodes import flat
from eseal.terms import ACCREDITED_PROFILES, Fault, Profile
from eseal.vocabulary import vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from eseal.sealcore import Document

SCHEMAS: Final = "http://data.europa.eu/snb/model/ap/"
_CONCEPTS: Final[Mapping[str, Profile]] = {
    "e34929035b": Profile.GENERIC,
    "c_9a31f32a": Profile.MANDATE,
    "6cf8e68c43": Profile.ACCREDITED,
    "c_ae121a00": Profile.ACCREDITED,
    "c_7e400154": Profile.CONVERTED,
    "6dff8a0f87": Profile.DIPLOMA_SUPPLEMENT,
}
_SCHEMA_NAMES: Final[Mapping[str, Profile]] = {
    "edc-generic-no-cv": Profile.GENERIC,
    "edc-generic-full": Profile.GENERIC,
    "edc-issued-by-mandate": Profile.MANDATE,
    "edc-accredited": Profile.ACCREDITED,
    "edc-converted": Profile.CONVERTED,
    "edc-diploma-supplement": Profile.DIPLOMA_SUPPLEMENT,
}
_LANGUAGES: Final = ("en",)


def concept(profile: Profile) -> dict[str, Any]:
    """The credentialProfiles item of a profile (the first where the vocabulary has two)."""
    code = next(code for code, named in _CONCEPTS.items() if named is profile)
    return vocabulary("credential").concept(code, _LANGUAGES)


def schema(profile: Profile) -> dict[str, Any]:
    """The credentialSchema item of a profile."""
    name = next(name for name, named in reversed(list(_SCHEMA_NAMES.items())) if named is profile)
    return {"id": SCHEMAS + name, "type": "ShaclValidator2017"}


def schemas(profiles: Iterable[Profile]) -> list[dict[str, Any]]:
    """The credentialSchema items of several profiles; one that imports edc-accredited names that, too."""
    named = set(profiles)
    if named & ACCREDITED_PROFILES:
        named.add(Profile.ACCREDITED)
    return [schema(profile) for profile in Profile if profile in named]


def declared_profiles(document: Document) -> frozenset[Profile]:
    """The profiles that credentialProfiles names; a concept that is none of them is passed over."""
    return _among(bytes_at(document, "/credentialProfiles"))


def profiles_among(iris: Iterable[str]) -> frozenset[Profile]:
    """The profiles that these IRIs name."""
    base = vocabulary("credential").base
    found: set[Profile] = set()
    for iri in iris:
        if iri.startswith(base):
            found |= {_CONCEPTS[code] for code in [iri.removeprefix(base)] if code in _CONCEPTS}
        else:
            found |= {_SCHEMA_NAMES[name] for name in [iri.rsplit("/", 1)[-1]] if name in _SCHEMA_NAMES}
    return frozenset(found)


def named_profiles(document: Document) -> frozenset[Profile]:
    """The profiles that credentialProfiles and credentialSchema name together; generic where they name none."""
    return _named(bytes_at(document, "/credentialProfiles"), bytes_at(document, "/credentialSchema"))


def profile_faults(document: Document) -> list[Fault]:
    """Schemas of credentialSchema that are named like the Commission's profiles, and are none that is known here."""
    unknown = _unknown_schemas(bytes_at(document, "/credentialSchema"))
    known = ", ".join(_SCHEMA_NAMES)
    return [
        Fault("/credentialSchema", "edc.profile", f"{iri} is not a profile that can be checked here. Known: {known}.")
        for iri in unknown
    ]


def bytes_at(document: Document, pointer: str) -> bytes:
    """The canonical bytes of what stands at ``pointer``, ``null`` where nothing does: few are different, so they are keys."""
    return document.at(pointer).canonical() if document.has(pointer) else b"null"


@lru_cache(maxsize=1024)
def _among(data: bytes) -> frozenset[Profile]:
    return profiles_among(_ids(json.loads(data)))


@lru_cache(maxsize=1024)
def _named(concepts: bytes, schemas_: bytes) -> frozenset[Profile]:
    return (_among(concepts) | _among(schemas_)) or frozenset({Profile.GENERIC})


@lru_cache(maxsize=1024)
def _unknown_schemas(data: bytes) -> tuple[str, ...]:
    named = (iri for iri in _ids(json.loads(data)) if iri.startswith(SCHEMAS))
    return tuple(iri for iri in named if iri.removeprefix(SCHEMAS) not in _SCHEMA_NAMES)


def _ids(value: Any) -> Iterator[str]:
    for item in flat(value):
        iri = item.get("id") if isinstance(item, dict) else item
        if isinstance(iri, str):
            yield iri
