# SPDX-License-Identifier: Apache-2.0
"""Whether the mind can see: encoding, size, field of view, and a picture with something in it."""

import math

import numpy as np

from ami_ros.core.findings import Finding, good, UNCHECKED, WARN, WRONG
from ami_ros.operator.checks.observation import Info, Observation, TopicSample
from ami_ros.perception.images.rectify import widest
from ami_ros.robots.sensor import Sensor

DARK, FLAT = 8, 2.0         # mean and spread of 0..255 below which nothing can be seen
WHITE, GLARE = 250, 0.4     # brighter than the first is lost; share of such pixels
FROZEN_S = 1.0              # the same picture, bit for bit, for so long
HFOV_RAD = 0.05             # as modules are checked
SQUARE = 0.02               # share by which the two focal lengths may differ


def cameras(seen: Observation) -> list[Finding]:
    """Check every sensor that gives pictures."""
    out = []
    for sensor in seen.robot.sensors_of('Image', 'CompressedImage'):
        looks = [r for r in seen.channels[sensor.name].readings if r.said is not None]
        if looks:
            out += picture(sensor, looks[-1].said) + frozen(sensor, looks)
            out += info(seen, looks[-1].said)
    return out + contract(seen)


def picture(sensor: Sensor, look: TopicSample) -> list[Finding]:
    """Check that the newest picture can be read, and shows something."""
    bad = WRONG if sensor.required else WARN
    if look.pixels is None:
        return [Finding(bad, f'{sensor.name}: encoding', look.wrong, 'one that is read',
                        'Let the driver give rgb8 or bgr8, or put image_proc before it.')]
    width, height = look.size
    out = [good(f'{sensor.name}: encoding', f'{width}x{height} {look.encoding}')]
    mean, spread = float(look.pixels.mean()), float(look.pixels.std())
    glare = float((look.pixels.min(axis=2) >= WHITE).mean())
    said = f'mean {mean:.0f}, spread {spread:.0f} of 255, {100 * glare:.0f} % white'
    what = f'{sensor.name}: image'
    if mean < DARK:
        out.append(Finding(bad, what, f'black: {said}', 'something to see',
                           'Take off the cap, switch on the light, or raise the exposure.'))
    elif spread < FLAT:
        out.append(Finding(bad, what, f'all the same: {said}', 'something to see',
                           'See what covers the lens, and whether the sensor works.'))
    elif glare > GLARE:
        out.append(Finding(WARN, what, f'over-exposed: {said}', f'under {100 * GLARE:.0f} % white',
                           'Lower exposure or gain, or let the driver choose them.'))
    else:
        out.append(good(what, said))
    return out


def frozen(sensor: Sensor, looks: list) -> list[Finding]:
    """Check that pictures change: a sensor has noise, a frozen driver has none."""
    span_s = (looks[-1].steady_ns - looks[0].steady_ns) / 1e9
    if len({r.said.digest for r in looks}) > 1 or len(looks) < 3 or span_s < FROZEN_S:
        return []
    return [Finding(WARN, f'{sensor.name}: changes',
                    f'{len(looks)} images in {span_s:.1f} s are the same, bit for bit',
                    'noise at least',
                    'Wave a hand before the lens; if nothing changes, restart the driver (a '
                    'simulated robot at rest may see the same).')]


def info(seen: Observation, look: TopicSample) -> list[Finding]:
    """Check that camera_info belongs to the pictures and makes what the mind sees."""
    given = [(sensor, seen.channels[sensor.name].readings)
             for sensor in seen.robot.sensors_of('CameraInfo')]
    if not given:
        return [Finding(UNCHECKED, 'camera: field of view', 'the robot file names no CameraInfo',
                        f'{math.degrees(seen.robot.camera_hfov_rad):.1f} degrees',
                        'Add a sensor of kind CameraInfo to the robot file.')]
    sensor, readings = given[0]
    if not readings:
        return [Finding(WARN, f'{sensor.name}: size', 'none came', 'one with each image',
                        'Let the driver publish it: ros2 run camera_calibration '
                        'cameracalibrator makes the numbers.')]
    said = readings[-1].said
    if said.size != look.size:
        return [Finding(WRONG, f'{sensor.name}: size', f'{said.size[0]}x{said.size[1]}',
                        f'{look.size[0]}x{look.size[1]}, as the images',
                        'Calibrate at the size that the driver gives, or scale camera_info with '
                        'the images.')]
    if not (said.focal_px[0] > 0 and said.focal_px[1] > 0):
        return [Finding(WRONG, f'{sensor.name}: focal length', f'{said.focal_px} px', 'over 0',
                        'Calibrate the camera: the driver sends zeros where it has no file.')]
    return square(sensor, said) + wide(seen, sensor, said)


def square(sensor: Sensor, said: Info) -> list[Finding]:
    """Check that pixels are as wide as high; else camera_info is often of another shape."""
    fx, fy = said.focal_px
    if abs(fx - fy) <= SQUARE * fy:
        return []
    return [Finding(WARN, f'{sensor.name}: focal length', f'fx {fx:.1f} px, fy {fy:.1f} px',
                    f'the same within {100 * SQUARE:.0f} %',
                    'See whether the images are stretched, or camera_info was made for another '
                    'shape of image; calibrate the camera at the size that it gives.')]


def wide(seen: Observation, sensor: Sensor, said: Info) -> list[Finding]:
    """Check that the picture that the mind sees can be cut from the camera's, both ways."""
    robot, (width, height) = seen.robot, said.size
    across, down = (2 * math.atan(n / 2 / f) for n, f in zip(said.size, said.focal_px))
    columns, rows = robot.camera_size
    most = widest(said.lens, robot.camera_size) if said.lens is not None else 2 * math.atan(
        min(width / 2 / said.focal_px[0], height / 2 / said.focal_px[1] * columns / rows))
    what = f'{sensor.name}: field of view'
    measured = (f'{math.degrees(across):.1f} degrees across, {math.degrees(down):.1f} up and down '
                f'({said.model or "no model"}): {math.degrees(most):.1f} across in images of '
                f'{columns}x{rows}')
    wanted = f'{math.degrees(robot.camera_hfov_rad):.1f} degrees or more'
    if most < robot.camera_hfov_rad - HFOV_RAD:
        return [Finding(WRONG, what, measured, wanted,
                        'Take a wider lens, or write camera_hfov_rad: '
                        f'{math.floor(1e3 * most) / 1e3:.3f} in the robot file and train a module '
                        'for it.')]
    return [good(what, measured, wanted)]


def contract(seen: Observation) -> list[Finding]:
    """Say what the module's contract makes of these pictures, as the mind itself would."""
    what = 'camera: contract'
    if seen.eye_wrong:
        return [Finding(WRONG, what, seen.eye_wrong, f'as {seen.module} learned to see',
                        'Correct the camera, its camera_info or the robot file; or train a module '
                        'for this camera: ami-ros train.')]
    if not seen.eye_compared:
        why = (seen.module_wrong or ('no image came' if seen.module else 'no module was opened'))
        return [Finding(UNCHECKED, what, f'not compared: {why}', 'an image and the module')]
    if seen.eye_notes:
        return [Finding(UNCHECKED, what, '; '.join(seen.eye_notes))]
    return [good(what, f'{seen.module} sees as it learned to')]


def thinned(picture: np.ndarray, most: int = 64) -> np.ndarray:
    """Take every n-th pixel each way, so that at most `most` are left along a side."""
    step = max(1, -(-max(picture.shape[:2]) // most))
    return np.ascontiguousarray(picture[::step, ::step])
