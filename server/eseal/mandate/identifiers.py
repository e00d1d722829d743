"""What identifies an organisation, in one form for every way of writing it.

A seal certificate names its owner ``NTRNL-08164880`` (EN 319 412-1 clause 5.1.4), a credential may say the same as a
``registration`` 08164880 of the Netherlands. Both have the same key here, so that they can be compared; a name never
has one. The numbers themselves are checked by kind where a check exists, so that a slip of the pen in the register
shows before a credential fails on it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

import stdnum.be.vat
import stdnum.dk.cvr
import stdnum.ee.registrikood
import stdnum.fi.ytunnus
import stdnum.fr.siren
import stdnum.no.orgnr
import stdnum.se.orgnr
from stdnum import lei
from stdnum.exceptions import ValidationError
from stdnum.util import get_cc_module

from eseal.mandate.countries import alpha_2, alpha_3, is_country
from eseal.terms import LegalIdentifier

if TYPE_CHECKING:
    from typing import Protocol

    class NumberModule(Protocol):
        """A module of python-stdnum."""

        def validate(self, number: str) -> str:
            """Return the number in its plain form, or raise ValidationError."""
            ...


Key: TypeAlias = tuple[str, str, str]

KINDS = ("eidas", "registration", "vat", "tax", "other")

_ORGANIZATION_IDENTIFIER = re.compile(r"(?P<type>VAT|NTR|PSD|LEI|[A-Z]{2}:)(?P<country>[A-Z]{2})-(?P<number>\S.*)")
# CIR (EU) 2015/1501: who gave it, for whom, and what they call the entity. Of one entity the middle part differs.
_LEGAL_PERSON = re.compile(r"(?P<country>[A-Z]{2})/(?P<destination>[A-Z]{2})/(?P<number>\S+)")
_PSD_NUMBER = re.compile(r"[A-Z]{2,8}-\S+")
_ROR = re.compile(r"0[0-9a-hj-km-np-tv-z]{6}[0-9]{2}")
_ROR_ADDRESS = re.compile(r"(?:https?://)?(?:www\.)?ror\.org/(?P<number>[^/]+)/?")
# Of how many letters and digits two numbers are not alike by chance.
_TELLING = 6
_LEI = re.compile(r"[0-9A-Z]{18}[0-9]{2}")

# LEI numbers are international: EN 319 412-1 writes LEIXG-.
_LEI_COUNTRY = "XG"
_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
_SCHEMES = {
    "schac": "SCHAC",
    "schachomeorganization": "SCHAC",
    "schachomeorganisation": "SCHAC",
    "erasmus": "ERASMUS",
    "erasmuscode": "ERASMUS",
    "erasmusid": "ERASMUS",
    "ror": "ROR",
    "rorid": "ROR",
    "deqar": "DEQAR",
    "deqarid": "DEQAR",
    "deqarinstid": "DEQAR",
    "pic": "PIC",
    "eupic": "PIC",
    "lei": "LEI",
}
# What scheme of `other` identifiers has which form.
_SCHEME_FORMS: dict[str, tuple[re.Pattern[str], str]] = {
    "SCHAC": (
        re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}"),
        "a SCHAC home organisation is a domain name (university.edu)",
    ),
    "ERASMUS": (
        re.compile(r"[A-Z]{1,3} *[A-Z-]{1,7}[0-9]{2,3}"),
        "an Erasmus code is a country, a city of up to seven letters and a number",
    ),
    "ROR": (_ROR, "a ROR id is 0, six characters of Crockford's base 32 and two check digits (https://ror.org/...)"),
    "DEQAR": (re.compile(r"DEQARINST[0-9]{4,}"), "a DEQAR id reads DEQARINST and at least four digits"),
    "PIC": (re.compile(r"[0-9]{9}"), "a PIC has nine digits"),
    "LEI": (_LEI, "an LEI has eighteen letters or digits and two check digits (ISO 17442)"),
}
# Countries whose trade register numbers carry a check digit that a kept library knows.
_TRADE_REGISTERS: dict[str, NumberModule] = {
    "BEL": stdnum.be.vat,
    "DNK": stdnum.dk.cvr,
    "EST": stdnum.ee.registrikood,
    "FIN": stdnum.fi.ytunnus,
    "FRA": stdnum.fr.siren,
    "NOR": stdnum.no.orgnr,
    "SWE": stdnum.se.orgnr,
}


def key(identifier: LegalIdentifier) -> Key:
    """Kind, place and number in the one form in which two ways of writing an identifier are equal.

    Only what the standards allow to differ is evened out: the EN 319 412-1 prefix, spaces, the country prefix and
    punctuation of VAT numbers, the case of ASCII letters where a scheme has none, the scheme's usual names. Nothing is
    guessed: leading zeros and the dashes of a trade register stay, and a letter that looks like another is another.
    """
    if identifier.kind == "eidas":
        return _eidas_key(identifier)
    if identifier.kind == "vat":
        return ("vat", identifier.country, _vat_number(identifier.notation, identifier.country))
    if identifier.kind == "other":
        return _other_key(identifier)
    return (identifier.kind, identifier.country, _spaceless(identifier.notation))


def organization_key(organization_identifier: str) -> Key:
    """Return the key of a certificate's organizationIdentifier (2.5.4.97)."""
    return key(LegalIdentifier(kind="eidas", notation=organization_identifier))


def bare_numbers(identifier: LegalIdentifier) -> frozenset[str]:
    """What is left of a number under any kind, scheme and punctuation, with a country's two letters before it and without.

    Short ones are left out: they are anybody's.
    """
    written = (identifier.notation, key(identifier)[2])
    numbers = {"".join(character for character in one if character.isalnum()).casefold() for one in written}
    numbers |= {number[2:] for number in numbers if number[:2].isalpha()}
    return frozenset(number for number in numbers if len(number) >= _TELLING)


def describe(identifier: LegalIdentifier) -> str:
    """Write the identifier as a person would say it: ``registration 999892588 (IRL)``."""
    place = identifier.scheme if identifier.kind == "other" else identifier.country
    return f"{identifier.kind} {identifier.notation}" + (f" ({place})" if place else "")


def form_fault(identifier: LegalIdentifier) -> str | None:
    """Say what is wrong with the way the identifier is written, for its kind; None if nothing is."""
    if identifier.kind == "eidas":
        return _eidas_form_fault(identifier)
    if identifier.kind == "other":
        if not identifier.scheme:
            return 'an "other" identifier needs its scheme (SCHAC, Erasmus, ROR, DEQAR, PIC, or your own)'
        kind, scheme, number = _other_key(identifier)
        return _scheme_form_fault("LEI" if kind == "lei" else scheme, number)
    if not is_country(identifier.country):
        return f"a {identifier.kind} identifier needs the country whose register it is, as alpha-3 code (IRL)"
    if not any(character.isalnum() for character in key(identifier)[2]):
        return "an identifier has letters or digits"
    return None


def number_fault(identifier: LegalIdentifier) -> str | None:
    """Say what is wrong with the number itself (check digits, national form); None if nothing is or no check exists."""
    kind, place, number = key(identifier)
    if kind == "vat":
        return _vat_fault(place, number)
    if kind == "lei":
        return _checked_by(lei, number, "LEI (ISO 17442)")
    if kind == "registration" and identifier.kind == "eidas" and place in _TRADE_REGISTERS:
        return _checked_by(_TRADE_REGISTERS[place], number, f"trade register number of {place}")
    if (kind, place) == ("other", "ROR") and _ROR.fullmatch(number) and not _ror_adds_up(number):
        return f"{number} fails the check digits of a ROR id (ISO 7064 mod 97-10)"
    return None


def _eidas_key(identifier: LegalIdentifier) -> Key:
    notation = identifier.notation.strip()
    if person := _LEGAL_PERSON.fullmatch(notation):
        return ("eidas", alpha_3(person["country"]) or person["country"], person["number"])
    parts = _ORGANIZATION_IDENTIFIER.fullmatch(notation)
    if parts is None:
        return ("eidas", identifier.country, notation)
    country, number = alpha_3(parts["country"]) or parts["country"], parts["number"]
    match parts["type"]:
        case "VAT":
            return ("vat", country, _vat_number(number, country))
        case "NTR":
            return ("registration", country, _spaceless(number))
        case "LEI":
            return ("lei", "", _upper(_spaceless(number)))
        case scheme:
            return ("eidas", country, f"{scheme} {_spaceless(number)}")


def _other_key(identifier: LegalIdentifier) -> Key:
    notation = identifier.notation.strip()
    if ror := _ROR_ADDRESS.fullmatch(_lower(notation)):
        # The address says the scheme, whatever else does or does not.
        return ("other", "ROR", ror["number"])
    scheme = _SCHEMES.get(re.sub(r"[\s_\-.]", "", _lower(identifier.scheme)), _lower(identifier.scheme.strip()))
    match scheme:
        case "LEI":
            return ("lei", "", _upper(_spaceless(notation)))
        case "ROR":
            return ("other", scheme, _lower(notation))
        case "SCHAC":
            return ("other", scheme, _lower(notation))
        case "ERASMUS":
            # The code's first three places are the country, padded with blanks that writers keep, squeeze or drop.
            return ("other", scheme, _upper(_spaceless(notation)))
    return ("other", scheme, notation)


def _eidas_form_fault(identifier: LegalIdentifier) -> str | None:
    if person := _LEGAL_PERSON.fullmatch(identifier.notation):
        unknown = [code for code in (person["country"], person["destination"]) if alpha_3(code) is None]
        return f"{unknown[0]} is no country (eIDAS legal person identifier: NL/IE/08164880)" if unknown else None
    parts = _ORGANIZATION_IDENTIFIER.fullmatch(identifier.notation)
    if parts is None:
        return (
            "an eIDAS identifier reads NTRNL-08164880: VAT, NTR, PSD, LEI or two letters and a colon, the country, "
            "a dash, the number (EN 319 412-1 clause 5.1.4); or NL/IE/08164880 (CIR 2015/1501)"
        )
    code, lei_number = parts["country"], parts["type"] == "LEI"
    if (code == _LEI_COUNTRY) != lei_number or (code != _LEI_COUNTRY and alpha_3(code) is None):
        return (
            f"{code} is not the country of a {parts['type']} identifier (LEI has {_LEI_COUNTRY}, others their country)"
        )
    if parts["type"] == "PSD" and not _PSD_NUMBER.fullmatch(parts["number"]):
        return "a PSD identifier reads PSDNL-DNB-12345: country, competent authority, authorisation number (TS 119 495)"
    if identifier.country and not lei_number and identifier.country != alpha_3(code):
        return f"its notation says {code}, its country {identifier.country}"
    return _scheme_form_fault("LEI", parts["number"]) if lei_number else None


def _scheme_form_fault(scheme: str, number: str) -> str | None:
    form, fault = _SCHEME_FORMS.get(scheme, (None, ""))
    return fault if form is not None and not form.fullmatch(number) else None


def _vat_number(notation: str, country: str) -> str:
    """Without punctuation and without the country that many write in front of it."""
    number = _upper(re.sub(r"[\s.\-]", "", notation))
    for prefix in {alpha_2(country) or "", *(["EL"] if country == "GRC" else ["XI"] if country == "GBR" else [])}:
        if prefix and number.startswith(prefix) and len(number) > len(prefix):
            return number.removeprefix(prefix)
    return number


def _vat_fault(country: str, number: str) -> str | None:
    code = (alpha_2(country) or "").lower()
    module = get_cc_module(code, "vat") if code else None
    return _checked_by(module, number, f"VAT number of {country}") if module else None


def _checked_by(module: NumberModule, number: str, what: str) -> str | None:
    try:
        module.validate(number)
    except ValidationError as error:
        return f"{number} is not a valid {what}: {str(error).rstrip('.').lower()}"
    return None


def _ror_adds_up(number: str) -> bool:
    value = 0
    for character in number[:7]:
        value = value * 32 + _CROCKFORD.index(character)
    return 98 - (value * 100) % 97 == int(number[7:])


def _spaceless(text: str) -> str:
    return re.sub(r"\s", "", text)


# Only ASCII: to Unicode the Kelvin sign is a capital k, and a long s folds to s.
def _upper(text: str) -> str:
    return text.upper() if text.isascii() else text


def _lower(text: str) -> str:
    return text.lower() if text.isascii() else text
