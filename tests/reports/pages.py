"""Reads a page as a browser would take it apart."""

from html.parser import HTMLParser

from harness.journal.run_folder import RunFolder
from reports.run_page.html import render
from tests.reports.journals import THRESHOLDS, read_results

VOID = {"meta", "link", "br", "wbr"}


class Reader(HTMLParser):
    """Elements with their attributes, text, and whether every element is closed in turn."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == []
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] != "style":
            self.words.append(data)

    @property
    def tags(self) -> list[str]:
        return [tag for tag, _ in self.elements]

    def values(self, attribute: str) -> list[str]:
        return [found[attribute] for _, found in self.elements if attribute in found]


def page_of(folder: RunFolder) -> str:
    results, thresholds = read_results(folder)
    return render(folder, results, thresholds, THRESHOLDS.name)
