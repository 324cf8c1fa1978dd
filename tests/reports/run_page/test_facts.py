from pathlib import Path

import msgspec
import pytest

from harness.errors import DataFileError
from harness.specs.options import Options
from harness.specs.trial import TrialSpec
from reports.run_page.facts import limits_of_embedded, machine_facts, run_facts
from tests.reports.journals import OK, make_spec, read_results, write_run

LIMITS = ["it knows eighty words", "its voices are synthetic"]


@pytest.mark.parametrize(
    ("model", "corpus", "expected"),
    [
        ("embedded", "embedded", LIMITS),
        ("embedded", "own.jsonl", LIMITS),
        ("base.en", "embedded", LIMITS),
        ("base.en", "own.jsonl", []),
    ],
)
def test_limits_are_told_where_model_or_corpus_have_them(
    tmp_path: Path, model: str, corpus: str, expected: list[str]
) -> None:
    card = tmp_path / "card.json"
    card.write_bytes(msgspec.json.encode({"name": "tiny", "limits": LIMITS}))
    spec: TrialSpec = msgspec.structs.replace(make_spec(model=model), corpus=corpus)
    results, _ = read_results(write_run(tmp_path / "runs", [(spec, [], OK)]))
    assert limits_of_embedded(results, card) == expected
    card.write_bytes(msgspec.json.encode({"limits": "one sentence"}))
    assert limits_of_embedded(results, card) == (["one sentence"] if expected else [])
    assert limits_of_embedded(results, tmp_path / "none.json") == []


def test_a_damaged_card_is_told(tmp_path: Path) -> None:
    card = tmp_path / "card.json"
    card.write_text('{"limits": 7}')
    results, _ = read_results(write_run(tmp_path / "runs", [(make_spec(), [], OK)]))
    with pytest.raises(DataFileError, match=r"card\.json: .*limits"):
        limits_of_embedded(results, card)


def test_facts_are_those_of_the_run(tmp_path: Path) -> None:
    folder = write_run(tmp_path, [(make_spec(), [], OK)], Options(seed=7, gate="target"))
    results, _ = read_results(folder)
    facts = dict(run_facts(folder.info, results, "some.toml"))
    assert facts["seed"] == "7"
    assert facts["gate"].startswith("target")
    assert facts["thresholds"] == "some.toml"
    assert facts["clock"].startswith("virtual")
    assert facts["finished"].endswith(" UTC")
    machine = dict(machine_facts(folder.info))
    assert machine["chip"] == folder.info.machine.chip
    assert folder.info.machine.packages.items() <= machine.items()
