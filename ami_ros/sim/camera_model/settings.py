# SPDX-License-Identifier: Apache-2.0
"""The numbers of a simulated camera; the defaults change nothing."""

from dataclasses import asdict, dataclass

from ami_ros.core.settings import setting, Settings


@dataclass(frozen=True)
class CameraSettings(Settings):
    """Each effect is off at its default. Effects are applied in this order."""

    distortion: float = setting(
        0.0, '1', -0.15, 0.1, 'radial displacement at the left edge as a share of half the width, '
        'negative is barrel; the field of view becomes narrower')
    motion_blur_s: float = setting(0.0, 's', 0.0, 0.1, 'exposure time; blurs by the motion')
    vignetting: float = setting(0.0, '1', 0.0, 0.9, 'share of light that is lost in the corners')
    dirt: float = setting(0.0, '1', 0.0, 1.0, 'share of the lens under spots of dirt, roughly')
    dirt_seed: int = setting(0, '1', 0, 2**31 - 1, 'where the spots are')
    flicker: float = setting(0.0, '1', 0.0, 0.5, 'amplitude of the light of lamps on mains power')
    flicker_hz: float = setting(100.0, 'Hz', 1.0, 240.0, 'twice the frequency of the mains')
    readout_s: float = setting(0.02, 's', 0.0, 0.1,
                               'first to last row of a rolling shutter; flicker becomes bands')
    exposure_ev: float = setting(0.0, 'EV', -4.0, 4.0, 'fixed change of exposure')
    auto_exposure: bool = setting(False, 'switch', reason='brings the mean to the target')
    target: float = setting(0.42, '1', 0.1, 0.9, 'mean of the picture that auto-exposure seeks')
    exposure_lag_s: float = setting(0.5, 's', 0.0, 5.0, 'time constant of auto-exposure')
    most_gain_ev: float = setting(3.0, 'EV', 0.0, 6.0, 'how far auto-exposure goes either way')
    red_gain: float = setting(1.0, '1', 0.4, 2.5, 'white balance')
    blue_gain: float = setting(1.0, '1', 0.4, 2.5, 'white balance')
    auto_white: float = setting(0.0, '1', 0.0, 1.0,
                                'share of the way to a grey mean that auto white balance goes')
    noise: float = setting(0.0, '1 of 255', 0.0, 30.0, 'standard deviation in mid grey; grows '
                           'with the gain of auto-exposure')
    row_noise: float = setting(0.0, '1 of 255', 0.0, 30.0,
                               'standard deviation of an offset of each row, new every picture')
    gamma: float = setting(1.0, '1', 0.4, 2.5, 'exponent of the displayed value; above 1: darker')
    brightness: float = setting(1.0, '1', 0.2, 3.0, 'factor on the displayed value')
    jpeg_quality: int = setting(0, '1', 0, 100, 'of a JPEG between camera and mind; 0: none')

    @property
    def on(self) -> bool:
        """Tell whether any effect is on."""
        still = asdict(CameraSettings())
        return any(value != still[name] for name, value in asdict(self).items()
                   if name not in COMPANIONS)


# what changes nothing without the effect that it belongs to
COMPANIONS = ('dirt_seed', 'flicker_hz', 'readout_s', 'target', 'exposure_lag_s', 'most_gain_ev')
