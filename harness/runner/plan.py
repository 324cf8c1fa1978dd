"""Plans the trials for the command line's options, and checks them before anything runs."""

from collections.abc import Sequence
from itertools import product

import msgspec

from harness.activities.ladder_exercise.exercise import read_exercise
from harness.clock import ClockKind
from harness.contract import ASRProvider
from harness.errors import UsageError
from harness.provider.choice import Choice
from harness.specs.options import Options
from harness.specs.scenario import Scenario, find_scenario
from harness.specs.trial import Activity, Transport, TrialSpec
from harness.vad.detector import SILERO, filter_named


def plan(options: Options, choices: Sequence[Choice]) -> list[TrialSpec]:
    """Return the trials: every combination of the options, and three activities per model.

    Raises:
        UsageError: A scenario is unknown, or a provider doesn't support the clock.
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
    """The filter before the queue: the one asked for, or the default if the scenario has one.

    Raises:
        UnknownNameError: There is no such filter.

    >>> vad_for(find_scenario("silence_heavy"), None), vad_for(find_scenario("A"), "off")
    ('silero', None)
    """
    if asked is None:
        return SILERO if scenario.vad else None
    return filter_named(asked)


def scaled(scenario: Scenario, duration_s: float | None) -> Scenario:
    """The scenario, with another duration if one is given."""
    if duration_s is None:
        return scenario
    return msgspec.structs.replace(scenario, duration_s=duration_s)


def clock_for(
    provider: ASRProvider, asked: ClockKind | None, transport: Transport = Transport.IN_PROCESS
) -> ClockKind:
    """The clock for a provider: the one asked for, or virtual where its figures are valid on it.

    Raises:
        UsageError: Its figures aren't valid on the clock asked for.
    """
    over_wire = transport is not Transport.IN_PROCESS
    if over_wire and asked is ClockKind.VIRTUAL:
        raise UsageError(f"--clock {asked}", f"sockets take real time ({transport})", "wall")
    if asked is None:
        virtual = ClockKind.VIRTUAL in provider.clocks and not over_wire
        return ClockKind.VIRTUAL if virtual else ClockKind.WALL
    if asked not in provider.clocks:
        allowed = ", ".join(sorted(provider.clocks))
        raise UsageError(f"--clock {asked}", f"{provider.name} waits where it can't see", allowed)
    return asked
