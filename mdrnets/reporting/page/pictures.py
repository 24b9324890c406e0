"""Images of the page as data URIs."""

import base64
from pathlib import Path


def encode_png(path: Path) -> str:
    """A PNG file as a data URI."""
    return to_data_uri(path.read_bytes())


def to_data_uri(png: bytes) -> str:
    """The content of a PNG file as a data URI."""
    return f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"
