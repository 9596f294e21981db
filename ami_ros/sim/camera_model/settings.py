# SPDX-License-Identifier: Apache-2.0
"""The numbers of a simulated camera; the defaults change nothing."""

from dataclasses import asdict, dataclass

from ami_ros.core.settings import setting, Settings

DISPLAY_GAMMA = 2.2     # of rendered pictures: light = displayed value to the power of this


@dataclass(frozen=True)
class CameraSettings(Settings):
    """Each effect is off at its default. Effects are applied in this order."""

    distortion: float = setting(
        0.0, '1', -0.15, 0.1,
        'Radial displacement at the left edge as a share of half the width; negative is barrel; '
        'the field of view becomes narrower')
    motion_blur_s: float = setting(0.0, 's', 0.0, 0.1, 'Exposure time that causes motion blur')
    vignetting: float = setting(0.0, '1', 0.0, 0.9, 'Share of light that is lost in the corners')
    dirt: float = setting(0.0, '1', 0.0, 1.0, 'Approximate share of the lens covered by dirt')
    dirt_seed: int = setting(0, '1', 0, 2**31 - 1, 'Seed of the dirt positions')
    flicker: float = setting(0.0, '1', 0.0, 0.5, 'Amplitude of the flicker of mains-powered lamps')
    flicker_hz: float = setting(
        100.0, 'Hz', 1.0, 240.0, 'Flicker frequency, twice the mains frequency')
    readout_s: float = setting(
        0.02, 's', 0.0, 0.1,
        'Time from the first to the last row of a rolling shutter; turns flicker into bands')
    exposure_ev: float = setting(0.0, 'EV', -4.0, 4.0, 'Fixed exposure offset in EV')
    auto_exposure: bool = setting(
        False, 'switch', reason='Adjust exposure to reach the target mean')
    target: float = setting(0.42, '1', 0.1, 0.9, 'Image mean that auto-exposure seeks')
    exposure_lag_s: float = setting(0.5, 's', 0.0, 5.0, 'Time constant of auto-exposure')
    most_gain_ev: float = setting(
        3.0, 'EV', 0.0, 6.0, 'Maximum correction of auto-exposure in either direction')
    red_gain: float = setting(1.0, '1', 0.4, 2.5, 'White-balance gain of the red channel')
    blue_gain: float = setting(1.0, '1', 0.4, 2.5, 'White-balance gain of the blue channel')
    auto_white: float = setting(
        0.0, '1', 0.0, 1.0,
        'Share of the correction to a grey mean that auto white balance applies')
    noise: float = setting(
        0.0, '1 of 255', 0.0, 30.0,
        'Noise standard deviation in mid grey; grows with the gain of auto-exposure')
    row_noise: float = setting(
        0.0, '1 of 255', 0.0, 30.0,
        'Standard deviation of a random offset per row, redrawn for every image')
    gamma: float = setting(
        1.0, '1', 0.4, 2.5, 'Gamma exponent of the displayed value; above 1 is darker')
    brightness: float = setting(1.0, '1', 0.2, 3.0, 'Gain factor of the displayed value')
    jpeg_quality: int = setting(
        0, '1', 0, 100, 'JPEG quality of the image from camera to planner; 0 disables compression')

    @property
    def on(self) -> bool:
        """Tell whether any effect is on."""
        still = asdict(CameraSettings())
        return any(value != still[name] for name, value in asdict(self).items()
                   if name not in COMPANIONS)


# what changes nothing without the effect that it belongs to
COMPANIONS = ('dirt_seed', 'flicker_hz', 'readout_s', 'target', 'exposure_lag_s', 'most_gain_ev')
