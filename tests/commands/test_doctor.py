"""`python -m harness doctor`, as a person types it, on this machine and with lacking providers."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.commands.doctor import Checkup, advice_rows, machine_rows, table
from harness.machine.profile import describe_machine
from tests.machine.test_recommendation import machine

ROOT = Path(__file__).parents[2]
MODULE = """
from harness.contract import ASRProvider
from harness.requirements import Package, Platform, Program, SecretKey
from tests.stand_ins.null import Null

class Lacking(Null):
    name = "lacking"
    requires = (
        Package("no_such_engine", extra="lacking"),
        Program("voxtral", "ECHOBENCH_NO_VOXTRAL", "git clone https://example.org/voxtral.c"),
        SecretKey("ECHOBENCH_NO_KEY"),
        Platform("Plan9", "vax"),
    )

class Raising(Null):
    name = "raising"
    @property
    def requires(self):
        raise RuntimeError("the plug-in is older than the contract \\x1b[31m")
"""


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """Install a package with a provider that lacks everything, and one that breaks down."""
    info = tmp_path / "lacking-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lacking\nVersion: 1\n")
    points = "lacking = lacking_module:Lacking\nraising = lacking_module:Raising\n"
    (info / "entry_points.txt").write_text(f"[echobench.providers]\n{points}")
    (tmp_path / "lacking_module.py").write_text(MODULE)
    return tmp_path


def harness(*arguments: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run `python -m harness` in a process of its own, with no way to the network."""
    variables = {**os.environ, "PYTHONPATH": str(path or ""), "HTTPS_PROXY": "http://127.0.0.1:9"}
    return subprocess.run(
        [sys.executable, "-X", "importtime", "-W", "error", "-m", "harness", *arguments],
        cwd=ROOT, capture_output=True, text=True, check=False, env=variables,
    )  # fmt: skip


def section(output: str, title: str) -> str:
    return output.partition(f"{title}\n")[2].partition("\n\n")[0]


@pytest.mark.slow
def test_it_shows_the_machine_the_providers_and_what_to_use(installed: Path) -> None:
    done = harness("doctor", path=installed)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) < 80
    assert describe_machine().chip[:30] in section(done.stdout, "this machine")
    providers = " ".join(section(done.stdout, "providers").split())
    assert "whisper_cpp ready, with the model embedded" in providers
    assert "lacking lacks the Python package no_such_engine" in providers
    assert "-m pip install 'echobench[lacking]'" in providers
    assert "lacks the program voxtral" in providers
    assert "git clone https://example.org/voxtral.c; its path in ECHOBENCH_NO_VOXTRAL" in providers
    assert "export ECHOBENCH_NO_KEY=…" in providers
    assert "lacks Plan9 on vax" in providers
    assert "raised RuntimeError: the plug-in is older than the contract \\x1b[31m" in providers
    advice = section(done.stdout, "recommended here")
    assert "because" in advice
    assert "echobench run --provider" in advice
    engines = "pywhispercpp faster_whisper ctranslate2 onnxruntime torch pytest pandas".split()
    loaded = {line.rpartition("|")[2].strip().partition(".")[0]
              for line in done.stderr.splitlines()}  # fmt: skip
    assert loaded.isdisjoint(engines)
    assert "psutil" in loaded


def test_an_unknown_command_gets_the_nearest() -> None:
    done = harness("docter")
    assert done.returncode == 2
    assert "did you mean 'doctor'?; allowed: doctor, live" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("arguments", "status"), [((), 2), (("--help",), 0)])
def test_without_a_command_all_are_listed(arguments: tuple[str, ...], status: int) -> None:
    done = harness(*arguments)
    assert done.returncode == status
    assert "doctor" in done.stdout
    assert "live" in done.stdout


def test_a_provider_that_nothing_knows_is_named_with_the_way_out() -> None:
    """The table may speak of providers that aren't in this installation."""
    rows = advice_rows(machine(64, apple=True), [Checkup("whisper_cpp", "embedded")])
    text = "\n".join(text for _, text in rows)
    assert "Voxtral-Mini-4B-Realtime, 2 s chunks, bf16" in text
    assert rows[-1] == ("until then", "whisper_cpp with the default model")


def test_machines_that_we_do_not_have_fit_the_page() -> None:
    rows = machine_rows(machine(64, apple=True, cuda=True))
    shown = table("this machine", rows)
    assert "GPU, 8 GiB (CUDA); Metal" in shown
    assert max(map(len, shown.splitlines())) < 80


def test_a_narrow_terminal_is_kept_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    shown = table("t", [("label", "word " * 40), ("", "x" * 30)])
    assert max(map(len, shown.splitlines())) < 60
