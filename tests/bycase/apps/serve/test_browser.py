"""The page as headless Chromium shows it, served from this computer."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from fastapi import Request, Response

from bycase.apps.serve.api import make_app
from bycase.apps.serve.inference_service import InferenceService
from bycase.apps.serve.limits import Limits, Rate
from tests.fixtures.browsing import DESK, NEEDS_BROWSER, PHONE, go, headless, requested, visit
from tests.fixtures.serve import BLACK, BLUE, RED, make_picture, make_service, running

pytestmark = NEEDS_BROWSER
PATIENT = "Jane_Doe_1970-01-01.png"
TAB, ENTER, LEFT = "\ue004", "\ue007", "\ue012"  # as WebDriver codes them
OPACITY = "return getComputedStyle(document.querySelector('.heatmap')).opacity"


@pytest.fixture(scope="module")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("downloads")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory, downloads: Path) -> Iterator[Any]:
    with headless(tmp_path_factory.mktemp("profile"), downloads) as driver:
        yield driver


@pytest.fixture(scope="module")
def service() -> InferenceService:
    return make_service(Limits(images=3))


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, service: InferenceService) -> Iterator[str]:
    from bycase.apps.serve.page import add_page

    rate = Rate(1_000_000)
    app = make_app(service, rate)
    add_page(app, service, rate, "breakhis", tmp_path_factory.mktemp("preprocessed"))
    app.middleware("http")(answer_late)
    with running(app) as url:
        yield url


async def answer_late(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Answer uploads as on a slow line: after the predictions have been shown."""
    answer = await call_next(request)
    if request.method == "POST":
        await asyncio.sleep(0.5)
    return answer


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    pictures = {
        PATIENT: make_picture(RED),
        "blue.png": make_picture(BLUE),
        "black.png": make_picture(BLACK),
        "text.png": b"no image",
    }
    for name, content in pictures.items():
        (tmp_path / name).write_bytes(content)
    return {name: str(tmp_path / name) for name in pictures}


def open_page(browser: Any, address: str, scheme: str = "light", width: int = DESK) -> None:
    visit(browser, address, scheme, width)
    see(browser, "Choose images")


def see(browser: Any, *words: str) -> None:
    """Wait until the page says so: what is sent to it at once appears bit by bit."""
    try:
        wait(lambda: all(each in text(browser) for each in words))
    except AssertionError:
        pytest.fail(f"waited for {words}, but the page says:\n{text(browser)}")


def wait(ready: Callable[[], Any], seconds: float = 15) -> Any:
    until = time.monotonic() + seconds
    while not (found := ready()):
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.05)
    return found


def text(browser: Any) -> str:
    return str(browser.execute_script("return document.body.innerText"))


def send(browser: Any, *paths: str) -> None:
    field = wait(lambda: browser.find_elements("css selector", "input[type=file]"))[0]
    field.send_keys("\n".join(paths))


def count(browser: Any, selector: str) -> int:
    return len(browser.find_elements("css selector", selector))


def press(browser: Any, label: str) -> None:
    script = "[...document.querySelectorAll('button')].find(b => b.innerText.includes(arguments[0])).click()"
    browser.execute_script(script, label)


@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize(("scheme", "dark"), [("light", False), ("dark", True)])
def test_images_are_predicted_without_an_error_or_a_request_elsewhere(
    browser: Any, address: str, files: dict[str, str], scheme: str, dark: bool, width: int
) -> None:
    go(browser, "about:blank")
    requested(browser), browser.get_log("browser")
    open_page(browser, address, scheme, width)
    send(browser, files[PATIENT], files["blue.png"], files["black.png"])
    wait(lambda: count(browser, "article.prediction") == 3)
    see(browser, "image 1: Malignant", "image 2: Benign")
    wait(lambda: "Jane" not in browser.page_source)
    alarms = [each.text for each in browser.find_elements("css selector", "article .alarm")]
    assert len(alarms) == 1
    assert "Unlike the training images" in alarms[0]
    urls = requested(browser)
    assert any(url.startswith("ws://") for url in urls)
    assert {urlsplit(url).netloc for url in urls if not url.startswith(("data:", "about:"))} == {
        urlsplit(address).netloc
    }
    assert browser.get_log("browser") == []
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    wait(lambda: browser.execute_script("return [...document.images].every(image => image.naturalWidth > 0)"))
    ground = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert ("rgb(18, 18, 18)" in ground) == dark


def test_the_notice_stays_in_sight_and_what_comes_from_elsewhere_is_blocked(browser: Any, address: str) -> None:
    open_page(browser, address, width=PHONE)
    browser.execute_script("window.scrollTo(0, document.body.scrollHeight)")
    notice = browser.find_element("css selector", ".notice")
    assert notice.text == "Research use, not a diagnosis"
    assert browser.execute_script("return arguments[0].getBoundingClientRect().top", notice) == 0
    browser.get_log("browser")
    browser.execute_script("document.body.append(Object.assign(new Image(), {src: 'http://127.0.0.1:9/a.png'}))")
    assert "Content Security Policy" in wait(lambda: browser.get_log("browser"))[0]["message"]


def test_mistakes_are_explained(browser: Any, address: str, files: dict[str, str]) -> None:
    open_page(browser, address)
    send(browser, files["text.png"], files["blue.png"])
    wait(lambda: count(browser, "article.prediction") == 1)
    see(browser, "1 of 2 predicted.", "Image 1: not a ")
    send(browser, files["blue.png"])
    see(browser, "image 3: Benign")
    send(browser, files["text.png"], files["blue.png"], files["black.png"], files[PATIENT])
    see(browser, "files were not sent: ", "at most 3 images")
    # Nothing covers the notice.
    middle = "document.elementFromPoint(innerWidth / 2, 15).closest('.notice') !== null"
    assert browser.execute_script(f"return {middle}")


def test_a_broken_upload_is_told_and_the_next_one_is_predicted(
    browser: Any, address: str, files: dict[str, str]
) -> None:
    open_page(browser, address)
    browser.execute_cdp_cmd("Network.enable", {})
    browser.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*/upload/*"]})
    send(browser, files["black.png"])
    see(browser, "The server did not take the images; try again.")
    browser.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})
    send(browser, files["blue.png"])
    see(browser, "1 of 1 predicted.", "image 1: Benign")


def test_a_tab_that_is_closed_before_its_predictions_leaves_no_warning(
    browser: Any,
    address: str,
    files: dict[str, str],
    service: InferenceService,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    from nicegui import Client

    closed, predicted, predict = threading.Event(), threading.Event(), service.predict

    async def predict_late(*arguments: Any) -> Any:
        results = await predict(*arguments)
        predicted.set()
        await asyncio.to_thread(closed.wait)
        return results

    monkeypatch.setattr(service, "predict", predict_late)
    open_page(browser, address)
    send(browser, files["blue.png"])
    assert predicted.wait(15)
    go(browser, "about:blank")
    wait(lambda: not Client.instances)
    closed.set()
    time.sleep(0.5)
    assert caplog.messages == []


def test_the_keyboard_is_enough_and_predictions_can_be_taken_along(browser: Any, address: str, downloads: Path) -> None:
    open_page(browser, address)
    reached = []
    for _ in range(8):
        browser.switch_to.active_element.send_keys(TAB)
        reached.append(browser.switch_to.active_element.text)
    assert reached[0] == "Choose images"
    assert any("another kind" in name for name in reached)
    example = next(each for each in browser.find_elements("css selector", "button") if "another kind" in each.text)
    example.send_keys(ENTER)
    wait(lambda: count(browser, "article.prediction") == 1)
    see(browser, "phantom: another kind of image:")
    before = browser.execute_script(OPACITY)
    browser.find_element("css selector", "[aria-label='Opacity of the heatmap']").send_keys(LEFT)
    wait(lambda: float(browser.execute_script(OPACITY)) < float(before))
    press(browser, "Download CSV")
    path = wait(lambda: [each for each in downloads.iterdir() if each.suffix == ".csv"])[0]
    table = path.read_text(encoding="utf-8")
    assert "probability_Malignant" in table
    assert "phantom: another kind of image," in table
    press(browser, "Clear")
    wait(lambda: count(browser, "article.prediction") == 0)


def test_the_toolkit_stores_nothing() -> None:
    assert not Path(".nicegui").exists()
