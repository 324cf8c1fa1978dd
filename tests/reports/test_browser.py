"""The pages in a real browser: nothing is complained about, and everyone can read and reach all."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.journal.run_folder import RunFolder
from reports.__main__ import main
from reports.charts.curve import Curve, draw_curve
from reports.run_page.html import render_template
from reports.trends.history import add_record
from tests.reports.browser import Page, new_page
from tests.reports.journals import THRESHOLDS
from tests.reports.pages import page_of
from tests.reports.trends.test_trend import record

pytestmark = pytest.mark.slow
WIDTHS = (360, 1280)
CONTRAST = """
(() => {
  const parse = colour => (colour.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = element => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let count = 0;
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (!node.textContent.trim() || node.parentElement.closest('style, title')) continue;
    const style = getComputedStyle(node.parentElement);
    const inChart = node.parentElement.closest('svg');
    const ink = parse(inChart ? style.fill : style.color);
    let back = behind(node.parentElement);
    if (node.parentElement.matches('text.number.front'))
      back = parse(getComputedStyle(inChart.querySelector('circle.front')).fill);
    const [a, b] = [light(ink), light(back)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    count += 1;
    if (ratio < 4.5) found.push(node.textContent.trim().slice(0, 40) + ' ' + ratio.toFixed(2));
  }
  return {count, found};
})()
"""
FOCUS = """
(() => {
  const at = document.activeElement;
  if (!at || at === document.body) return null;
  const style = getComputedStyle(at);
  return {what: at.tagName + ' ' + (at.getAttribute('href') || at.className || at.textContent),
          seen: style.outlineStyle !== 'none' || style.textDecorationLine.includes('underline')};
})()
"""
SMALLEST_PX = """
Math.min(...[...document.querySelectorAll('body *')].filter(e => e.textContent.trim())
  .map(e => parseFloat(getComputedStyle(e).fontSize)))
"""
REACHABLE = "document.querySelectorAll('a[href], summary, [tabindex]').length"


@pytest.fixture(scope="module")
def page(chromium: str) -> Iterator[Page]:
    with new_page(chromium) as opened:
        yield opened


@pytest.fixture(scope="module")
def files(
    mixed_run: RunFolder, real_run: RunFolder, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """One of each kind of page."""
    folder = tmp_path_factory.mktemp("pages")
    found = {name: folder / f"{name}.html" for name in ("mixed", "real", "compare", "trend")}
    found["mixed"].write_text(page_of(mixed_run))
    found["real"].write_text(page_of(real_run))
    run = str(mixed_run.path)
    assert main(["compare", run, run, "--html", str(found["compare"])]) == 0
    for night in range(30):
        add_record(folder / "history", record(night, 0.2 if night < 15 else 0.3))
    arguments = ["trend", "--history", str(folder / "history"), "--thresholds", str(THRESHOLDS)]
    assert main([*arguments, "--html", str(found["trend"])]) == 0
    return found


KINDS = ("mixed", "real", "compare", "trend")


@pytest.mark.parametrize("kind", KINDS)
def test_a_browser_has_nothing_to_complain_about(
    page: Page, files: dict[str, Path], kind: str
) -> None:
    page.open(files[kind])
    assert page.ask("document.querySelectorAll('h1').length") >= 1
    assert page.complaints() == []
    assert page.requests() == [files[kind].resolve().as_uri()]
    assert page.ask("getComputedStyle(document.body).maxWidth") != "none"  # the style was let in


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("kind", KINDS)
def test_all_text_stands_out_from_what_is_behind_it(
    page: Page, files: dict[str, Path], kind: str, dark: bool
) -> None:
    page.show(1280, dark)
    page.open(files[kind])
    result = page.ask(CONTRAST)
    assert result["count"] > 30
    assert result["found"] == []
    background = page.ask("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(255, 255, 255)") is not dark


@pytest.mark.parametrize("kind", KINDS)
def test_it_fits_a_phone_and_a_desk(page: Page, files: dict[str, Path], kind: str) -> None:
    for width in WIDTHS:
        page.show(width)
        page.open(files[kind])
        assert page.ask("document.documentElement.scrollWidth") <= width
        assert page.ask(SMALLEST_PX) >= 11


def test_everything_is_reached_by_the_keyboard(page: Page, files: dict[str, Path]) -> None:
    page.show(1280)
    page.open(files["mixed"])
    wanted = page.ask(REACHABLE)
    reached = []
    for _ in range(wanted + 2):
        page.press_tab()
        focus = page.ask(FOCUS)
        if focus is None:
            break
        assert focus["seen"], focus
        reached.append(focus["what"])
    assert len(reached) >= wanted
    assert any("scroll" in what for what in reached)


def test_a_cell_leads_to_its_samples(page: Page, files: dict[str, Path]) -> None:
    page.show(1280)
    page.open(files["mixed"])
    page.ask("document.querySelector('.matrix td a').click()")
    assert page.ask("document.querySelector(':target').tagName") == "TR"
    assert "samples" in page.ask("document.querySelector(':target').innerText")


def test_it_prints_on_white_with_everything_on_it(page: Page, files: dict[str, Path]) -> None:
    page.show(1280, dark=True, media="print")
    page.open(files["real"])
    assert page.ask("getComputedStyle(document.body).color") == "rgb(27, 31, 36)"
    printed = page.do("Page.printToPDF")["data"]
    assert len(printed) > 20_000


def test_a_policy_that_is_broken_would_be_complained_about(page: Page, tmp_path: Path) -> None:
    """Else the tests above could not fail."""
    drawn = draw_curve(Curve("c", "x", "y", [(0.0, 0.0), (1.0, 1.0)], (0.5, 0.5)))
    html = render_template("base.html.j2").replace("</body>", f"{drawn}</body>")
    bad = tmp_path / "bad.html"
    bad.write_text(html.replace("</body>", "<script>alert(1)</script><p style='color:red'>x</p>"
                                "<img src='http://localhost:9/x.png'></body>"))  # fmt: skip
    page.show(1280)
    page.open(bad)
    assert len(page.complaints()) >= 3
