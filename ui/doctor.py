"""Whether a window can be opened here; prints one JSON line. Run by ``playground doctor``."""

from __future__ import annotations

import json
import sys

from PySide6 import __version__
from PySide6.QtGui import QGuiApplication


def main() -> int:
    app = QGuiApplication(sys.argv[:1])
    screens = [
        {
            "width": screen.size().width(),
            "height": screen.size().height(),
            "scale": screen.devicePixelRatio(),
            "hz": round(screen.refreshRate()),
        }
        for screen in app.screens()
    ]
    sizes = ", ".join("{width}×{height}".format(**screen) for screen in screens) or "no screen"
    text = f"{app.platformName()}, {sizes}, PySide6 {__version__}"
    details = {"platform": app.platformName(), "screens": screens, "pyside6": __version__}
    print(json.dumps({"text": text, **details}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
