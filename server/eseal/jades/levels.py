"""The baseline levels (TS 119 182-1 clause 6): which are built here, and which one a document's structure reaches.

The structure says what a seal claims to carry: time-stamps, validation data, archive time-stamps. Whether those hold is
said elsewhere, per time-stamp and for the seal as a whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eseal.errors import NotBuilt
from eseal.terms import Level

if TYPE_CHECKING:
    from collections.abc import Iterable

NOT_ETSI = "NOT_ETSI"
"""The level of a JWS that is no ETSI JAdES."""

_BUILT = frozenset({Level.B_B})
_VALIDATION_DATA = ("xVals", "rVals")
_BUNDLED_VALIDATION_DATA = frozenset({"tstVD", "anyValData"})
# Clause 6.3: a baseline LT has its validation data by value, not by reference.
_REFERENCES = frozenset({"xRefs", "rRefs", "axRefs", "arRefs", "sigRTst", "rfsTst"})


def require_built(level: Level) -> None:
    """Raise NotBuilt for a level that this version cannot seal at."""
    if level not in _BUILT:
        built = ", ".join(sorted(_BUILT))
        raise NotBuilt("LEVEL_NOT_BUILT", f"This version seals at {built}; {level} is not built.")


def reached(elements: Iterable[str], *, is_jades: bool) -> str:
    """Return the level that a signature with these etsiU elements reaches, in the spelling of ``terms.Level``."""
    names = frozenset(elements)
    if not is_jades:
        return NOT_ETSI
    if "sigTst" not in names:
        return Level.B_B.value
    has_values = all(name in names for name in _VALIDATION_DATA) or bool(names & _BUNDLED_VALIDATION_DATA)
    if not has_values or names & _REFERENCES:
        return Level.B_T.value
    return Level.B_LTA.value if "arcTst" in names else Level.B_LT.value
