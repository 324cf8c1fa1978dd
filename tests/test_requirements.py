"""The requirements of docs/requirements.md: all that cite one, and all that hold one, exist."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.machine.recommendation import read_table
from harness.metrics import METRICS
from harness.specs.rules import CONTRACT, LADDER
from harness.specs.scenario import all_scenarios
from harness.verdicts.thresholds import read_thresholds

ROOT = Path(__file__).parents[1]
ID = re.compile(r"\bR-[A-Z]\d+\b")
CITING = ("suites", "harness", "reports", "docs")
SOURCE = re.compile(r"R-[A-Z]\d+(; .+)?|echobench: .+")


def rows() -> Iterator[tuple[str, str, str, str]]:
    """Each requirement's id, sentence, numbers and what holds it."""
    for line in (ROOT / "docs" / "requirements.md").read_text().splitlines():
        if line.startswith("| R-"):
            name, sentence, number, held_by = (cell.strip() for cell in line[1:-1].split("|"))
            yield name, sentence, number, held_by


ROWS = list(rows())
HOLDING = {*read_thresholds(), *all_scenarios(), *CONTRACT, *LADDER}


def cited() -> dict[str, set[str]]:
    """The files that cite an id, by id; a range such as "R-S1 to R-S4" is its ends."""
    found: dict[str, set[str]] = {}
    for folder in CITING:
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in (".py", ".toml", ".md") and path.name != "requirements.md":
                for name in ID.findall(path.read_text(encoding="utf-8")):
                    found.setdefault(name, set()).add(path.relative_to(ROOT).as_posix())
    return found


def test_each_id_stands_once() -> None:
    names = [name for name, *_ in ROWS]
    assert len(names) > 40
    assert len(set(names)) == len(names)
    assert all(sentence.endswith(".") for _, sentence, *_ in ROWS)


def test_each_id_that_is_cited_exists() -> None:
    assert set(cited()) <= {name for name, *_ in ROWS}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_what_holds_a_requirement_exists_and_cites_it(row: tuple[str, str, str, str]) -> None:
    name, _, number, held_by = row
    held, _, reason = held_by.partition("not held: ")
    holders = re.findall(r"`([^`]+)`", held)
    assert holders or len(reason) > 20
    thresholds = read_thresholds()
    for holder in holders:
        assert holder in HOLDING or (ROOT / holder).is_file(), holder
        if holder in thresholds:
            assert ID.match(thresholds[holder].source), f"{holder} is echobench's own"
    if number and not reason:
        files = cited().get(name, set())
        assert any(path.startswith("suites/") for path in files), f"{name} is cited nowhere"


def test_what_is_named_in_a_reason_exists() -> None:
    reasons = " ".join(held_by for *_, held_by in ROWS if "not held" in held_by)
    for named in re.findall(r"`(\w+)`", reasons.replace("`docs/live.md`", "")):
        assert named in {*METRICS, *HOLDING}, named


def test_each_threshold_says_who_set_its_numbers() -> None:
    for threshold in read_thresholds().values():
        assert SOURCE.fullmatch(threshold.source), f"{threshold.name}: {threshold.source}"


LONG_CHUNKS = "for chunks above 2 s the minimum by echobench"
SCALE = {"ms": 0.001, "%": 0.01}


def test_thresholds_have_the_required_numbers() -> None:
    """In chunks of 2 s; those whose source says that echobench set the numbers are its own."""
    numbers = {name: number for name, _, number, _ in ROWS}
    checked = set()
    for threshold in read_thresholds().values():
        cites, _, note = threshold.source.partition("; ")
        if not numbers.get(cites) or "by echobench" in note.replace(LONG_CHUNKS, ""):
            continue
        found = re.findall(r"(\d+(?:\.\d+)?) ?(ms|%)?", numbers[cites])
        required = [float(number) * SCALE.get(unit, 1) for number, unit in found]
        limits = [threshold.target.at(2.0).number, threshold.minimum.at(2.0).number]
        assert limits == pytest.approx([required[0], required[-1]]), threshold.name
        checked.add(cites)
    assert len(checked) >= 18


def test_each_recommendation_cites_a_requirement_or_is_our_own() -> None:
    known = {name for name, *_ in ROWS}
    own = [rule.name for rule in read_table().rules if not rule.requirement]
    assert own == ["NVIDIA GPU"]
    for rule in read_table().rules:
        assert set(filter(None, rule.requirement.split(", "))) <= known


def test_nothing_but_the_requirements_speaks_of_the_audit() -> None:
    """Python's audit hooks are another thing."""
    for folder in ("suites", "harness", "reports", "docs"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in (".py", ".toml", ".md") and path.name != "requirements.md":
                text = re.sub(r"audit.?hook|AuditHook|sys\.audit|addaudithook", "",
                              path.read_text(encoding="utf-8"))  # fmt: skip
                assert not re.search(r"\b[Tt]he audit\b|\baudit's\b", text), path
