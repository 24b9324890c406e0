"""The RO-Crate validator, without network; it asks for the context of RO-Crate 1.1 and no more."""

import io
import json
from pathlib import Path
from unittest.mock import patch

import requests
import rocrate.rocrate
from rocrate_validator import services
from urllib3.response import HTTPResponse

CONTEXT = "https://w3id.org/ro/crate/1.1/context"


def issues(crate: Path, profile: str) -> list[str]:
    """What a profile requires and a crate lacks."""
    with patch.object(requests.adapters.HTTPAdapter, "send", _send):
        settings = services.ValidationSettings(
            rocrate_uri=str(crate), profile_identifier=profile, no_cache=True
        )
        result = services.validate(settings)
    return [issue.message for issue in result.get_issues()]


def _send(
    adapter: requests.adapters.HTTPAdapter, request: requests.PreparedRequest, **_: object
) -> requests.Response:
    if request.url != CONTEXT:
        raise requests.ConnectionError(f"the network was asked for {request.url}")
    response = requests.Response()
    response.status_code, response.url, response.request = 200, CONTEXT, request
    response.headers["Content-Type"] = "application/ld+json"
    response.raw = HTTPResponse(io.BytesIO(_context()), preload_content=False)
    return response


def _context() -> bytes:
    """That of version 1.3, which `rocrate` has, with the four terms that were others in 1.1."""
    path = Path(rocrate.rocrate.__file__).with_name("data") / "ro-crate.jsonld"
    content = json.loads(path.read_text(encoding="utf-8"))
    workflow = "https://bioschemas.org/ComputationalWorkflow"
    content["@context"] |= {
        "ComputationalWorkflow": workflow,
        "FormalParameter": "https://bioschemas.org/FormalParameter",
        "input": f"{workflow}#input",
        "output": f"{workflow}#output",
    }
    return json.dumps(content).encode()
