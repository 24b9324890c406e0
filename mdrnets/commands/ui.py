"""Show the runs of a profile in a browser, with MLflow.

Sends the records and trained networks that MLflow does not have yet, and opens the page of the
profile's runs: of the server that MLFLOW_TRACKING_URI names, otherwise of one that it starts on
this machine, for the project's database. Ctrl-C or SIGTERM ends that server.
"""

import signal
import subprocess
import sys
import time
import webbrowser
from collections.abc import Sequence

from mdrnets.commands.command_line import command_parser
from mdrnets.errors import UserError
from mdrnets.execution.ports import HOST, add_browser_options, choose_port, is_used

FIRST_PORT = 5000
START_TIMEOUT = 120.0
"""Seconds that MLflow may take to start."""


def main(arguments: Sequence[str]) -> int:
    parser = command_parser("ui", __doc__)
    add_browser_options(parser, first=FIRST_PORT)
    options = parser.parse_args(arguments)

    from mdrnets.config.load import load_config
    from mdrnets.exchange.logged_models import send_all
    from mdrnets.tracking.mlflow_store import open_store, require_store, server_uri, tracking_uri

    config = load_config(options.profile)
    with require_store():
        send_all(config)
        with open_store(config.name) as store:
            experiment = store.experiment
    if tracking_uri().startswith(("http://", "https://")):
        _show(tracking_uri(), experiment, browser=not options.no_browser)
        return 0
    port = choose_port(options.port, first=FIRST_PORT)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "mlflow", "server", "--workers", "1"),
            *("--backend-store-uri", server_uri(), "--host", HOST, "--port", str(port)),
        ],
        stdout=sys.stderr,
    )
    try:
        _wait(server, port)
        _show(f"http://{HOST}:{port}", experiment, browser=not options.no_browser)
        return server.wait()
    finally:
        server.terminate()
        server.wait()


def runs_page(server: str, experiment: str) -> str:
    """The address of an experiment's runs.

    MLflow's first page, and an experiment's, show the traces of language models.
    """
    page = f"#/experiments/{experiment}/runs?workflowType=machine_learning"
    return f"{server.rstrip('/')}/{page}"


def _show(server: str, experiment: str, *, browser: bool) -> None:
    from mdrnets.config.redaction import redact_urls

    print(f"the runs: {runs_page(redact_urls(server), experiment)}", flush=True)
    if browser:
        webbrowser.open(runs_page(server, experiment))


def _wait(server: "subprocess.Popen[bytes]", port: int) -> None:
    """Wait until the server answers.

    Raises:
        UserError: it ended, or did not answer in time.
    """
    end = time.monotonic() + START_TIMEOUT
    while not is_used(port):
        if server.poll() is not None or time.monotonic() > end:
            raise UserError(f"port {port}: MLflow did not start; its messages are above")
        time.sleep(0.1)
