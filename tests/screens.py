"""Takes the pictures of docs/screens/ of a demo that is running.

    make run                                             in another terminal
    python -m tests.screens http://127.0.0.1:8000 var/demo_users.txt

Small PNGs: one screen each, of a desk or of a phone, light or dark, in one of the three languages.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "screens"
MOST_BYTES = 150_000  # of one picture
MOST_IN_ALL = 1_200_000
COLOURS = 256  # of a picture: flat surfaces and text need no more
DESK, PHONE = (1440, 900), (390, 844)


@dataclass(frozen=True)
class Picture:
    """`opens`: the link followed from there, `at`: what is brought to the top of the screen; both as CSS selectors."""

    name: str
    role: str
    address: str
    language: str = "en"
    theme: str = "light"
    size: tuple[int, int] = DESK
    opens: str = ""
    at: str = ""


ROW = ".row-link"
PICTURES = (
    Picture("home", "approver", "/"),
    Picture("queue", "officer", "/queue/"),
    Picture("queue-phone-dark", "officer", "/queue/", "uz", "dark", PHONE),
    Picture("request", "officer", "/queue/?status=referred", opens=ROW),
    Picture("request-dark", "officer", "/queue/?status=referred", "ru", "dark", opens=ROW),
    Picture("request-phone", "officer", "/queue/?status=referred", "uz", "light", PHONE, opens=ROW),
    Picture("reasons-phone-dark", "officer", "/queue/?status=referred", "en", "dark", PHONE, ROW, "#reasons-title"),
    Picture("new-request", "officer", "/new/", "ru", "light"),
    Picture("upload", "officer", "/upload/", "uz", opens='main a[href^="/upload/"].row-link'),
    Picture("models", "analyst", "/models/"),
    Picture("model-dark", "analyst", "/models/", "en", "dark", opens='main a[href^="/models/"]', at=".card-grid"),
    Picture("policy", "analyst", "/policies/", "ru", opens='main a[href^="/policies/"]:not([href$="/new/"])'),
    Picture("monitoring", "analyst", "/monitoring/"),
    Picture("monitoring-phone-dark", "analyst", "/monitoring/", "uz", "dark", PHONE),
    Picture("audit", "auditor", "/audit/", "uz"),
)


def main(base: str, users: Path) -> None:
    """`users`: lines of a name and a password, as the demo writes them."""
    passwords = dict(line.split() for line in users.read_text().splitlines() if line and line[0] != "#")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for picture in PICTURES:
            take(browser, base, picture, passwords[f"demo-{picture.role}"])
    sizes = {picture.name: (FOLDER / f"{picture.name}.png").stat().st_size for picture in PICTURES}
    for name, size in sizes.items():
        sys.stdout.write(f"{size:>8}  {name}.png{'  TOO LARGE' if size > MOST_BYTES else ''}\n")
    sys.stdout.write(f"{sum(sizes.values()):>8}  of {MOST_IN_ALL}\n")
    if max(sizes.values()) > MOST_BYTES or sum(sizes.values()) > MOST_IN_ALL:
        raise SystemExit("The pictures are too large.")


def take(browser: Browser, base: str, picture: Picture, password: str) -> None:
    width, height = picture.size
    context = browser.new_context(
        base_url=base, viewport={"width": width, "height": height}, color_scheme=picture.theme, reduced_motion="reduce"
    )
    choices = {"django_language": picture.language, "theme": picture.theme}
    context.add_cookies([{"name": name, "value": value, "url": base} for name, value in choices.items()])
    page = context.new_page()
    sign_in(page, f"demo-{picture.role}", password)
    page.goto(picture.address, wait_until="networkidle")
    if picture.opens:
        page.locator(picture.opens).first.click()
        page.wait_for_load_state("networkidle")
    if picture.at:
        page.locator(picture.at).first.evaluate("place => place.scrollIntoView()")
    page.mouse.move(0, 0)
    page.evaluate("document.activeElement.blur()")
    page.screenshot(path=FOLDER / f"{picture.name}.png")
    context.close()
    make_small(FOLDER / f"{picture.name}.png")


def make_small(path: Path) -> None:
    """The commonest colours stay as they are, so that surfaces keep theirs; the rest become the nearest of them."""
    shown = Image.open(path).convert("RGB")
    counted = sorted(shown.getcolors(1 << 24), reverse=True)[:COLOURS]
    palette = Image.new("P", (1, 1))
    palette.putpalette([part for _, colour in counted for part in colour])
    shown.quantize(palette=palette, dither=Image.Dither.NONE).save(path, optimize=True)


def sign_in(page: Page, name: str, password: str) -> None:
    page.goto("/sign-in/")
    page.fill("#username", name)
    page.fill("#password", password)
    page.press("#password", "Enter")
    page.wait_for_url(lambda address: "/sign-in/" not in address)


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/"), Path(sys.argv[2]))
