"""Keys pressed on a page by somebody who has no mouse: whatever holds the focus after each has to be seen."""

from collections.abc import Callable

from playwright.sync_api import Page

MOST_KEYS = 60  # from the first look at a page to the end of a piece of work, but for the letters that are typed
IN_VIEW = """() => {
  const held = document.activeElement, style = getComputedStyle(held), box = held.getBoundingClientRect();
  const marked = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0 || style.boxShadow !== "none";
  return {tag: held.tagName, text: (held.ariaLabel || held.innerText || held.id).trim(), marked,
          seen: box.width > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth};
}"""


class Keyboard:
    def __init__(self, page: Page) -> None:
        self.page = page
        self.pressed = 0

    def press(self, key: str) -> dict:
        """What holds the focus after it."""
        self.page.keyboard.press(key)
        self.pressed += 1
        assert self.pressed <= MOST_KEYS, f"more than {MOST_KEYS} keys"
        held = self.page.evaluate(IN_VIEW)
        assert held["tag"] in ("BODY", "HTML", "MAIN") or (held["marked"] and held["seen"]), held
        return held

    def tab_to(self, is_it: Callable[[dict], bool]) -> None:
        while not is_it(self.press("Tab")):
            pass

    def skip_to_the_content(self) -> None:
        assert self.press("Tab")["text"] == "Skip to the content"
        self.page.keyboard.press("Enter")
