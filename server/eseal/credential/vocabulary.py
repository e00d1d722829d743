"""The controlled vocabularies of an EDC, as data: which IRIs there are, what they are called, which are near.

One file a vocabulary in ``vocabularies/``. A closed one lists all its items; an open one (ESCO, territorial units,
qualification frameworks) is too large to carry or not fully known here, and its items are checked by their pattern.
Labels come in the official languages of the Union as far as their source has them, English always.
"""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_NEAREST = 3


class UnknownItem(ValueError):
    """No item of the vocabulary answers to this name; ``nearest`` lists the items that come close."""

    def __init__(self, vocabulary: Vocabulary, name: str) -> None:
        self.nearest = vocabulary.nearest(name)
        known = f" Nearest known: {', '.join(self.nearest)}." if self.nearest else ""
        super().__init__(f"{name!r} is not an item of {vocabulary.title} ({vocabulary.scheme}).{known}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """One controlled vocabulary. ``items`` maps the last part of an IRI to its labels by ISO 639-1 language."""

    name: str
    title: str
    scheme: str
    base: str
    closed: bool
    items: Mapping[str, Mapping[str, str]] = field(repr=False)
    further: frozenset[str] = field(default=frozenset(), repr=False)
    alpha2: Mapping[str, str] = field(default_factory=dict, repr=False)
    pattern: re.Pattern[str] | None = None
    notation: str = ""

    def has(self, iri: str) -> bool:
        """Whether ``iri`` is an item: listed, or of the pattern where the vocabulary is open."""
        if not iri.startswith(self.base):
            return False
        code = iri[len(self.base) :]
        if code in self.items or code in self.further:
            return True
        return not self.closed and self.pattern is not None and self.pattern.fullmatch(code) is not None

    def iri(self, name: str) -> str:
        """The IRI of an item named by its IRI, by the last part of it, or by its English label; UnknownItem else."""
        for candidate in (name, self.base + name, self.base + self._labelled().get(name.casefold(), "")):
            if self.has(candidate):
                return candidate
        raise UnknownItem(self, name)

    def concept(
        self, name: str, languages: Iterable[str] = (), label: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """The ELM Concept of an item, with ``label``, or with its labels in ``languages`` (English where none is known)."""
        iri = self.iri(name)
        concept: dict[str, Any] = {
            "id": iri,
            "type": "Concept",
            "inScheme": {"id": self.scheme, "type": "ConceptScheme"},
        }
        labels = self.items.get(iri[len(self.base) :], {})
        chosen = label or {language: labels[language] for language in languages if language in labels}
        if not chosen and "en" in labels:
            chosen = {"en": labels["en"]}
        if chosen:
            concept["prefLabel"] = dict(chosen)
        if self.notation:
            concept["notation"] = self.notation
        return concept

    def nearest(self, name: str) -> list[str]:
        """Up to three items that come close to ``name``, as `IRI ("label")`."""
        code = name.rstrip("/#").rsplit("/", 1)[-1].casefold()
        items, labels = {item.casefold(): item for item in self.items}, self._labelled()
        codes = [items[near] for near in difflib.get_close_matches(code, items, n=_NEAREST, cutoff=0.5)]
        codes += [labels[near] for near in difflib.get_close_matches(name.casefold(), labels, n=_NEAREST, cutoff=0.6)]
        return [f'{self.base}{code} ("{self.items[code].get("en", code)}")' for code in dict.fromkeys(codes)][:_NEAREST]

    def _labelled(self) -> Mapping[str, str]:
        return _labelled(self.name)


@cache
def vocabularies() -> Mapping[str, Vocabulary]:
    """Every vocabulary, by its short name (``country``, ``mode``, ``isced-f``)."""
    folder = files("eseal.credential").joinpath("vocabularies")
    names = sorted(entry.name.removesuffix(".json") for entry in folder.iterdir() if entry.name.endswith(".json"))
    return {name: _read(name, json.loads(folder.joinpath(f"{name}.json").read_text("utf-8"))) for name in names}


@cache
def by_scheme() -> Mapping[str, Vocabulary]:
    """Every vocabulary, by the IRI of its concept scheme."""
    return {vocabulary.scheme: vocabulary for vocabulary in vocabularies().values()}


def vocabulary(name: str) -> Vocabulary:
    """The vocabulary of this short name."""
    return vocabularies()[name]


@cache
def alpha3(alpha2: str) -> str:
    """The EU's country code (``NLD``) for a certificate's C (``NL``); KeyError for an unknown one."""
    return vocabulary("country").alpha2[alpha2.upper()]


@cache
def language_code(language: str) -> str:
    """The EU's language code (``ENG``) for ISO 639-1 (``en``); KeyError for an unknown one."""
    return vocabulary("language").alpha2[language.split("-", maxsplit=1)[0].lower()]


@cache
def iso_language(iri: str) -> str:
    """ISO 639-1 (``en``) for a language's IRI or code (``.../language/ENG``), or empty."""
    code = iri.rsplit("/", 1)[-1]
    return next((short for short, long in vocabulary("language").alpha2.items() if long == code), "")


@cache
def _labelled(name: str) -> Mapping[str, str]:
    return {labels["en"].casefold(): code for code, labels in vocabulary(name).items.items() if "en" in labels}


def _read(name: str, data: Mapping[str, Any]) -> Vocabulary:
    return Vocabulary(
        name=name,
        title=data["title"],
        scheme=data["scheme"],
        base=data["base"],
        closed=data["closed"],
        items=data["items"],
        further=frozenset(data.get("further", "").split()),
        alpha2=data.get("alpha2", {}),
        pattern=re.compile(data["pattern"]) if "pattern" in data else None,
        notation=data.get("notation", ""),
    )
