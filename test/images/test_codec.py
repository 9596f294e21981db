# SPDX-License-Identifier: Apache-2.0
"""Every encoding that is read comes out as the same rgb; what is not read says so."""

from ami_ros.images import codec
import cv2
import numpy as np
import pytest

RNG = np.random.default_rng(0)
PICTURE = RNG.integers(0, 256, (6, 8, 3), np.uint8)
SMOOTH = cv2.resize(RNG.integers(0, 256, (3, 4, 3), np.uint8), (40, 30))
AS = {
    'rgb8': PICTURE, 'bgr8': PICTURE[..., ::-1],
    'rgba8': np.dstack([PICTURE, np.full((6, 8), 7, np.uint8)]),
    'bgra8': np.dstack([PICTURE[..., ::-1], np.full((6, 8), 7, np.uint8)]),
}


def raw(pixels: np.ndarray, padding: int = 0):
    """Lay out rows as a sensor_msgs/Image does; return (data, height, width, step)."""
    height, width = pixels.shape[:2]
    rows = np.ascontiguousarray(pixels).reshape(height, -1)
    rows = np.hstack([rows, np.full((height, padding), 255, np.uint8)])
    return rows.tobytes(), height, width, rows.shape[1]


@pytest.mark.parametrize('padding', [0, 5])
@pytest.mark.parametrize('encoding', AS)
def test_every_colour_encoding_is_the_same_picture(encoding, padding):
    out = codec.from_raw(*raw(AS[encoding], padding), encoding)
    assert out.dtype == np.uint8 and np.array_equal(out, PICTURE)


@pytest.mark.parametrize('padding', [0, 3])
def test_grey_becomes_rgb(padding):
    out = codec.from_raw(*raw(PICTURE[..., 0], padding), 'mono8')
    assert np.array_equal(out, np.repeat(PICTURE[..., :1], 3, 2))


def test_rgb_is_not_copied():
    data = np.frombuffer(PICTURE.tobytes(), np.uint8)
    assert np.shares_memory(codec.from_raw(data, 6, 8, 24, 'rgb8'), data)



@pytest.mark.parametrize('encoding', ['16UC1', 'bayer_rggb12', 'h264', '', 'RGB8'])
def test_another_encoding_names_those_that_are_read(encoding):
    with pytest.raises(ValueError, match='is not read; there are: rgb8, bgr8') as wrong:
        codec.from_raw(*raw(PICTURE), encoding)
    assert repr(encoding) in str(wrong.value)


@pytest.mark.parametrize('data, height, width, step', [
    (b'', 6, 8, 24), (b'x' * 143, 6, 8, 24), (b'x' * 144, 6, 8, 23), (b'x' * 144, 0, 8, 24),
    (b'x' * 144, 6, 0, 24), (b'x' * 144, -6, 8, 24), (b'x' * 144, 7, 8, 24)])
def test_too_few_bytes_say_how_many_there_are(data, height, width, step):
    with pytest.raises(ValueError, match=f'{width}x{height} rgb8.*but brings {len(data)} bytes'):
        codec.from_raw(data, height, width, step, 'rgb8')


def test_png_is_exact_and_jpeg_close():
    assert np.array_equal(codec.from_compressed(codec.to_png(SMOOTH)), SMOOTH)
    off = np.abs(codec.from_compressed(codec.to_jpeg(SMOOTH)).astype(int) - SMOOTH)
    assert off.mean() < 4 and 0 < off.max()


def test_jpeg_quality_counts():
    assert len(codec.to_jpeg(SMOOTH, 95)) > len(codec.to_jpeg(SMOOTH, 30))


@pytest.mark.parametrize('data', [b'', b'no picture', codec.to_png(SMOOTH)[:20]])
@pytest.mark.parametrize('kind', [bytes, lambda b: np.frombuffer(b, np.uint8)])
def test_bytes_that_are_no_picture(data, kind):
    with pytest.raises(ValueError, match=f'of {len(data)} bytes is neither JPEG nor PNG'):
        codec.from_compressed(kind(data))


def test_resize_averages_areas():
    halves = np.zeros((4, 8, 3), np.uint8)
    halves[:, ::2] = 200
    assert np.all(codec.resize(halves, (4, 2)) == 100)
    assert codec.resize(halves, (2, 4)).shape == (4, 2, 3)
    assert codec.resize(halves, (16, 8)).shape == (8, 16, 3)


def test_resize_to_the_same_size_does_nothing():
    assert codec.resize(PICTURE, (8, 6)) is PICTURE
