"""A board of 1,000 cards by keyboard, in headless Chromium: from a key to the picture after it, and to the server's answer.

Each figure begins with the time that the browser gave to the key. For all but the last it ends when everything that the key
did is drawn; for the last when the move is stored and the page knows it. The floor is a key that the board has no use for,
on the same page in the same rounds.

    python -m benchmarks.kanban_keyboard [sqlite] [postgresql] [--rounds 60]
"""

from __future__ import annotations

import argparse
import random
import statistics

from playwright.sync_api import Page, sync_playwright

from benchmarks import feed_apps, kanban
from benchmarks.reference_seed import settings
from benchmarks.search import database
from benchmarks.serving import serving
from rse_core import migrate
from rse_core.runtime import Core
from rse_core.testing.browser import FLAGS, chromium_path
from rse_core.testing.organisation import set_level

SIZE = 1_000
#: Notes, for each key, when it was pressed and when the page was drawn after it; for each move, when it was answered.
WATCH = """
window.seen = {}; window.answered = null; window.pressed = 0;
function noted(kind, at) { (window.seen[kind] = window.seen[kind] || []).push(performance.now() - at); }
function drawn(kind, at) {
  requestAnimationFrame(() => {
    const port = new MessageChannel();
    port.port1.onmessage = () => noted(kind, at);
    port.port2.postMessage(0);
  });
}
window.addEventListener('keydown', event => {
  window.pressed = event.timeStamp;
  drawn(window.kind, event.timeStamp);
}, true);
const ask = window.fetch;
window.fetch = async (...given) => {
  const answer = await ask(...given);
  if (String(given[0]).includes('/move')) { noted('answer', window.pressed); window.answered = answer.status; }
  return answer;
};
"""


def press(page: Page, kind: str, key: str) -> None:
    """One key, and wait until what it did is drawn."""
    before = page.evaluate("kind => { window.kind = kind; return (window.seen[kind] || []).length; }", kind)
    page.keyboard.press(key)
    page.wait_for_function("([kind, n]) => (window.seen[kind] || []).length > n", arg=[kind, before])


def rounds(page: Page, number: int) -> dict[str, list[float]]:
    """Pick up, one to the side, one down, drop, wait for the server; then words into the filter."""
    rng = random.Random(11)
    for _round in range(number):
        place = rng.randrange(SIZE // 3)
        page.evaluate(
            "n => { const all = document.querySelectorAll('.kb-cards')[0].querySelectorAll('.kc-title a');"
            " all[n % all.length].focus(); window.answered = null; }", place,
        )  # fmt: skip
        press(page, "a key without a use", "F9")
        press(page, "pick up", "Space")
        press(page, "one column on", "ArrowRight")
        press(page, "one place down", "ArrowDown")
        press(page, "drop", "Space")
        page.wait_for_function("() => window.answered !== null")
        if page.evaluate("() => window.answered") != 200:
            raise SystemExit("a move was refused")
    page.focus("#kb-q")
    for word in ("prepare", "room", "card 77", "nothing"):
        page.fill("#kb-q", "")
        for letter in word:
            press(page, "a letter into the filter", letter if letter != " " else "Space")
    found: dict[str, list[float]] = page.evaluate("() => window.seen")
    return found


def measure(kind: str, number: int) -> None:
    """One database."""
    with database(kind) as url:
        core = Core(settings(url), extra=[feed_apps.BenchIdentity()])
        migrate.upgrade(core)
        core.close()
        core = Core(settings(url), extra=[feed_apps.BenchIdentity()])
        set_level(core, "collaborate")
        board = kanban.fill(core)[SIZE]
        core.close()
        with serving("benchmarks.kanban_beside:rse()", url) as server, sync_playwright() as play:
            browser = play.chromium.launch(executable_path=chromium_path(), args=list(FLAGS))
            context = browser.new_context(locale="en", extra_http_headers={"X-Bench-Person": "p1"})
            page = context.new_page()
            page.add_init_script(WATCH)
            page.goto(f"http://127.0.0.1:{server.port}/rse/kanban/boards/{board}")
            page.wait_for_selector("#kb-keys-help", state="attached")
            seen = rounds(page, number)
            browser.close()
    print(f"\n{kind}: a board of {SIZE:,} cards, {number} rounds\n")
    floor = statistics.median(seen["a key without a use"])
    seen["the server's answer to the drop"] = seen.pop("answer")
    for name, times in seen.items():
        middle, high = statistics.median(times), statistics.quantiles(times, n=20)[-1]
        print(f"{name:<34} {middle:8.1f} ms p50  {high:8.1f} ms p95   {middle / floor:5.1f} times the floor")


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else None)
    parser.add_argument("databases", nargs="*", default=["sqlite", "postgresql"], metavar="DATABASE")
    parser.add_argument("--rounds", type=int, default=60)
    options = parser.parse_args()
    for kind in options.databases or ["sqlite", "postgresql"]:
        measure(kind, options.rounds)


if __name__ == "__main__":
    main()
