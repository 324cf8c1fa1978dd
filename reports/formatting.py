"""Formats figures, units and limits."""

import math

from harness.verdicts.limits import ChunkLimit, Limit

NO_BREAK = "\N{NO-BREAK SPACE}"
COMPARISONS = {"<=": "≤", ">=": "≥"}
SIGNS: dict[str, str] = {
    "pass": "✓",
    "warn": "~",
    "suspect": "*",
    "insufficient": "?",
    "inconclusive": "?",
    "unavailable": "\N{EN DASH}",
    "fail": "✗",
    "invalid": "!",
}
"""Signs by `VerdictLevel` and `Outcome`."""


def number(value: float) -> str:
    """Format a number with up to four significant digits.

    >>> [number(value) for value in (0.10913, 31.0, 1.24e-5, math.inf, 0.0)]
    ['0.1091', '31', '1.2e-5', '∞', '0']
    """
    if math.isinf(value):
        text = "∞"
    elif value and abs(value) < 1e-3:
        digits, _, exponent = f"{abs(value):.1e}".partition("e")
        text = f"{digits}e{int(exponent)}"
    elif abs(value) >= 1000:
        text = f"{abs(value):,.0f}".replace(",", "\N{NARROW NO-BREAK SPACE}")
    else:
        text = f"{abs(value):.4g}"
    return f"\N{MINUS SIGN}{text}" if value < 0 else text


def with_unit(value: float | None, unit: str) -> str:
    """Format a value with its unit; "none" where there is no value.

    >>> with_unit(1.5, "s").split(), with_unit(0.25, "1"), with_unit(None, "s")
    (['1.5', 's'], '0.25', 'none')
    >>> with_unit(math.inf, "s")
    '∞'
    """
    if value is None:
        return "none"
    return (
        number(value)
        if unit in ("1", "") or math.isinf(value)
        else f"{number(value)}{NO_BREAK}{unit}"
    )


def limit_with_unit(limit: Limit | ChunkLimit, unit: str = "") -> str:
    r"""Format a limit such as "<= 0" with its unit, without line breaks.

    >>> limit_with_unit(Limit("<=", 5), "chunks").split(), limit_with_unit(Limit("<", 0.5), "1")
    (['≤', '5', 'chunks'], '<\xa00.5')
    """
    sign = COMPARISONS.get(limit.sign, limit.sign)
    return NO_BREAK.join([sign, limit.amount, *([unit] if unit not in ("", "1") else [])])
