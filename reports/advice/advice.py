"""Recommends a provider, model and chunk size for this machine, with reasons.

Of the choices that meet all limits, those remain that aren't clearly less accurate than the most
accurate one: the lower bound of their word error rate is at most the upper bound of its rate. Of
these, the one with the lowest median latency is chosen; among those within a tenth of a second of
it, the one that uses the least CPU.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.verdicts.policy import Outcome
from harness.verdicts.verdict import VerdictLevel
from reports.advice.candidates import Candidate
from reports.formatting import number, with_unit

SAME_LATENCY_S = 0.1
"""Latencies that differ by less count as equal."""


@dataclass(frozen=True)
class Advice:
    """The recommendation, and its reasons."""

    chosen: Candidate | None
    headline: str
    reasons: list[str]


def advise(candidates: Sequence[Candidate]) -> Advice:
    """Choose among the measured candidates.

    Args:
        candidates: All of them.
    """
    if not candidates:
        return Advice(None, "Nothing was measured that could be chosen", [])
    kept = [each for each in candidates if each.outcome is not Outcome.FAIL]
    if not kept:
        return _none_fits(candidates)
    judged = [each for each in kept if each.outcome in (Outcome.PASS, Outcome.WARN)]
    eligible = [each for each in judged or kept if each.figures is not None]
    if not eligible:
        reason = "latency, accuracy or CPU use is unknown for each choice that breaks no limit"
        return Advice(None, "No choice can be made", [reason])
    accurate = _most_accurate(eligible)
    chosen = _soonest(accurate)
    reasons = [*_limits_kept(chosen, candidates, kept, judged)]
    if len(eligible) > 1:
        reasons += [*_accuracy(chosen, eligible, accurate), *_latency(chosen, accurate)]
    reasons.append(_figures(chosen))
    doubt = "" if judged else f", as far as {_what_can_tell(chosen)} can tell"
    return Advice(chosen, f"Use {name_of(chosen)}{doubt}", reasons)


def name_of(candidate: Candidate) -> str:
    """Return a choice's name."""
    spec = candidate.spec
    model = spec.model.rstrip("/").rsplit("/", 1)[-1]
    settings = "".join(f", {name} {value}" for name, value in sorted(spec.settings.items()))
    return f"{spec.provider}, model {model}{settings}, {spec.chunk_seconds:g} s chunks"


def _most_accurate(eligible: Sequence[Candidate]) -> list[Candidate]:
    best = min(eligible, key=lambda each: each.wer or 0.0)
    limit = best.wer_bounds[1] if best.wer_bounds else best.wer or 0.0
    return [each for each in eligible
            if (each.wer_bounds[0] if each.wer_bounds else each.wer or 0.0) <= limit]  # fmt: skip


def _soonest(accurate: Sequence[Candidate]) -> Candidate:
    soonest_s = min(each.latency_s or 0.0 for each in accurate)
    as_soon = [each for each in accurate if (each.latency_s or 0.0) <= soonest_s + SAME_LATENCY_S]
    return min(as_soon, key=lambda each: (each.cpu or 0.0, each.number))


def _limits_kept(
    chosen: Candidate,
    candidates: Sequence[Candidate],
    kept: Sequence[Candidate],
    judged: Sequence[Candidate],
) -> list[str]:
    if not judged and _needs_only_samples(chosen):
        return ["it breaks no limit, but some limits need more samples: measure longer"]
    if not judged:
        other = [each for each in chosen.unjudged if each.level is not VerdictLevel.INSUFFICIENT]
        return [f"it breaks no limit, but some can't be judged, such as {other[0]}"]
    what = "every target" if chosen.outcome is Outcome.PASS else "every minimum"
    if len(candidates) == 1:
        return [f"it keeps {what}; nothing else was measured to compare it with"]
    out = len(candidates) - len(kept)
    rest = f"; {out} of {len(candidates)} choices break one" if out else ""
    return [f"it keeps {what}{rest}"]


def _needs_only_samples(chosen: Candidate) -> bool:
    return all(each.level is VerdictLevel.INSUFFICIENT for each in chosen.unjudged)


def _what_can_tell(chosen: Candidate) -> str:
    return "too few samples" if _needs_only_samples(chosen) else "the limits that could be judged"


def _accuracy(
    chosen: Candidate, eligible: Sequence[Candidate], accurate: Sequence[Candidate]
) -> list[str]:
    less = len(eligible) - len(accurate)
    best = min(eligible, key=lambda each: each.wer or 0.0)
    if best is chosen:
        words = "no other gets more words right"
    else:
        words = (
            f"none is clearly more accurate; {name_of(best)} has {_percent(best.wer)} word errors"
        )
    return [f"{words}{f', and {less} clearly fewer' if less and best is chosen else ''}"]


def _latency(chosen: Candidate, accurate: Sequence[Candidate]) -> list[str]:
    others = [each for each in accurate if each is not chosen]
    if not others:
        return ["it is the only one that accurate"]
    next_s = min(each.latency_s or 0.0 for each in others)
    mine_s = chosen.latency_s or 0.0
    if next_s > mine_s + SAME_LATENCY_S:
        return [f"of those, it shows words soonest; the next takes {_seconds(next_s)}"]
    return ["of those that show words as soon, it takes the least CPU"]


def _figures(chosen: Candidate) -> str:
    return (
        f"its median word latency is {_seconds(chosen.latency_s)}, its word error rate"
        f" {_percent(chosen.wer)}, and it uses {number(round(100 * (chosen.cpu or 0.0), 1))} % of"
        " one core"
    )


def _none_fits(candidates: Sequence[Candidate]) -> Advice:
    count = len(candidates)
    words = "The only choice measured breaks" if count == 1 else f"Each of {count} choices breaks"
    return Advice(
        None,
        f"Use none of these on this machine: {words[0].lower()}{words[1:]} a limit",
        ["below is what each breaks; a smaller model or longer chunks may keep up"],
    )


def _seconds(seconds: float | None) -> str:
    return with_unit(None if seconds is None else float(f"{seconds:.3g}"), "s")


def _percent(share: float | None) -> str:
    return with_unit(None if share is None else round(100 * share, 1), "%")
