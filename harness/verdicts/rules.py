"""The rules that are tried on a provider, by what a trial does with it."""

from harness.activities import conformance
from harness.activities.ladder_exercise import rules as ladder
from harness.specs.trial import Activity


def rules_of(activity: Activity) -> dict[str, str]:
    """What each rule asks, in a line, by name; none where a trial plays a scenario.

    >>> rules_of(Activity.LADDER)["audio_is_conserved"].partition(",")[0]
    'Over all changes'
    """
    match activity:
        case Activity.CONFORMANCE:
            return {name: conformance.describe(name) for name in conformance.RULES}
        case Activity.LADDER:
            return {name: (rule.__doc__ or name).splitlines()[0]
                    for name, rule in ladder.RULES.items()}  # fmt: skip
    return {}
