# SPDX-License-Identifier: Apache-2.0
"""The fence is compared with a plain reckoning: small steps, a dense outline, angles added up."""

from dataclasses import replace
import math

from ami_ros.critic.footprint_sweep import Box
from ami_ros.critic.rule_interface import Stop
from ami_ros.critic.rules import fence
from ami_ros.critic.rules.fence import corners, Fence, FenceParams, inside, outline
import numpy as np
import pytest
from rule_contract import command, odometry, situation

# nothing here is the same on both sides
BOX = Box.around(np.array([[0.30, 0.10], [-0.12, 0.10], [-0.12, -0.16], [0.30, -0.16]]))
HOUSE = ((-2.0, -1.5), (2.5, -1.0), (2.0, 2.0), (0.3, 1.2), (-1.8, 1.9))       # not convex
STAIRS = ((0.8, -0.5), (1.3, -0.4), (1.1, 0.3))
TABLE = ((-0.9, 0.2), (-0.5, 0.1), (-0.4, 0.6), (-1.0, 0.7))
RULE = Fence(BOX, 'odom', (STAIRS, TABLE), HOUSE, 0.06, 0.2, 1.2, 0.25, 0.05)
NEAR_M = 0.004          # so near the limit either answer is right


def plain_depth(points, rule=RULE):
    """How deep the deepest point is in what is forbidden; below 0 outside."""
    areas = [(area, 1.0) for area in rule.keep_out] + ([(rule.stay_in, -1.0)] if rule.stay_in
                                                       else [])
    return max(side * plain_inside(points, area).max() if side > 0
               else (-plain_inside(points, area)).max() for area, side in areas)


def plain_inside(points, area):
    """Metres to the nearest side, above 0 inside: the corners go around once, seen from there."""
    z = np.array([complex(*corner) for corner in area])
    begin, side = z[None, :], (np.roll(z, -1) - z)[None, :]
    part = np.clip(((points[:, None] - begin) / side).real, 0.0, 1.0)
    away = np.abs(points[:, None] - begin - part * side).min(axis=1)
    seen = z[None, :] - points[:, None]
    around = np.angle(np.roll(seen, -1, axis=1) / seen).sum(axis=1)
    return np.where(np.abs(around) > math.pi, away, -away)


def plain_outline(step_m=0.01):
    """Points along the sides of the box."""
    x = BOX.centre.real + np.array([1, -1]) * BOX.half_length_m
    y = BOX.centre.imag + np.array([1, -1]) * BOX.half_width_m
    xs, ys = np.arange(x[1], x[0], step_m), np.arange(y[1], y[0], step_m)
    return np.concatenate([xs + 1j * y[0], xs + 1j * y[1], x[0] + 1j * ys, x[1] + 1j * ys,
                           [x[0] + 1j * y[0]]])


def plain_reach(pose, v, w):
    """Go on in small steps for reaction, lag and braking; how deep it comes, at eight moments."""
    lasts = 0.2 + max(abs(v), abs(w) * BOX.radius_m) / (2 * 1.2)
    place, yaw, deepest, steps = complex(*pose[:2]), pose[2], -math.inf, 400
    for step in range(steps):
        yaw += w * lasts / steps / 2
        place += v * lasts / steps * np.exp(1j * yaw)
        yaw += w * lasts / steps / 2
        if (step + 1) % (steps // 8) == 0:
            deepest = max(deepest, plain_depth(place + plain_outline() * np.exp(1j * yaw)))
    return deepest


def at(rule, pose, v, w):
    return rule.limit(command(v, w), situation(odometry=odometry(pose=np.array(pose))))


def cases():
    """Near a side, most of them on their way to it."""
    rng = np.random.default_rng(4)
    for _ in range(160):
        z = np.array([complex(*c) for c in (HOUSE, STAIRS, TABLE)[rng.integers(3)]])
        side = rng.integers(len(z))
        begin, end = z[side], np.roll(z, -1)[side]
        ahead = (end - begin) / abs(end - begin) * 1j * rng.choice([-1, 1])
        place = begin + (end - begin) * rng.random() - ahead * rng.uniform(0.2, 0.75)
        back = rng.random() < 0.3
        yaw = np.angle(ahead) + rng.normal(0, 0.4) + math.pi * back
        yield ((place.real, place.imag, yaw),
               rng.uniform(-0.1, 0.6) * (-1 if back else 1) * rng.choice([0, 1, 1, 1]),
               rng.uniform(-1.5, 1.5) * rng.choice([0, 1]))


def test_it_lets_through_what_a_plain_reckoning_does():
    seen = {1.0: 0, 0.5: 0, 0.25: 0, 0.1: 0, 0.0: 0}
    for pose, v, w in cases():
        now = plain_depth(complex(*pose[:2]) + plain_outline() * np.exp(1j * pose[2]))
        most, share, clear = max(now, -0.06), 0.0, True
        for part in (1.0, 0.5, 0.25, 0.1):
            deep = now if v == w == 0 else plain_reach(pose, v * part, w * part)
            clear = clear and abs(deep - most) > NEAR_M
            if deep <= most:
                share = part
                break
        if not clear and (v or w):
            continue
        try:
            left = at(RULE, pose, v, w).command.values
        except Stop:
            left = np.zeros(2)
        assert left == pytest.approx([v * share, w * share], abs=1e-12), (pose, v, w, now)
        seen[share] += 1
    assert seen[1.0] and seen[0.5] and seen[0.25] and seen[0.0], seen


@pytest.mark.parametrize(('free', 'left'), [(0.30, 0.6), (0.10, 0.3), (0.05, 0.15), (0.025, 0.06),
                                            (0.010, None)])
def test_the_nearer_the_slower(free, left):
    """From 0.6 m/s it goes on for 0.27 m, from half of it 0.0975, then 0.0394, 0.0135."""
    area = ((1.0, -5.0), (2.0, -5.0), (2.0, 5.0), (1.0, 5.0))
    wall = replace(RULE, keep_out=(area,), stay_in=())
    pose = (1.0 - 0.30 - 0.06 - free, 0.0, 0.0)
    if left is None:
        with pytest.raises(Stop, match='a fence is 0.070 m away, limit 0.060 m, and this motion'):
            at(wall, pose, 0.6, 0.0)
    else:
        assert at(wall, pose, 0.6, 0.0).command.values.tolist() == pytest.approx([left, 0.0])


def test_how_deep_it_is():
    rng = np.random.default_rng(5)
    points = rng.uniform(-3, 3, 500) + 1j * rng.uniform(-3, 3, 500)
    for area in (HOUSE, STAIRS, TABLE, STAIRS[::-1]):
        assert inside(points, area) == pytest.approx(plain_inside(points, area), abs=0.006)
    z = np.array([complex(*c) for c in STAIRS])         # a side is never crossed at its corners
    assert np.abs(inside(z, STAIRS)) == pytest.approx(np.zeros(3), abs=1e-12)
    level = np.array([-0.5j - 1.0, -0.5j + 3.0])        # as high as a corner, beside it
    assert (inside(level, STAIRS) < -0.5).all()


def test_the_outline_is_that_of_the_box():
    points = outline(BOX)
    assert np.abs(points[:, None] - plain_outline(0.001)[None, :]).min(axis=1).max() < 1e-3
    assert np.abs(plain_outline(0.001)[:, None] - points[None, :]).min(axis=1).max() < 0.0105
    assert len(points) < 90


def test_without_a_standing_fence_a_place_is_infinitely_far():
    assert replace(RULE, keep_out=(), stay_in=()).depth(np.zeros(1)) == -math.inf
    assert replace(RULE, keep_out=()).depth(np.array([9.0 + 0j])) > 6


def test_a_robot_at_rest_comes_no_nearer():
    assert at(RULE, (1.0, 0.0, 0.0), 0.0, 0.0).reason == ''


def test_far_from_all_sides_nothing_is_reckoned(monkeypatch):
    """Twice the way to a standstill is more than enough to look at."""
    monkeypatch.setattr(Fence, 'depth', lambda rule, points: pytest.fail('it was'))
    here = np.zeros(9, complex)
    lasts = 0.2 + 0.6 / 2.4
    assert RULE.reaches(0.6, 0.0, here, -0.06 - 2 * 0.6 * lasts - 1e-5) < -0.5
    assert RULE.reaches(0.0, 0.0, here, -0.06) == -0.06
    with pytest.raises(pytest.fail.Exception):
        RULE.reaches(0.6, 0.0, np.ones(9, complex), -0.06 - 2 * 0.6 * lasts + 1e-5)


def test_corners_and_numbers():
    assert corners(STAIRS).tolist() == [complex(*corner) for corner in STAIRS]
    with pytest.raises(ValueError, match='no polygon'):
        corners(())
    with pytest.raises(ValueError, match='outside 0.02 to 5.0'):
        FenceParams(frame='odom', keep_out=(), stay_in=(), fence_margin_m=9.0)
    assert fence.SHARES == (1.0, 0.5, 0.25, 0.1)
    assert fence.MOMENTS.tolist() == [0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1.0]


def test_the_way_is_an_arc_around_one_centre():
    rng, stairs = np.random.default_rng(6), replace(RULE, keep_out=(STAIRS,), stay_in=())
    for _ in range(50):
        place, yaw = complex(*rng.uniform(-0.5, 0.5, 2)), rng.uniform(-3, 3)
        v, w = rng.uniform(-0.6, 0.6), rng.uniform(0.3, 1.5) * rng.choice([-1, 1])
        now = place + outline(BOX) * np.exp(1j * yaw)
        centre = place + 1j * np.exp(1j * yaw) * v / w
        lasts = 0.2 + max(abs(v), abs(w) * BOX.radius_m) / (2 * 1.2)
        ways = [centre + (now - centre) * np.exp(1j * w * lasts * k / 8) for k in range(1, 9)]
        assert stairs.reaches(v, w, np.append(now, (place, np.exp(1j * yaw))), 9.0) == (
            pytest.approx(inside(np.concatenate(ways), STAIRS).max(), abs=1e-12))


def test_every_point_of_the_outline_counts():
    far, deep = -1.0 - 1.0j, 1.05 - 0.2j        # in the house, and in the stairs
    for index in range(4):
        points = np.full(4, far)
        points[index] = deep
        here = np.append(points, (0j, 1.0))     # then where base_link is, and where it looks
        assert RULE.worst(here) == pytest.approx(plain_depth(np.array([deep])))
        there = deep + 0.1 * (0.2 + 0.1 / 2.4) / 8      # at the first moment it is deepest
        assert RULE.reaches(0.1, 0.0, here, 0.1) == pytest.approx(
            max(plain_depth(np.array([deep + (there - deep) * moment])) for moment in range(1, 9)))
