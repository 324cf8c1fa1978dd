"""What a person sees on the real command line when providers fail."""

import re
from pathlib import Path

import pytest

from harness.provider.timeouts import Timeouts
from tests.faults.command_line import CommandLine
from tests.faults.processes import alive
from tests.stand_ins.dies import LAST_WORDS

pytestmark = pytest.mark.slow


def test_each_failure_is_told_once_and_the_sound_trial_is_judged(
    small_corpus: Path, tmp_path: Path
) -> None:
    bench = CommandLine(
        tmp_path,
        ["--provider", "dies,raises:error=escapes,hangs,null", "--corpus", str(small_corpus),
         "--duration", "5", "--scenario", "A"],
        Timeouts(answer_s=2.5),
    )  # fmt: skip
    bench.start()
    assert bench.finish() == 1, bench.output
    assert re.search(r"dies 2s .*provider_crash", bench.output)
    assert re.search(r"raises 2s .*provider_error", bench.output)
    assert re.search(r"hangs 2s .*timeout", bench.output)
    assert re.search(r"null 2s +\S", bench.output)
    assert "the process was killed by SIGSEGV" in bench.output
    assert f"| {LAST_WORDS}" in bench.output
    assert "nothing moved for 2.5 s with audio at hand" in bench.output
    assert r"raised RuntimeError: \x1b[2J\x1b[31mred \ud800" in bench.output
    assert "\x1b" not in bench.output
    assert "INTERNALERROR" not in bench.output
    assert alive(bench.mark) == []
    assert [record.ended is not None for record in bench.records()] == [True] * 4


def test_patience_that_makes_no_sense_is_a_usage_error(small_corpus: Path, tmp_path: Path) -> None:
    bench = CommandLine(tmp_path, ["--provider", "null"], {"answers": 2})
    bench.start()
    assert bench.finish() == 4
    assert "ECHOBENCH_TIMEOUTS" in bench.output
    assert "answer_s" in bench.output
    assert "Traceback" not in bench.output
