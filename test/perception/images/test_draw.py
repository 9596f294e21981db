# SPDX-License-Identifier: Apache-2.0
"""Drawings put things where they are: x to the right, y up, metres to pixels."""

from ami_ros.perception.images import draw
import cv2
import numpy as np
import pytest

RED = (200, 0, 0)


def coloured(picture: np.ndarray, colour=RED) -> np.ndarray:
    """Return rows and columns of the pixels of a colour."""
    return np.argwhere(np.all(picture == colour, -1))


def test_a_disc_lies_where_it_is_drawn():
    canvas = draw.Canvas(2.0, 400)      # 100 pixels a metre, the middle at (200, 200)
    canvas.disc([1.0, 0.5], 0.2, RED)
    pixels = coloured(canvas.picture)
    assert pixels.mean(0) == pytest.approx([150, 300], abs=1)
    assert len(pixels) == pytest.approx(np.pi * 20 ** 2, rel=0.1)


def test_a_polygon_is_filled():
    canvas = draw.Canvas(2.0, 400)
    canvas.polygon(np.array([(-1, -1), (0, -1), (0, 1), (-1, 1)]), RED)
    pixels = coloured(canvas.picture)
    assert pixels.min(0) == pytest.approx([100, 100], abs=1)
    assert pixels.max(0) == pytest.approx([300, 200], abs=1)


def test_an_arrow_points_where_it_heads():
    canvas = draw.Canvas(2.0, 400)
    canvas.arrow(np.array([0.0, 0.0, np.pi / 2]), RED, 1.0)
    rows, columns = coloured(canvas.picture).T
    assert rows.min() == pytest.approx(100, abs=3) and rows.max() < 215
    assert columns.min() > 185 and columns.max() < 215


def test_one_point_is_no_line():
    canvas = draw.Canvas(2.0, 100)
    before = canvas.picture.copy()
    canvas.line(np.zeros((1, 2)), RED)
    assert np.array_equal(canvas.picture, before)
    canvas.line(np.array([[0, 0], [1, 0]]), RED)
    assert len(coloured(canvas.picture)) > 20


def test_a_label_writes_into_its_own_line():
    picture = np.zeros((100, 200, 3), np.uint8)
    draw.label(picture, 'words', 2)
    assert picture[36:54].any() and not picture[:36].any() and not picture[54:].any()
    assert np.ptp(picture[36:54].astype(int)) > 50


def test_enlarging_does_not_blur():
    small = np.random.default_rng(0).integers(0, 256, (4, 8, 3), np.uint8)
    large = draw.enlarge(small, 40)
    assert large.shape == (40, 80, 3)
    assert np.array_equal(large[5::10, 5::10], small)


def test_a_png_is_read_back(tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    draw.write_png(tmp_path / 'a.png', picture)
    assert np.array_equal(cv2.imread(str(tmp_path / 'a.png'))[..., ::-1], picture)


def test_a_png_that_cannot_be_written_is_an_error(tmp_path):
    with pytest.raises(OSError, match='a.png could not be written'):
        draw.write_png(tmp_path / 'no' / 'a.png', np.zeros((4, 4, 3), np.uint8))


@pytest.mark.skipif(not hasattr(cv2, 'Animation'), reason='this OpenCV writes no animations')
def test_an_animation_is_read_back(tmp_path):
    frames = [np.full((20, 30, 3), shade, np.uint8) for shade in (10, 120, 240)]
    draw.write_gif(tmp_path / 'a.gif', frames, 0.2)
    read, film = cv2.imreadanimation(str(tmp_path / 'a.gif'))
    assert read and len(film.frames) == 3 and set(film.durations) == {200}
    assert [int(f[..., :3].mean()) for f in film.frames] == pytest.approx([10, 120, 240], abs=8)


def test_an_animation_without_a_library_that_writes_it_is_an_error(tmp_path, monkeypatch):
    monkeypatch.delattr(cv2, 'Animation', raising=False)
    with pytest.raises(OSError, match='writes no animations; 4.11 or newer'):
        draw.write_gif(tmp_path / 'a.gif', [np.zeros((4, 4, 3), np.uint8)], 0.1)
