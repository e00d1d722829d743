"""Every fault of a credential against its profiles, with its JSON pointer.

Two readings, one source (``profiles/``). The JSON Schema accepts what is in plain form and conforms: one crossing into
Rust for a whole batch. What it does not accept is read as a graph and judged class by class, as the Commission's SHACL
shapes would: that reading has the last word and the words for the faults. docs/credential.md lists every rule.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eseal.credential.conformance import judge
from eseal.credential.graph import Graph
from eseal.credential.plain import accepted
from eseal.credential.profile import named_profiles, profile_faults
from eseal.credential.validity import date_faults
from eseal.terms import Profile

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from eseal.sealcore import Document
    from eseal.terms import Fault


def check(document: Document, profiles: Iterable[Profile] | None = None) -> list[Fault]:
    """All faults of a credential; none means that it conforms.

    ``profiles`` None means those that the credential names in credentialSchema and credentialProfiles, generic where it
    names none. Rules are named ``edc-<profile>:<Class>.<term>.<constraint>``, ``vocabulary:<name>``, ``json-ld.*`` and
    ``edc.*``.
    """
    return check_many([document], profiles)[0]


def check_many(documents: Sequence[Document], profiles: Iterable[Profile] | None = None) -> list[list[Fault]]:
    """The faults of each credential, in order."""
    if profiles is None:
        named = [named_profiles(document) for document in documents]
    else:
        named = [frozenset(profiles) or frozenset({Profile.GENERIC})] * len(documents)
    return [
        [
            *([] if plain else judge(Graph(document.to_python()), own)),
            *profile_faults(document),
            *date_faults(document),
        ]
        for document, own, plain in zip(documents, named, accepted(documents, named), strict=True)
    ]
