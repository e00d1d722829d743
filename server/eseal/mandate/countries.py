"""Country and language codes, from the ISO tables: certificates say ``NL``, the EDC's vocabularies say ``NLD``."""

from __future__ import annotations

from functools import lru_cache

import pycountry

# Prefixes that stand in for a country without being its ISO 3166-1 code: Greece and Northern Ireland in VAT numbers
# (Directive 2006/112/EC article 215), and the United Kingdom's reserved code.
_OTHER_ALPHA_2 = {"EL": "GRC", "XI": "GBR", "UK": "GBR"}
# Kosovo has no ISO code: the EU country authority table says 1A0, most registers say XKX.
_OTHER_ALPHA_3 = frozenset({"1A0", "XKX"})


@lru_cache(maxsize=512)
def alpha_3(alpha_2: str) -> str | None:
    """``NL`` to ``NLD``; None for a code that no country has."""
    if alpha_2 in _OTHER_ALPHA_2:
        return _OTHER_ALPHA_2[alpha_2]
    country = pycountry.countries.get(alpha_2=alpha_2)
    return country.alpha_3 if country else None


@lru_cache(maxsize=512)
def alpha_2(alpha_3_code: str) -> str | None:
    """``NLD`` to ``NL``; None for a code that no country has."""
    country = pycountry.countries.get(alpha_3=alpha_3_code)
    return country.alpha_2 if country else None


def is_country(code: str) -> bool:
    """Whether ``code`` is the alpha-3 code of a country, as the EU country authority table writes them."""
    return code in _OTHER_ALPHA_3 or (code.isupper() and alpha_2(code) is not None)


@lru_cache(maxsize=512)
def is_language(code: str) -> bool:
    """Whether ``code`` is an ISO 639-1 language, as the keys of an EDC's language maps."""
    return code.islower() and pycountry.languages.get(alpha_2=code) is not None
