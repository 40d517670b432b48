"""What the live view remembers from one start of the program to the next."""

from __future__ import annotations

from playground.live.settings import LiveSettings
from ui.settings import settings

MEDIA = ("pictures", "sound", "series")


class Kept:
    """The addresses of devices by medium, and for each kind of them (a camera, a stream, files)
    whether its pictures are mirrored. Those of a camera are at first: people know themselves from
    the mirror."""

    def __init__(self) -> None:
        record = settings().value("record/camera", "")
        self.addresses = {medium: self._address(medium) for medium in MEDIA}
        self.addresses["pictures"] = self.addresses["pictures"] or str(record)
        self._mirrored: dict[str, bool] = {}

    def set_address(self, medium: str, address: str, *, keep: bool) -> None:
        self.addresses[medium] = address
        if keep and "@" not in address:  # a password is nobody's business but the camera's
            settings().setValue(f"live/{medium}", address)

    def forget_address(self, medium: str) -> None:
        """What stood in for a device is gone: back to the one that was kept."""
        self.addresses[medium] = self._address(medium)

    def mirrored(self, address: str) -> bool:
        kind = _kind(address)
        if kind not in self._mirrored:
            otherwise = "true" if kind == "camera" else "false"
            self._mirrored[kind] = str(settings().value(f"live/mirror_{kind}", otherwise)) == "true"
        return self._mirrored[kind]

    def set_mirrored(self, address: str, mirrored: bool) -> None:
        kind = _kind(address)
        self._mirrored[kind] = mirrored
        settings().setValue(f"live/mirror_{kind}", "true" if mirrored else "false")

    @staticmethod
    def _address(medium: str) -> str:
        return str(settings().value(f"live/{medium}", ""))


def kept_settings() -> LiveSettings:
    """Smoothing and threshold as they were set the last time."""
    return LiveSettings(
        smoothing=_number(settings().value("live/smoothing"), 0.3, 60),
        threshold=_number(settings().value("live/threshold"), 0.0, 1),
    )


def keep_settings(settled: LiveSettings) -> None:
    store = settings()
    store.setValue("live/smoothing", settled.smoothing)
    store.setValue("live/threshold", settled.threshold)


def _kind(address: str) -> str:
    """A camera where nothing is chosen yet."""
    if not address or address.isdecimal():
        return "camera"
    return "stream" if "://" in address else "files"


def _number(value: object, otherwise: float, most: float) -> float:
    """A number from the settings, which a person may have edited."""
    try:
        found = float(str(value))
    except ValueError:
        return otherwise
    return found if 0 <= found <= most else otherwise
