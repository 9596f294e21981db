# SPDX-License-Identifier: Apache-2.0
"""How late a camera is, and how long a command takes, from streams whose truth is known."""

from ami_ros.operator.calibration.camera_delay import camera_delay, columns, shift
from ami_ros.operator.calibration.camera_to_command_latency import answered, latency
from ami_ros.operator.calibration.measurement import Unclear
import numpy as np
import pytest

WITHIN_S = 0.015


def looked(delay, hz=10.0, seed=0, jitter=0.0, lost=0.0, noise=2.0, texture=40.0, width=64):
    """Stamps and columns of pictures of a turning robot, and the yaw that odometry says."""
    rng = np.random.default_rng(seed)
    t = np.arange(0.0, 14.0, 0.005)
    rate = np.zeros(len(t))
    for i, begun in enumerate(np.arange(1.0, 12.0, 1.387)):
        rate[(t >= begun) & (t < begun + 0.75)] = 0.75 * (-1)**i
    yaw = np.cumsum(rate) * 0.005
    f = width / 2 / np.tan(np.radians(55))
    wall = sum(np.convolve(rng.normal(0, texture, 4000), np.ones(n) / np.sqrt(n), 'same')
               for n in (80, 250, 800)) / 3     # by bearing, coarse and fine
    bearing = np.linspace(-np.pi, np.pi, 4000)
    taken = np.arange(rng.uniform(0, 1 / hz), 13.5, 1 / hz)
    taken = taken[rng.random(len(taken)) >= lost]
    column = np.arctan((np.arange(width) + 0.5 - width / 2) / f)
    views = [np.interp(np.interp(at, t, yaw) - column, bearing, wall) for at in taken]
    views = np.array(views) + rng.normal(0, noise / np.sqrt(width), (len(taken), width)) + 128
    at = np.arange(0.0, 14.0, 0.025)
    return (taken + delay + rng.normal(0, jitter, len(taken)), views,
            at, np.interp(at, t, yaw) + rng.normal(0, 0.001, len(at)))


@pytest.mark.parametrize('delay', [-0.05, 0.0, 0.06, 0.2, 0.4])
@pytest.mark.parametrize('more', [{}, {'jitter': 0.005, 'lost': 0.1}, {'hz': 30.0},
                                  {'width': 320}])
def test_the_delay_of_a_camera(delay, more):
    for seed in range(3):
        found, alike = camera_delay(*looked(delay, seed=seed, **more))
        assert found == pytest.approx(delay, abs=WITHIN_S) and alike > 0.8


@pytest.mark.parametrize('more, word', [({'texture': 0.05, 'noise': 20.0}, 'follow. the turn'),
                                        ({'delay': 0.8}, 'different clocks'),
                                        ({'delay': 50.0}, 'do their clocks agree')])
def test_pictures_that_do_not_tell(more, word):
    with pytest.raises(Unclear, match=word):
        camera_delay(*looked(**{'delay': 0.0, **more}))


def test_too_few_pictures():
    stamps, views, at, yaw = looked(0.0)
    with pytest.raises(Unclear, match='5 images'):
        camera_delay(stamps[:5], views[:5], at, yaw)


def test_columns_of_any_picture_and_their_shift_to_a_part_of_one():
    rng = np.random.default_rng(1)
    strip = np.convolve(rng.normal(0, 50, 200), np.ones(6) / 3, 'same')
    for by in (-5.0, -0.4, 0.0, 2.3):
        a, b = (np.interp(np.arange(64) + 60 - moved, np.arange(200), strip)
                for moved in (0.0, by))
        assert shift(a, b) == pytest.approx(by, abs=0.15)
    picture = rng.integers(0, 255, (12, 64, 3), np.uint8)
    assert columns(picture) == pytest.approx(picture.mean((0, 2)), abs=1e-3)
    assert columns(picture[..., 0]) == pytest.approx(picture[..., 0].mean(0), abs=1e-3)


def stream(took_s, hz=10, lost=0.0, seed=0):
    """Verdicts as they come: the answer, and told again half a second later."""
    rng, out = np.random.default_rng(seed), []
    for i, took in enumerate(took_s):
        picture = 10**18 + round(i * 1e9 / hz)
        answer = picture + round(took * 1e9)
        out += [(picture, answer), (picture, answer + 5 * 10**8)] if rng.random() >= lost else []
    return out


def test_the_first_answer_to_each_picture_counts():
    took = np.random.default_rng(0).gamma(20.0, 0.003, 200)
    found = latency(stream(took, lost=0.2))
    assert found.values['latency_s'] == pytest.approx(np.percentile(took, 95), abs=0.008)
    assert found.good and 150 <= len(found.runs) < 170
    assert answered([(5, 7), (0, 3), (5, 6)]).tolist() == [1e-9]


def test_a_mind_that_is_not_there_and_one_that_stutters():
    with pytest.raises(Unclear, match='0 images were answered'):
        latency([(0, 10**18)] * 100)
    with pytest.raises(Unclear, match='5 images'):
        latency(stream([0.05] * 5))
    assert not latency(stream([0.05, 0.05, 0.05, 0.05, 0.3] * 16)).good
