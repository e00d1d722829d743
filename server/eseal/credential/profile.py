"""The EDC application profiles by their names in a credential: credentialProfiles concepts and credentialSchema ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from eseal.credential.vocabulary import vocabulary
from eseal.terms import Profile

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
    """The credentialSchema items of several profiles; edc-diploma-supplement imports edc-accredited, so that is named, too."""
    named = set(profiles)
    if Profile.DIPLOMA_SUPPLEMENT in named:
        named.add(Profile.ACCREDITED)
    return [schema(profile) for profile in Profile if profile in named]


def declared_profiles(document: Document) -> frozenset[Profile]:
    """The profiles that credentialProfiles names; a concept that is none of them is passed over."""
    base = vocabulary("credential").base
    items = _ids(document.get("/credentialProfiles"))
    return frozenset(
        _CONCEPTS[iri.removeprefix(base)]
        for iri in items
        if iri.startswith(base) and iri.removeprefix(base) in _CONCEPTS
    )


def named_profiles(document: Document) -> frozenset[Profile]:
    """The profiles that credentialProfiles and credentialSchema name together; generic where they name none."""
    schema_ids = _ids(document.get("/credentialSchema"))
    by_schema = frozenset(
        _SCHEMA_NAMES[name] for iri in schema_ids if (name := iri.rsplit("/", 1)[-1]) in _SCHEMA_NAMES
    )
    return (declared_profiles(document) | by_schema) or frozenset({Profile.GENERIC})


def _ids(value: Any) -> Iterator[str]:
    for item in value if isinstance(value, list) else [value]:
        iri = item.get("id") if isinstance(item, dict) else item
        if isinstance(iri, str):
            yield iri
