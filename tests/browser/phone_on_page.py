"""One phone as it is seen and touched on the page."""

from pathlib import Path

from playwright.async_api import Locator, Page, expect

PATIENCE = 10_000  # milliseconds


async def moves(page: Page, label: str) -> None:
    """The page's clock goes forward, and all that is due by then has been done: its buttons can be pressed again."""
    button = page.get_by_role("button", name=label)
    await button.click()
    await expect(button).to_be_enabled(timeout=6 * PATIENCE)


class PhoneOnPage:
    """The phone with an id on an open page. Everything waits until the page is so far, or fails after PATIENCE."""

    def __init__(self, page: Page, phone: str) -> None:
        self.page = page
        self.frame = page.locator(f'[id="phone-{phone}"]')

    async def says(self, text: str) -> None:
        """Types into the composer and presses Enter (Shift+Enter between lines)."""
        box = self.frame.get_by_role("textbox", name="输入消息")
        await box.fill(text)
        await box.press("Enter")

    async def taps(self, label: str) -> None:
        """Presses the newest button with exactly this label."""
        await self.frame.get_by_role("button", name=label, exact=True).last.click(timeout=PATIENCE)

    async def sees(self, text: str) -> Locator:
        """The newest message (with its buttons and time) that contains a text, once it is visible."""
        row = self.frame.locator(".messages .row").filter(has_text=text).last
        await expect(row).to_be_visible(timeout=PATIENCE)
        return row

    async def sees_last(self, text: str) -> Locator:
        """The same, of the message at the end."""
        row = self.frame.locator(".messages .row").last
        await expect(row).to_contain_text(text, timeout=PATIENCE)
        return row

    async def attaches(self, kind: str, file: Path) -> None:
        """Sends a file as `photo` or `voice`."""
        await self.frame.locator(f".{kind}-file").set_input_files(file)

    async def screen(self) -> list[str]:
        """The bubbles' texts, oldest first, those that still wait included."""
        return await self.frame.locator(".bubble").all_inner_texts()
