"""How many examples the property tests try: one of these profiles, by `HYPOTHESIS_PROFILE`."""

import os

from hypothesis import settings

VARIABLE = "HYPOTHESIS_PROFILE"
SHARES = {"dev": 0.2, "ci": 1.0, "thorough": 10.0}
"""Of the number of examples that a test asks for."""
DEFAULT = "ci"
EXAMPLES = 100
FEWEST = 5


def chosen() -> str:
    """The profile in force."""
    name = os.environ.get(VARIABLE, DEFAULT)
    if name not in SHARES:
        raise ValueError(f"{VARIABLE}: {name!r}; allowed: {', '.join(SHARES)}")
    return name


def examples(number: int) -> int:
    """As many examples as the profile makes of this number."""
    return max(FEWEST, round(number * SHARES[chosen()]))


def load() -> None:
    """Register the profiles, and put one in force.

    `ci` draws the same examples each time, so that what fails is the commit; the others draw new
    ones. No test has a deadline: machines are shared.
    """
    for name, share in SHARES.items():
        settings.register_profile(
            name,
            max_examples=round(EXAMPLES * share),
            deadline=None,
            derandomize=name == "ci",
            print_blob=True,
        )
    settings.load_profile(chosen())
