"""The program of a capture process: ``python -m playground.capture.child``.

Orders come as one JSON line on standard input, whose end means: end. News go out as JSON lines.
No torch and no Qt here, so that it is up in a quarter of a second.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any

from playground.capture.outlet import Fault, Outlet


def _end_with_parent(asked: threading.Event) -> None:
    """The parent closes our standard input, or the system does when the parent is killed."""
    sys.stdin.buffer.read()
    asked.set()
    time.sleep(0.2)  # the driver is told, unless it does not listen
    os._exit(0)


def main() -> None:
    orders = json.loads(sys.stdin.buffer.readline())
    # what native libraries print must not come among the news
    own = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    with open(os.devnull, "wb") as nothing:  # noqa: PTH123
        os.dup2(nothing.fileno(), sys.stdout.fileno())
    asked = threading.Event()
    threading.Thread(target=_end_with_parent, args=(asked,), daemon=True).start()
    outlet = Outlet(own)
    try:
        said = _work(orders, outlet, asked)
        outlet.close(**said)
    except Fault as fault:
        outlet.close(fault=str(fault), final=fault.final)
    except MemoryError:
        outlet.close(fault=f"there is not enough memory for {orders['title']}")
    except Exception as error:  # a library that is missing, a driver's own exception
        outlet.close(fault=f"{orders['title']} cannot be used: {type(error).__name__}: {error}")
    os._exit(0)  # some drivers hang in their clean-up


def _work(orders: Mapping[str, Any], outlet: Outlet, asked: threading.Event) -> dict[str, Any]:
    if orders["what"] == "camera":
        from playground.capture import pictures

        return pictures.run(orders, outlet, asked)
    if orders["what"] == "microphone":
        from playground.capture import sounds

        return sounds.run(orders, outlet, asked)
    from playground.capture import listing

    return {"devices": listing.find(orders["what"])}


if __name__ == "__main__":
    main()
