"""The program that plays a sound file: ``python -m playground.capture.play FILE``.

In a process of its own, like all that speaks with a sound driver. Prints why it cannot, and exits
with 1.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from playground.capture.outlet import Fault
from playground.capture.sounds import portaudio
from playground.data import sound_files


def main(path: Path) -> int:
    try:
        samples, rate = sound_files.read(path)
        sounddevice = portaudio()
        sounddevice.play(np.ascontiguousarray(samples), rate)
        sounddevice.wait()
    except (Fault, ValueError, OSError) as error:
        print(error, flush=True)
        return 1
    except Exception as error:  # PortAudio's own, which is only known where it is installed
        print(f"no loudspeaker plays it ({error})", flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
