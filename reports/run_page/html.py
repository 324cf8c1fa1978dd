"""Renders HTML pages that need no network and run no script.

All text in a template is sanitised, then escaped, so no text of a provider can become markup, or
hide or reorder other text. The content security policy only allows the page's own style, by its
hash.
"""

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

import reports
from harness.journal.run_folder import RunFolder
from harness.support.durations import clock_time
from harness.support.sanitize import sanitize
from harness.verdicts.evaluate import TrialResult
from harness.verdicts.thresholds import Threshold
from harness.verdicts.verdict import VerdictLevel
from reports.formatting import SIGNS, limit_with_unit, number, with_unit
from reports.run_page.page import make_page
from reports.run_page.trial_section import label_of

TEMPLATES = Path(reports.__file__).parent / "templates"
MEANINGS = {
    VerdictLevel.PASS: "the target is met",
    VerdictLevel.WARN: "the minimum is met, the target isn't",
    VerdictLevel.SUSPECT: "a sign of a defect that may also be harmless; doesn't fail",
    VerdictLevel.INSUFFICIENT: "too few samples to judge",
    VerdictLevel.UNAVAILABLE: "no figure, with the reason",
    VerdictLevel.FAIL: "the minimum is broken",
}


def render(
    folder: RunFolder,
    results: Sequence[TrialResult],
    thresholds: dict[str, Threshold],
    thresholds_name: str,
) -> str:
    """Render a run's page; the same run gives the same bytes.

    Args:
        folder: The run.
        results: Its trials.
        thresholds: The thresholds that judged them.
        thresholds_name: Their source, as shown.
    """
    page = make_page(folder, results, thresholds, thresholds_name)
    return render_template("report.html.j2", page=page)


def render_template(name: str, **shown: object) -> str:
    """Render a page from its template, with the style and the policy of all pages.

    Args:
        name: The template's name.
        **shown: The template's variables.
    """
    style = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    template = _environment().get_template(name)
    return template.render(style=Markup(style), policy=policy_for(style), **shown)


def policy_for(style: str) -> str:
    """Return the content security policy of a page with this style.

    >>> policy_for("")
    "default-src 'none'; style-src 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='; \
img-src data:; base-uri 'none'; form-action 'none'"
    """
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_sanitized,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "number": number,
        "time": clock_time,
        "limit": limit_with_unit,
        "label": label_of,
    }
    environment.globals |= {
        "with_unit": with_unit,
        "signs": SIGNS,
        "meanings": MEANINGS,
        "levels": list(VerdictLevel),
    }
    return environment


def _sanitized(value: object) -> object:
    return sanitize(value) if isinstance(value, str) and not isinstance(value, Markup) else value
