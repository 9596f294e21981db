# SPDX-License-Identifier: Apache-2.0
"""A simulated camera: takes a rendered picture and returns what a sensor would have delivered."""

import math

import cv2
import numpy as np

from ami_ros.sim.camera_model import optics
from ami_ros.sim.camera_model.settings import CameraSettings, DISPLAY_GAMMA

TABLE = ((np.arange(256) / 255) ** DISPLAY_GAMMA).astype(np.float32)
HAZE = 0.25             # brightness of dirt as a share of the mean light
LEAST_LIGHT = 1e-4


class Camera:
    """One camera with its own noise. The same seed, pictures and times give the same pictures."""

    def __init__(self, settings: CameraSettings, size: tuple[int, int], hfov_rad: float):
        self.settings, self.size = settings, size
        self.on = settings.on
        self.focal_px = size[0] / 2 / math.tan(hfov_rad / 2)
        s = settings
        self.distortion = optics.Distortion(s.distortion, size, hfov_rad) if s.distortion else None
        self.falloff = optics.falloff(size, s.vignetting) if s.vignetting else None
        self.spots = optics.spots(size, s.dirt, s.dirt_seed) if s.dirt else None
        self.reset(0)

    @property
    def hfov_rad(self) -> float:
        """Horizontal field of view that a camera_info without distortion would say."""
        focal = self.focal_px if self.distortion is None else self.distortion.focal
        return 2 * math.atan(self.size[0] / 2 / focal)

    @property
    def calibration(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """K (9,) and D (5,), plumb_bob, as a camera_info says them."""
        if self.distortion is not None:
            return self.distortion.k, self.distortion.d
        width, height = self.size
        return ((self.focal_px, 0.0, width / 2, 0.0, self.focal_px, height / 2, 0.0, 0.0, 1.0),
                (0.0,) * 5)

    def reset(self, seed: int) -> None:
        """Start anew: fresh noise, auto-exposure has not seen anything yet."""
        self.rng = np.random.default_rng([seed, 0xCA3E])
        self.phase = float(self.rng.uniform(0, 2 * math.pi))
        self.gain: float | None = None
        self.white = np.ones(3, np.float32)
        self.last_ns: int | None = None

    def take(self, picture: np.ndarray, time_ns: int = 0,
             twist: tuple[float, float] = (0.0, 0.0)) -> np.ndarray:
        """Turn a rendered (H, W, 3) uint8 into the camera's; v m/s and w rad/s blur it."""
        if not self.on:
            return picture
        s = self.settings
        light = TABLE[picture]
        if s.motion_blur_s:
            light = optics.blurred(light, s.motion_blur_s, twist, self.focal_px)
        if self.distortion is not None:
            light = self.distortion(light)
        if self.falloff is not None:
            light = light * self.falloff
        if self.spots is not None:
            light = light * (1 - self.spots) + self.spots * (HAZE * light.mean((0, 1)))
        if s.flicker:
            light = light * self._flicker(time_ns)
        gain = 2.0 ** s.exposure_ev
        if s.auto_exposure:
            gain *= self._expose(light, time_ns)
        white = np.array([s.red_gain, 1.0, s.blue_gain], np.float32)
        if s.auto_white:
            white = white * self._whiten(light * white, time_ns)
        self.last_ns = time_ns
        shown = 255 * np.clip(light * (gain * white), 0, 1) ** np.float32(1 / DISPLAY_GAMMA)
        return self._digital(shown.astype(np.float32), gain)

    def _digital(self, shown: np.ndarray, gain: float) -> np.ndarray:
        s = self.settings
        if s.noise:
            level = s.noise * math.sqrt(max(gain, 0.25))
            shown = shown + self.rng.standard_normal(shown.shape, np.float32) * level
        if s.row_noise:
            rows = self.rng.standard_normal((shown.shape[0], 1, 1), np.float32)
            shown = shown + s.row_noise * rows
        if s.gamma != 1.0:
            shown = 255 * np.clip(shown / 255, 0, 1) ** np.float32(s.gamma)
        out = np.clip(shown * s.brightness, 0, 255).astype(np.uint8)
        if s.jpeg_quality:
            out = cv2.imdecode(cv2.imencode('.jpg', out, [cv2.IMWRITE_JPEG_QUALITY,
                                                          s.jpeg_quality])[1], cv2.IMREAD_COLOR)
        return out

    def _flicker(self, time_ns: int) -> np.ndarray:
        """Factor (H, 1, 1) of the light of each row of a rolling shutter."""
        s, rows = self.settings, self.size[1]
        at = time_ns * 1e-9 + s.readout_s * np.arange(rows) / rows
        wave = np.sin(2 * math.pi * s.flicker_hz * at + self.phase)
        return (1 + s.flicker * wave)[:, None, None].astype(np.float32)

    def _share(self, time_ns: int) -> float:
        """Share of the way to its aim that an automatic goes since the last picture."""
        if self.last_ns is None or self.settings.exposure_lag_s == 0:
            return 1.0
        return 1 - math.exp(-max(0.0, (time_ns - self.last_ns) * 1e-9)
                            / self.settings.exposure_lag_s)

    def _expose(self, light: np.ndarray, time_ns: int) -> float:
        """Follow the light with a lag; the gain is the automatic's, before exposure_ev."""
        s = self.settings
        mean = float(np.mean(light ** np.float32(1 / DISPLAY_GAMMA)))
        ev = DISPLAY_GAMMA * math.log2(s.target / max(mean, LEAST_LIGHT))
        ev = min(max(ev, -s.most_gain_ev), s.most_gain_ev)
        self.gain = ev if self.gain is None else self.gain + self._share(time_ns) * (
            ev - self.gain)
        return 2.0 ** self.gain

    def _whiten(self, light: np.ndarray, time_ns: int) -> np.ndarray:
        """Follow the mean colour with the same lag; gains (3,), green stays."""
        mean = np.maximum(light.mean((0, 1)), LEAST_LIGHT)
        aim = (mean[1] / mean) ** self.settings.auto_white
        self.white = self.white + self._share(time_ns) * (np.clip(aim, 0.4, 2.5) - self.white)
        return self.white.astype(np.float32)
