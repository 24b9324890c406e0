"""The demo page in headless Chromium: with the mouse, by keyboard alone, on a phone."""

import base64
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mdrnets.data.dataset import map_images
from mdrnets.demo.server import DemoServer
from tests.helpers.browser import needs_chromium
from tests.helpers.project import LAYOUT

pytest.importorskip("selenium.webdriver", reason="needs selenium")
pytestmark = needs_chromium

from selenium.webdriver.common.action_chains import ActionChains  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.remote.webelement import WebElement  # noqa: E402
from selenium.webdriver.support.wait import WebDriverWait  # noqa: E402

WIDTHS = (390, 1440)


@pytest.fixture
def page(chromium: Any, server: DemoServer) -> Any:
    """The page, with its first test face."""
    chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    chromium.get("about:blank")
    chromium.get_log("performance"), chromium.get_log("browser")
    chromium.get(f"http://127.0.0.1:{server.server_port}/")
    _wait(chromium, lambda: _text(chromium, "share") == "There is no hole yet.")
    return chromium


def _wait(page: Any, condition: Any) -> None:
    WebDriverWait(page, 60, poll_frequency=0.05).until(lambda _: condition())


def _get(page: Any, name: str) -> WebElement:
    element: WebElement = page.find_element(By.ID, name)
    return element


def _text(page: Any, name: str) -> str:
    return _get(page, name).text


def _share(page: Any) -> float:
    """Percent of the square that are missing."""
    words = _text(page, "share").split()
    return float(words[3]) if words[0] == "The" else 0.0


def _set(page: Any, name: str, value: int) -> None:
    """Move a slider."""
    page.execute_script(
        "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input'))",
        _get(page, name),
        value,
    )


def _completion(page: Any) -> np.ndarray:
    """The pixels of the completion that can be saved, as soon as it is there."""
    selector = "#results [data-name=toy] a"
    _wait(page, lambda: page.find_elements(By.CSS_SELECTOR, selector))
    link = page.find_element(By.CSS_SELECTOR, selector)
    assert link.get_attribute("download") == "toy.png"
    image = page.find_element(By.CSS_SELECTOR, "#results [data-name=toy] img")
    assert image.get_attribute("alt") == "Completed by Toy"
    return _decode(link.get_attribute("href"))


def _decode(address: str) -> np.ndarray:
    png = base64.b64decode(address.partition(",")[2])
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def _upload(page: Any, path: Path, *, width: int, height: int) -> np.ndarray:
    pixels = np.random.default_rng(2).integers(0, 256, (height, width, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    _get(page, "upload").send_keys(str(path))
    _wait(page, lambda: _get(page, "square-field").is_displayed())
    return pixels


def test_a_painted_hole_is_filled_and_nothing_else_changes(page: Any) -> None:
    easel = _get(page, "easel")
    brush = ActionChains(page).move_to_element(easel).click_and_hold()
    brush.move_by_offset(40, 20).move_by_offset(10, 30).release().perform()
    assert 1 < _share(page) < 30
    _get(page, "fill").click()
    before, after = map_images(LAYOUT, "one")[7], _completion(page)
    share = (before != after).any(axis=-1).mean()
    assert 0 < share <= _share(page) / 100 + 0.001
    _wait(page, lambda: _text(page, "status") == "1 of 1 done")
    captions = [each.text for each in page.find_elements(By.TAG_NAME, "figcaption")]
    assert captions == ["Picture", "With its hole", "Toy toy Save"]
    assert not _text(page, "error")


def test_nothing_but_the_server_is_asked_and_nothing_goes_wrong(
    page: Any, server: DemoServer
) -> None:
    page.find_element(By.CSS_SELECTOR, "[data-hole=mouth]").click()
    _get(page, "fill").click()
    _completion(page)
    messages = [json.loads(entry["message"])["message"] for entry in page.get_log("performance")]
    requested = {
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    }
    own = f"http://127.0.0.1:{server.server_port}/"
    assert f"{own}complete" in requested
    assert all(url.startswith((own, "data:", "blob:")) for url in requested)
    assert page.get_log("browser") == []


def test_everything_can_be_done_by_keyboard(page: Any) -> None:
    def tab_to(name: str) -> None:
        for _ in range(30):
            if page.switch_to.active_element.get_attribute("id") == name:
                return
            ActionChains(page).send_keys(Keys.TAB).perform()  # an element for files takes paths
        pytest.fail(f"{name} cannot be reached")

    page.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    assert page.switch_to.active_element.text == "Skip to the picture"
    tab_to("easel")
    easel = page.switch_to.active_element
    easel.send_keys(Keys.ARROW_UP, Keys.ARROW_LEFT, " ")
    point = _share(page)
    assert "brush is at" in _text(page, "share") and point > 0
    for _ in range(4):
        ActionChains(page).key_down(Keys.SHIFT).send_keys(Keys.ARROW_RIGHT).key_up(
            Keys.SHIFT
        ).perform()
    assert _share(page) > point
    tab_to("fill")
    page.switch_to.active_element.send_keys(Keys.ENTER)
    _completion(page)


def test_the_hole_is_erased_and_cleared(page: Any) -> None:
    page.find_element(By.CSS_SELECTOR, "[data-hole=half]").click()
    half = _share(page)
    page.find_element(By.CSS_SELECTOR, "[value=erase]").click()
    _set(page, "brush", 40)
    ActionChains(page).move_to_element_with_offset(_get(page, "easel"), -60, 0).click().perform()
    assert 0 < _share(page) < half
    _get(page, "clear").click()
    assert _share(page) == 0
    _get(page, "fill").click()
    _wait(page, lambda: _text(page, "error").startswith("hole: "))
    assert not page.find_elements(By.TAG_NAME, "figure")


def test_of_an_own_picture_a_square_is_completed(page: Any, tmp_path: Path) -> None:
    pixels = _upload(page, tmp_path / "own.png", width=90, height=60)
    _set(page, "side", 40)
    _set(page, "left", 50)
    _set(page, "top", 10)
    page.find_element(By.CSS_SELECTOR, "[data-hole=eyes]").click()
    _get(page, "fill").click()
    changed = (_completion(page) != pixels).any(axis=-1)
    rows, columns = np.nonzero(changed)
    assert rows.min() >= 10 and rows.max() < 50 and columns.min() >= 50
    first = page.find_element(By.CSS_SELECTOR, "#results img").get_attribute("src")
    assert np.array_equal(_decode(first), pixels[10:50, 50:90])
    _set(page, "left", 0)
    _get(page, "fill").click()
    _wait(page, lambda: _text(page, "error").startswith("hole: "))


def test_a_large_picture_is_scaled_down(page: Any, tmp_path: Path) -> None:
    _upload(page, tmp_path / "large.png", width=1500, height=1000)
    size = page.execute_script(
        "const c = document.getElementById('picture');return [c.width, c.height]"
    )
    assert size == [1024, 683]


@pytest.mark.parametrize("late", [False, True])
def test_a_face_belongs_to_the_picture_that_was_searched(
    page: Any, tmp_path: Path, late: bool
) -> None:
    page.execute_script(
        "window.fetch = () => new Promise((resolve) => {"
        "  const corners = [[1, 2], [5, 2], [5, 6], [1, 6]];"
        "  window.answer = () => resolve(new Response(JSON.stringify({ square: {}, corners })));"
        "})"
    )
    _upload(page, tmp_path / "own.png", width=90, height=60)
    page.execute_script("document.getElementById('find').click()")
    if late:
        _upload(page, tmp_path / "next.png", width=80, height=60)
        _wait(page, lambda: _get(page, "picture").get_attribute("width") == "80")
    page.execute_async_script("answer(); setTimeout(arguments[0], 200)")
    found = _get(page, "outline").get_attribute("points") == "1,2 5,2 5,6 1,6"
    assert found != late
    assert ("found" in _text(page, "status")) != late


def test_what_is_no_picture_is_named(page: Any, tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no picture")
    _get(page, "upload").send_keys(str(tmp_path / "text.png"))
    _wait(page, lambda: _text(page, "error").startswith("text.png: "))


def test_an_ended_program_is_said(page: Any, server: DemoServer) -> None:
    server.demo.close()
    page.find_element(By.CSS_SELECTOR, "[data-hole=mouth]").click()
    _get(page, "fill").click()
    _wait(page, lambda: "mdrnets demo" in _text(page, "error"))


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_cut_off(page: Any, width: int, tmp_path: Path) -> None:
    metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    _upload(page, tmp_path / "own.png", width=90, height=60)  # shows all fields
    page.find_element(By.CSS_SELECTOR, "[data-hole=eyes]").click()
    _get(page, "fill").click()
    _completion(page)
    outside = page.execute_script(
        "return [...document.querySelectorAll('main *')].filter(each => {"
        "  const box = each.getBoundingClientRect();"
        "  return box.width && (box.right > innerWidth + 0.5 || box.left < -0.5)"
        "}).map(each => each.outerHTML)"
    )
    assert outside == []
    assert page.execute_script("return document.documentElement.scrollWidth") <= width


def test_every_control_has_a_name(page: Any, tmp_path: Path) -> None:
    _upload(page, tmp_path / "own.png", width=90, height=60)
    roles = {"application", "button", "combobox", "radio", "slider", "spinbutton", "image"}
    nodes = page.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    names = [
        (node["role"]["value"], node.get("name", {}).get("value", ""))
        for node in nodes
        if not node["ignored"] and node.get("role", {}).get("value") in roles
    ]
    assert {role for role, _ in names} >= roles - {"combobox", "image"}
    assert all(name for _, name in names), names
