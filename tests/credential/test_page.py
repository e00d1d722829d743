"""Display pages: small, legible, rendered once a course, with the learner's name only where asked for."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageFont

from eseal.credential.building import build
from eseal.credential.completion import Completion
from eseal.credential.micro_credential import Display
from eseal.credential.page import MAX_LANGUAGES, Page, Pages, PageSettings, page_texts, with_name
from eseal.errors import InvalidInput, SetupError
from eseal.vocabulary import vocabulary
from tests.credential import courses

OFFICIAL = sorted(json.loads(files("eseal.credential").joinpath("templates/words.json").read_text("utf-8")))


def _pages(
    display: Display | None = None, languages: tuple[str, ...] = ("en",), settings: PageSettings | None = None
) -> tuple[Page, ...]:
    document = build(courses.eciu_course(), courses.learner())
    texts = page_texts(document, sealed_by=courses.SEALER.legal_name, mandated=True)
    return Pages(settings).render(texts, languages, display)


@pytest.mark.parametrize("template", ["band", "frame", "plain"])
def test_a_page_is_a_small_palette_png(template: str) -> None:
    """At most 7 KB, since every credential carries it."""
    (page,) = _pages(Display(template=template))
    image = Image.open(BytesIO(page.image))

    assert ("PNG", "P", (842, 595)) == (image.format, image.mode, image.size)
    assert len(page.image) <= 7 * 1024


def test_rendering_is_deterministic() -> None:
    """Two renderers, one image."""
    assert _pages() == _pages()


def test_a_shared_page_says_nothing_of_the_learner() -> None:
    """The page of a course is the same for every learner of it."""
    images = {
        Completion.of(build(courses.eciu_course(), person), sealer=courses.SEALER, grant=courses.grant()).pages[0].image
        for person in (courses.learner(), courses.learner(given_name="Bob"), courses.Learner())
    }

    assert 1 == len(images)


def test_a_personal_page_bears_the_name_in_its_place_and_nowhere_else() -> None:
    """Only the name's place differs from the course's page."""
    (page,) = _pages(Display(personal=True))
    assert page.name is not None
    named = Image.open(BytesIO(with_name(page, build(courses.eciu_course(), courses.learner())))).convert("RGB")
    course = Image.open(BytesIO(page.image)).convert("RGB")
    place = (page.name.x, page.name.y, page.name.x + page.name.width, page.name.y + page.name.height)

    assert named.crop(place).tobytes() != course.crop(place).tobytes()
    for image in (named, course):
        image.paste((255, 255, 255), place)
    assert named.tobytes() == course.tobytes()


@pytest.mark.parametrize("name", ["Ζωή Παπαδοπούλου", "Жанна Иванова", "Łukasz Żółć-Ďurčák", "A" * 200])
def test_any_european_name_fits(name: str) -> None:
    """Greek, Cyrillic and Latin with all its marks; a very long one gets smaller."""
    (page,) = _pages(Display(personal=True))
    named = with_name(page, build(courses.eciu_course(), courses.Learner(full_name=name)))

    assert named != page.image


@pytest.mark.parametrize(
    "text",
    ["a\x00b", "a\nb", "\ufffe", "\u202eevil", "e\u0301" * 10, "W" * 100_000, "ab " * 50_000, "\u2028", "😀"],
    ids=["nul", "line", "noncharacter", "override", "combining", "one word", "many words", "separator", "emoji"],
)
def test_any_text_has_a_page(text: str) -> None:
    """Whatever a caller writes into titles, bodies' names, dates and learners' names is drawn, or as much as fits."""
    body = replace(courses.DCU, legal_name={"en": text})
    document = build(courses.eciu_course(title={"en": text}, awarding_bodies=(body,)), courses.Learner(full_name=text))
    document = document.set("/credentialSubject/hasClaim/awardedBy/awardingDate", text)
    texts = page_texts(document, sealed_by=text, mandated=True)
    (page,) = Pages().render(texts, ("en",), Display(personal=True))

    assert with_name(page, document).startswith(b"\x89PNG")


@pytest.mark.parametrize("count", [1, 4, 5, 9, 40])
@pytest.mark.parametrize(
    "name", ["University", "University of an Improbably Long Name, of Science, Technology and the Arts " * 2]
)
@pytest.mark.parametrize("personal", [False, True])
def test_many_awarding_bodies_leave_the_sealers_line_alone(count: int, name: str, *, personal: bool) -> None:
    """As many as there is room for are named, an ellipsis stands for the others, and nothing is drawn over anything."""
    bodies = tuple(replace(courses.DCU, legal_name={"en": f"{number} {name}"}) for number in range(count))
    course = courses.eciu_course(title={"en": "A very long title " * 9}, awarding_bodies=bodies)
    texts = page_texts(build(course, courses.learner()), sealed_by=courses.SEALER.legal_name, mandated=True)
    (page,) = Pages().render(texts, ("en",), Display(personal=personal))
    gap = Image.open(BytesIO(page.image)).convert("RGB").crop((60, 488, 842, 496))

    assert ((255, 255), (255, 255), (255, 255)) == gap.getextrema()


def test_a_name_in_pieces_is_written_as_one() -> None:
    """A letter with its accent beside it is drawn as the letter with the accent; a line break as a blank."""
    (page,) = _pages(Display(personal=True))
    whole, pieces = (
        with_name(page, build(courses.eciu_course(), courses.Learner(full_name=name)))
        for name in ("Zoë Żółć", "Zoe\u0308\nZ\u0307o\u0301łc\u0301")
    )

    assert whole == pieces


@pytest.mark.parametrize("value", [{"en": 1}, {"en": {}}, {"en": []}, {"en": [1, "AI"]}, ["AI"], "AI", None])
def test_a_title_that_is_no_text_is_left_out_of_the_page(value: Any) -> None:
    """The check tells the fault; the page, which is made before it, does not end the call."""
    document = build(courses.eciu_course(), courses.learner()).set("/displayParameter/title", value)
    document = document.set("/credentialSubject/hasClaim/awardedBy/awardingBody/legalName", value)

    assert page_texts(document, sealed_by="", mandated=False).awarding_bodies in {((),), ()}


# The alphabets of the Union's official languages and its neighbours' beyond ASCII, as far as their letters go.
ALPHABETS = {
    "Bulgarian": "абвгдежзийклмнопрстуфхцчшщъьюя", "Croatian, Slovenian": "čćđšž", "Czech, Slovak": "áäčďéěíĺľňóôŕřšťúůýž",
    "Danish, Norwegian": "æøå", "Estonian": "äõöüšž", "French": "àâæçéèêëîïôœùûüÿ", "German": "äöüßẞ",
    "Greek": "αάβγδεέζηήθιίϊΐκλμνξοόπρσςτυύϋΰφχψωώ", "Hungarian": "áéíóöőúüű", "Icelandic": "áðéíóúýþæö",
    "Irish": "áéíóúḃċḋḟġṁṗṡṫ",
    "Latvian": "āčēģīķļņšūž", "Lithuanian": "ąčęėįšųūž", "Maltese": "ċġħż", "Polish": "ąćęłńóśźż", "Portuguese": "ãáâàçéêíõóôú",
    "Romanian": "ăâîșțşţ", "Spanish, Catalan": "áéíñóúüçŀ·", "Swedish, Finnish": "åäö", "Turkish": "çğıİöşü", "Welsh": "ŵŷẁẃẅỳ",
    "Ukrainian, Belarusian": "ґєіїўё", "Serbian, Macedonian": "ђјљњћџѓѕќ", "Russian": "ыэё", "Albanian": "çë",
    "Georgian": "აბგდევზთიკლმნოპჟრსტუფქღყშჩცძწჭხჯჰ", "Armenian": "աբգդեզէըթժիլխծկհձղճմյնշոչպջռսվտրցւփքօֆ", "Sami": "áčđŋšŧž",
}  # fmt: skip


@pytest.mark.parametrize("font", [PageSettings().font, PageSettings().bold_font], ids=["regular", "bold"])
@pytest.mark.parametrize("language", ALPHABETS)
def test_the_fonts_cover_europes_scripts(language: str, font: Path) -> None:
    """Each letter, small and capital, has a shape of its own, and not the box that stands for what is not there."""
    measured = ImageFont.truetype(str(font), 20, layout_engine=ImageFont.Layout.BASIC)
    box = bytes(measured.getmask("\ufdd0"))
    # Georgian is written without capitals: those of Unicode (Mtavruli) are for headlines.
    letters = ALPHABETS[language] + (ALPHABETS[language].upper() if language != "Georgian" else "")

    assert [] == [letter for letter in letters if bytes(measured.getmask(letter)) == box]


def test_a_page_without_a_name_stays_the_courses() -> None:
    """A pseudonymous learner has no name to write."""
    (page,) = _pages(Display(personal=True))

    assert page.image == with_name(page, build(courses.eciu_course(), courses.Learner()))


def test_there_are_words_for_every_official_language() -> None:
    """One page a language, each different."""
    pages = _pages(languages=tuple(OFFICIAL))

    assert 24 == len(OFFICIAL)
    assert OFFICIAL == [page.language for page in pages]
    assert len(OFFICIAL) == len({page.image for page in pages})
    assert set(OFFICIAL) <= set(vocabulary("language").alpha2)


def test_the_alliances_colour_and_logo_are_on_it(tmp_path: Path) -> None:
    """The operator's settings show."""
    logo = tmp_path / "logo.png"
    Image.new("RGB", (140, 56), (200, 30, 30)).save(logo)
    (page,) = _pages(settings=PageSettings(colour="#0a7f3f", logo=logo))
    image = Image.open(BytesIO(page.image)).convert("RGB")

    assert (10, 127, 63) == image.getpixel((5, 300))
    red, green, _ = image.getpixel((700, 60))  # type: ignore[misc]
    assert red > 150 > green


@pytest.mark.parametrize("settings", [{"font": Path("no/such.ttf")}, {"logo": Path("no/such.png")}])
def test_a_missing_file_keeps_the_house_closed(settings: dict[str, Path]) -> None:
    """A font or a logo that is not there is the operator's to mend, before anything is sealed."""
    with pytest.raises(SetupError):
        Pages(PageSettings(**settings))  # type: ignore[arg-type]


def test_an_unknown_template_is_refused() -> None:
    """The caller learns which there are."""
    with pytest.raises(InvalidInput, match="band, frame"):
        _pages(Display(template="gothic"))


def test_pages_are_rendered_in_no_more_languages_than_the_union_has() -> None:
    """A credential that names every language there is does not keep the house busy for a quarter of a minute."""
    languages = tuple(vocabulary("language").alpha2)
    with pytest.raises(InvalidInput) as refused:
        _pages(languages=languages[: MAX_LANGUAGES + 1])

    assert "PAGE_LANGUAGES" == refused.value.reason


def test_markup_in_a_title_is_text() -> None:
    """A title is escaped: nobody draws on another's page."""
    course = courses.eciu_course(title={"en": "<image href='x'/> & \"AI\""})
    completion = Completion.of(build(course, courses.learner()), sealer=courses.SEALER, grant=courses.grant())

    assert completion.pages[0].image
