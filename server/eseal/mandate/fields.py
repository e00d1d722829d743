"""The values that stand in the register's files, each strict: TOML has dates, numbers and booleans of its own."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeAlias, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Strict,
    StringConstraints,
    Tag,
)

from eseal.mandate.countries import is_country, is_language
from eseal.mandate.problems import broken
from eseal.vocabulary import vocabulary

Item = TypeVar("Item")

ANY: Literal["any"] = "any"
AnyValue: TypeAlias = Literal["any"]


class Table(BaseModel):
    """A table of a register file: frozen once read, and a key it does not know is a problem."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False)


# The tags only choose the branch whose errors are told; they are no part of a key's path.
BRANCHES = ("listed", "any")


def _branch(value: Any) -> str:
    return "any" if isinstance(value, str) else "listed"


def _no_repeats(value: Any) -> Any:
    if isinstance(value, list):
        repeated = sorted({str(item) for item in value if value.count(item) > 1})
        if repeated:
            raise broken("repeated-value", f"listed more than once: {', '.join(repeated)}")
    return value


def _country(value: str) -> str:
    if not is_country(value):
        near = _near("country", value)
        raise broken("country-known", f"{value!r} is not a country's ISO 3166-1 alpha-3 code (IRL).{near}")
    return value


def _territorial_unit(value: str) -> str:
    # There are too many to list, but each is of a country.
    _country(value.split("_", 1)[0])
    return value


def _isced_f(value: str) -> str:
    if value not in vocabulary("isced-f").items:
        near = _near("isced-f", value)
        raise broken("isced-f-known", f"{value!r} is not a field of ISCED-F 2013 (06, 061 or 0613).{near}")
    return value


def _opportunity_type(value: str) -> str:
    known = vocabulary("learning-opportunity")
    if not known.has(value):
        message = f"{value!r} is not a type of learning opportunity ({known.base}...).{known.hint(value)}"
        raise broken("opportunity-type-known", message)
    return value


def _near(name: str, code: str) -> str:
    """A sentence that leads to the vocabulary's codes that are near, as a register writes them: without their base."""
    known = vocabulary(name)
    return known.hint(code).replace(known.base, "")


def _language(value: str) -> str:
    if not is_language(value):
        raise broken("language-known", f"{value!r} is not an ISO 639-1 language code (en)")
    return value


def _ects(value: Any) -> Any:
    # Credits are counted in decimal: 7.5 must not become 7.4999. TOML's floats arrive as Decimal (see the loader).
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise broken("wrong-value", 'ECTS are a number (15 or 7.5) or "any"')
    return Decimal(value)


Text = Annotated[str, Strict(), StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]
Id = Annotated[str, Strict(), StringConstraints(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$")]
Day = Annotated[date, Strict()]
Flag = Annotated[bool, Strict()]
Count = Annotated[int, Strict(), Field(ge=1)]
EqfLevel = Annotated[int, Strict(), Field(ge=1, le=8)]
Ects = Annotated[Decimal, BeforeValidator(_ects), Field(gt=0, le=480)]
Country = Annotated[str, Strict(), AfterValidator(_country)]
CountryOrNone = Annotated[str, Strict(), AfterValidator(lambda value: _country(value) if value else "")]
Language = Annotated[str, Strict(), AfterValidator(_language)]
TerritorialUnit = Annotated[
    str, Strict(), StringConstraints(pattern=r"^[A-Z0-9]{3}(?:_[A-Z0-9]+)*$"), AfterValidator(_territorial_unit)
]
IscedF = Annotated[str, Strict(), AfterValidator(_isced_f)]
OpportunityType = Annotated[str, Strict(), AfterValidator(_opportunity_type)]
Iri = Annotated[str, Strict(), StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+$")]
Sha256 = Annotated[str, Strict(), StringConstraints(pattern=r"^[0-9a-f]{64}$")]
FileName = Annotated[str, Strict(), StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")]

SetOf: TypeAlias = Annotated[frozenset[Item], BeforeValidator(_no_repeats), Field(min_length=1)]
OrAny: TypeAlias = Annotated[Annotated[Item, Tag("listed")] | Annotated[AnyValue, Tag("any")], Discriminator(_branch)]
