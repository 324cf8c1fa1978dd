"""The limits on waiting, and the environment variable that changes them."""

import pytest

from harness.errors import UsageError
from harness.provider.timeouts import DEFAULT, VARIABLE, Timeouts, timeouts_from_env


def test_defaults_stand_where_nothing_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert timeouts_from_env() == DEFAULT
    monkeypatch.setenv(VARIABLE, "")
    assert timeouts_from_env() == DEFAULT


def test_a_worker_may_be_silent_for_longer_than_its_own_limits_last() -> None:
    """Else the run would end a worker that was about to tell what its provider did wrong."""
    assert DEFAULT.silence_s > DEFAULT.answer_s + DEFAULT.stop_s


def test_some_limits_may_be_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, '{"answer_s": 2, "load_s": 0.5}')
    assert timeouts_from_env() == Timeouts(answer_s=2, load_s=0.5)


@pytest.mark.parametrize(
    "text",
    ["answer_s=2", "[]", '{"answer": 2}', '{"answer_s": 0}', '{"answer_s": -1}', '{"stop_s": "2"}',
     '{"stop_s": 1e9}', "{"],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, text)
    with pytest.raises(
        UsageError, match=r"ECHOBENCH_TIMEOUTS: .*allowed: JSON .* load_s, silence_s"
    ):
        timeouts_from_env()
