"""Vocabularies: items by IRI, code or label; labels in the official languages; near misses named."""

from __future__ import annotations

import pytest

from eseal.credential.vocabulary import UnknownItem, alpha3, iso_language, language_code, vocabularies, vocabulary

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
