"""What is said over the live picture where there is something to say, and the ways out of it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from playground.capture import CaptureStatus
from playground.console import size
from playground.live.what import Runnable

SLOW_S = 2.0
OFF = "Live is off. F8 starts it."
PLAIN = re.compile(r"\d+×\d+ from [^;]*\.")
"""How a device that is well describes itself."""
AGAIN = ("again", "Try again")
CANCEL = ("stop", "Cancel")


@dataclass(frozen=True)
class Manner:
    """How a kind of device is spoken of: while it is looked for, and what stands in for one (a
    way's id and a button's text). ``plain``: how one that is well describes itself."""

    looking: str
    stand_in: tuple[str, str]
    slow: str = ""
    plain: re.Pattern[str] = PLAIN


CAMERA = Manner(
    "Looking for cameras …", ("clip", "Use the bundled clip"), " · some drivers take 20 s"
)


@dataclass(frozen=True)
class State:
    """How things are. ``device`` None: nothing is open. ``seen``: there has been a picture of this
    device; ``named``: what people call it; ``refused``: why a download failed."""

    running: bool
    address: str
    named: str
    device: CaptureStatus | None
    network: CaptureStatus | None
    what: Runnable
    seen: bool = False
    answered: bool = False
    downloading: str = ""
    refused: str = ""
    problem: str = ""
    manner: Manner = CAMERA


@dataclass(frozen=True)
class Said:
    """A sentence over the stage with its ways out (an id and a button's text each); ``hint`` and
    ``note`` are said beside a picture that goes on. ``dimmed``: the picture is not of now."""

    text: str = ""
    ways: tuple[tuple[str, str], ...] = ()
    hint: str = ""
    note: str = ""
    dimmed: bool = True


def sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith(".") else f"{text}."


def said(state: State) -> Said:
    """What to say of ``state``."""
    if not state.running:
        if state.address:
            return Said(OFF)
        return Said(state.manner.looking)
    if state.problem:
        return Said(state.problem, (AGAIN, state.manner.stand_in))
    if state.device is None:
        return Said("" if state.address else state.manner.looking)
    return _of_device(state, state.device) or _of_network(state, state.device)


def _of_device(state: State, device: CaptureStatus) -> Said | None:
    """Of a device that gives no pictures."""
    match device.state:
        case "opening" | "running" if not state.seen:
            driven = state.address.isdecimal()  # files and streams have no driver
            slow = state.manner.slow if driven and device.seconds > SLOW_S else ""
            text = f"Opening {state.named} … {device.seconds:.0f} s{slow}"
            return Said(text, (CANCEL,))
        case "opening":
            return Said(device.message, (CANCEL,))
        case "reconnecting":
            return Said(device.message, (("again", "Try now"), state.manner.stand_in))
        case "ended":
            return Said(device.message, (("again", "Again"), state.manner.stand_in))
        case "failed" | "closed":
            return Said(device.message, (AGAIN, state.manner.stand_in))
    return None


def _of_network(state: State, device: CaptureStatus) -> Said:
    """Of a network, where the device is well."""
    what = state.what
    network = state.network
    told = [found.message for found in (device, network) if found and found.state == "running"]
    hint = next((text for text in told if not state.manner.plain.fullmatch(text)), "")
    if what.download is not None and not what.ready:
        if state.downloading:
            return Said(note=state.downloading, hint=hint, dimmed=False)
        text, way = (
            f"{what.title} is not on this machine yet.",
            f"Download {size(what.download.bytes)}",
        )
        if state.refused:
            text, way = sentence(state.refused), "Try again"
        return Said(text, (("download", way),), hint)
    if network is not None and network.state == "failed":
        return Said(network.message, (AGAIN,), hint)
    if network is not None and network.state == "opening":
        return Said(note=network.message, hint=hint, dimmed=False)
    note = "" if state.answered else "Waiting for the first answer …"
    return Said(note=note, hint=hint, dimmed=False)
