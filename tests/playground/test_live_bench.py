"""The figures of live recognition are taken as they say."""

from __future__ import annotations

from pathlib import Path

import pytest

from playground import bench
from playground.bench import live, live_child
from playground.console import Console
from tests.playground.capture_kit import children
from tests.playground.live_kit import picture_model, shaken


class InProcess:
    """The child's answers without the child."""

    def __init__(self, module: str, arguments: list[str]) -> None:
        assert module == "playground.bench.live_child"
        self._bench = live_child.Bench(*arguments)

    def answer(self) -> dict[str, bool]:
        return {"ready": True}

    def ask(self, **question: object) -> dict[str, object]:
        return self._bench.answer(question)

    def close(self) -> None:
        self._bench.close()
        assert children() == []


@pytest.mark.full
def test_every_figure_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PLAYGROUND_CACHE", str(tmp_path))
    monkeypatch.setattr(live, "Child", InProcess)
    monkeypatch.setattr(live, "LAUNCHES", 1)
    monkeypatch.setattr(live, "FRAMES", 6)
    monkeypatch.setattr(live_child, "LONG_RUN", 0.1)
    slow = shaken(picture_model(64, channels=64, deep=8))
    monkeypatch.setattr(live_child, "load_named", lambda name: slow)
    rows = bench.run(["live"], 1, 0.5, Console(json=True))
    launch, first, ratio, latency, overload, teach, training, window = rows
    assert {row["bench"] for row in rows} == {"live"}
    assert set(first["engines_ms"]) == {"eager", "channels-last", "onnxruntime"}
    assert first["engine"] in first["engines_ms"]
    assert ratio["ratio"]["median"] == pytest.approx(
        ratio["live"]["median"] / ratio["bare"]["median"]
    )
    assert 0.5 < ratio["ratio"]["median"] < 1.5
    assert 0 < latency["inference_ms"] < latency["p95_ms"]
    assert latency["limit_ms"] > 1e3 / latency["rate"]
    assert overload["rate"] > 1.5 * latency["rate"]
    assert overload["dropped"] > 0
    assert 50 < overload["late_mb"] < overload["early_mb"] + 20
    (minute,) = overload["minutes"]
    assert minute["minute"] == 1
    assert 0 < minute["p50_ms"] <= minute["p95_ms"]
    assert minute["memory_mb"] > 50
    assert 0.5 < launch["seconds"]["median"] < 30
    assert launch["first_use"] > 0.5
    assert teach["examples"] >= 3
    assert 0 < teach["fit_ms"] < teach["right_ms"]
    assert training["answers"]["median"] > 1
    for late in (window["lateness"]["live"], window["lateness"]["looking inside"]):
        assert 0 <= late["p50"] <= late["p99"] <= late["max"]
        assert late["count"] > 10
    assert -1 < training["slowed"]["median"] < 0.6
    capsys.readouterr()
    what = [row.get("what") for row in rows[3:]]
    assert what == ["latency", "overload", "teach", "training", "window"]
