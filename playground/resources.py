"""Where the bundled files are: examples, sample data, icons and fonts."""

from __future__ import annotations

from pathlib import Path

RESOURCES = Path(__file__).resolve().parent.parent / "resources"
SAMPLES = RESOURCES / "samples"
EXAMPLES = RESOURCES / "examples"
