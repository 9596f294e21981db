# SPDX-License-Identifier: Apache-2.0
"""Named cameras and lights, for tests and reports, and random ones for training."""

from dataclasses import dataclass
import re
from typing import Any

import numpy as np

from ami_ros.core.errors import AmiError
from ami_ros.sim.camera_model.settings import CameraSettings, DISPLAY_GAMMA

REAL: dict[str, Any] = {'auto_exposure': True, 'noise': 3.0}


@dataclass(frozen=True)
class Preset:
    """Settings of the camera, and the change of the scene that belongs to them."""

    camera: CameraSettings
    change: str = ''                # as `changes.parse` reads it; '': none


def of(change: str = '', **values) -> Preset:
    """Make a preset."""
    return Preset(CameraSettings(**values), change)


def gain(displayed: float) -> float:
    """Return the gain of linear light that multiplies displayed values by this."""
    return displayed ** DISPLAY_GAMMA


PRESETS = {
    'clean': of(),
    'brightness_0.6': of(brightness=0.6),
    'brightness_0.75': of(brightness=0.75),
    'brightness_1.3': of(brightness=1.3),
    'warm': of(red_gain=gain(1.15), blue_gain=gain(0.8)),
    'cool': of(red_gain=gain(0.85), blue_gain=gain(1.15)),
    'dirt': of(dirt=0.3),
    'vignetting': of(vignetting=0.6),
    'motion_blur': of(motion_blur_s=0.04),
    'jpeg_30': of(jpeg_quality=30),
    'webcam': of(**REAL),
    'evening': of('evening', **REAL),
    'side_light': of('side_light', **REAL),
}
RANDOM = re.compile(r'random\((\d+)\)')


def find(name: str) -> Preset:
    """Return a preset; `random(SEED)` draws one; ValueError lists the names."""
    if drawn := RANDOM.fullmatch(name):
        return Preset(random(int(drawn[1])))
    if name not in PRESETS:
        raise AmiError(f'no camera {name!r}; there are: {", ".join(PRESETS)}, random(SEED)')
    return PRESETS[name]


def random(seed: int) -> CameraSettings:
    """Draw a camera for training: every effect now and then, most of them mild."""
    rng = np.random.default_rng([seed, 0xCA3])

    def sometimes(share: float, low: float, high: float, off: float = 0.0) -> float:
        value = float(rng.uniform(low, high))       # drawn always: the others do not depend on it
        return value if rng.random() < share else off

    quality = int(rng.integers(25, 95))
    return CameraSettings(
        distortion=sometimes(0.3, -0.06, 0.04),
        motion_blur_s=sometimes(0.5, 0.0, 0.05),
        vignetting=sometimes(0.4, 0.0, 0.7),
        dirt=sometimes(0.25, 0.0, 0.4),
        dirt_seed=int(rng.integers(2**31)),
        flicker=sometimes(0.2, 0.0, 0.2),
        flicker_hz=float(rng.choice([100.0, 120.0])),
        exposure_ev=sometimes(0.5, -0.8, 0.6),
        auto_exposure=bool(rng.random() < 0.5),
        target=float(rng.uniform(0.35, 0.5)),
        exposure_lag_s=float(rng.uniform(0.1, 1.5)),
        red_gain=sometimes(0.6, 0.75, 1.35, 1.0),
        blue_gain=sometimes(0.6, 0.75, 1.35, 1.0),
        auto_white=sometimes(0.3, 0.2, 0.9),
        noise=sometimes(0.7, 0.5, 8.0),
        row_noise=sometimes(0.2, 0.3, 3.0),
        gamma=sometimes(0.4, 0.75, 1.35, 1.0),
        brightness=sometimes(0.5, 0.5, 1.5, 1.0),
        jpeg_quality=quality if rng.random() < 0.4 else 0)
