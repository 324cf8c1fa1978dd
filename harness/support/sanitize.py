"""Makes text from outside (transcripts, names, engine output) safe to show and to send."""

import unicodedata

HARMFUL = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Unicode categories: control, format (including text direction), surrogates, separators, …"""

MAX_TEXT = 10_000
"""Characters of an error's text."""


def sanitize(text: str) -> str:
    r"""Escape characters that could control a terminal or reorder a line; keep tabs.

    >>> sanitize("\x1b[31mred\u202e")
    '\\x1b[31mred\\u202e'
    """
    if text.isprintable():  # nearly always true
        return text
    return "".join(
        letter.encode("unicode_escape").decode()
        if unicodedata.category(letter) in HARMFUL and letter != "\t"
        else letter
        for letter in text
    )


def sendable(text: str) -> str:
    r"""Shorten a text and escape what can't be encoded as UTF-8.

    >>> sendable("broken \ud800")
    'broken \\ud800'
    """
    if len(text) > MAX_TEXT:
        text = f"{text[:MAX_TEXT]}… ({len(text)} characters)"
    return text.encode(errors="backslashreplace").decode()


def in_one_line(text: str) -> str:
    r"""Put a library's message into one line.

    >>> in_one_line("Load model failed:\n  no such op\n")
    'Load model failed: no such op'
    """
    return " ".join(text.split())
