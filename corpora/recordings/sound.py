"""Checks a sound file and what a manifest says about it, with all of its samples."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import soundfile

from corpora.recordings.conversion import describe_unreadable, ffmpeg, sox
from corpora.recordings.levels import FRAME_S, Signal, dbfs, loud_dbfs, measure
from corpora.recordings.problem import Problem
from corpora.recordings.recording import DURATION_SLACK_S, Recording
from harness.audio import FASTEST_HZ, SLOWEST_HZ
from harness.text_normalizer import tokens

CANCELS_DB = 10.0
"""By how much the average of channels that have nothing in common may be louder than it is."""
FEW_BEYOND = 1.5
"""A sample further beyond full scale isn't a loud one: the file has another scale."""
LOSSY = ("VORBIS", "OPUS", "MPEG")
"""Their decoders overshoot a little by nature."""
SILENT_DBFS, QUIET_DBFS = -75.0, -45.0
"""Of the loudest second. Speech is recorded at some -15 to -35; the scenarios' noise is at -70."""
WORD_IN_SILENCE_DB = 35.0
"""By how much all words may be quieter than the loudest second."""
WORD_QUIETER_DB = 10.0
"""By how much the words may be quieter than what lies between them."""
LEAST_OUTSIDE_S = 0.5


def check_file(path: Path, recordings: Sequence[Recording]) -> list[Problem]:
    """List what is wrong with a file, and with the lines about it."""
    try:
        with soundfile.SoundFile(path) as file:
            problems = list(_problems(file, recordings))
    except (soundfile.LibsndfileError, RuntimeError, TypeError) as error:
        # A file named as headerless audio is a TypeError: its rate would have to be given.
        said = getattr(error, "error_string", str(error))
        return [_about_file(recordings, *describe_unreadable(path, said))]
    except OSError as error:
        return [_about_file(recordings, error.strerror or str(error), "a file that can be read")]
    return problems


def _about_file(recordings: Sequence[Recording], what: str, remedy: str) -> Problem:
    """A problem that all lines about a file share, said once."""
    first = min(recordings, key=lambda recording: recording.line)
    others = f" (and {len(recordings) - 1} more lines)" if len(recordings) > 1 else ""
    return Problem(first.line, first.name, what + others, remedy)


def _problems(file: soundfile.SoundFile, recordings: Sequence[Recording]) -> Iterator[Problem]:
    rate_hz = file.samplerate
    path = recordings[0].path
    if not SLOWEST_HZ <= rate_hz <= FASTEST_HZ:
        what = f"has a rate of {rate_hz} Hz; {SLOWEST_HZ} to {FASTEST_HZ} are allowed"
        yield _about_file(recordings, what, ffmpeg(path))
        return
    for recording in sorted(recordings, key=lambda recording: recording.offset_s):
        first = round(min(recording.offset_s * rate_hz, file.frames))
        signal = measure(file, first, round(recording.duration_s * rate_hz))
        yield from _length(recording, signal, first / rate_hz, rate_hz)
        if len(recordings) == 1 and not recording.offset_s:
            yield from _rest(recording, file.frames / rate_hz)
        if signal.not_finite is not None:
            what = f"sample {first + signal.not_finite} is not a number, or infinite"
            yield _problem(recording, what, "the file made once more from where it comes from")
        elif signal.samples:
            yield from _scale(recording, signal, file.subtype)
            yield from _level(recording, signal, file.channels)
            yield from _words(recording, signal)


def _problem(recording: Recording, what: str, remedy: str, *, is_warning: bool = False) -> Problem:
    return Problem(recording.line, recording.name, what, remedy, is_warning)


def _length(
    recording: Recording, signal: Signal, first_s: float, rate_hz: int
) -> Iterator[Problem]:
    end_s = first_s + signal.samples / rate_hz
    if not signal.samples:
        what = f"has no sample from {recording.offset_s:g} s on; it ends at {end_s:.3f} s"
        yield _problem(recording, what, "an `offset` inside the file")
    elif end_s < recording.end_s - DURATION_SLACK_S:
        what = f"ends at {end_s:.3f} s; the line says {recording.end_s:.3f} s"
        right_s = end_s - recording.offset_s
        yield _problem(recording, what, f"the whole file, or a `duration` of {right_s:.3f}")


def _rest(recording: Recording, length_s: float) -> Iterator[Problem]:
    if recording.duration_s < length_s - DURATION_SLACK_S:
        what = (
            f"lasts {length_s:.3f} s; the line says {recording.duration_s:.3f} s, and the rest is"
            " not played"
        )
        remedy = f"a `duration` of {length_s:.3f}, if `text` is what the whole file says"
        yield _problem(recording, what, remedy, is_warning=True)


def _scale(recording: Recording, signal: Signal, subtype: str) -> Iterator[Problem]:
    if signal.peak > FEW_BEYOND:
        what = f"has samples up to ±{signal.peak:.4g}; full scale is ±1"
        by = 1 / 32768 if signal.peak > 100 else 0.9 / signal.peak
        yield _problem(recording, what, ffmpeg(recording.path, f"-af volume={by:.4g}"))
    elif signal.beyond and not subtype.startswith(LOSSY):
        share = signal.beyond / signal.samples
        what = f"has samples up to ±{signal.peak:.4g}; {signal.beyond} are clipped ({share:.2%})"
        remedy = ffmpeg(recording.path, f"-af volume={0.9 / signal.peak:.4g}")
        yield _problem(recording, what, remedy, is_warning=True)


def _level(recording: Recording, signal: Signal, channels: int) -> Iterator[Problem]:
    if not tokens(recording.text):
        return
    unlike_dbfs = dbfs(signal.channel_power / channels**2)
    if channels > 1 and dbfs(signal.power) < unlike_dbfs - CANCELS_DB:
        lost_db = dbfs(signal.channel_power / channels) - dbfs(signal.power)
        what = f"has channels that cancel: averaged, they are {lost_db:.0f} dB quieter"
        yield _problem(recording, what, f"one of them: {sox(recording.path, 'remix 1')}")
    elif signal.level_dbfs < SILENT_DBFS:
        what = f"is silent ({signal.level_dbfs:.0f} dBFS), although the line has a text"
        yield _problem(recording, what, 'the right file; `"text": ""` if nothing is said')
    elif signal.level_dbfs < QUIET_DBFS:
        by_db = -25 - signal.level_dbfs
        what = f"is quiet: {signal.level_dbfs:.0f} dBFS in its loudest second; words may be missed"
        remedy = sox(recording.path, f"gain {by_db:.0f}")
        yield _problem(recording, what, f"if it can be louder: {remedy}", is_warning=True)


def _words(recording: Recording, signal: Signal) -> Iterator[Problem]:
    """Words whose times lie where nothing is heard: an aligner went wrong."""
    levels = signal.frame_levels_dbfs
    inside = np.zeros(len(levels), bool)
    for word in recording.words or ():
        inside[int(word.t0 / FRAME_S) : int(np.ceil(word.t1 / FRAME_S))] = True
    if not inside.any() or signal.level_dbfs < SILENT_DBFS:
        return
    said_dbfs, other_dbfs = _loud_fifth(levels[inside]), _loud_fifth(levels[~inside])
    is_elsewhere = (~inside).sum() * FRAME_S >= LEAST_OUTSIDE_S and (
        said_dbfs < other_dbfs - WORD_QUIETER_DB
    )
    if said_dbfs < signal.level_dbfs - WORD_IN_SILENCE_DB or is_elsewhere:
        what = (
            f"has word times that lie in silence: {said_dbfs:.0f} dBFS there,"
            f" {other_dbfs:.0f} dBFS elsewhere"
        )
        remedy = "other word times, or none; latencies of words are wrong with these"
        yield _problem(recording, what, remedy, is_warning=True)


def _loud_fifth(levels_dbfs: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> float:
    return loud_dbfs(levels_dbfs, max(1, len(levels_dbfs) // 5))
