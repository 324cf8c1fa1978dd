import base64
import hashlib
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from harness.activities.conformance import RULES
from harness.journal.events import Utterance
from harness.journal.journal import read_journal
from harness.journal.run_folder import RunFolder
from harness.metrics import ACTIVITY_OF, METRICS
from harness.specs.options import Options
from harness.specs.trial import Activity, TrialStatus
from tests.profiles import examples
from tests.reports.journals import (
    OK,
    THRESHOLDS,
    checked,
    ended,
    make_spec,
    played,
    read_results,
    write_run,
)
from tests.reports.pages import Reader, page_of

ROOT = Path(__file__).parents[3]
MAX_BYTES = 1_000_000
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</pre></bdi></td></table><iframe src=//x>",
    "<!-- --><style>*{display:none}</style>",
    "{{ 7 * 7 }} {% raw %}",
    "\x1b[2J\x1b[31mred\x07",
    "\u202egnip\u202c \u2066x\u2069 \u200e\u061c",
    "&lt;b&gt; &#60;script&#62;",
    "javascript:alert(1)",
    "null\0byte\x85\u2028line",
)
ALLOWED_TAGS = set(
    "html head meta link title style body header p div h1 h2 h3 ul li a bdi span section table "
    "thead tbody tr th td b dl dt dd code pre figure figcaption svg rect line circle text br wbr "
    "details summary del ins mark".split()
)


@pytest.mark.parametrize("run", ["real_run", "mixed_run"])
def test_a_page_asks_for_nothing_and_runs_nothing(run: str, request: pytest.FixtureRequest) -> None:
    page = page_of(request.getfixturevalue(run))
    reader = Reader(page)
    assert set(reader.tags) <= ALLOWED_TAGS
    assert all(href == "data:," or href.startswith("#") for href in reader.values("href"))
    for forbidden in ("style", "src", "srcset", "action", "data", "poster", "xlink:href"):
        assert reader.values(forbidden) == []
    assert not [name for _, found in reader.elements for name in found if name.startswith("on")]
    assert "url(" not in page
    assert "@import" not in page
    assert len(page.encode()) < MAX_BYTES


def test_the_policy_allows_the_style_and_nothing_else(mixed_run: RunFolder) -> None:
    page = page_of(mixed_run)
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    (policy,) = (
        found["content"] for tag, found in Reader(page).elements
        if found.get("http-equiv") == "Content-Security-Policy"
    )  # fmt: skip
    assert policy.split("; ") == [
        "default-src 'none'", f"style-src 'sha256-{digest}'", "img-src data:", "base-uri 'none'",
        "form-action 'none'",
    ]  # fmt: skip
    assert page.index("Content-Security-Policy") < page.index("<style>")


def hostile_run(root: Path, text: str, model: str = "embedded") -> RunFolder:
    """A run in which everything that comes from outside is the text."""
    played_out, crashed = make_spec("p", model, duration_s=6), make_spec("q", model, duration_s=6)
    contract = make_spec("p", model, activity=Activity.CONFORMANCE)
    first, *others = RULES
    return write_run(
        root,
        [
            (played_out, played(played_out, [("a word", f"a {text}")]), OK),
            (crashed, [], ended(TrialStatus.PROVIDER_CRASH, f"{text}\n    | {text}")),
            (contract, checked([(first, text)], others), OK),
        ],
        Options(corpus=text),
    )


@pytest.mark.slow
@settings(max_examples=examples(15), suppress_health_check=[HealthCheck.too_slow])
@given(st.text(min_size=1, max_size=60))
@example(" ".join(HOSTILE))
def test_no_text_changes_what_a_page_is_made_of(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    writable = text.encode(errors="replace").decode()
    page = page_of(hostile_run(tmp_path_factory.mktemp("hostile"), writable, model="m"))
    harmless = Reader(page_of(hostile_run(tmp_path_factory.mktemp("harmless"), "z", model="m")))
    reader = Reader(page)
    assert set(reader.tags) <= ALLOWED_TAGS
    for tag in ("svg", "section", "table", "pre", "a"):
        assert reader.tags.count(tag) == harmless.tags.count(tag)
    assert not [name for _, found in reader.elements for name in found if name.startswith("on")]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_are_shown_and_do_nothing(tmp_path: Path, text: str) -> None:
    page = page_of(hostile_run(tmp_path, text, model=text))
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028]", page)
    shown = Reader(page).text
    for word in re.findall(r"[!-~]+", text):
        assert word in shown
    if "\x1b" in text:
        assert r"\x1b[31mred" in shown
    if "\u202e" in text:
        assert r"\u202egnip" in shown


def test_every_cell_leads_to_its_details(mixed_run: RunFolder) -> None:
    page = page_of(mixed_run)
    reader = Reader(page)
    ids = reader.values("id")
    assert len(ids) == len(set(ids))
    links = [href[1:] for href in reader.values("href") if href.startswith("#")]
    assert set(links) <= set(ids)
    results, _ = read_results(mixed_run)
    for result in results:
        assert f"trial-{result.record.number}" in links
        for threshold in result.verdicts if result.measurements else ():
            assert f"trial-{result.record.number}-{threshold}" in links


def test_the_page_says_what_the_harness_found(mixed_run: RunFolder) -> None:
    shown = Reader(page_of(mixed_run)).text
    said = "! The run was broken off; 1 of 6 trials says nothing about its provider; 4 of 6 trials"
    assert f"{said} fail" in shown
    assert "rtf_p95 is 0.9 and must be < 0.8" in shown
    assert "provider crash: killed by SIGSEGV" in shown
    assert "| assertion failed" in shown
    assert "interrupted: the run ended before the trial" in shown
    assert f"breaks 1 of {len(RULES)} rules: {next(iter(RULES))}" in shown
    assert "Red: 4 of 30 chunks were dropped." in shown
    machine = mixed_run.info.machine
    for fact in (machine.chip, machine.python, mixed_run.info.normalizer, mixed_run.info.run_id):
        assert fact in shown
    hashes = re.findall(r"\w-hash", shown)
    assert hashes == [f"{name}-hash" for name in sorted(mixed_run.info.inputs)]
    for metric in (METRICS[name] for name in METRICS if ACTIVITY_OF[name] is Activity.SCENARIO):
        assert (metric.__doc__ or "").splitlines()[0].replace("`", "") in shown


def test_a_real_trial_is_shown_with_its_texts_and_charts(real_run: RunFolder) -> None:
    page = page_of(real_run)
    shown = Reader(page).text
    (record,) = read_journal(real_run.journal)
    said = [event for event in record.events if isinstance(event, Utterance)]
    assert len(said) > 2
    for utterance in said:
        assert f"{int(utterance.t0 // 60)}:{int(utterance.t0 % 60):02}" in shown
    assert page.count("<svg") == 5
    assert "p50" in page
    assert "p95" in page


@pytest.mark.slow
def test_the_same_journal_gives_the_same_bytes_in_any_process(mixed_run: RunFolder) -> None:
    pages = []
    for seed in ("1", "2"):
        command = [sys.executable, "-m", "reports", "render", str(mixed_run.path),
                   "--thresholds", str(THRESHOLDS)]  # fmt: skip
        subprocess.run(command, check=True, cwd=ROOT, env={"PYTHONHASHSEED": seed})
        names = ("report.html", "summary.md", "verdicts.csv", "figures.csv", "chunks.csv")
        pages.append([(mixed_run.path / name).read_bytes() for name in names])
    assert pages[0] == pages[1]
    assert pages[0][0].decode() == page_of(mixed_run).replace(THRESHOLDS.name, str(THRESHOLDS))


@pytest.mark.slow
def test_three_trials_of_ten_minutes_stay_small(tmp_path: Path) -> None:
    said = [("the plan for next week is open", "the plan for this week was open")] * 5
    trials = [make_spec(chunk_s=chunk_s, duration_s=600) for chunk_s in (0.5, 1.0, 2.0)]
    folder = write_run(tmp_path, [(spec, played(spec, said, drop_every=9), OK) for spec in trials])
    assert len(page_of(folder).encode()) < MAX_BYTES


def test_a_provider_that_never_stops_talking_cannot_bloat_the_page(tmp_path: Path) -> None:
    spec = make_spec(duration_s=120)
    folder = write_run(tmp_path, [(spec, played(spec, [("one two", "babble " * 300)]), OK)])
    page = page_of(folder)
    assert len(page.encode()) < MAX_BYTES
    assert "more, in the journal" in page
