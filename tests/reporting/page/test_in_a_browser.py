"""The page in headless Chromium: by keyboard, on a phone, without scripts, without a network."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.browser import needs_chromium

pytest.importorskip("selenium.webdriver", reason="needs selenium")
pytestmark = needs_chromium

from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.remote.webelement import WebElement  # noqa: E402


@pytest.fixture
def page(chromium: Any, page_path: Path) -> Any:
    """The page, opened anew in a window of a laptop."""
    chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
    chromium.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    chromium.get("about:blank")
    chromium.get_log("performance"), chromium.get_log("browser")
    chromium.get(page_path.as_uri())
    return chromium


def _one(page: Any, selector: str) -> WebElement:
    return page.find_element(By.CSS_SELECTOR, selector)


def _press(page: Any, *keys: str) -> None:
    for key in keys:
        page.switch_to.active_element.send_keys(key)


def _visible(page: Any, selector: str) -> list[bool]:
    return [element.is_displayed() for element in page.find_elements(By.CSS_SELECTOR, selector)]


def test_nothing_but_the_file_is_requested_and_nothing_goes_wrong(
    page: Any, page_path: Path
) -> None:
    messages = [json.loads(entry["message"])["message"] for entry in page.get_log("performance")]
    requested = {
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    }
    assert page_path.as_uri() in requested
    assert all(url.startswith(("file:", "data:")) for url in requested)
    assert sum(url.startswith("file:") for url in requested) == 1
    assert page.get_log("browser") == []
    broken = "return [...document.images].filter(i => i.src && !i.naturalWidth).length"
    assert page.execute_script(broken) == 0


def test_the_first_tab_offers_to_skip_to_the_content(page: Any) -> None:
    _press(page, Keys.TAB)
    assert page.switch_to.active_element.text == "Skip to the content"
    _press(page, Keys.ENTER)
    assert page.switch_to.active_element.get_attribute("id") == "main"


def test_the_contents_stay_in_view(page: Any) -> None:
    page.execute_script("window.scrollTo(0, document.body.scrollHeight)")
    position = page.execute_script(
        "const box = document.querySelector('nav').getBoundingClientRect();"
        "return [window.scrollY, box.top, box.height]"
    )
    assert position[0] > 500 and position[1] == 0 and position[2] < 60
    cut = "const box = document.querySelector('nav'); return box.scrollWidth - box.clientWidth"
    assert page.execute_script(cut) == 0
    _one(page, "nav a[href='#figures']").send_keys(Keys.ENTER)
    title = page.execute_script(
        "return document.querySelector('#figures-title').getBoundingClientRect().top"
    )
    assert title >= position[2]  # below the contents, not behind them


def test_a_key_skips_a_table_with_many_links(page: Any) -> None:
    skip = _one(page, "#table1 a.past")
    assert skip.rect["width"] <= 1
    page.execute_script("arguments[0].focus()", skip)
    assert skip.rect["width"] > 100
    _press(page, Keys.ENTER, Keys.TAB)
    table = _one(page, "#table1 .scrolling")
    position = "return arguments[0].compareDocumentPosition(document.activeElement)"
    following = 4  # and not 16 as well, which is inside
    assert page.execute_script(position, table) == following


def test_the_switch_to_differences_works_by_keyboard(page: Any) -> None:
    assert all(_visible(page, "#table1 tr.here")) and not any(_visible(page, "#table1 .difference"))
    switch = _one(page, "#table1 .differences")
    switch.send_keys(Keys.SPACE)
    assert all(_visible(page, "#table1 tr.difference"))
    assert not any(_visible(page, "#table1 tr.here, #table1 tr.paper"))
    switch.send_keys(Keys.SPACE)
    assert all(_visible(page, "#table1 tr.here")) and not any(_visible(page, "#table1 .difference"))


def test_the_runs_behind_a_value_open_by_enter_and_close_by_escape(page: Any) -> None:
    value = _one(page, "#table1 tr.here a")
    value.send_keys(Keys.ENTER)
    dialog = _one(page, "#dialog")
    assert dialog.is_displayed()
    assert _one(page, "#dialog-title").text == value.get_attribute("data-about")
    assert "id-of-evaluate-one-toy" in dialog.text and "id-of-train-one-toy" in dialog.text
    assert "params.yaml:bins" not in dialog.text  # not opened yet

    evaluation = dialog.find_elements(By.CSS_SELECTOR, "summary")[1]
    evaluation.send_keys(Keys.ENTER)
    assert "params.yaml:bins" in dialog.text and "runs/tiny/masks/one.csv" in dialog.text

    inside = "return document.querySelector('#dialog').contains(document.activeElement)"
    assert page.execute_script(inside)
    _press(page, Keys.ESCAPE)
    assert not dialog.is_displayed()
    assert page.switch_to.active_element == value  # where the reader was


def test_a_value_without_records_says_so(page: Any) -> None:
    _one(page, "#table1 a[href$='-two-toy']").send_keys(Keys.ENTER)
    assert "no record on this machine" in _one(page, "#dialog").text


def test_a_figure_is_enlarged_by_enter(page: Any) -> None:
    _one(page, "#figure5 button").send_keys(Keys.ENTER)
    enlarged = _one(page, "#dialog img")
    assert enlarged.is_displayed()
    assert enlarged.size["width"] == 40  # of the file, whatever the page's width
    _press(page, Keys.TAB, Keys.ESCAPE)
    assert not enlarged.is_displayed()


def test_two_versions_of_a_face_are_compared_by_keyboard(page: Any) -> None:
    divider = _one(page, ".comparison input")
    right = _one(page, ".stack img + img")
    assert divider.get_attribute("aria-valuetext") == "50 % Masked input, 50 % Toy"
    before = right.get_attribute("src")
    divider.send_keys(Keys.END)
    assert "inset(0px 0px 0px 100%)" in right.value_of_css_property("clip-path")
    divider.send_keys(Keys.HOME, Keys.ARROW_RIGHT)
    assert divider.get_attribute("aria-valuetext") == "1 % Masked input, 99 % Toy"
    page.find_elements(By.CSS_SELECTOR, ".comparison select")[1].send_keys(Keys.ARROW_DOWN)
    assert divider.get_attribute("aria-valuetext") == "1 % Masked input, 99 % Ground truth"
    faces = page.find_elements(By.CSS_SELECTOR, ".comparison:first-child .faces img")
    assert right.get_attribute("src") == faces[-1].get_attribute("src") != before


def test_a_phone_need_not_scroll_sideways(page: Any, page_path: Path) -> None:
    phone = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    page.get(page_path.as_uri())
    for entry in page.find_elements(By.CSS_SELECTOR, "details > summary"):
        page.execute_script("arguments[0].parentElement.open = true", entry)
    assert page.execute_script("return document.documentElement.scrollWidth") == 360
    headings = page.execute_script(
        "return [...document.querySelectorAll('caption, th[scope=rowgroup] span')]"
        ".map((each) => each.getBoundingClientRect().right)"
    )
    assert max(headings) <= 360
    wide = "const s = document.querySelector('#table1 .scrolling');"
    assert page.execute_script(f"{wide} return s.scrollWidth > s.clientWidth && s.tabIndex === 0")
    _one(page, "#table1 tr.here a").send_keys(Keys.ENTER)
    assert page.execute_script("return document.documentElement.scrollWidth") == 360
    assert _one(page, "#dialog").size["width"] <= 360


def test_without_scripts_the_page_is_complete(page: Any, page_path: Path) -> None:
    page.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    page.get(page_path.as_uri())
    switch = _one(page, "#table1 .differences")
    switch.send_keys(Keys.SPACE)
    assert all(_visible(page, "#table1 tr.difference"))
    assert all(_visible(page, ".faces img")) and not any(_visible(page, ".slider"))
    chain = _one(page, "#upstream-table1-one-toy")
    assert not chain.is_displayed()
    _one(page, "#table1 tr.difference a").send_keys(Keys.ENTER)
    assert chain.is_displayed() and "id-of-evaluate-one-toy" in chain.text


def test_text_has_contrast_on_light_and_dark_screens(page: Any) -> None:
    for scheme in ("light", "dark"):
        feature = {"name": "prefers-color-scheme", "value": scheme}
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": [feature]})
        colours = page.execute_script(_COLOURS)
        assert len(colours) == 7
        (paper,) = {tuple(colour) for name, colour in colours.items() if name == "paper"}
        for name, colour in colours.items():
            if name not in ("paper", "line"):
                assert _contrast(tuple(colour), paper) >= 4.5, (scheme, name)


def test_what_is_for_screens_is_not_printed(page: Any) -> None:
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert not any(_visible(page, "nav, .switch, .slider, dialog"))
    assert all(_visible(page, "#table1 tr.here, .faces img, .figure img"))


_COLOURS = """
const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
const style = getComputedStyle(document.documentElement);
return Object.fromEntries(["paper", "ink", "faint", "line", "link", "good", "bad"].map((name) => {
  canvas.fillStyle = style.getPropertyValue(`--${name}`);
  canvas.fillRect(0, 0, 1, 1);
  return [name, [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3)];
}));
"""


def _contrast(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    """Of two sRGB colours, by WCAG 2.2."""
    darker, lighter = sorted(map(_luminance, (one, other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: tuple[int, ...]) -> float:
    parts = [value / 255 for value in colour]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts]
    return sum(weight * v for weight, v in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
