# SPDX-License-Identifier: Apache-2.0
"""Pictures for people: rooms as they are, every drive in its colour, memories by place."""

import math

from ami_ros.modules.module import Module, npy
from ami_ros.perception.images import codec
from ami_ros.sim.furnished_room import draw, Piece, signed_distance
from ami_ros.validation import episode_visualization
from ami_ros.validation.episode_visualization import (
    COLOURS,
    DREAM,
    Film,
    Imagery,
    outline,
    paths,
    room,
)
import cv2
import numpy as np
import pytest

ROOM = draw(7)
SHADES = (10, 90, 170, 250)
PLACES = np.array([[0, 0, 1, 0], [0, 0, -1, 0], [1, 0, 1, 0], [1, 1, 0, 1]], np.float32)


@pytest.fixture
def imagery() -> Imagery:
    """Four remembered pictures, each of one grey."""
    data = [codec.to_jpeg(np.full((64, 64, 3), shade, np.uint8)) for shade in SHADES]
    arrays = {'picture_places': PLACES, 'picture_ends': np.cumsum([len(d) for d in data]),
              'picture_bytes': np.frombuffer(b''.join(data), np.uint8)}
    return Imagery(Module(None, {}, {f'{n}.npy': npy(a) for n, a in arrays.items()}))


def pixels(picture: np.ndarray, colour) -> int:
    """Count the pixels nearly of a colour."""
    return int((np.abs(picture.astype(int) - colour).max(-1) < 12).sum())


@pytest.mark.parametrize('piece', [Piece('box', 0.5, -1, 0.7, (0.4, 0.2), 0.5, (1, 0, 0)),
                                   Piece('cylinder', -1, 0.5, 0, (0.3, 0.3), 0.5, (1, 0, 0))])
def test_an_outline_is_where_the_piece_ends(piece):
    corners = outline(piece)
    assert signed_distance(piece, corners) == pytest.approx(0, abs=1e-9)
    assert corners.mean(0) == pytest.approx([piece.x_m, piece.y_m])


def test_a_room_shows_its_furniture_where_it_stands():
    canvas = room(ROOM, 400)
    free = canvas.picture[tuple((canvas.at(np.array([0.0, 0.0])) // 16)[::-1])]
    for piece in ROOM.pieces:
        column, row = canvas.at(np.array([piece.x_m, piece.y_m])) // 16
        shown = canvas.picture[row, column].astype(int)
        assert shown == pytest.approx([int(110 + 120 * c) for c in piece.colour], abs=2)
        assert np.abs(shown - free).max() > 10
    assert len(np.unique(canvas.picture[:2, :2].reshape(-1, 3), axis=0)) == 1      # the wall


def test_every_path_is_drawn_in_a_colour_of_its_own(tmp_path):
    turn = np.linspace(0, 1, 30)
    drives = [{'poses': np.stack([turn * c, turn - c, turn], 1), 'goal': [c, -1, 0], 'label': c}
              for c in (-2.0, 0.0, 2.0)]
    paths(ROOM, drives, tmp_path / 'paths.png')
    seen = cv2.imread(str(tmp_path / 'paths.png'))[..., ::-1]
    paths(ROOM, drives[:1], tmp_path / 'one.png')
    one = cv2.imread(str(tmp_path / 'one.png'))[..., ::-1]
    for index, colour in enumerate(COLOURS[:3]):
        assert pixels(seen, colour) > pixels(room(ROOM, 640).picture, colour) + 60
        assert (pixels(one, colour) > pixels(room(ROOM, 640).picture, colour) + 60) == (index == 0)


@pytest.mark.parametrize('place, shade', [
    ([0.1, 0.1, 0.2], 10), ([0, 0, 3.0], 90), ([0, 0, -3.0], 90), ([0.9, 0, 0], 170),
    ([1, 0.8, math.pi / 2], 250)])
def test_a_memory_is_found_by_place_and_heading(imagery, place, shade):
    assert imagery.nearest(np.array(place)).mean() == pytest.approx(shade, abs=3)


def test_a_film_shows_view_goal_way_and_what_was_imagined(imagery, tmp_path):
    film = Film(ROOM, imagery, every=2)
    view, goal = (np.full((64, 64, 3), shade, np.uint8) for shade in (60, 200))
    pose, imagined = np.array([0.3, -0.4, 0.5]), np.stack([np.linspace(0, 1, 8), np.zeros(8),
                                                           np.zeros(8)], 1)
    for tick in range(5):
        film.add(view, goal, np.array([-1.0, 1, 0]), pose + [0.05 * tick, 0, 0], np.zeros(3),
                 imagined, 'words\nmore words')
    assert len(film.frames) == 3        # every other tick
    shown = film.frames[-1]
    assert all(f.shape == shown.shape and f.dtype == np.uint8 for f in film.frames)
    panel = episode_visualization.PANEL ** 2
    assert all(pixels(shown, (g, g, g)) > 0.6 * panel for g in (60, 200, 170))
    assert pixels(shown, DREAM) > 40 and pixels(shown, COLOURS[0]) > 40
    film.add(view, goal, np.zeros(3), pose, None, None, '')
    film.add(view, goal, np.zeros(3), pose, None, None, '')
    assert pixels(film.frames[-1], DREAM) < 10      # nothing imagined, nothing shown
    if hasattr(cv2, 'Animation'):
        film.write(tmp_path / 'a.gif', 0.1)
        read, animation = cv2.imreadanimation(str(tmp_path / 'a.gif'))
        assert read and len(animation.frames) == len(film.frames)
        assert set(animation.durations) == {200}


def test_another_episode_begins_without_the_old_path(imagery):
    film, view = Film(ROOM, imagery, every=1), np.zeros((64, 64, 3), np.uint8)
    for x in np.linspace(-2, 2, 20):
        film.add(view, view, np.zeros(3), np.array([x, 2.8, 0]), None, None, '')
    long = pixels(film.frames[-1], COLOURS[0])
    film.begin()
    film.add(view, view, np.zeros(3), np.array([-2, 2.8, 0]), None, None, '')
    assert pixels(film.frames[-1], COLOURS[0]) < 0.8 * long


def test_an_empty_film_writes_nothing(imagery, tmp_path):
    Film(ROOM, imagery).write(tmp_path / 'a.gif', 0.1)
    assert not list(tmp_path.iterdir())
