"""Chooses the providers of a run, by its options and by what is installed."""

import re
from collections.abc import Sequence

import msgspec

from harness.contract import ASRProvider, Option
from harness.errors import UsageError
from harness.provider.registry import PROVIDERS, make_provider, names

BETWEEN_OPTIONS = re.compile(r":(?!//|\d)")
"""A colon, but not one inside a URL."""


def parse_provider(text: str) -> tuple[str, dict[str, Option]]:
    """Parse a provider's name and its options.

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
            given = "…" if "@" in pair else repr(pair)  # may be the password of a URL
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
    """A chosen provider, and the options it was requested with."""

    provider: ASRProvider
    settings: dict[str, Option]


def choose_providers(
    asked: Sequence[str], models: Sequence[str] = ()
) -> tuple[list[Choice], dict[str, str]]:
    """Make the requested providers, or every available one that costs nothing.

    Args:
        asked: Names with options, as given on the command line.
        models: The models named there; with any, a provider doesn't need its default model.

    Returns:
        The providers, and for each unavailable one what it lacks and the command that installs it.

    Raises:
        UsageError: A name or an option is unknown, a requested provider isn't available, or none
            is available.
    """
    choices, lacking = [], {}
    for text in asked or names(PROVIDERS):
        name, settings = parse_provider(text)
        try:
            provider = make_provider(name, settings)
        except UsageError as error:
            if asked:
                raise
            lacking[name] = error.problem  # an installed package is broken
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
        # A provider that one command would make available is named first.
        name, problem = min(lacking.items(), key=lambda item: "pip install" not in item[1])
        raise UsageError(f"provider {name}", problem)
    return choices, lacking
