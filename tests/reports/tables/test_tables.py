import json
import math
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.errors import UnavailableError
from harness.journal.run_folder import RunFolder
from harness.specs.trial import TrialStatus
from reports import write
from reports.__main__ import main
from reports.tables.benchmark_json import benchmark_json
from reports.tables.frames import FIGURE_COLUMNS, chunk_frame, figure_frame, verdict_frame
from reports.tables.markdown import plain, table
from reports.tables.summary import run_summary
from tests.reports.journals import OK, ended, make_spec, played, read_results, write_run

HOSTILE = (
    "::error file=x::y", "##[group]z", "<script>alert(1)</script>", "| a | b |",
    "[x](javascript:y)",
    "![i](http://x/y.png)", "@everyone #1 www.evil.example", "`code` **bold** ~~gone~~ $m$",
    "# head", "- item", "\x1b[31mred\u202e", "&lt;b&gt;", "two\nlines", "\\`", "https://x.example/",
)  # fmt: skip


@pytest.mark.parametrize("run", ["real_run", "mixed_run"])
def test_figures_are_those_that_were_measured(run: str, request: pytest.FixtureRequest) -> None:
    folder: RunFolder = request.getfixturevalue(run)
    results, _ = read_results(folder)
    figures = figure_frame(folder.info.run_id, results)
    assert dict(figures.dtypes.astype(str)) == FIGURE_COLUMNS
    for result in results:
        rows = figures[figures.trial == result.record.number]
        assert set(rows.metric) == set(result.measurements)
        for name, measured in result.measurements.items():
            mine = rows[rows.metric == name].set_index("statistic")
            assert set(mine.unit) == {measured.unit}
            if measured.samples:
                assert list(mine.index) == ["p50", "p95", "p99", "max"]
                assert mine.loc["max"].value == max(measured.samples)
                assert mine.loc["p95"].value == measured.statistic("p95")
                assert mine.loc["p50"].low <= mine.loc["p50"].value <= mine.loc["p50"].high
            elif measured.value is None:
                assert pd.isna(mine.loc["value"].value)
                assert mine.loc["value"].absent == measured.absent
            else:
                assert mine.loc["value"].value == measured.value


def test_parquet_holds_the_same_tables(mixed_run: RunFolder, tmp_path: Path) -> None:
    results, _ = read_results(mixed_run)
    for path in write.write_parquet(RunFolder(tmp_path, mixed_run.info), results):
        frame = write.TABLES[path.stem](mixed_run.info.run_id, results)
        again = pd.read_parquet(path).astype(frame.dtypes.to_dict())
        pd.testing.assert_frame_equal(again, frame)
    assert {path.stem for path in tmp_path.iterdir()} == set(write.TABLES)


@pytest.mark.slow
def test_without_pyarrow_parquet_is_refused_and_the_rest_is_the_same(
    mixed_run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results, _ = read_results(mixed_run)
    script = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "from reports.__main__ import main\n"
        f"sys.exit(main(['render', {str(mixed_run.path)!r}]))"
    )
    tables = ("verdicts.csv", "figures.csv", "chunks.csv")
    assert main(["render", str(mixed_run.path)]) == 0
    before = [(mixed_run.path / name).read_bytes() for name in tables]
    subprocess.run([sys.executable, "-c", script], check=True, cwd=Path(__file__).parents[3])
    assert [(mixed_run.path / name).read_bytes() for name in tables] == before
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UnavailableError, match=r"pip install 'echobench\[parquet\]'"):
        write.write_parquet(RunFolder(tmp_path, mixed_run.info), results)


def test_an_empty_run_has_tables_without_rows() -> None:
    for frame in (verdict_frame, figure_frame, chunk_frame):
        assert len(frame("a-run", [])) == 0


def test_every_column_of_time_has_its_unit() -> None:
    for frame in (verdict_frame, figure_frame, chunk_frame):
        names = list(frame("a-run", []).columns)
        assert names[0] == "schema"
        assert not [
            name for name in names if name in ("due", "queued", "begun", "duration", "time")
        ]


@given(st.text())
@example(" ".join(HOSTILE))
@example("-1")
@example("= x")
def test_any_text_is_only_text_in_markdown(text: str) -> None:
    shown = plain(text)
    assert "\n" not in shown
    assert "::" not in shown
    assert "##[" not in shown
    assert "://" not in shown
    assert not set("<>|`*_[]~@$\\\x1b\u202e") & set(shown)
    assert not shown.startswith(("#", "-", "+", "="))
    row = table(["a"], [[text]]).splitlines()[2]
    assert row.count("|") == 2


@pytest.mark.parametrize("text", HOSTILE)
def test_a_summary_shows_hostile_words_and_does_nothing(tmp_path: Path, text: str) -> None:
    spec = make_spec(text, text)
    run = write_run(tmp_path, [(spec, [], ended(TrialStatus.PROVIDER_CRASH, text))])
    results, thresholds = read_results(run)
    summary = run_summary(run.info, results, thresholds)
    for line in summary.splitlines():
        assert not line.lstrip().startswith(("::", "##["))
        assert line.count("|") in (0, 9)
    assert not set("<>`*[]\x1b\u202e") & set(summary)


def test_a_summary_says_what_the_page_says(mixed_run: RunFolder) -> None:
    results, thresholds = read_results(mixed_run)
    summary = run_summary(mixed_run.info, results, thresholds)
    assert summary.startswith(
        "### ! The run was broken off; 1 of 6 trials says nothing about its provider;"
        " 4 of 6 trials fail\n"
    )
    assert "rtf&#95;p95 is 0.9 and must be &#60;\xa00.8" in summary
    assert mixed_run.info.run_id in summary


@pytest.mark.slow
def test_times_are_benchmarks_that_its_own_tool_reads(tmp_path: Path) -> None:
    spec = make_spec(chunk_s=1.0, duration_s=20.0)
    run = write_run(
        tmp_path,
        [(spec, played(spec, [("one two", "one")], silent=(3,)), OK),
         (make_spec("broken"), [], ended(TrialStatus.PROVIDER_CRASH, "no"))],
    )  # fmt: skip
    results, _ = read_results(run)
    path = tmp_path / "benchmark.json"
    path.write_bytes(benchmark_json(run.info, results))
    content = json.loads(path.read_text())
    inference, latency = content["benchmarks"]
    assert inference["stats"]["rounds"] == 19
    assert inference["stats"]["median"] == pytest.approx(0.1)
    samples = results[0].measurements["word_emission_latency"].samples or ()
    assert latency["extra_info"]["never"] == sum(map(math.isinf, samples)) > 0
    done = subprocess.run(
        [sys.executable, "-m", "pytest_benchmark", "compare", str(path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "inference_per_chunk[made_up-embedded-1s" in done.stdout + done.stderr
