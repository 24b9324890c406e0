"""Web pages that arrive in the place of a file: recognised, explained, confirmed.

Google Drive asks by a form before it sends a large file, and says by a page that a quota is spent.
"""

from collections.abc import Sequence
from html.parser import HTMLParser
from urllib.parse import urljoin

_BEGINNINGS = (b"<!doctype html", b"<html", b"<?xml", b"<head")
_FORM = "download-form"  # the id of Google Drive's
_QUOTA = ("quota exceeded", "too many users have viewed or downloaded")
_SIGN_IN = ("accounts.google.com", "you need access", "you need permission")


def is_page(content_type: str, start: bytes) -> bool:
    """Whether an answer is a page, by what the server says, or by its first bytes.

    Args:
        content_type: the header.
        start: of the body.
    """
    beginning = start.removeprefix(b"\xef\xbb\xbf").lstrip()[:32].lower()
    return content_type.lower().startswith("text/html") or beginning.startswith(_BEGINNINGS)


def explained(page: str, status: int) -> str:
    """What a page that is no form means, as the rest of a sentence."""
    text = page.lower()
    if any(words in text for words in _QUOTA):
        return "Google Drive's download quota of this file is spent; it comes back within a day"
    if any(words in text for words in _SIGN_IN):
        return "the server asks to sign in"
    return f"it is a web page there, not a file (answer {status})"


def confirmation(page: str, url: str) -> tuple[str, Sequence[tuple[str, str]]] | None:
    """Address and parameters by which the form of a page is confirmed; None: it has none.

    Args:
        page: its text.
        url: where it was, to which the form's address is relative.
    """
    form = _Form()
    form.feed(page)
    return None if form.action is None else (urljoin(url, form.action), form.fields)


class _Form(HTMLParser):
    """The download form of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.action: str | None = None
        self.fields: list[tuple[str, str]] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form" and values.get("id") == _FORM:
            self.action, self._inside = values.get("action"), True
        elif tag == "input" and self._inside and "name" in values:
            self.fields.append((values["name"], values.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
