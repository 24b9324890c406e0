"""Coarse-to-fine Memory-Disentangled Refinement Networks (arXiv 2204.02824), regenerated.

`load_method` and `complete` are for use from Python; see `mdrnets.exchange.python_api`.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mdrnets.exchange.python_api import LoadedMethod, Square, align_face, complete, load_method

__all__ = ["LoadedMethod", "Square", "align_face", "complete", "load_method"]


def __getattr__(name: str) -> Any:
    """Import PyTorch when a name is used, and not with every module of the package."""
    if name in __all__:
        return getattr(importlib.import_module("mdrnets.exchange.python_api"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
