"""The reports as headless Chromium shows them, opened from disk."""

import base64
import contextlib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bycase.report.benchmark_page import benchmark_documents
from bycase.report.run_page import run_documents
from tests.conftest import params_of_tests
from tests.fixtures.browsing import DESK, NEEDS_BROWSER, PHONE, go, headless, requested, visit
from tests.fixtures.report import write_bench, write_run

pytestmark = NEEDS_BROWSER


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with headless(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


@pytest.fixture(scope="module", params=[run_documents, benchmark_documents], ids=["run", "benchmark"])
def page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    (folder / "params.yaml").write_text(params_of_tests(), encoding="utf-8")
    (write_run if request.param is run_documents else write_bench)(folder)
    path = folder / "page.html"
    with contextlib.chdir(folder):
        path.write_text(request.param(images=True)["report.html"], encoding="utf-8")
    return path


def open_page(browser: Any, path: Path, scheme: str, width: int) -> None:
    visit(browser, path.as_uri(), scheme, width)


@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize(("scheme", "dark"), [("light", False), ("dark", True)])
def test_it_opens_from_disk_without_an_error_or_a_request(
    browser: Any, page: Path, scheme: str, dark: bool, width: int
) -> None:
    go(browser, "about:blank")
    requested(browser)
    open_page(browser, page, scheme, width)
    assert browser.get_log("browser") == []
    urls = requested(browser)
    assert page.as_uri() in urls
    assert {url.split(":", 1)[0] for url in urls} <= {"file", "data"}
    # Not against window.innerWidth, which a phone widens to what overflows.
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert browser.execute_script("return [...document.images].every(image => image.naturalWidth > 0)")
    ground = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert (sum(int(part) for part in ground.strip("rgb()").split(",")[:3]) < 384) == dark


def test_a_page_that_is_going_away_is_not_looked_at() -> None:
    errors = pytest.importorskip("selenium.common.exceptions", reason="selenium, of requirements-dev.txt, is absent")

    # What chromedriver answers while one page, of the time 1, makes room for another, of the time 2.
    answers = iter([1, 1, 1, errors.JavascriptException("unloaded"), 1, 2, AssertionError("was asked again")])
    addresses = []

    def execute_script(script: str, *arguments: int) -> int:
        if isinstance(answer := next(answers), BaseException):
            raise answer
        return answer

    go(SimpleNamespace(execute_script=execute_script, get=addresses.append), "page.html")
    assert addresses == ["page.html"]
    assert isinstance(next(answers), AssertionError)


def test_a_request_would_be_seen(browser: Any, tmp_path: Path) -> None:
    path = tmp_path / "asking.html"
    path.write_text('<img src="http://127.0.0.1:9/a.png">', encoding="utf-8")
    go(browser, path.as_uri())
    assert "http://127.0.0.1:9/a.png" in requested(browser)
    assert browser.get_log("browser")


def test_links_lead_somewhere_and_wide_tables_can_be_scrolled_by_keyboard(browser: Any, page: Path) -> None:
    open_page(browser, page, "light", PHONE)
    links = "return [...document.querySelectorAll('nav a')].every(a => document.querySelector(a.hash))"
    assert browser.execute_script(links)
    wide = "[...document.querySelectorAll('.scroll')].filter(e => e.scrollWidth > e.clientWidth)"
    assert browser.execute_script(f"return {wide}.length") > 0
    assert browser.execute_script(f"return {wide}.every(e => e.tabIndex === 0)")


def test_it_prints(browser: Any, page: Path) -> None:
    open_page(browser, page, "dark", DESK)
    pdf = base64.b64decode(browser.print_page())
    assert pdf.startswith(b"%PDF")
    assert 3 <= pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page ") <= 30
