"""Text from outside (transcripts, names, engine output), made harmless to show."""

import unicodedata

HARMFUL = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Unicode categories: control, format (with the marks that reverse text), surrogates and so on."""

MAX_TEXT = 10_000
"""Characters of a reason; more than anyone reads."""


def sanitize(text: str) -> str:
    r"""Replace what could act on a terminal or reorder a line by its visible escape; keep tabs.

    >>> sanitize("\x1b[31mred\u202e")
    '\\x1b[31mred\\u202e'
    """
    if text.isprintable():  # nearly always, and then nothing in it is harmful
        return text
    return "".join(
        letter.encode("unicode_escape").decode()
        if unicodedata.category(letter) in HARMFUL and letter != "\t"
        else letter
        for letter in text
    )


def sendable(text: str) -> str:
    r"""Shorten a text that others wrote, and write out what is no Unicode.

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
