"""Vocabularies: items by IRI, code or label; labels in the official languages; near misses named."""

from __future__ import annotations

import pytest

from eseal.vocabulary import UnknownItem, alpha3, iso_language, language_code, vocabularies, vocabulary

ONLINE = "http://data.europa.eu/snb/learning-assessment/920fbb3cbe"


@pytest.mark.parametrize("name", [ONLINE, "920fbb3cbe", "Online", "ONLINE"])
def test_an_item_has_three_names(name: str) -> None:
    """Its IRI, the last part of it, its English label."""
    assert ONLINE == vocabulary("mode").iri(name)


@pytest.mark.parametrize(("name", "near"), [("920fbb3cbf", "Online"), ("onlin", "Online"), ("blendet", "Blended")])
def test_a_near_miss_is_told(name: str, near: str) -> None:
    """The refusal names what was probably meant."""
    with pytest.raises(UnknownItem, match=near):
        vocabulary("mode").iri(name)


@pytest.mark.parametrize(
    "name",
    [
        "http://d\u0430ta.europa.eu/snb/learning-assessment/920fbb3cbe",
        "https://data.europa.eu/snb/learning-assessment/920fbb3cbe",
        "http://data.europa.eu/snb/learning-assessment/920fbb3cbe/",
        "http://data.europa.eu/snb/learning-assessment/920fbb3cbe#",
        "http://data.europa.eu/snb/learning-assessment/920FBB3CBE",
        "http://data.europa.eu/snb/assessment/920fbb3cbe",
        "920fbb3cbe\u200b",
        "\uff2fnline",
        " Online",
    ],
    ids=[
        "Cyrillic a",
        "https",
        "slash",
        "fragment",
        "capitals",
        "another scheme",
        "zero width",
        "wide letter",
        "blank",
    ],
)
def test_what_only_looks_like_an_item_is_none(name: str) -> None:
    """An IRI is compared character by character; the refusal names the item that was meant."""
    assert not vocabulary("mode").has(name)
    with pytest.raises(UnknownItem, match="920fbb3cbe") as refused:
        vocabulary("mode").iri(name)

    assert ONLINE in " ".join(refused.value.nearest)


@pytest.mark.parametrize(
    ("name", "item", "code"),
    [
        ("country", "Irlande", "IRL"),
        ("country", "NIEDERLANDE", "NLD"),
        ("language", "gaeilge", "GLE"),
        ("learning-setting", "formal", "6fd4685715"),
        ("learning-setting", "Non-formal", "e207a81fc7"),
        ("learning-setting", "non-formal learning", "e207a81fc7"),
        ("education-credit", "ECTS", "6fcec5c5af"),
    ],
)
def test_items_answer_to_labels_in_any_language_and_to_short_words(name: str, item: str, code: str) -> None:
    """A registrar writes what the item is called at home, or what everybody calls it."""
    assert vocabulary(name).base + code == vocabulary(name).iri(item)


@pytest.mark.parametrize(("label", "codes"), [("Education", ["01", "011"]), ("Law", ["042", "0421"])])
def test_a_label_of_two_items_is_refused_with_both(label: str, codes: list[str]) -> None:
    """Nobody can say which of them was meant, least of all we."""
    with pytest.raises(UnknownItem, match="the name of 2 items") as refused:
        vocabulary("isced-f").iri(label)

    assert [f'{vocabulary("isced-f").base}{code} ("{label}")' for code in codes] == refused.value.nearest


@pytest.mark.parametrize(("alpha2", "alpha_3"), [("IE", "IRL"), ("UK", "GBR"), ("nl", "NLD")])
def test_a_country_of_two_letters_leads_to_its_three(alpha2: str, alpha_3: str) -> None:
    """The commonest mistake has its own answer, and it is the first."""
    with pytest.raises(UnknownItem) as refused:
        vocabulary("country").iri(alpha2)

    assert refused.value.nearest[0].startswith(f"{vocabulary('country').base}{alpha_3} ")


@pytest.mark.parametrize(
    ("name", "item"),
    [("eqf", "9"), ("education-credit", "credits"), ("mode", "face-to-face"), ("entitlement", "Access")],
)
def test_a_small_vocabulary_is_told_whole(name: str, item: str) -> None:
    """Where nothing comes close, there are few enough to choose from."""
    with pytest.raises(UnknownItem) as refused:
        vocabulary(name).iri(item)

    assert len(vocabulary(name).items) == len(refused.value.nearest)
    assert all(code in str(refused.value) for code in vocabulary(name).items)


@pytest.mark.parametrize(
    ("name", "item", "first"),
    [
        ("supervision-verification", "Supervised with ID verification", "70be69aaf9"),
        ("supervision-verification", "unsupervised", "c598449d64"),
        ("learning-setting", "formal education", "6fd4685715"),
    ],
)
def test_the_opposite_of_what_was_said_is_not_the_first_hint(name: str, item: str, first: str) -> None:
    """Two letters turn "supervised" into what was certainly not meant."""
    with pytest.raises(UnknownItem) as refused:
        vocabulary(name).iri(item)

    assert first in refused.value.nearest[0]


def test_every_scheme_is_there() -> None:
    """The vocabularies that an EDC draws on, each with its items or with the pattern of their IRIs."""
    schemes = {
        "country", "language", "eqf", "qdr", "isced-f", "assessment", "mode", "learning-setting", "learning-opportunity",
        "learning-activity", "education-credit", "supervision-verification", "accreditation", "file-type", "encoding",
        "esco-skill", "esco-occupation", "credential", "evidence-type", "entitlement", "entitlement-status", "atu",
        "skill-type", "skill-reuse-level", "verification", "verification-status",
    }  # fmt: skip

    assert set() == schemes - vocabularies().keys()
    assert set() == {name for name, one in vocabularies().items() if not (one.items if one.closed else one.pattern)}
    assert all(
        not one.closed or all("en" in labels for labels in one.items.values()) for one in vocabularies().values()
    )


@pytest.mark.parametrize("name", ["country", "language"])
def test_labels_come_in_every_official_language(name: str) -> None:
    """Countries and languages, and the mandate, are called what each official language of the Union calls them."""
    official = {"bg", "cs", "da", "de", "el", "en", "es", "et", "fi", "fr", "ga", "hr",
                "hu", "it", "lt", "lv", "mt", "nl", "pl", "pt", "ro", "sk", "sl", "sv"}  # fmt: skip

    assert all(official == labels.keys() for labels in vocabulary(name).items.values())
    assert official == vocabulary("evidence-type").items["c_18016257"].keys()


def test_labels_fall_back_to_english() -> None:
    """Where a vocabulary has no label in a language, the English one is given."""
    assert {"en": "Online"} == vocabulary("mode").concept("Online", ("nl",))["prefLabel"]
    assert {"nl": "Ierland", "de": "Irland"} == vocabulary("country").concept("IRL", ("nl", "de"))["prefLabel"]


@pytest.mark.parametrize(
    ("name", "item", "has"),
    [
        ("country", "IRL", True), ("country", "IRE", False), ("country", "1A0", True), ("language", "ENG", True),
        ("language", "QQQ", False), ("eqf", "8", True), ("eqf", "9", False), ("isced-f", "0613", True),
        ("isced-f", "0614", False), ("esco-skill", "5fd5c985-eaaa-47aa-8314-62359c54505a", True),
        ("esco-skill", "chatbots", False), ("qdr", "c_c392e7a2", True), ("qdr", "c_c392e7a", False),
        ("atu", "IRL_CTH_DUB", True), ("atu", "Dublin", False),
    ],
)  # fmt: skip
def test_membership(name: str, item: str, *, has: bool) -> None:
    """Closed vocabularies by their list, open ones by their pattern."""
    assert has == vocabulary(name).has(vocabulary(name).base + item)


def test_codes_translate() -> None:
    """ISO 3166-1 alpha-2 and ISO 639-1 to the EU's codes and back."""
    assert ("IRL", "GRC", "GBR") == (alpha3("IE"), alpha3("EL"), alpha3("UK"))
    assert "DEU" == language_code("de-AT")
    assert "de" == iso_language("http://publications.europa.eu/resource/authority/language/DEU")
    assert "" == iso_language("http://publications.europa.eu/resource/authority/language/GRC")
