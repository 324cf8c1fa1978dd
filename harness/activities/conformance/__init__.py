"""Tries the rules of the provider contract on any provider, with real speech.

Each rule of `harness.specs.rules` is a function that uses the provider as an app would, and raises
`BrokenRuleError` when the provider breaks the rule. `conform` tries all of them, each in a session
of its own.
"""

from collections.abc import Callable, Sequence

import numpy as np

from harness.activities.conformance import (  # noqa: F401  (importing them adds their rules)
    bad_audio,
    leftovers,
    pressure,
    sessions,
    sharing,
    streaming,
)
from harness.activities.conformance.rig import RULES, SESSION, BrokenRuleError, ContractRig
from harness.audio import SAMPLE_RATE_HZ
from harness.contract import ASRProvider, SessionConfig
from harness.errors import EchobenchError
from harness.journal.events import Event, RuleChecked
from harness.provider.attribution import provider_errors
from harness.specs.trial import TrialSpec
from harness.support.sanitize import sendable
from harness.timeline.corpus import CorpusUtterance

__all__ = ["RULES", "conform"]


async def conform(
    provider: ASRProvider,
    spec: TrialSpec,
    utterances: Sequence[CorpusUtterance],
    emit: Callable[[Event], None],
) -> None:
    """Try every rule, and emit a `RuleChecked` for each; the provider is closed at the end.

    Raises:
        EchobenchError: A session could not be started or stopped.
    """
    pause = np.zeros(SAMPLE_RATE_HZ, np.int16)
    speech = [np.concatenate([pause, entry.read(), pause]) for entry in utterances[:3]]
    config = SessionConfig(model=spec.model, chunk_seconds=spec.chunk_seconds)
    closing = leftovers.nothing_is_left_behind
    for name, try_rule in sorted(RULES.items(), key=lambda item: item[1] is closing):
        rig = ContractRig(provider, config, speech)
        with provider_errors(provider.name):
            await rig.start()
        passed, detail = True, ""
        try:
            with provider_errors(provider.name):
                await try_rule(rig)
        except BrokenRuleError as error:
            passed, detail = False, error.problem
        except EchobenchError as error:  # any error breaks a rule that expects none
            passed, detail = False, f"{type(error).__name__}: {error}"
        emit(RuleChecked(check=name, passed=passed, detail=sendable(detail)))
        if not rig.closed:
            with provider_errors(provider.name):
                await provider.stop_session(SESSION)
