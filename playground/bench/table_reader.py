"""One contender in a process of its own, for ``tables``:
``python -m playground.bench.table_reader polars|preview|dataset FILE``.
"""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path
from typing import Any

from playground.bench.child import serve

Row = dict[str, Any]


def read(what: str, path: Path) -> Any:
    """The table, as one would have it for looking or for training."""
    if what == "polars":
        import polars

        return polars.read_csv(path)
    from playground.data import DataSettings, inspect_table, open_data

    if what == "preview":
        return inspect_table(path)
    return open_data(DataSettings("table", {"path": str(path)}), path.parent)


class Peak:
    """The most memory that the process takes for itself while it is watched, in MB; pages of the
    file itself, which the system can drop at any time, are not counted where it tells."""

    def __init__(self) -> None:
        self.before = self.most = self._now()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    @staticmethod
    def _now() -> float:
        import psutil

        found = psutil.Process().memory_info()
        return float(found.rss - getattr(found, "shared", 0)) / 1e6

    def _watch(self) -> None:
        while not self._ended.wait(0.005):
            self.most = max(self.most, self._now())

    def megabytes(self) -> float:
        self._ended.set()
        self._thread.join()
        return max(self.most, self._now()) - self.before


def main(what: str, path: str) -> None:
    """Libraries are imported before the time is taken: nobody waits for them twice."""
    small = Path(path).with_name("small.csv")
    read(what, small)

    def answer(question: Row) -> Row:
        peak = Peak()
        started = time.perf_counter()
        table = read(what, Path(path))
        seconds = time.perf_counter() - started
        megabytes = peak.megabytes()
        del table
        return {"seconds": seconds, "megabytes": megabytes}

    serve(answer)


if __name__ == "__main__":
    main(*sys.argv[1:])
