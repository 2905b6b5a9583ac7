"""Headless Chromium, for what is looked at in a browser; tests that need it skip, saying so, where it is absent."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

BROWSER, DRIVER = (shutil.which(name) for name in ("chromium", "chromedriver"))
NEEDS_BROWSER = pytest.mark.skipif(
    not (BROWSER and DRIVER), reason="chromium and chromedriver, system packages, are absent: no browser to look with"
)
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PHONE, DESK = 390, 1280  # CSS pixels


@contextmanager
def headless(profile: Path, downloads: Path | None = None) -> Iterator[Any]:
    """A browser that keeps a log of messages and requests, until the end of the block."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium, of requirements-dev.txt, is absent")
    options = webdriver.ChromeOptions()
    options.binary_location = str(BROWSER)
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    if downloads is not None:
        options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(str(DRIVER)))
    yield driver
    driver.quit()


def visit(browser: Any, address: str, scheme: str, width: int) -> None:
    """Open an address as a screen of this width in a light or dark scheme shows it."""
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width == PHONE}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.get(address)


def requested(browser: Any) -> set[str]:
    """Where the page sent requests to, since last asked."""
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    urls = set()
    for each in messages:
        if each["method"] == "Network.requestWillBeSent":
            urls.add(each["params"]["request"]["url"])
        elif each["method"] == "Network.webSocketCreated":
            urls.add(each["params"]["url"])
    return urls
