# SPDX-License-Identifier: Apache-2.0
"""A glance tells pictures apart, and how much is in one."""

from ami_ros.core.image_stats import even, fingerprint, spread, unread, view_of
import numpy as np
import pytest

RNG = np.random.default_rng(5)


@pytest.mark.parametrize('channels', [1, 2, 3, 4])
@pytest.mark.parametrize('count', [1, 2, 7, 4096])
def test_the_spread_is_the_standard_deviation(count, channels):
    for low, high in ((0, 256), (250, 256), (0, 2), (17, 18), (255, 256)):
        values = RNG.integers(low, high, (count, channels), np.uint8)
        assert spread(values) == pytest.approx(values.std(axis=0).max(), abs=0.01)
        assert high - low > 1 or spread(values) == 0.0


@pytest.mark.parametrize('size', [(1, 1), (16, 16), (64, 64), (127, 200), (480, 640),
                                  (1080, 1920)])
def test_what_is_looked_at(size):
    picture = RNG.integers(0, 256, (*size, 3), np.uint8)
    view = view_of(picture, 'camera', 3, 4)
    assert (view.name, view.stamp_ns, view.received_steady_ns) == ('camera', 3, 4)
    assert view.shape == size
    assert view.fingerprint == view_of(picture.copy(), 'other', 5, 6).fingerprint
    noisy = picture ^ RNG.integers(0, 2, picture.shape, np.uint8)
    assert size == (1, 1) or view_of(noisy, 'camera', 3, 4).fingerprint != view.fingerprint


@pytest.mark.parametrize(('length', 'step'), [(1, 1), (63, 1), (64, 2), (96, 4), (480, 16),
                                              (640, 20), (1080, 34)])
def test_steps_are_even(length, step):
    assert even(length) == step


def test_what_is_not_decoded():
    data = RNG.integers(0, 256, 100_000, np.uint8)
    view = unread(data, 'camera', 1, 2)
    assert (view.shape, view.spread, view.stamp_ns, view.received_steady_ns) == ((), None, 1, 2)
    assert unread(data[:0], 'camera', 1, 2).fingerprint == fingerprint(data[:0])
    assert unread(np.roll(data, 1), 'camera', 1, 2).fingerprint != view.fingerprint
    assert len(view.fingerprint) == 32


@pytest.mark.parametrize(('length', 'step'), [(1, 1), (100, 1), (8191, 1), (8192, 2),
                                              (100_000, 24)])
def test_of_what_is_not_decoded_about_4096_bytes_are_looked_at(length, step):
    data = RNG.integers(0, 256, length, np.uint8)
    was = unread(data, 'camera', 1, 2).fingerprint
    for index in {0, step * (length // 2 // step), step * ((length - 1) // step)}:
        other = data.copy()
        other[index] ^= 1
        assert unread(other, 'camera', 1, 2).fingerprint != was
    if step > 1:
        data[1] ^= 1
        assert unread(data, 'camera', 1, 2).fingerprint == was
