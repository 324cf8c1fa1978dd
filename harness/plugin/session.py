"""Plans, measures and evaluates the trials of one pytest session."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from harness.errors import EchobenchError, JournalError, UnknownNameError
from harness.journal.journal import JournalWriter, read_journal
from harness.journal.run_folder import Input, RunFolder, fingerprint
from harness.plugin.commandline import runs_folder
from harness.plugin.summary import write_summary
from harness.provider.choice import choose_providers
from harness.provider.registry import PROVIDERS, check_corpus, corpus_path, make_provider, names
from harness.provider.timeouts import timeouts_from_env
from harness.runner.plan import plan
from harness.runner.pool import WorkerPool
from harness.runner.progress import TrialLine
from harness.runner.requests import Infer
from harness.runner.run import measure_all
from harness.specs.options import Options
from harness.specs.rules import rules_of
from harness.specs.scenario import all_scenarios
from harness.specs.trial import Activity, TrialSpec, TrialStatus
from harness.support.sanitize import sanitize
from harness.timeline.corpus import CorpusUtterance
from harness.timeline.placement import require_room
from harness.verdicts.evaluate import TrialResult, evaluate
from harness.verdicts.thresholds import FILE, Threshold, read_thresholds

DISK_FULL_STATUS = 3


@dataclass(frozen=True)
class Specs:
    """The trials of a command line, by kind of activity."""

    scenarios: list[TrialSpec]
    residency: list[TrialSpec]
    by_rules: list[TrialSpec]
    """Trials of rules: conformance and ladder."""


class BenchSession:
    """Plans, measures and evaluates for one pytest session, each step only when needed."""

    def __init__(self, config: pytest.Config, options: Options) -> None:
        self.config, self.options = config, options
        self.lacking: dict[str, str] = {}
        self.problem: EchobenchError | None = None
        """Why the trials can't be planned."""
        self.results: dict[str, TrialResult] = {}
        self.reports: list[Path] = []
        self._folder: RunFolder | None = None
        self._journal: JournalWriter | None = None
        self._warnings: list[str] = []
        """What the corpora's check found and measuring doesn't fail by, as lines to show."""
        self._pool = WorkerPool(timeouts_from_env())

    @cached_property
    def specs(self) -> Specs:
        """All trials; raises `UsageError` for invalid options."""
        choices, self.lacking = choose_providers(self.options.providers, self.options.models)
        specs = plan(self.options, choices)
        return Specs(
            [spec for spec in specs if spec.activity is Activity.SCENARIO],
            [spec for spec in specs if spec.activity is Activity.RESIDENCY],
            [spec for spec in specs if rules_of(spec.activity)],
        )

    @cached_property
    def thresholds(self) -> dict[str, Threshold]:
        """The thresholds of this run."""
        path = Path(self.options.thresholds or FILE)
        return read_thresholds(path, all_scenarios(), names(PROVIDERS))

    def threshold(self, name: str) -> Threshold:
        """A threshold by name.

        Raises:
            UnknownNameError: There is no such threshold.
        """
        if name not in self.thresholds:
            where = f"thresholds {self.options.thresholds or FILE}"
            raise UnknownNameError(where, name, self.thresholds)
        return self.thresholds[name]

    def measure(self, items: list[pytest.Item]) -> None:
        """Measure the trials that the items need, without those that a resumed run has."""
        needed = {spec.key: spec for item in items for spec in needed_by(item)}
        if not needed:
            return
        try:
            planned, inputs = [spec.name for spec in needed.values()], self._inputs(needed.values())
            folder = self._open_folder()
            self._journal = JournalWriter(folder.journal)  # locks the run
            folder.begin(self.options, planned, inputs)
            done = {
                record.started.key
                for record in read_journal(folder.journal)
                if record.ended and record.ended.status is TrialStatus.OK
            }
        except EchobenchError as error:
            raise pytest.UsageError(str(error)) from error
        missing = [spec for key, spec in needed.items() if key not in done]
        reporter = self.config.pluginmanager.getplugin("terminalreporter")
        screen = self.config.get_terminal_writer()
        screen.line()
        for line in "\n".join(self._warnings).splitlines():
            screen.line(line)
        screen.line(f"machine: {sanitize(str(folder.info.machine))}")
        if folder.info.recommendation is not None:
            screen.line(f"recommended here: {sanitize(str(folder.info.recommendation))}")
        progress = TrialLine(screen, live=reporter.isatty)
        try:
            measure_all(missing, self._pool, self._journal, progress)
        except JournalError as error:
            pytest.exit(str(error), returncode=DISK_FULL_STATUS)
        folder.finish()
        self._evaluate()

    def infer(self, spec: TrialSpec) -> None:
        """Recognise one chunk on the resident model; loads it first if necessary."""
        self._pool.make_resident(spec)
        self._pool.ask(Infer(chunk_seconds=spec.chunk_seconds), lambda line, event: None)

    def finish(self) -> None:
        """End the worker, and write the reports of what was measured."""
        self._pool.close()
        if self._journal is None or self._folder is None:
            return
        self._journal.close()
        self._evaluate()
        results = list(self.results.values())
        written = self.config.hook.pytest_echobench_report(folder=self._folder, results=results)
        self.reports = [path for path in written if path is not None]

    def summarize(self, reporter: pytest.TerminalReporter) -> None:
        """Print the summary of the run."""
        for name, problem in self.lacking.items():
            reporter.write_line(f"not measured: {name} {problem}")
        if self._folder is not None:
            results = list(self.results.values())
            write_summary(reporter, self._folder, results, self.thresholds, self.reports)

    def _open_folder(self) -> RunFolder:
        root = runs_folder(self.config)
        resume = self.config.option.resume
        self._folder = (
            RunFolder.create(root, self.options) if resume is None else RunFolder.open(root, resume)
        )
        return self._folder

    def _evaluate(self) -> None:
        assert self._folder is not None
        try:
            self.results = evaluate(read_journal(self._folder.journal), self.thresholds)
        except EchobenchError as error:
            raise pytest.UsageError(str(error)) from error

    def _inputs(self, specs: Iterable[TrialSpec]) -> dict[str, Input]:
        """Locate the models, fetching missing ones, and fingerprint them and the corpora."""
        inputs: dict[str, Input] = {}
        corpora: dict[str, list[CorpusUtterance]] = {}
        for spec in specs:
            if spec.corpus not in corpora:
                corpora[spec.corpus], warnings = check_corpus(spec.corpus)
                self._warnings += [f"corpus {spec.corpus}", "", warnings] if warnings else []
            require_room(spec.scenario, corpora[spec.corpus])
            name = f"{spec.provider}/{spec.model}"
            if name not in inputs:
                path = make_provider(spec.provider, spec.settings).locate_model(spec.model)
                if path is not None:
                    inputs[name] = fingerprint(path)
            corpus = corpus_path(spec.corpus)
            if corpus is not None and spec.corpus not in inputs:
                inputs[spec.corpus] = fingerprint(corpus)
        return inputs


def has_trial_if_needed(item: pytest.Item) -> bool:
    """Whether a test has a trial to judge, or needs none."""
    return all(isinstance(param, tuple) for param in _judged_params(item))


def needed_by(item: pytest.Item) -> list[TrialSpec]:
    """The trials that a test judges."""
    return [param[0] for param in _judged_params(item) if isinstance(param, tuple)]


def _judged_params(item: pytest.Item) -> list[Any]:
    callspec = getattr(item, "callspec", None)
    params = callspec.params if callspec else {}
    return [params[name] for name in ("judged", "rule") if name in params]


SESSION = pytest.StashKey[BenchSession]()
