"""HTML pages that open offline, ask for nothing and run nothing.

Whatever is printed into a template is first made printable, then escaped, so no text of a
provider can become markup, and none can hide or reorder what stands beside it. The content
security policy allows the page's own style, by its hash, and nothing else.
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
from reports.run_page.page import label_of, make_page

TEMPLATES = Path(reports.__file__).parent / "templates"
MEANINGS = {
    VerdictLevel.PASS: "the target is met",
    VerdictLevel.WARN: "the minimum is met, the target isn't",
    VerdictLevel.SUSPECT: "a sign that has harmless causes too; fails nothing",
    VerdictLevel.INSUFFICIENT: "too few samples to say",
    VerdictLevel.UNAVAILABLE: "no figure, for a known reason",
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
        thresholds: What they were judged by.
        thresholds_name: Where those come from.
    """
    page = make_page(folder, results, thresholds, thresholds_name)
    return render_template("report.html.j2", page=page)


def render_template(name: str, **shown: object) -> str:
    """Render a page from its template, with the style and the policy that all pages have.

    Args:
        name: The template's.
        **shown: What it shows.
    """
    style = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    template = _environment().get_template(name)
    return template.render(style=Markup(style), policy=policy_for(style), **shown)


def policy_for(style: str) -> str:
    """The content security policy of a page with this style and nothing else.

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
        finalize=_made_printable,
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


def _made_printable(value: object) -> object:
    return sanitize(value) if isinstance(value, str) and not isinstance(value, Markup) else value
