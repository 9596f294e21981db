# SPDX-License-Identifier: Apache-2.0
"""The way to the goal: the same seconds as a plain Dijkstra, around obstacles, honest nearby."""

import heapq
import math

from ami_ros.actor.cost_to_go import FAR_S, HEADINGS, Map, MOVES, Way
from ami_ros.core.geometry import wrap
import numpy as np
from perfect_model_world import arc, floor, LIMITS
import pytest

V, W = LIMITS


def dijkstra(cost: np.ndarray, goal: tuple[int, int], yaw: float, cell_m: float, reverse: float):
    """Seconds (16, X, Y): leave a cell ahead or backwards at its cost, or turn on the spot."""
    shape = cost.shape
    out = np.full((16, *shape), np.inf)
    queue = [(abs(wrap(HEADINGS[h] - yaw)) / W, h, *goal) for h in range(16)]
    while queue:
        seconds, h, x, y = heapq.heappop(queue)
        if seconds >= out[h, x, y]:
            continue
        out[h, x, y] = seconds
        for other in ((h + 1) % 16, (h - 1) % 16):
            turn = abs(wrap(HEADINGS[other] - HEADINGS[h])) / W
            heapq.heappush(queue, (seconds + turn, other, x, y))
        straight = np.hypot(*MOVES[h]) * cell_m / V
        for sign, times in ((-1, 1.0), (1, reverse)):    # where one comes from, going this way
            i, j = x + sign * MOVES[h][0], y + sign * MOVES[h][1]
            if 0 <= i < shape[0] and 0 <= j < shape[1]:
                heapq.heappush(queue, (seconds + times * straight * cost[i, j], h, i, j))
    return np.minimum(out, FAR_S)


def test_moves_go_all_around():
    assert np.array_equal(MOVES[8:], -MOVES[:8])        # every way ahead is one back, too
    assert all(math.gcd(*map(int, move)) == 1 for move in MOVES) and np.abs(MOVES).max() == 2
    turns = np.diff(np.unwrap(HEADINGS), append=HEADINGS[0] + 2 * math.pi)
    assert HEADINGS[0] == 0 and 0.3 < turns.min() <= turns.max() < 0.5


@pytest.mark.parametrize('seed', range(4))
def test_the_same_seconds_as_dijkstra(seed):
    rng = np.random.default_rng(seed)
    cost = rng.choice([1.0, 1.0, 1.0, 3.0, 20.0], (7, 9))
    goal, yaw = (int(rng.integers(7)), int(rng.integers(9))), float(rng.uniform(-3, 3))
    ground = Map(cost, np.array([-1.0, 2.0]), 0.1)
    reverse = [1.0, 1.5, 2.0, 2.0][seed]
    way = Way(ground, np.array([-1.0 + 0.1 * goal[0], 2.0 + 0.1 * goal[1], yaw]), LIMITS, reverse)
    assert way.table[:16] == pytest.approx(dijkstra(cost, goal, yaw, 0.1, reverse), abs=5e-3)


def test_seconds_are_the_table_at_its_points_and_between_them_in_between():
    way = Way(floor(1.0), np.array([0.3, -0.2, 0.4]), LIMITS)
    for h, x, y in ((0, 3, 4), (5, 10, 2), (13, 18, 17)):
        place = np.array([-1 + 0.1 * x, -1 + 0.1 * y, HEADINGS[h]])
        assert way.seconds(place) == pytest.approx(way.table[h, x, y], abs=1e-3)
        half = way.seconds(place + [0.05, 0, 0])
        assert half == pytest.approx((way.table[h, x, y] + way.table[h, x + 1, y]) / 2, abs=1e-3)
        turned = (HEADINGS[h] + wrap(HEADINGS[(h + 1) % 16] - HEADINGS[h]) / 2)
        assert way.seconds(np.array([*place[:2], turned])) == pytest.approx(
            (way.table[h, x, y] + way.table[(h + 1) % 16, x, y]) / 2, abs=1e-3)


def test_seconds_do_not_jump_where_a_turn_is_full():
    way = Way(floor(1.0), np.array([0.3, -0.2, 0.4]), LIMITS)
    for yaw in (0.0, math.pi, -math.pi / 2):
        a, b = way.seconds(np.array([[-0.5, 0.5, yaw - 1e-6], [-0.5, 0.5, yaw + 1e-6]]))
        assert a == pytest.approx(b, abs=1e-4)
    assert way.seconds(np.array([0.1, 0.1, 1 - 2 * math.pi])) == pytest.approx(
        way.seconds(np.array([0.1, 0.1, 1.0])), abs=1e-6)


def test_straight_ahead_takes_as_long_as_driving():
    way = Way(floor(3.0), np.array([2.0, 0, 0]), LIMITS)
    assert way.seconds(np.array([-1.0, 0, 0])) == pytest.approx(3.0 / V, rel=0.01)
    # facing away: either backwards, twice as dear, or turning round and driving
    assert way.seconds(np.array([1.8, 0, 0])) == pytest.approx(0.2 / V, rel=0.02)
    assert way.seconds(np.array([2.2, 0, 0])) == pytest.approx(2 * 0.2 / V, rel=0.02)
    assert way.seconds(np.array([-1.0, 0, math.pi])) == pytest.approx(3 / V + math.pi / W,
                                                                      rel=0.02)


def test_outside_the_map_costs_by_the_metre():
    way = Way(floor(1.0), np.array([0.0, 0, 0]), LIMITS)
    edge, out = way.seconds(np.array([[-1.0, 0, 0], [-1.5, 0, 0]]))
    assert out - edge == pytest.approx(10 * 0.5, rel=0.02)


def wall() -> Map:
    """A floor of 4 m with a wall, 0.7 m thick, at x = 0 that leaves a gap beyond y = 1.2."""
    ground = floor(2.0)
    ground.cost[17:24, :33] = 20.0
    return ground


def test_the_way_leads_around_an_obstacle():
    goal = np.array([1.0, -1.0, 0.0])
    way, free = Way(wall(), goal, LIMITS), Way(floor(2.0), goal, LIMITS)
    start = np.array([-1.0, -1.0, math.pi / 2])
    around = 2 * np.hypot(0.6, 2.3) + 0.7           # to the gap, through it, and back
    assert way.seconds(start) > 0.95 * around / V > 1.5 * free.seconds(start)
    # whoever looks a second ahead for falling seconds, and is stopped by walls, finds the gap
    twists = np.array([[V, 0], [V, W], [V, -W], [0, W], [0, -W], [V / 2, W], [V / 2, -W]])
    place, path = start, [start]
    for _ in range(60):
        ends = first = arc(np.tile(place, (len(twists), 1)), twists, 0.25)
        blocked = way.ground.dear(ends) > 5
        for _ in range(3):
            ends = arc(ends[..., None, :], twists, 0.25)
            blocked = blocked[..., None] | (way.ground.dear(ends) > 5)
        costs = np.where(blocked, np.inf, way.cost(ends))
        place = first[int(np.argmin(costs.reshape(len(twists), -1).min(1)))]
        path.append(place)
    path = np.array(path)
    crossing = path[np.flatnonzero((path[:-1, 0] < 0) & (path[1:, 0] >= 0))[0]]
    assert crossing[1] > 1.1
    assert math.hypot(*(path[-1] - goal)[:2]) < 0.3      # as near as such coarse steps go


def test_a_goal_on_tight_ground_is_still_found():
    ground = wall()
    way = Way(ground, np.array([0.0, 0.0, 0.0]), LIMITS)
    assert way.seconds(np.array([-1.0, 0, 0])) < FAR_S
    assert Way(ground, np.array([99.0, 99, 0]), LIMITS).seconds(np.zeros(3)) < FAR_S


def test_how_dear_the_ground_is():
    ground = wall()
    assert ground.dear(np.array([-1.0, 0, 0])) == pytest.approx(0)
    assert ground.dear(np.array([0.0, 0, 0])) == pytest.approx(19, abs=1e-4)
    assert ground.dear(np.array([-0.35, 0.0])) == pytest.approx(9.5, abs=1e-4)
    assert ground.dear(np.zeros((4, 5, 3))).shape == (4, 5)


def test_between_cells_the_ground_is_in_between():
    rng = np.random.default_rng(0)
    ground = Map(rng.uniform(1, 20, (6, 8)), np.array([-1.0, 2.0]), 0.5)
    for x, y in rng.uniform([-1.0, 2.0], [-1.0 + 2.49, 2.0 + 3.49], (50, 2)):
        i, j = int((x + 1) / 0.5), int((y - 2) / 0.5)
        a, b = (x + 1) / 0.5 - i, (y - 2) / 0.5 - j
        four = ground.cost[i:i + 2, j:j + 2]
        between = np.array([1 - a, a]) @ four @ np.array([1 - b, b])
        assert ground.dear(np.array([x, y])) == pytest.approx(between - 1, abs=1e-4)
    assert ground.dear(np.array([99.0, 99.0])) == pytest.approx(ground.cost[-1, -1] - 1, abs=0.1)
    assert ground.dear(np.array([-99.0, -99.0])) == pytest.approx(ground.cost[0, 0] - 1, abs=0.1)


# near the goal

GOAL = np.array([0.4, -0.3, 0.7])


def beside(along: float, left: float, turn: float) -> np.ndarray:
    c, s = math.cos(GOAL[2]), math.sin(GOAL[2])
    return GOAL + [c * along - s * left, s * along + c * left, turn]


def test_at_the_goal_nothing_is_left():
    assert Way(floor(2.0), GOAL, LIMITS).cost(GOAL) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize('turn', [0.2, -0.2, 1.0, 3.0])
def test_a_wrong_heading_at_the_goal_costs_the_turn(turn):
    way = Way(floor(2.0), GOAL, LIMITS)
    assert way.cost(beside(0, 0, turn)) == pytest.approx(abs(turn) / W, abs=1e-6)


def test_straight_ahead_and_backing_up_cost_their_way():
    way = Way(floor(2.0), GOAL, LIMITS)
    for d in (0.2, 0.24):      # below, more and more the heading alone counts
        assert way.cost(beside(-d, 0, 0)) == pytest.approx(d / V)
        assert way.cost(beside(d, 0, 0)) == pytest.approx(2 * d / V)
        assert way.cost(beside(d, 0, math.pi)) == pytest.approx(d / V + math.pi / W)


def test_beside_the_goal_is_further_than_before_it():
    way = Way(floor(2.0), GOAL, LIMITS)
    for left in (0.15, -0.15, 0.25, -0.25):
        before, after = beside(-abs(left), 0, 0), beside(0, left, 0)
        assert way.cost(after) > way.cost(before) + 0.5


def reach(places: np.ndarray, seconds: float = 0.25) -> np.ndarray:
    """Poses (N, 25, 3) that a knot of constant twist leads to, rest among them."""
    grid = np.array([[v, w] for v in np.linspace(-V, V, 5) for w in np.linspace(-W, W, 5)])
    return arc(np.repeat(places[:, None], len(grid), 1), grid, seconds)


def test_no_place_near_the_goal_invites_to_stay():
    way = Way(floor(2.0), GOAL, LIMITS)
    places = np.array([beside(a, left, t) for a in np.linspace(-0.45, 0.45, 10)
                       for left in np.linspace(-0.45, 0.45, 10)
                       for t in np.linspace(-math.pi, math.pi, 12, endpoint=False)])
    away = np.hypot(*(places - GOAL)[:, :2].T)
    places = places[away > 0.1]
    best = np.full(len(places), np.inf)
    ahead = places[:, None]
    for _ in range(3):          # the best of each first move, gone on with greedily
        nexts = reach(ahead.reshape(-1, 3))
        costs = way.cost(nexts)
        pick = costs.argmin(1)
        ahead = nexts[np.arange(len(nexts)), pick].reshape(len(places), -1, 3)
        best = np.minimum(best, way.cost(ahead).min(1))
    stays = way.cost(places)
    worst = np.argmin(stays - best)
    assert np.all(best < stays - 0.03), (places[worst] - GOAL, stays[worst], best[worst])
