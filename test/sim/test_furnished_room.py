# SPDX-License-Identifier: Apache-2.0
"""Rooms: the same seed draws the same one, a rover fits through, furniture keeps its looks."""

import math

from ami_ros.sim import furnished_room as worlds
from ami_ros.sim.furnished_room import (
    draw,
    FURNITURE,
    GAP_M,
    Piece,
    rearranged,
    signed_distance,
    SIZE_M,
)
import numpy as np
import pytest

SEEDS = (0, 7, 12)
ROOMS = {seed: draw(seed) for seed in SEEDS}
BOX = Piece('box', 0.5, -0.3, 0.7, (0.4, 0.2), 0.5, (1, 0, 0))
CYLINDER = Piece('cylinder', -0.4, 0.2, 0.0, (0.3, 0.3), 0.5, (1, 0, 0))


def outline(piece: Piece, points: int = 400) -> np.ndarray:
    """Walk (points, 2) along the outline of a piece."""
    turn = np.linspace(0, 2 * math.pi, points, endpoint=False)
    if piece.shape == 'cylinder':
        own = piece.half[0] * np.stack([np.cos(turn), np.sin(turn)], 1)
    else:
        x, y = piece.half
        corners = np.array([(x, y), (-x, y), (-x, -y), (x, -y), (x, y)])
        share = np.linspace(0, 4, points, endpoint=False)
        low = share.astype(int)
        own = corners[low] + (share - low)[:, None] * (corners[low + 1] - corners[low])
    c, s = math.cos(piece.yaw_rad), math.sin(piece.yaw_rad)
    return own @ np.array([[c, s], [-s, c]]) + [piece.x_m, piece.y_m]


@pytest.mark.parametrize('piece', [BOX, CYLINDER])
def test_signed_distance_is_the_way_to_the_outline(piece):
    points = np.random.default_rng(0).uniform(-1.5, 1.5, (200, 2))
    edge = outline(piece, 2000)
    nearest = np.linalg.norm(points[:, None] - edge, axis=-1).min(1)
    said = signed_distance(piece, points)
    assert np.abs(said) == pytest.approx(nearest, abs=3e-3)
    assert 0 < (said < 0).sum() < len(points)
    towards = points + 0.5 * (np.array([piece.x_m, piece.y_m]) - points)
    inside = said < 0
    assert np.all(signed_distance(piece, towards)[inside] < 0)     # both shapes are convex


def test_distance_is_to_the_nearest_of_walls_and_pieces():
    world = worlds.World(0, (BOX, CYLINDER), (0, 0, 1))
    assert world.distance(np.array([2.9, 0.0])) == pytest.approx(SIZE_M / 2 - 2.9)
    assert world.distance(np.array([0.0, 3.2])) == pytest.approx(-0.2)
    assert world.distance(np.array([-0.4, 0.2])) == pytest.approx(-0.3)
    assert world.distance(np.array([-0.9, 0.2])) == pytest.approx(0.2)
    assert world.distance(np.zeros((3, 4, 2))).shape == (3, 4)


def test_the_same_seed_draws_the_same_room():
    assert draw(7) == ROOMS[7]
    assert all(len(room.pieces) == FURNITURE for room in ROOMS.values())


def test_another_seed_draws_another_room():
    assert len({repr(room.pieces) for room in ROOMS.values()}) == len(SEEDS)
    assert len({room.light for room in ROOMS.values()}) == len(SEEDS)


@pytest.mark.parametrize('moved', [False, True])
@pytest.mark.parametrize('seed', SEEDS)
def test_a_rover_can_pass_everywhere(seed, moved):
    room = rearranged(ROOMS[seed], 1) if moved else ROOMS[seed]
    for index, piece in enumerate(room.pieces):
        edge = outline(piece)
        assert (room.half_m - np.abs(edge).max(1)).min() >= GAP_M - 1e-6
        for other in room.pieces[index + 1:]:
            assert signed_distance(other, edge).min() >= GAP_M - 1e-6


@pytest.mark.parametrize('seed', SEEDS)
def test_moved_furniture_keeps_its_looks(seed):
    room, other = ROOMS[seed], rearranged(ROOMS[seed], 1)
    assert (other.seed, other.light) == (room.seed, room.light)
    moved = 0
    for before, after in zip(room.pieces, other.pieces, strict=True):
        assert (after.shape, after.half, after.height_m, after.colour) == (
            before.shape, before.half, before.height_m, before.colour)
        way = math.hypot(after.x_m - before.x_m, after.y_m - before.y_m)
        assert way == 0 or way > 0.5
        moved += way > 0
    assert moved == math.ceil(FURNITURE / 3)


def test_the_same_furniture_is_moved_to_the_same_place():
    room = ROOMS[7]
    assert rearranged(room, 1) == rearranged(room, 1) != rearranged(room, 2)
    assert rearranged(room, 1, 0.0) == room
    assert all(a != b for a, b in zip(rearranged(room, 1, 1.0).pieces, room.pieces))


def test_textures_are_drawn_from_their_generator():
    one, same, other = (worlds.texture(np.random.default_rng(seed), 64, 48, (0.5, 0.2, 0.8), 5)
                        for seed in (3, 3, 4))
    assert one.shape == (48, 64, 3) and one.dtype == np.uint8
    assert np.array_equal(one, same) and not np.array_equal(one, other)
    assert one.std((0, 1)).min() > 10       # something to see on it
