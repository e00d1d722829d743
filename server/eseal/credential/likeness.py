"""Credentials of one course are alike but for the learner: what is asked of one of them is answered for all.

The policy's facts and the elements of Annex I depend on what is awarded, not on what the learner is called or when the
seal is made. So their answers are kept under the digest of a credential without those literals. Nothing that could hold
a node is left out (a node may add to any other), and a digest tells nothing of a learner.
"""

from __future__ import annotations

from functools import wraps
from threading import Lock
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from eseal.sealcore import Document

Answer = TypeVar("Answer")
_TEXTS: Final = ("/credentialSubject/givenName", "/credentialSubject/familyName", "/credentialSubject/fullName")
_STRINGS: Final = ("/issued", "/issuanceDate", "/validFrom", "/credentialSubject/dateOfBirth")


def once_a_course(maximum: int) -> Callable[[Callable[[Document], Answer]], Callable[[Document], Answer]]:
    """Keep the answers of a function of a credential for the last ``maximum`` courses; safe from many threads."""

    def keeping(ask: Callable[[Document], Answer]) -> Callable[[Document], Answer]:
        kept: dict[bytes, Answer] = {}
        lock = Lock()

        @wraps(ask)
        def answer(document: Document) -> Answer:
            key = likeness(document)
            known = kept.get(key)
            if known is None:
                known = ask(document)
                with lock:
                    while len(kept) >= maximum:
                        del kept[next(iter(kept))]
                    kept[key] = known
            return known

        return answer

    return keeping


def likeness(document: Document) -> bytes:
    """A digest that credentials share which differ in the learner's names and birth, and in id and dates, only.

    Whether each of those is there, and says anything, is part of it.
    """
    bare, own = document, document.get("/id")
    # An id names a node, and another node of that name would be the credential itself.
    if isinstance(own, str) and document.canonical().count(own.encode()) == 1:
        bare = bare.set("/id", "")
    for pointer in _TEXTS:
        # A list of objects would be nodes, a language map never is.
        text = document.get(pointer)
        if isinstance(text, dict) and all(isinstance(one, str) for one in text.values()):
            bare = bare.set(pointer, any(map(is_seen, text.values())))
    for pointer in _STRINGS:
        literal = document.get(pointer)
        if isinstance(literal, str):
            bare = bare.set(pointer, is_seen(literal))
    return bare.digest("sha256")


def is_seen(text: str) -> bool:
    """Whether a text is more than blanks and characters without a shape, such as U+200B."""
    return any(character.isprintable() and not character.isspace() for character in text)
