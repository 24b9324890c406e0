"""Paint a hole on a picture, and see how each trained method fills it, in a browser.

Opens a page of this machine, which nobody else can reach, with the methods that the profile has
trained. Pictures are not stored. Ctrl-C ends it.
"""

import webbrowser
from collections.abc import Sequence
from threading import Thread

from mdrnets.commands.command_line import command_parser
from mdrnets.execution.ports import HOST, add_browser_options, choose_port

FIRST_PORT = 5100


def main(arguments: Sequence[str]) -> int:
    parser = command_parser("demo", __doc__)
    add_browser_options(parser, first=FIRST_PORT)
    options = parser.parse_args(arguments)

    from mdrnets.config.load import load_config
    from mdrnets.demo.methods import Demo
    from mdrnets.demo.server import DemoServer

    demo = Demo(load_config(options.profile))
    try:
        with DemoServer(demo, choose_port(options.port, first=FIRST_PORT)) as server:
            address = f"http://{HOST}:{server.server_port}/"
            print(f"the demo: {address} (Ctrl-C ends it)", flush=True)
            if not options.no_browser:
                # A browser of the terminal returns when it is closed.
                Thread(target=webbrowser.open, args=[address], daemon=True).start()
            server.serve_forever()
    finally:
        demo.close()
    return 0
