"""What the user asked for on the command line, checked before anything runs."""

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import product
from typing import Literal, TypeVar

import msgspec

from harness.activities.ladder_exercise.exercise import read_exercise
from harness.clock import ClockKind
from harness.contract import ASRProvider, Option
from harness.errors import UnknownNameError, UsageError
from harness.provider.registry import PROVIDERS, make_provider, names
from harness.specs.scenario import Scenario, find_scenario
from harness.specs.trial import Activity, Transport, TrialSpec
from harness.vad.detector import SILERO, detectors

T = TypeVar("T")

BETWEEN_OPTIONS = re.compile(r":(?!//|\d)")
"""A colon, but not one inside a URL."""
CHUNK_SECONDS = (0.1, 30.0)
DURATION_S = (1.0, 86_400.0)
SEEDS = range(2**31)


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """The options of a run, as given; kept in `run.json`, so that a run can be resumed."""

    providers: tuple[str, ...] = ()
    """Names, each perhaps with options: `faster_whisper:device=cuda:beam_size=5`."""
    models: tuple[str, ...] = ()
    chunk_seconds: tuple[float, ...] = (2.0,)
    scenarios: tuple[str, ...] = ("speech_heavy", "two_sources", "silence_heavy", "markers")
    duration_s: float | None = None
    clock: ClockKind | None = None
    transport: Transport = Transport.IN_PROCESS
    gate: Literal["target", "minimum"] = "minimum"
    strict: bool = False
    """Whether a figure that can't be judged fails the run."""
    corpus: str | None = None
    vad: str | None = None
    """A detector's name, or `off`; as the scenario says when None."""
    thresholds: str | None = None
    seed: int = 1


def split_list(option: str, values: Iterable[str]) -> list[str]:
    """Take apart values that were given one by one, by commas, or both; each comes once.

    Raises:
        UsageError: One of them is empty.

    >>> split_list("--chunk-seconds", ["2,4", "8, 2"])
    ['2', '4', '8']
    """
    parts = [part.strip() for value in values for part in value.split(",")]
    return list(dict.fromkeys(not_empty(option, part) for part in parts))


def not_empty(option: str, text: str) -> str:
    """Return the text.

    Raises:
        UsageError: There is none, as when a shell's variable isn't set.
    """
    if not text.strip():
        raise UsageError(option, "nothing was given", "a value, or the option left out")
    return text


def number_in(option: str, text: str, allowed: tuple[float, float]) -> float:
    """Read a number.

    Raises:
        UsageError: It is none, or not in the range.

    >>> number_in("--chunk-seconds", "2.5", (0.1, 30.0))
    2.5
    """
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not allowed[0] <= number <= allowed[1]:
        raise UsageError(option, repr(text), f"a number from {allowed[0]:g} to {allowed[1]:g}")
    return number


def whole_number_in(option: str, text: str, allowed: range) -> int:
    """Read a whole number.

    Raises:
        UsageError: It is none, or not in the range.

    >>> whole_number_in("--seed", "7", range(10))
    7
    """
    number = int(text) if text.isascii() and text.isdecimal() else -1
    if number not in allowed:
        problem = f"a whole number from {allowed[0]} to {allowed[-1]}"
        raise UsageError(option, repr(text), problem)
    return number


def one_of(option: str, text: str, read: Callable[[str], T], allowed: Iterable[str]) -> T:
    """Read a word out of a few.

    Raises:
        UsageError: It is none of them.
    """
    try:
        return read(text)
    except ValueError:
        raise UsageError(option, repr(text), ", ".join(allowed)) from None


def parse_provider(text: str) -> tuple[str, dict[str, Option]]:
    """Take a provider's name and its options apart.

    Raises:
        UsageError: An option isn't `name=value`.

    >>> parse_provider("faster_whisper:device=cuda:beam_size=5")
    ('faster_whisper', {'device': 'cuda', 'beam_size': 5})
    >>> parse_provider("openai_api:base_url=http://127.0.0.1:8000/v1:mode=file")
    ('openai_api', {'base_url': 'http://127.0.0.1:8000/v1', 'mode': 'file'})
    """
    name, *pairs = BETWEEN_OPTIONS.split(text)
    settings: dict[str, Option] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not (key and equals and value):
            given = "…" if "@" in pair else repr(pair)  # it may be the password of a URL
            raise UsageError(f"--provider {name}", given, "name=value, with ':' before each")
        settings[key] = _plain(value)
    return name, settings


def _plain(text: str) -> Option:
    try:
        value = msgspec.json.decode(text, type=bool | int | float)
    except msgspec.MsgspecError:
        return text
    return value


class Choice(msgspec.Struct, frozen=True):
    """A provider that takes part, and how it was asked for."""

    provider: ASRProvider
    settings: dict[str, Option]


def choose_providers(
    asked: Sequence[str], models: Sequence[str] = ()
) -> tuple[list[Choice], dict[str, str]]:
    """Make the providers that were asked for, or every available one that costs nothing.

    Args:
        asked: Names with options, as given on the command line.
        models: The models that were named there, in whose place no default one is needed.

    Returns:
        The providers, and for each that isn't available what it lacks and the command for it.

    Raises:
        UsageError: A name or an option is unknown, or a provider that was asked for by name, or
            every one, isn't available.
    """
    choices, lacking = [], {}
    for text in asked or names(PROVIDERS):
        name, settings = parse_provider(text)
        try:
            provider = make_provider(name, settings)
        except UsageError as error:
            if asked:
                raise
            lacking[name] = error.problem  # an installed package is broken: do without it
            continue
        missing = [(what, need.remedy()) for need in provider.requires
                   if not (asked and models and need.for_default_model)
                   and (what := need.missing()) is not None]  # fmt: skip
        if missing:
            lacking[name] = "; ".join(f"lacks {what}: {remedy}" for what, remedy in missing)
        elif provider.costs_money and not asked:
            lacking[name] = f"costs money: --provider {name}"
        else:
            choices.append(Choice(provider, settings))
    if lacking and (asked or not choices):
        # Where nothing was asked for, what one command would mend is named first.
        name, problem = min(lacking.items(), key=lambda item: "pip install" not in item[1])
        raise UsageError(f"provider {name}", problem)
    return choices, lacking


def plan(options: Options, choices: Sequence[Choice]) -> list[TrialSpec]:
    """Spell out the trials that options mean: every combination, and what is tried once a model.

    Raises:
        UsageError: A scenario is unknown, or a clock is asked of a provider that it doesn't suit.
    """
    specs = []
    for choice in choices:
        clock = clock_for(choice.provider, options.clock, options.transport)
        for model in options.models or (choice.provider.default_model,):
            for name, chunk_s in product(options.scenarios, options.chunk_seconds):
                scenario = scaled(find_scenario(name), options.duration_s)
                specs.append(
                    TrialSpec(
                        provider=choice.provider.name,
                        model=model,
                        settings=choice.settings,
                        chunk_seconds=chunk_s,
                        scenario=scenario,
                        corpus=options.corpus or scenario.corpus,
                        clock=clock,
                        seed=options.seed,
                        transport=options.transport,
                        vad=vad_for(scenario, options.vad),
                    )
                )
            last = msgspec.structs.replace(
                specs[-1],
                transport=Transport.IN_PROCESS,
                clock=clock_for(choice.provider, options.clock),
                vad=None,
            )
            exercise = read_exercise()
            ladder = msgspec.structs.replace(
                last, scenario=exercise.scenario, chunk_seconds=exercise.chunk_seconds
            )
            specs += [
                msgspec.structs.replace(last, activity=Activity.RESIDENCY),
                msgspec.structs.replace(ladder, activity=Activity.LADDER),
                msgspec.structs.replace(last, activity=Activity.CONFORMANCE),  # closes the provider
            ]
    return specs


def vad_for(scenario: Scenario, asked: str | None) -> str | None:
    """The filter before the queue: the one asked for, or the usual one where a scenario has one.

    Raises:
        UnknownNameError: There is no such filter.

    >>> vad_for(find_scenario("silence_heavy"), None), vad_for(find_scenario("A"), "off")
    ('silero', None)
    """
    if asked is None:
        return SILERO if scenario.vad else None
    return filter_named(asked)


def filter_named(asked: str) -> str | None:
    """A filter by its name; None for "off".

    Raises:
        UnknownNameError: There is no such filter.
    """
    if asked == "off":
        return None
    if asked not in detectors():
        raise UnknownNameError("--vad", asked, ["off", *detectors()])
    return asked


def scaled(scenario: Scenario, duration_s: float | None) -> Scenario:
    """A scenario with another duration, where one is asked for."""
    if duration_s is None:
        return scenario
    return msgspec.structs.replace(scenario, duration_s=duration_s)


def clock_for(
    provider: ASRProvider, asked: ClockKind | None, transport: Transport = Transport.IN_PROCESS
) -> ClockKind:
    """The clock for a provider: the one asked for, or virtual where its figures are true there.

    Raises:
        UsageError: Its figures aren't true on the clock asked for.
    """
    over_wire = transport is not Transport.IN_PROCESS
    if over_wire and asked is ClockKind.VIRTUAL:
        raise UsageError(f"--clock {asked}", f"sockets take real time ({transport})", "wall")
    if asked is None:
        skips = ClockKind.VIRTUAL in provider.clocks and not over_wire
        return ClockKind.VIRTUAL if skips else ClockKind.WALL
    if asked not in provider.clocks:
        allowed = ", ".join(sorted(provider.clocks))
        raise UsageError(f"--clock {asked}", f"{provider.name} waits where it can't see", allowed)
    return asked
