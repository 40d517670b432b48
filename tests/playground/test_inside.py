"""Looking inside a running network: the right values, where they lie, and nobody kept waiting."""

from __future__ import annotations

import numpy as np
import pytest

from playground.vision import fitted, part_seen

FITS = ("crop", "middle", "pad", "stretch")


# --- where the network looks ----------------------------------------------------------------------


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("frame", [(480, 640), (720, 1280), (640, 360), (101, 77), (224, 224)])
@pytest.mark.parametrize("size", [(224, 224), (64, 96)])
def test_heat_can_be_laid_over_the_frame(
    fit: str, frame: tuple[int, int], size: tuple[int, int]
) -> None:
    """A frame whose colours are its own coordinates shows what was looked at."""
    rows, columns = frame
    y, x = np.mgrid[:rows, :columns]
    own = np.stack([255 * (x + 0.5) / columns, 255 * (y + 0.5) / rows, 255 + 0 * x], axis=2)
    seen = fitted(own.round().astype(np.uint8), size, fit).astype(float)
    left, top, right, bottom = part_seen(frame, size, fit)
    across = left + (np.arange(size[1]) + 0.5) / size[1] * (right - left)
    down = top + (np.arange(size[0]) + 0.5) / size[0] * (bottom - top)
    picture = seen[..., 2] > 250  # not the borders
    inside = (across > 0) & (across < 1), (down > 0) & (down < 1)
    assert abs(picture.mean() - np.outer(*inside).mean()) < 0.03
    wanted_x, wanted_y = np.broadcast_to(across, size), np.broadcast_to(down[:, None], size)
    core = picture & (seen[..., 0] > 8) & (seen[..., 0] < 247)
    assert np.abs(seen[..., 0] / 255 - wanted_x)[core].max() < 0.015
    core = picture & (seen[..., 1] > 8) & (seen[..., 1] < 247)
    assert np.abs(seen[..., 1] / 255 - wanted_y)[core].max() < 0.015
    if fit == "pad":
        assert min(left, top) <= 0
        assert max(right, bottom) >= 1
    else:
        assert 0 <= left < right <= 1
        assert 0 <= top < bottom <= 1
