"""The Commission's SHACL shapes as the oracle: `tools/shacl_oracle.py` beside the vectors, its shapes parsed once."""

from __future__ import annotations

import importlib.util
import sys
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from tests.harness.vectors import VECTORS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType

    from eseal.terms import Profile


def conforms(credential: dict[str, Any], profiles: Iterable[Profile]) -> bool:
    """Whether the shapes of these profiles accept the credential; what is not JSON-LD at all they do not."""
    verdict, _ = judge(credential, tuple(sorted(profile.value for profile in profiles)))
    return verdict


def judge(credential: dict[str, Any], names: tuple[str, ...]) -> tuple[bool, list[str]]:
    """The oracle's verdict and its reasons, one line each."""
    oracle = _oracle()
    try:
        quads = oracle.jsonld.to_rdf(credential, {"format": "application/n-quads"})
        graph = oracle.rdflib.Graph().parse(data=quads, format="nt")
    except Exception as error:  # noqa: BLE001 - the oracle's own reading of "does not conform"
        return False, [f"{type(error).__name__}"]
    verdict, _, text = oracle.validate(graph, shacl_graph=_shapes(names), inference="none", advanced=True)
    return verdict, [] if verdict else text.splitlines()


@cache
def _oracle() -> ModuleType:
    path = VECTORS.parent / "tools" / "shacl_oracle.py"
    if not path.exists():
        pytest.skip("The SHACL oracle is not there: set ESEAL_VECTORS to the folder of the vectors.")
    specification = importlib.util.spec_from_file_location("shacl_oracle", path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules["shacl_oracle"] = module
    specification.loader.exec_module(module)
    module.jsonld.set_document_loader(module.load_context)
    return module


@cache
def _shapes(names: tuple[str, ...]) -> Any:
    oracle = _oracle()
    shapes = oracle.rdflib.Graph()
    for name in sorted({ttl for profile in names for ttl in oracle.PROFILES[profile]}):
        shapes.parse(oracle.SHAPES / name)
    return shapes
