"""Defines scenarios (how audio arrives) and reads them from TOML files in `suites/scenarios/`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from harness.audio import SAMPLE_RATE_HZ
from harness.contract import AudioSource
from harness.errors import DataFileError, UnknownNameError
from harness.support.data_file import SUITES, read_toml

Seconds = Annotated[float, Meta(ge=0, le=86_400)]
FOLDER = SUITES / "scenarios"


class Ambience(StrEnum):
    """A kind of background sound."""

    ROOM = "room"
    """Air conditioning and street: noise that falls by 3 dB per octave."""
    HUM = "hum"
    """50 Hz and its harmonics."""
    TYPING = "typing"
    """Bursts of key strokes."""
    BREATH = "breath"
    """Breathing near the microphone."""


class SourceScript(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What one source plays, and the errors of its clock."""

    name: AudioSource
    start_s: Seconds = 0.0
    """When its first sample is captured, on the trial's clock."""
    lead_in_s: Seconds = 0.5
    """Silence before the first utterance."""
    gap_s: tuple[Seconds, Seconds]
    """Minimum and maximum silence between utterances; drawn uniformly."""
    speech_share: Annotated[float, Meta(gt=0, lt=1)] | None = None
    """Share of the time that contains speech; silences are lengthened to reach it."""
    ambience: tuple[Ambience, ...] = ()
    """Background sounds under the speech, continuous or occasional."""
    skew_ppm: Annotated[float, Meta(ge=-1000, le=1000)] = 0.0
    """How much too fast the source's own clock runs; not corrected by the harness."""
    offset_s: Annotated[float, Meta(ge=0, le=10)] = 0.0
    """Unreported delay of the source's audio, as of a radio headset."""

    @property
    def rate_hz(self) -> float:
        """The source's true sample rate."""
        return SAMPLE_RATE_HZ * (1 + self.skew_ppm * 1e-6)


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The content of a scenario file; `name` is the name of the file."""

    title: str
    duration_s: Annotated[float, Meta(gt=0, le=86_400)]
    sources: Annotated[tuple[SourceScript, ...], Meta(min_length=1, max_length=2)]
    name: str = ""
    alias: str | None = None
    """Its name in docs/requirements.md."""
    corpus: str = "embedded"
    noise_dbfs: Annotated[float, Meta(ge=-120, le=0)] = -70.0
    """Level of the white noise under everything, in dB of full scale (RMS)."""
    queue_s: Annotated[float, Meta(gt=0, le=600)] = 10.0
    """Audio that may wait behind the newest chunk; older audio is dropped and counted."""
    shared_utterance_every_s: Annotated[float, Meta(ge=1, le=3600)] | None = None
    """How often all sources play the same utterance at the same moment, as when a microphone picks
    up the loudspeaker; its words allow the sources' times to be compared."""
    markers: bool = False
    """Whether a beep precedes each utterance."""
    vad: bool = False
    """Whether silence is filtered out before the queue."""

    def __post_init__(self) -> None:
        for source in self.sources:
            if source.gap_s[0] > source.gap_s[1]:
                raise ValueError(f"gap_s {list(source.gap_s)}: the shortest must come first")
            if source.speech_share is not None and self.shared_utterance_every_s is not None:
                raise ValueError("speech_share and shared_utterance_every_s: only one of them")
        names = [source.name for source in self.sources]
        if len(set(names)) < len(names):
            raise ValueError(f"sources {names}: each name only once")


def all_scenarios(folder: Path = FOLDER) -> dict[str, Scenario]:
    """Read every scenario file of a folder, by name.

    Raises:
        DataFileError: A file has wrong content, or two share an alias.
    """
    scenarios = {}
    aliases: dict[str, str] = {}
    for path in sorted(folder.glob("*.toml")):
        scenario = msgspec.structs.replace(read_toml(path, Scenario), name=path.stem)
        if scenario.alias and aliases.setdefault(scenario.alias, path.stem) != path.stem:
            other = aliases[scenario.alias]
            raise DataFileError(str(path), f"alias {scenario.alias!r}", f"another; {other} has it")
        scenarios[path.stem] = scenario
    return scenarios


def find_scenario(name: str, folder: Path = FOLDER) -> Scenario:
    """Find a scenario by its name or alias.

    Raises:
        UnknownNameError: There is no such scenario.
    """
    scenarios = all_scenarios(folder)
    by_alias = {scenario.alias: scenario for scenario in scenarios.values() if scenario.alias}
    found = scenarios.get(name) or by_alias.get(name)
    if found is None:
        raise UnknownNameError("--scenario", name, [*scenarios, *by_alias])
    return found
