"""Page templates: SVG with places for texts, and the words of a page in the official languages of the Union."""

from __future__ import annotations

import json
from bisect import bisect_right
from dataclasses import asdict, dataclass
from functools import cache, lru_cache
from importlib.resources import files
from math import ceil
from string import Template
from typing import TYPE_CHECKING, Any, Final
from unicodedata import normalize
from xml.sax.saxutils import escape

import resvg_py
from PIL import ImageFont

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

WIDTH: Final = 842
LEFT: Final = 70
TEXT_WIDTH: Final = 700
INK: Final = "#1a1a1a"
_LONGEST_TEXT: Final = 1000
# Between the lines of the awarding bodies, and above the lines that name the sealer.
_LINE: Final = 27
_LOWEST: Final = 480


@dataclass(frozen=True, slots=True)
class NamePlace:
    """Where a name goes on a page, in pixels: the left upper corner, the room, the largest size, the font's file."""

    x: int
    y: int
    width: int
    height: int
    size: int
    colour: str
    font: str

    def to_json(self) -> dict[str, Any]:
        """The place as JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What goes on one page in one language, and how it looks."""

    words: Mapping[str, str]
    title: str
    awarding_bodies: tuple[str, ...]
    sealed_by: str
    mandated: bool
    date: str
    personal: bool
    colour: str
    logo: str
    font: str
    bold_font: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """The SVG of a page, and where the learner's name belongs on it."""

    svg: str
    name: NamePlace


def drawing(template: str, layout: Layout) -> Drawing:
    """Fill a template: lines are broken to its width, and what there is no room for gets smaller."""
    lines: list[str] = []
    y = 150
    for line in _broken(layout.title, layout.bold_font, size=34, most=3):
        lines.append(_text(line, y, size=34, weight="bold"))
        y += 42
    y += 22
    name = NamePlace(LEFT, y + 8, TEXT_WIDTH, 40, 26, INK, layout.font)
    if layout.personal:
        lines.append(_text(layout.words["awarded_to"], y, size=13))
        y += 76
    lines.append(_text(layout.words["awarded_by"], y, size=13))
    # Nobody draws a thousand bodies to see that there is no room for them.
    bodies = [_broken(body, layout.font, size=20, most=2) for body in layout.awarding_bodies[: _LOWEST // _LINE]]
    for line in _within(_LOWEST - y, bodies):
        y += _LINE
        lines.append(_text(line, y, size=20))
    sealed = layout.words["sealed_on_behalf" if layout.mandated else "sealed"]
    (by,) = _broken(f"{sealed} {layout.sealed_by}", layout.font, size=13, most=1)
    lines.append(_text(by, 508, size=13))
    if layout.date:
        lines.append(_text(layout.date, 532, size=13))
    svg = _template(template).substitute(
        heading=escape(layout.words["micro_credential"]),
        colour=layout.colour,
        ink=INK,
        lines="\n".join(lines),
        logo=f'<image x="640" y="40" width="140" height="56" href="{layout.logo}"/>' if layout.logo else "",
    )
    return Drawing(svg, name)


def _within(room: int, bodies: list[list[str]]) -> list[str]:
    """The bodies' lines, each body whole; an ellipsis stands for those that there is no room for."""
    most = room // _LINE
    if sum(map(len, bodies)) <= most:
        return [line for body in bodies for line in body]
    lines: list[str] = []
    for body in bodies:
        if len(lines) + len(body) >= most:
            break
        lines += body
    return [*lines, "…"]


def render_svg(svg: str, *, fonts: tuple[Path, ...]) -> bytes:
    """The SVG as PNG bytes, with these fonts and none of the machine's own."""
    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=svg,
            background="#ffffff",
            skip_system_fonts=True,
            font_files=[str(path) for path in fonts],
            font_family=_family(str(fonts[0])),
            languages=["en"],
        )
    )


def words(language: str) -> Mapping[str, str]:
    """The words of a page in a language, in English where there are none."""
    all_words = _words()
    return all_words.get(language, all_words["en"])


@cache
def _words() -> Mapping[str, Mapping[str, str]]:
    text = files("eseal.credential").joinpath("templates/words.json").read_text("utf-8")
    read: Mapping[str, Mapping[str, str]] = json.loads(text)
    return read


@cache
def _template(name: str) -> Template:
    return Template(files("eseal.credential").joinpath(f"templates/{name}.svg").read_text("utf-8"))


@lru_cache(maxsize=16)
def _measure(path: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=8)
def _family(path: str) -> str:
    return _measure(path, 12).getname()[0] or "sans-serif"


def legible(text: str) -> str:
    """What can be written of a text in one line: no controls, which no image shows, and no more than a page has room for."""
    words = ("".join(filter(str.isprintable, word)) for word in text[:_LONGEST_TEXT].split())
    return normalize("NFC", " ".join(filter(None, words)))


def _broken(text: str, font: str, *, size: int, most: int) -> list[str]:
    """The text in at most ``most`` lines of the page's width; what is longer ends in an ellipsis."""
    measured = _measure(font, size)
    lines: list[str] = [""]
    for word in legible(text).split():
        longer = f"{lines[-1]} {word}".strip()
        if measured.getlength(longer) <= TEXT_WIDTH or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    if len(lines) > most:
        lines = [*lines[: most - 1], f"{lines[most - 1]} …"]
    return [_cut(line, measured) for line in lines]


def _cut(line: str, measured: ImageFont.FreeTypeFont) -> str:
    """The line, or as much of it as the page's width holds: a single word may be too long."""
    if measured.getlength(line) <= TEXT_WIDTH:
        return line
    room = bisect_right(range(len(line)), TEXT_WIDTH, key=lambda end: ceil(measured.getlength(f"{line[:end]} …")))
    return f"{line[: room - 1]} …"


def _text(line: str, y: int, *, size: int, weight: str = "normal") -> str:
    return f'<text x="{LEFT}" y="{y}" font-size="{size}" font-weight="{weight}">{escape(legible(line))}</text>'
