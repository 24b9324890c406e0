"""Hide the secrets of URLs: user, password, query and fragment.

Everything that shows or stores a URL uses `redact_urls`: messages, run records, MLflow, exports.
"""

import re

_URL = re.compile(
    r"""(?P<scheme>\b[a-z][a-z0-9+.-]*://)
    (?:[^/?\#\s]*@)?                     # user and password
    (?P<address>[^?\#\s"'<>]*)
    (?P<query>[?\#][^\s"'<>]*)?""",
    re.IGNORECASE | re.VERBOSE,
)


def redact_urls(text: str) -> str:
    """Return a text with `?…` instead of the query of each URL, and without user and password."""
    return _URL.sub(_redact, text)


def _redact(url: re.Match[str]) -> str:
    return url["scheme"] + url["address"] + ("?…" if url["query"] else "")
