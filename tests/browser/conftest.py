"""A real Chromium for the playground's page: skipped where there is none, except in CI, where it must be there."""

import os
import shutil
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest_asyncio.fixture(loop_scope="function")
async def browser() -> AsyncIterator[Browser]:
    """Chromium without a window."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    async with async_playwright() as playwright:
        if path is None and os.path.exists(playwright.chromium.executable_path):
            path = playwright.chromium.executable_path  # the one that `playwright install chromium` brings
        if path is None:
            reason = f"no browser: install one of {', '.join(NAMES)}, or run `playwright install chromium`"
            if os.environ.get("CI") == "true":
                pytest.fail(reason)
            pytest.skip(reason)
        opened = await playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield opened
        await opened.close()


@pytest_asyncio.fixture(loop_scope="function")
async def page(browser: Browser) -> AsyncIterator[Page]:
    """An empty page of 1440 x 900; a script error on it, or a request to another host, fails the test."""
    context = await browser.new_context(viewport={"width": 1440, "height": 900}, locale="zh-CN",
                                        accept_downloads=True)
    opened = await context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("request", lambda request: None if request.url.startswith(("http://127.0.0.1:", "blob:"))
              else errors.append(f"asked another host: {request.url}"))
    yield opened
    await context.close()
    assert errors == []
