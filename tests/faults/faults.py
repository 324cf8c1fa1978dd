"""What can go wrong with a provider, and how a trial has to end then."""

import signal
from dataclasses import dataclass, field, replace

from harness.clock import ClockKind
from harness.contract import Option
from harness.specs.trial import Activity, TrialStatus
from tests.stand_ins.dies import LAST_WORDS

CRASH, ERROR = TrialStatus.PROVIDER_CRASH, TrialStatus.PROVIDER_ERROR
TIMEOUT, BAD_OUTPUT, OK = TrialStatus.TIMEOUT, TrialStatus.BAD_OUTPUT, TrialStatus.OK


@dataclass(frozen=True)
class Fault:
    """A stand-in with its settings, and what the reason must say."""

    provider: str
    status: TrialStatus
    says: tuple[str, ...] = ()
    settings: dict[str, Option] = field(default_factory=dict)
    clock: ClockKind = ClockKind.VIRTUAL
    activity: Activity = Activity.SCENARIO

    @property
    def name(self) -> str:
        settings = (f"{key}={value}" for key, value in self.settings.items())
        return ":".join([self.provider, *settings, self.clock, self.activity])


def dies(at: str, number: int, *says: str, clock: ClockKind = ClockKind.VIRTUAL) -> Fault:
    settings: dict[str, Option] = {"at": at, "signal": number}
    return Fault("dies", CRASH, (*says, LAST_WORDS), settings, clock)


def in_conformance(fault: Fault) -> Fault:
    return replace(fault, activity=Activity.CONFORMANCE)


def raises(status: TrialStatus, error: str, *says: str, at: str = "stream") -> Fault:
    return Fault("raises", status, says, {"error": error, "at": at})


def babbles(status: TrialStatus, what: str, *says: str, at: str = "stream") -> Fault:
    return Fault("babbles", status, says, {"what": what, "at": at})


FAULTS = [
    dies("make", signal.SIGSEGV, "SIGSEGV"),
    dies("load", signal.SIGKILL, "SIGKILL"),
    dies("probe", signal.SIGABRT, "SIGABRT"),
    dies("stream", signal.SIGSEGV, "SIGSEGV"),
    dies("stream", signal.SIGKILL, "SIGKILL", clock=ClockKind.WALL),
    dies("health", signal.SIGBUS, "SIGBUS"),
    dies("stop", signal.SIGILL, "SIGILL"),
    dies("stream", 0, "exited with 7"),
    Fault("dies", CRASH, (LAST_WORDS,), {"talks_bytes": 60_000}),
    in_conformance(dies("stream", signal.SIGSEGV, "SIGSEGV")),
    *([dies("stream", 40, "signal 40")] if hasattr(signal, "SIGRTMIN") else []),
    *(raises(ERROR, "plain", "RuntimeError: the tensor has the wrong shape", "raises.py", at=at)
      for at in ("make", "load", "probe", "stream", "health", "stop")),
    *(raises(ERROR, "cancelled", "CancelledError", at=at)
      for at in ("make", "load", "probe", "stream", "health", "stop")),
    in_conformance(raises(ERROR, "plain", "RuntimeError", "raises.py", at="stop")),
    # There, an error only breaks the rule that was tried.
    *(in_conformance(raises(OK, error)) for error in ("plain", "cancelled", "huge", "escapes")),
    *(in_conformance(babbles(OK, what)) for what in ("nan_time", "bytes_text", "huge_text")),
    raises(ERROR, "group", "ExceptionGroup: two things"),
    raises(ERROR, "timeout", "TimeoutError: the engine's own"),
    raises(ERROR, "timeout", "TimeoutError: the engine's own", at="stop"),
    raises(ERROR, "huge", "RuntimeError: xxx", "characters)"),
    raises(ERROR, "escapes", "red"),
    raises(CRASH, "exit", "exited with 3"),
    raises(CRASH, "exit", "exited with 3", at="load"),
    raises(TrialStatus.BAD_INPUT, "model", "tiny.bin", "8 bytes", "a whole model", at="load"),
    raises(TrialStatus.BAD_INPUT, "audio", "3 bytes", "whole samples"),
    raises(TrialStatus.UNSUPPORTED, "unavailable", "a GPU", "a machine with one", at="load"),
    babbles(BAD_OUTPUT, "nan_time", "t0=nan"),
    babbles(BAD_OUTPUT, "nan_time", "t0=nan", at="probe"),
    babbles(BAD_OUTPUT, "infinite_time", "t1=inf"),
    babbles(BAD_OUTPUT, "negative_time", "-0.5"),
    babbles(BAD_OUTPUT, "backwards", "2.0 to 1.0"),
    babbles(BAD_OUTPUT, "numpy_time", "float32"),
    babbles(BAD_OUTPUT, "bytes_text", "bytes", "allowed: str"),
    babbles(BAD_OUTPUT, "bytes_text", "bytes", at="probe"),
    babbles(BAD_OUTPUT, "no_text", "NoneType"),
    babbles(BAD_OUTPUT, "surrogate_text", "surrogates not allowed"),
    babbles(BAD_OUTPUT, "huge_text", "10000000 characters", "at most 100000"),
    babbles(BAD_OUTPUT, "word_strings", "words"),
    babbles(BAD_OUTPUT, "no_words", "words"),
    babbles(BAD_OUTPUT, "backward_word", "3.0 to 1.0"),
    babbles(BAD_OUTPUT, "other_source", "segment of source system", "allowed: mic"),
    babbles(BAD_OUTPUT, "text_id", "segment_id"),
    babbles(BAD_OUTPUT, "not_a_segment", "yielded a dict", "ASRSegment"),
    babbles(BAD_OUTPUT, "endless", "at most 1000 per chunk"),
    babbles(BAD_OUTPUT, "odd_health", "last_error=<object", "object is unsupported"),
    babbles(BAD_OUTPUT, "surrogate_health", "surrogates not allowed"),
    babbles(BAD_OUTPUT, "huge_health", "health of 5000", "at most 100000 bytes"),
    babbles(BAD_OUTPUT, "closes_files", "closed its output"),
    babbles(OK, "controls"),
    babbles(OK, "stdout"),
    babbles(OK, "stderr"),
    Fault("leaves_children", CRASH, ("SIGKILL",)),
    Fault("leaves_children", CRASH, ("SIGKILL",), {"new_session": True}),
    Fault("leaves_children", CRASH, ("SIGKILL",), {"no_environment": True}),
    Fault("leaves_children", OK, (), {"signal": 0, "new_session": True}),
]  # fmt: skip

NOTHING_MOVED = "nothing moved for 1.5 s with audio at hand"
HANGS = [
    Fault("hangs", TIMEOUT, ("hangs, source mic", NOTHING_MOVED), {"how": "awaits"}),
    Fault("hangs", TIMEOUT, (NOTHING_MOVED,), {"how": "awaits"}, ClockKind.WALL),
    Fault("hangs", TIMEOUT, (NOTHING_MOVED,), {"how": "blocks_thread"}),
    Fault("hangs", TIMEOUT, ("sent nothing for 4 s",), {"how": "blocks_loop"}),
    Fault("hangs", TIMEOUT, ("sent nothing for 4 s",), {"how": "keeps_lock"}),
    Fault("hangs", TIMEOUT, ("sent nothing for 4 s",), {"at": "health"}),
    Fault("hangs", TIMEOUT, ("stop_session", "1 s"), {"at": "stop"}),
    Fault("hangs", TIMEOUT, ("sent nothing for 4 s",), {"at": "stop", "how": "keeps_lock"}),
    babbles(TIMEOUT, "slow_endless", NOTHING_MOVED),
    in_conformance(Fault("hangs", TIMEOUT, ("sent nothing for 4 s",))),
]
HANGS_AT_LOAD = [
    Fault("hangs", TIMEOUT, ("sent nothing for 6 s",), {"at": "load"}),
    Fault("hangs", TIMEOUT, ("sent nothing for 6 s",), {"at": "make", "how": "keeps_lock"}),
]
