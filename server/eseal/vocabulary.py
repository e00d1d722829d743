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
# A vocabulary of so many items is told whole.
_FEW = 10
# What turns a word into its opposite: "unsupervised" is as near to "supervised" as a word can be, and never meant by it.
_NEGATIONS = ("un", "in", "non", "non-")


class UnknownItem(ValueError):
    """No item of the vocabulary, or more than one, answers to this name; ``nearest`` lists those that may be meant."""

    def __init__(self, vocabulary: Vocabulary, name: str) -> None:
        self.nearest = vocabulary.nearest(name)
        several = vocabulary.named(name)
        wrong = f"is the name of {len(several)} items" if len(several) > 1 else "is not an item"
        super().__init__(f"{name!r} {wrong} of {vocabulary.title} ({vocabulary.scheme}).{vocabulary.hint(name)}")


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
    short: Mapping[str, str] = field(default_factory=dict, repr=False)
    about: Mapping[str, str] = field(default_factory=dict, repr=False)

    def has(self, iri: str) -> bool:
        """Whether ``iri`` is an item: listed, or of the pattern where the vocabulary is open."""
        if not iri.startswith(self.base):
            return False
        code = iri[len(self.base) :]
        if code in self.items or code in self.further:
            return True
        return not self.closed and self.pattern is not None and self.pattern.fullmatch(code) is not None

    def iri(self, name: str) -> str:
        """The IRI of an item named by its IRI, by the last part of it, by a label in any language, or by a short word.

        UnknownItem for what names no item, or several.
        """
        for candidate in (name, self.base + name):
            if self.has(candidate):
                return candidate
        codes = self.named(name)
        if len(codes) != 1:
            raise UnknownItem(self, name)
        return self.base + codes[0]

    def named(self, name: str) -> tuple[str, ...]:
        """The items that bear this name: a short word or an English label, else a label in another language."""
        return next((found for names in _names(self.name) if (found := names.get(name.casefold()))), ())

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

    def hint(self, name: str) -> str:
        """A sentence that leads from ``name`` to an item, beginning with a space; empty where nothing comes close."""
        nearest = self.nearest(name)
        if not nearest:
            return ""
        if len(self.named(name)) > 1:
            return f" Say which: {', '.join(nearest)}."
        few = len(self.items) <= _FEW
        further = " Others go by their IRI." if few and not self.closed else ""
        return f" {'Known' if few else 'Nearest known'}: {', '.join(nearest)}.{further}"

    def nearest(self, name: str) -> list[str]:
        """The items that ``name`` may mean, as `IRI ("label")`: up to three, the nearest first; all where they are few."""
        code = name.rstrip("/#").rsplit("/", 1)[-1].casefold()
        items = {item.casefold(): item for item in self.items}
        labels, _ = _names(self.name)
        codes = [*self.named(name), *(self.alpha2[one] for one in (code.upper(), code) if one in self.alpha2)]
        if len(self.named(name)) <= 1:
            codes += [items[near] for near in difflib.get_close_matches(code, items, n=_NEAREST, cutoff=0.5)]
            near = difflib.get_close_matches(name.casefold(), labels, n=_NEAREST, cutoff=0.6)
            codes += [item for one in near for item in labels[one]]
            codes = sorted(dict.fromkeys(codes), key=lambda item: self._is_opposite(item, name))[:_NEAREST]
            if len(self.items) <= _FEW:
                codes = sorted((*codes, *self.items), key=lambda item: self._is_opposite(item, name))
        return [f'{self.base}{item} ("{self._label(item)}")' for item in dict.fromkeys(codes)]

    def _label(self, item: str) -> str:
        return self.items[item].get("en") or self.about.get(item, item)

    def _is_opposite(self, item: str, name: str) -> bool:
        """Whether the item's label denies the word that ``name`` begins with."""
        word = name.casefold().split(" ", 1)[0]
        return bool(word) and self._label(item).casefold().startswith(tuple(f"{no}{word}" for no in _NEGATIONS))


@cache
def vocabularies() -> Mapping[str, Vocabulary]:
    """Every vocabulary, by its short name (``country``, ``mode``, ``isced-f``)."""
    folder = files("eseal").joinpath("vocabularies")
    names = sorted(entry.name.removesuffix(".json") for entry in folder.iterdir() if entry.name.endswith(".json"))
    return {name: _read(name, json.loads(folder.joinpath(f"{name}.json").read_text("utf-8"))) for name in names}


@cache
def by_scheme() -> Mapping[str, Vocabulary]:
    """Every vocabulary, by the IRI of its concept scheme."""
    return {vocabulary.scheme: vocabulary for vocabulary in vocabularies().values()}


def vocabulary_of(iri: str) -> Vocabulary | None:
    """The vocabulary that an item of this IRI would be of, by how the IRI begins."""
    return next((one for one in vocabularies().values() if iri.startswith(one.base)), None)


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
def _names(name: str) -> tuple[Mapping[str, tuple[str, ...]], Mapping[str, tuple[str, ...]]]:
    """The items by short words and English labels, and by labels in other languages, as names are compared."""
    known = vocabulary(name)
    english: dict[str, tuple[str, ...]] = {word.casefold(): (code,) for word, code in known.short.items()}
    foreign: dict[str, tuple[str, ...]] = {}
    for code, labels in known.items.items():
        for language, label in labels.items():
            names = english if language == "en" else foreign
            names[label.casefold()] = tuple(dict.fromkeys((*names.get(label.casefold(), ()), code)))
    return english, foreign


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
        short=data.get("short", {}),
        about=data.get("about", {}),
    )
