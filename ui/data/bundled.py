"""The data that come with the application, ready to be used."""

from __future__ import annotations

from dataclasses import dataclass

from playground.data.settings import DataSettings, SplitSettings


@dataclass(frozen=True)
class Bundled:
    """A bundled set: its title, icon, a sentence about it, and the settings that open it."""

    title: str
    icon: str
    summary: str
    settings: DataSettings


def _series(name: str) -> DataSettings:
    options = {
        "path": f"sample:series/{name}_train.csv",
        "test_path": f"sample:series/{name}_test.csv",
    }
    return DataSettings("series", options, SplitSettings(validation=0.2, test=0))


def _forecast(
    name: str, window: int, horizon: int, unit: str, split: SplitSettings, **more: object
) -> DataSettings:
    options = {
        "path": f"sample:series/{name}.csv",
        "task": "forecast",
        "window": window,
        "horizon": horizon,
        "unit": unit,
        **more,
    }
    return DataSettings("table", options, split)


BUNDLED = (
    Bundled(
        "Handwritten digits",
        "digits",
        "5,000 pictures of the digits 0 to 9, 28×28 pixels (MNIST).",
        DataSettings("digits", {}, SplitSettings(validation=500, test=1000)),
    ),
    Bundled(
        "GunPoint",
        "series",
        "200 movements of a hand, 150 steps each: was a gun drawn, or a finger pointed?",
        _series("gunpoint"),
    ),
    Bundled(
        "Italian power demand",
        "series",
        "1,096 days of 24 hours: winter or summer?",
        _series("italy_power"),
    ),
    Bundled(
        "Airline passengers",
        "table",
        "144 months, 1949 to 1960, to be forecast a year ahead.",
        _forecast(
            "airline_passengers",
            24,
            12,
            "thousand",
            SplitSettings(validation=24, test=24),
            logarithm=True,
        ),
    ),
    Bundled(
        "Sunspots",
        "table",
        "The sun's activity in 309 years, to be forecast a year ahead.",
        _forecast("sunspots", 33, 1, "", SplitSettings()),
    ),
    Bundled(
        "Carbon dioxide",
        "table",
        "Weekly measurements on Mauna Loa, 1958 to 2001, to be forecast.",
        _forecast("co2_weekly", 104, 13, "ppm", SplitSettings()),
    ),
    Bundled(
        "Spoken words",
        "waveform",
        "684 recordings of 18 words by ten synthetic voices, a second each.",
        DataSettings("sound", {"path": "sample:speech"}),
    ),
    Bundled(
        "Review sentences",
        "text",
        "2,000 sentences about films and goods: praise or complaint?",
        DataSettings("text", {"path": "sample:sentences"}),
    ),
    Bundled(
        "Surnames",
        "text",
        "5,540 surnames of eight countries, to be told apart by their letters.",
        DataSettings("text", {"path": "sample:names"}),
    ),
)
