"""Rules by name, as data, and the functions that try them."""

import subprocess
import sys

from harness.activities import conformance
from harness.activities.ladder_exercise import rules as ladder
from harness.specs.rules import CONTRACT, LADDER, rules_of
from harness.specs.trial import Activity


def test_each_rule_that_is_named_is_tried_and_no_other() -> None:
    """In the same order, which is that of the rows of a trial that failed."""
    assert list(CONTRACT) == list(conformance.RULES)
    assert list(LADDER) == list(ladder.RULES)
    assert (rules_of(Activity.CONFORMANCE), rules_of(Activity.LADDER)) == (CONTRACT, LADDER)
    assert rules_of(Activity.SCENARIO) == rules_of(Activity.RESIDENCY) == {}


def test_each_rule_is_one_sentence() -> None:
    for sentence in [*CONTRACT.values(), *LADDER.values()]:
        assert sentence[0].isupper() or sentence[0].isdigit()
        assert sentence.endswith(".")


def test_judging_loads_no_activity() -> None:
    script = (
        "import sys, harness.verdicts.policy, harness.verdicts.evaluate\n"
        "print([name for name in sys.modules if name.startswith('harness.activities')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
