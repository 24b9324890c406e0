"""Images as PNG, in memory."""

import base64
import io

import numpy as np
from PIL import Image


def encode_png(image: np.ndarray, *, optimize: bool = False) -> bytes:
    """Encode an image, uint8 H×W×3, without loss; `optimize` makes it smaller and takes longer."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG", optimize=optimize)
    return buffer.getvalue()


def to_data_uri(png: bytes) -> str:
    """The content of a PNG file as a data URI."""
    return f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"
