"""
The built report in a real browser: a reader sees the table and the picture, and no page asks for anything outside.
"""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.report.made import Browser

# Allure shows a description in a frame without scripts. Notes on the document what the dumped markup does not tell:
# whether the picture loaded, how tall the table is, and whether anything hangs out.
LOOK = """<script>setInterval(() => {
  const frame = [...document.querySelectorAll("iframe")].find((one) => one.srcdoc.includes("Guarantee"));
  const description = frame?.contentDocument;
  const picture = description?.querySelector('img[src^="data:image/svg"]');
  const table = description?.querySelector("table");
  const said = document.documentElement.dataset;
  if (picture) said.picture = picture.naturalWidth;
  if (table) said.table = Math.round(table.getBoundingClientRect().height);
  said.overhang = document.documentElement.scrollWidth - window.innerWidth;
}, 100)</script>"""


class Quiet(SimpleHTTPRequestHandler):
    """Serves without a word."""

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def looked_at(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the one-file report that tells what it shows."""
    copy = tmp_path_factory.mktemp("looked") / "index.html"
    before, end, after = built.read_text(encoding="utf-8").rpartition("</body>")
    copy.write_text(before + LOOK + end + after, encoding="utf-8")
    return copy


def page_of(built: Path, name: str) -> str:
    """The address fragment of the test of this name."""
    known = json.loads((built.parents[1] / "test-results.json").read_text())["byId"]
    return next(str(key) for key, test in known.items() if test["name"] == name)


def test_the_browser_would_notice_a_request_to_the_outside(tmp_path: Path, browser: Browser) -> None:
    page = tmp_path / "index.html"
    page.write_text('<p>page</p><script async src="https://tracker.example/tag.js"></script>')

    assert browser.open(page.as_uri()).hosts == {"tracker.example"}


@pytest.mark.parametrize("width", [1440, 500])
def test_a_reader_sees_the_table_the_witness_and_the_picture(
    built: Path, looked_at: Path, browser: Browser, width: int
) -> None:
    fragment = page_of(built, "A write survives a split brain")
    seen = browser.open(f"{looked_at.as_uri()}#{fragment}", width=width)

    said = dict(re.findall(r'data-(picture|table|overhang)="(-?\d+)"', seen.dom))
    assert int(said["picture"]) >= 900, "the timeline did not load as an image"
    assert int(said["table"]) > 60, "the verdict table is not visible"
    assert int(said["overhang"]) <= 0, "the page is wider than the window"
    assert "not as expected" in seen.dom
    assert "At 12.201 s c2 asked write 41" in seen.dom
    assert seen.hosts == set()


def test_the_report_by_lesson_asks_only_its_own_server(built: Path, browser: Browser) -> None:
    with served(built.parents[1]) as address:
        overview = browser.open(f"{address}/index.html")
        lessons = browser.open(f"{address}/lessons/index.html")

    assert overview.hosts <= {"127.0.0.1"}
    assert lessons.hosts == {"127.0.0.1"}
    assert "split brain" in lessons.dom


def test_categories_tell_whom_to_blame(built: Path, browser: Browser) -> None:
    seen = browser.open(f"{built.as_uri()}#categories")

    for name in ("System under test: a guarantee", "Void: the fault", "Environment: a provider", "Not run here"):
        assert name in seen.dom


def test_measures_show_as_trends_with_title_and_unit(built: Path, browser: Browser) -> None:
    seen = browser.open(f"{built.as_uri()}#metrics")

    assert "A split brain loses acknowledged writes: acked writes survive, lost window" in seen.dom
    assert "9.8 s" in seen.dom
