"""`live serve` and `live send` together, as a person types them."""

import os
import signal
import time
from pathlib import Path

import pytest

from harness.journal.journal import read_journal
from harness.specs.trial import TrialStatus
from tests.commands.live_command import Command, recording, serving
from tests.faults.processes import MARK, alive


@pytest.mark.slow
def test_two_recordings_are_captioned_side_by_side(tmp_path: Path) -> None:
    """Each provider in a process of its own; none of them is left over."""
    mark = f"live-{os.getpid()}"
    files = [str(recording(tmp_path / name, 1.2)) for name in ("me.wav", "others.flac")]
    oracle = "oracle:transcript=good morning everyone"
    with serving("--provider", oracle, "--keep", str(tmp_path / "kept"), **{MARK: mark}) as (
        server, url,
    ):  # fmt: skip
        sender = Command("send", *files, "--url", url, "--session", "standup")
        assert sender.finish() == 0, sender.output
        assert server.finish(signal.SIGTERM) == 0, server.output
    lines = sender.output.splitlines()
    assert lines[0] == "-- standup: mic, system on oracle embedded"
    assert sorted(lines[1:3]) == ["  0:00 mic     good morning everyone",
                                  "  0:00 system  good morning everyone"]  # fmt: skip
    assert lines[-1] == "-- ended, 2 finals"
    assert "machine: " in server.output
    assert "recommended here: " in server.output
    assert "standup begins: mic, system" in server.output
    assert "standup ended" in server.output
    (record,) = read_journal(tmp_path / "kept" / "standup.jsonl")
    assert record.started.spec.settings == {"transcript": "good morning everyone"}
    assert record.ended is not None
    assert record.ended.status is TrialStatus.OK
    assert alive(mark) == []


@pytest.mark.slow
def test_the_channels_of_one_file_may_be_the_two_sources(tmp_path: Path) -> None:
    file = str(recording(tmp_path / "call.wav", 1.0, channels=2))
    with serving("--provider", "oracle:transcript=hello", "--in-process") as (_, url):
        sender = Command("send", file, "--split", "--url", url)
        assert sender.finish() == 0, sender.output
    assert "mic, system on oracle" in sender.output


@pytest.mark.slow
def test_ctrl_c_ends_in_order(tmp_path: Path) -> None:
    file = str(recording(tmp_path / "long.wav", 30.0))
    with serving("--provider", "oracle:transcript=so far", "--in-process") as (server, url):
        sender = Command("send", file, "--url", url)
        sender.read_until("-- session-1")
        time.sleep(1.0)
        assert sender.finish(signal.SIGINT) == 130
        assert "  0:00 mic     so far" in sender.output  # what was heard became final
        assert "-- ended, 1 finals" in sender.output
        assert "Traceback" not in sender.output
        server.read_until("session-1 ended")


@pytest.mark.slow
def test_a_server_that_is_stopped_lets_its_sessions_end(tmp_path: Path) -> None:
    file = str(recording(tmp_path / "long.wav", 30.0))
    with serving("--provider", "oracle:transcript=so far", "--in-process") as (server, url):
        sender = Command("send", file, "--url", url)
        sender.read_until("-- session-1")
        time.sleep(0.5)
        assert server.finish(signal.SIGINT) == 0
        assert sender.finish() == 0, sender.output
        assert "so far" in sender.output


@pytest.mark.slow
def test_a_token_is_needed_where_one_is_set(tmp_path: Path) -> None:
    file = str(recording(tmp_path / "a.wav", 0.5))
    (tmp_path / "token").write_text("s3cret\n")
    (tmp_path / "wrong").write_text("guess\n")
    with serving("--provider", "null", "--in-process", ECHOBENCH_LIVE_TOKEN="s3cret") as (_, url):
        refused = Command("send", file, "--url", url, "--token-file", str(tmp_path / "wrong"))
        assert refused.finish() == 2
        assert "refused the connection: 401" in refused.output
        let_in = Command("send", file, "--url", url, "--token-file", str(tmp_path / "token"))
        assert let_in.finish() == 0, let_in.output
        for command in (refused, let_in):
            assert "s3cret" not in command.output
            assert "guess" not in command.output


@pytest.mark.slow
def test_sending_survives_a_broken_connection(tmp_path: Path) -> None:
    file = str(recording(tmp_path / "long.wav", 30.0))
    with serving("--provider", "null", "--in-process") as (server, url):
        sender = Command("send", file, "--url", url)
        sender.read_until("-- session-1")
        server.process.kill()
        assert sender.finish() == 2
    assert "error: live server: the connection broke" in sender.output
    assert "Traceback" not in sender.output
