"""All errors raised on purpose are of one family, which `harness.errors` names in full."""

import ast
import re
from pathlib import Path

from harness import errors

ROOT = Path(__file__).parents[1]
FOLDERS = ("harness", "providers", "corpora", "models", "reports", "suites")


def bases_of_errors() -> dict[str, list[str]]:
    """What each class whose name ends in Error or Exception is derived from, by name."""
    return {
        node.name: [ast.unparse(base) for base in node.bases]
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.ClassDef)
        and (
            node.name.endswith(("Error", "Exception"))
            or any(ast.unparse(base).endswith(("Error", "Exception")) for base in node.bases)
        )
    }


def test_every_error_has_a_place_in_the_tree() -> None:
    assert errors.__doc__ is not None
    named = set(re.findall(r"[A-Za-z]+Error\b", errors.__doc__))
    found = bases_of_errors()
    assert named == set(found)
    strangers = [name for name, bases in found.items()
                 if name != "EchobenchError" and not set(bases) <= set(found)]  # fmt: skip
    assert strangers == []


def test_the_tree_says_where_an_error_is() -> None:
    assert errors.__doc__ is not None
    for name, module in re.findall(r"(\w+Error) +([a-z_.]+\.[a-z_.]+): ", errors.__doc__):
        path = ROOT.joinpath(*module.split(".")).with_suffix(".py")
        assert f"class {name}(" in path.read_text(encoding="utf-8"), path
