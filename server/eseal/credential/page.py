"""The display page of a credential, one image a language: SHACL asks for it, and people look at it first.

A page belongs to a course: title, awarding bodies, sealer, award date. It is rendered once (SVG template, resvg) and
kept; a personal page is that page with the learner's name written into its place, which costs a tenth. The image is a
palette PNG of a few kilobytes, since every credential carries it. Rendering is deterministic for one version of the
libraries and fonts; what was rendered once is kept in the ledger's completion, so that a replay does not render again.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from PIL import Image, ImageDraw, ImageFont
from pydantic import BaseModel, ConfigDict, Field

from eseal.credential.template import INK, Layout, NamePlace, drawing, legible, render_svg, words
from eseal.errors import InvalidInput, SetupError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from eseal.credential.micro_credential import Display
    from eseal.sealcore import Document

_DEJAVU: Final = Path("/usr/share/fonts/truetype/dejavu")
_LOGO_COLOURS: Final = 9
# A course's page is written once and carried often; a personal one is written for each learner, and 9 takes 6 times as long.
_COMPRESSION: Final = 9
_PERSONAL_COMPRESSION: Final = 6
# As many as the Union has official ones: each page costs time here and kilobytes in the credential.
MAX_LANGUAGES: Final = 24
_TEMPLATES: Final = ("band", "frame", "plain")


class PageSettings(BaseModel):
    """``[page]``: how rendered display pages look."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    template: str = Field("band", description="The template where the caller names none: band, frame or plain.")
    personal: bool = Field(
        default=False, description="Write the learner's name on pages even where the caller does not ask for it."
    )
    colour: str = Field("#003399", pattern="^#[0-9a-fA-F]{6}$", description="The alliance's colour, #rrggbb.")
    logo: Path | None = Field(None, description="The alliance's logo, PNG or JPEG; it is scaled to 56 pixels' height.")
    font: Path = Field(_DEJAVU / "DejaVuSans.ttf", description="The font; it must cover the scripts of your languages.")
    bold_font: Path = Field(_DEJAVU / "DejaVuSans-Bold.ttf", description="The font of titles, of the same family.")


@dataclass(frozen=True, slots=True)
class Page:
    """A rendered page. ``name`` says where the learner's name goes on a personal one."""

    language: str
    image: bytes = field(repr=False)
    name: NamePlace | None = None

    def to_json(self) -> dict[str, Any]:
        """The page as JSON values."""
        value: dict[str, Any] = {"language": self.language, "image": base64.b64encode(self.image).decode("ascii")}
        return value if self.name is None else {**value, "name": self.name.to_json()}

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> Page:
        """The page that ``to_json`` wrote."""
        name = NamePlace(**value["name"]) if "name" in value else None
        return Page(value["language"], base64.b64decode(value["image"]), name)


@dataclass(frozen=True, slots=True)
class PageTexts:
    """What a page says, by language where it was said so; nothing of the learner."""

    title: tuple[tuple[str, str], ...]
    awarding_bodies: tuple[tuple[tuple[str, str], ...], ...]
    sealed_by: str
    mandated: bool
    date: str


class Pages:
    """Renders pages by the operator's settings, each different one once. Safe to call from many threads."""

    def __init__(self, settings: PageSettings | None = None) -> None:
        self._settings = settings or PageSettings()
        for name, path in (("font", self._settings.font), ("bold_font", self._settings.bold_font)):
            if not path.is_file():
                message = f"[page] {name}: there is no font at {path}. Install fonts-dejavu-core, or name another font."
                raise SetupError("PAGE_FONT", message)
        self._logo = _logo(self._settings.logo)
        self._render = lru_cache(maxsize=512)(self._render_one)

    def render(
        self, texts: PageTexts, languages: Sequence[str], display: Display | None = None, *, named: bool = True
    ) -> tuple[Page, ...]:
        """One page a language; the course's where the learner is not ``named``, for want of a name to write on it.

        Raises InvalidInput for a template that there is not, and for too many languages.
        """
        template = (display.template if display else "") or self._settings.template
        if template not in _TEMPLATES:
            message = f"There is no page template {template!r}; there are {', '.join(_TEMPLATES)}."
            raise InvalidInput("PAGE_TEMPLATE", message)
        if len(languages) > MAX_LANGUAGES:
            message = f"Pages are rendered in {MAX_LANGUAGES} languages at the most, and these are {len(languages)}."
            raise InvalidInput("PAGE_LANGUAGES", message)
        personal = named and (self._settings.personal or bool(display and display.personal))
        return tuple(self._render(texts, language, template, personal) for language in languages)

    def _render_one(self, texts: PageTexts, language: str, template: str, personal: bool) -> Page:  # noqa: FBT001
        settings = self._settings
        layout = Layout(
            words=words(language),
            title=_in(texts.title, language),
            awarding_bodies=tuple(_in(body, language) for body in texts.awarding_bodies),
            sealed_by=texts.sealed_by,
            mandated=texts.mandated,
            date=texts.date,
            personal=personal,
            colour=settings.colour,
            logo=self._logo,
            font=str(settings.font),
            bold_font=str(settings.bold_font),
        )
        drawn = drawing(template, layout)
        rendered = render_svg(drawn.svg, fonts=(settings.font, settings.bold_font))
        image = _small_png(rendered, settings.colour, logo=bool(self._logo))
        return Page(language, image, drawn.name if personal else None)


def page_texts(document: Document, *, sealed_by: str, mandated: bool) -> PageTexts:
    """What the page of a credential says."""
    claim = _first(document, "/credentialSubject/hasClaim")
    process = _first(document, f"{claim}/awardedBy")
    bodies = [body for body in _each(document, f"{process}/awardingBody") if document.has(f"{body}/legalName")]
    title = document.get(f"{display_parameter(document)}/title") or document.get(f"{claim}/title")
    date = document.get(f"{process}/awardingDate")
    return PageTexts(
        title=_pairs(title),
        awarding_bodies=tuple(_pairs(document.get(f"{body}/legalName")) for body in bodies),
        sealed_by=sealed_by,
        mandated=mandated,
        date=date[:10] if isinstance(date, str) else "",
    )


def display_parameter(document: Document) -> str:
    """Where the credential's displayParameter stands, or empty where there is no such node."""
    place = _first(document, "/displayParameter")
    return place if document.has(f"{place}/type") else ""


def is_named(document: Document) -> bool:
    """Whether a credential's learner has a name that can be written on a page."""
    return bool(legible(_learner_name(document)))


def with_name(page: Page, document: Document) -> bytes:
    """The page's image, with the learner's name in its place where the page has one for it."""
    name = legible(_learner_name(document)) if page.name is not None else ""
    if page.name is None or not name:
        return page.image
    place = page.name
    image = Image.open(BytesIO(page.image))
    image.load()
    font = _fitting_font(place, name)
    mask = Image.new("L", (place.width, place.height))
    ImageDraw.Draw(mask).text((0, place.height // 2), name, fill=255, font=font, anchor="lm")
    image.paste(mask.point(_shades(tuple(image.getpalette() or ()), place.colour)), (place.x, place.y))
    return _png(image, _PERSONAL_COMPRESSION)


def _fitting_font(place: NamePlace, name: str) -> ImageFont.FreeTypeFont:
    size = place.size
    while size > 8 and _font(place.font, size).getlength(name) > place.width:  # noqa: PLR2004 - smaller is unreadable
        size -= 2
    return _font(place.font, size)


@lru_cache(maxsize=32)
def _font(path: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=32)
def _shades(palette: tuple[int, ...], colour: str) -> list[int]:
    """For each coverage 0 to 255, the palette entry nearest to that much of ``colour`` on white."""
    entries = list(dict.fromkeys(zip(palette[::3], palette[1::3], palette[2::3], strict=False)))

    def nearest(coverage: int) -> int:
        wanted = _blend(colour, coverage / 255)
        distances = [sum((a - b) ** 2 for a, b in zip(entry, wanted, strict=True)) for entry in entries]
        return distances.index(min(distances))

    return [nearest(coverage) for coverage in range(256)]


def _blend(colour: str, coverage: float) -> tuple[int, ...]:
    """So much of a colour on white."""
    return tuple(round(255 + (channel - 255) * coverage) for channel in bytes.fromhex(colour.removeprefix("#")))


def _small_png(rendered: bytes, colour: str, *, logo: bool) -> bytes:
    """The image in few colours: white, ink and the alliance's colour in two strengths; a logo needs more of its own."""
    image = Image.open(BytesIO(rendered)).convert("RGB")
    few = [_blend(one, strength) for one in (INK, colour) for strength in (1.0, 0.5)]
    if logo:
        more = image.quantize(_LOGO_COLOURS, method=Image.Quantize.MEDIANCUT).getpalette() or []
        few += [tuple(more[at : at + 3]) for at in range(0, 3 * _LOGO_COLOURS, 3)]
    palette = Image.new("P", (1, 1))
    palette.putpalette([channel for entry in [(255, 255, 255), *few] for channel in entry])
    return _png(image.quantize(palette=palette, dither=Image.Dither.NONE), _COMPRESSION)


def _png(image: Image.Image, compression: int) -> bytes:
    out = BytesIO()
    image.save(out, "PNG", bits=4, compress_level=compression)
    return out.getvalue()


def _logo(path: Path | None) -> str:
    """The logo as a data URI, or empty."""
    if path is None:
        return ""
    try:
        data = path.read_bytes()
        kind = Image.open(BytesIO(data)).format
    except OSError as error:
        raise SetupError("PAGE_LOGO", f"[page] logo: {path} cannot be read as an image.") from error
    if kind not in {"PNG", "JPEG"}:
        raise SetupError("PAGE_LOGO", f"[page] logo: {path} is {kind}; give a PNG or a JPEG.")
    return f"data:image/{kind.lower()};base64,{base64.b64encode(data).decode('ascii')}"


def _learner_name(document: Document) -> str:
    """The learner's full name, given as such or put together; empty where there is none."""
    learner = "/credentialSubject"
    names = [_one_text(document.get(f"{learner}/{term}")) for term in ("fullName", "givenName", "familyName")]
    return names[0] or " ".join(filter(None, names[1:]))


def _one_text(value: Any) -> str:
    text = next(iter(value.values()), "") if isinstance(value, dict) else ""
    return text if isinstance(text, str) else ""


def _in(texts: tuple[tuple[str, str], ...], language: str) -> str:
    by_language = dict(texts)
    return by_language.get(language) or by_language.get("en") or next(iter(by_language.values()), "")


def _pairs(value: Any) -> tuple[tuple[str, str], ...]:
    """The texts of a language map, the first of each language; what is none is for the check to tell."""
    items = value.items() if isinstance(value, dict) else ()
    firsts = ((language, said[0] if isinstance(said, list) and said else said) for language, said in items)
    return tuple((language, text) for language, text in firsts if isinstance(text, str) and text)


def _first(document: Document, pointer: str) -> str:
    return f"{pointer}/0" if document.has(f"{pointer}/0") else pointer


def _each(document: Document, pointer: str) -> list[str]:
    if not document.has(f"{pointer}/0"):
        return [pointer]
    found: list[str] = []
    while document.has(f"{pointer}/{len(found)}"):
        found.append(f"{pointer}/{len(found)}")
    return found
