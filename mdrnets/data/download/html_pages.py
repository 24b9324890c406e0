"""Detect HTML pages that a server sends instead of a file.

Google Drive sends a form to confirm before a large file, and a page when a download quota is used
up.
"""

from collections.abc import Sequence
from html.parser import HTMLParser
from urllib.parse import urljoin

_HTML_STARTS = (b"<!doctype html", b"<html", b"<?xml", b"<head")
_FORM_ID = "download-form"  # of Google Drive
_QUOTA_PHRASES = ("quota exceeded", "too many users have viewed or downloaded")
_SIGN_IN_PHRASES = ("accounts.google.com", "you need access", "you need permission")


def is_html_page(content_type: str, start: bytes) -> bool:
    """Return whether a response is an HTML page, by its header or its first bytes.

    Args:
        content_type: the header `Content-Type`.
        start: the first bytes of the body.
    """
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()[:32].lower()
    return content_type.lower().startswith("text/html") or text.startswith(_HTML_STARTS)


def explain_page(page: str, status: int) -> str:
    """Return why the server sent a page without a form, to be used inside an error message."""
    text = page.lower()
    if any(phrase in text for phrase in _QUOTA_PHRASES):
        return "Google Drive's download quota of this file is used up; try again in a day"
    if any(phrase in text for phrase in _SIGN_IN_PHRASES):
        return "the server asks to sign in"
    return f"the server sent a web page instead of a file (status {status})"


def read_confirmation_form(page: str, url: str) -> tuple[str, Sequence[tuple[str, str]]] | None:
    """Return URL and parameters that confirm the download form of a page; None: it has no form.

    Args:
        page: the text of the page.
        url: its URL, to which the action of the form is relative.
    """
    form = _FormParser()
    form.feed(page)
    return None if form.action is None else (urljoin(url, form.action), form.fields)


class _FormParser(HTMLParser):
    """Collects action and fields of the download form."""

    def __init__(self) -> None:
        super().__init__()
        self.action: str | None = None
        self.fields: list[tuple[str, str]] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form" and values.get("id") == _FORM_ID:
            self.action, self._inside = values.get("action"), True
        elif tag == "input" and self._inside and "name" in values:
            self.fields.append((values["name"], values.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
