"""The journals that a live server keeps, and what happens where they can't be written."""

import asyncio
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.contract import AudioSource
from harness.errors import JournalError
from harness.journal.events import ChunkDone, TrialEnded, TrialStarted
from harness.journal.journal import read_journal
from harness.live.server.session_log import SessionLog
from harness.specs.trial import Activity, Transport, TrialStatus
from tests.ladder.numbers import Numbers
from tests.live.rig import MIC, SYSTEM, Client, client, finals_of, kept, run, serving, until_free
from tests.trials import spec_of

STARTED = TrialStarted(key="one", spec=spec_of("null", "nothing"))
TICK = ChunkDone(source=AudioSource.MIC, chunk=1, at_s=0.5)
ENDED = TrialEnded(status=TrialStatus.OK)


async def hold(app: Client, name: str, last: int) -> None:
    """Begin a session, say the numbers up to `last`, and end it."""
    await app.start(session=name)
    await app.count_to(last)
    await app.say(type="end", source="mic")
    assert (await app.closed())[0] == 1000


def test_what_is_kept_is_a_journal(tmp_path: Path) -> None:
    async def session() -> None:
        async with serving(keep=tmp_path) as rig, client(rig) as app:
            await app.start(MIC, SYSTEM, session="standup", chunk_seconds=1.5)
            await app.count_to(4)
            for source in (MIC, SYSTEM):
                await app.say(type="end", source=source)
            await app.closed()

    run(session())
    record = kept(tmp_path / "standup.jsonl")
    spec = record.started.spec
    assert (spec.provider, spec.model, spec.chunk_seconds) == (Numbers.name, "first", 1.5)
    assert (spec.activity, spec.transport) == (Activity.LIVE, Transport.WS)
    assert [source.name for source in spec.scenario.sources] == [MIC, SYSTEM]
    assert finals_of(record) == [1, 2, 3, 4]
    assert record.ended is not None
    assert record.ended.status is TrialStatus.OK
    assert record.ended.wall_s > 0


def test_sessions_of_one_name_are_trials_of_one_journal(tmp_path: Path) -> None:
    async def session() -> None:
        async with serving(keep=tmp_path) as rig:
            for last in (2, 3):
                async with client(rig) as app:
                    await hold(app, "daily", last)
                await until_free(rig)

    run(session())
    first, second = read_journal(tmp_path / "daily.jsonl")
    assert finals_of(first) == [1, 2]
    assert finals_of(second) == [1, 2, 3]


def test_a_session_that_is_cut_off_by_the_server_says_so(tmp_path: Path) -> None:
    async def session() -> None:
        async with serving(keep=tmp_path) as rig, client(rig) as app:
            await app.start(session="late")
            await app.count_to(4)
            await rig.live.finish(0.0)
            await until_free(rig)

    run(session())
    ended = kept(tmp_path / "late.jsonl").ended
    assert ended is not None
    assert ended.status is TrialStatus.INTERRUPTED


def test_a_journal_that_cannot_be_opened_is_told_once_and_costs_no_other_session(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "blocked.jsonl").mkdir()

    async def session() -> None:
        async with (
            serving(slots=2, keep=tmp_path) as rig,
            client(rig) as one,
            client(rig) as other,
        ):
            await asyncio.gather(hold(one, "blocked", 4), hold(other, "fine", 4))
            assert one.numbers() == [1, 2, 3, 4]

    run(session())
    told = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert len(told) == 1
    assert "blocked.jsonl: can't be written (Is a directory)" in told[0]
    assert "blocked continues, without a journal from here on" in told[0]
    assert finals_of(kept(tmp_path / "fine.jsonl")) == [1, 2, 3, 4]


@pytest.fixture
def most_bytes() -> Iterator[None]:
    """No file of this process can grow beyond 20 kB."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("most_bytes")
def test_a_full_disk_is_told_once_and_the_next_session_is_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log = SessionLog(tmp_path)
    for name, ticks in (("long", 2000), ("short", 3)):
        log.keep(name, STARTED)
        for _ in range(ticks):
            log.keep(name, TICK)
        log.keep(name, ENDED)
    log.close()
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 1
    assert "long.jsonl: can't be written (File too large)" in told[0]
    assert kept(tmp_path / "long.jsonl").ended is None
    assert kept(tmp_path / "short.jsonl").events == [TICK, TICK, TICK, ENDED]


@pytest.mark.parametrize("folder", ["file/folder", "file"])
def test_a_folder_that_cannot_be_made_is_refused_at_the_start(folder: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match=r"can't be written.*allowed: a folder with room"):
        SessionLog(tmp_path / folder)


def test_a_folder_that_cannot_be_written_is_refused_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tests may run as root, who can write everywhere; so the system's refusal is made up."""

    def refuse(**options: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    with pytest.raises(JournalError, match=r"can't be written \(Permission denied\)"):
        SessionLog(tmp_path)
