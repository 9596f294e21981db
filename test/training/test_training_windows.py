# SPDX-License-Identifier: Apache-2.0
"""Windows: what was done between two frames, where drives end, and when a bag has no drive."""

import math

from ami_ros.training.bag_reader import BagError, Recording
from ami_ros.training.training_windows import (
    chains,
    cut,
    Drives,
    joined,
    LEAST_NS,
    mean_command,
    MOST_NS,
    split,
    starts,
    STEPS_MS,
    stretches,
    TIMEOUT_NS,
)
from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest
from synthetic_bags import drives, shifted

MS = 1_000_000
RNG = np.random.default_rng


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1500), st.floats(-1, 1), st.floats(-2, 2)), min_size=1,
                max_size=8, unique_by=lambda c: c[0]),
       st.lists(st.tuples(st.integers(-300, 2000), st.integers(1, 700)), min_size=1, max_size=4))
def test_mean_command_is_the_mean_over_every_millisecond(sent, spans):
    sent = sorted(sent)
    stamps = np.array([s[0] for s in sent]) * MS
    values = np.array([s[1:] for s in sent], float)
    begin = np.array([b for b, _ in spans])
    end = begin + [n for _, n in spans]
    got = mean_command(stamps, values, begin * MS, end * MS)
    for row, (first, last) in enumerate(zip(begin, end)):
        instants = np.arange(first, last) * MS
        index = np.searchsorted(stamps, instants, 'right') - 1
        held = (index >= 0) & (instants < stamps[np.maximum(index, 0)] + TIMEOUT_NS)
        assert got[row] == pytest.approx(np.where(held[:, None], values[index], 0).mean(0),
                                         abs=1e-9)


def test_without_commands_the_base_rests():
    assert np.all(mean_command(np.zeros(0, np.int64), np.zeros((0, 2)), np.array([0]),
                               np.array([9])) == 0)


# chains

def test_a_gap_ends_a_drive_and_short_ones_are_left_out():
    stamps = np.concatenate([250 * np.arange(10), 5000 + 250 * np.arange(7),
                             20_000 + 250 * np.arange(8)]) * MS
    got = chains(stamps, RNG(0))
    assert [c.tolist() for c in got] == [list(range(10)), list(range(17, 25))]


@pytest.mark.parametrize('hz', [10, 15, 30, 60])
def test_a_fast_camera_is_thinned_into_several_chains(hz):
    stamps = np.round(np.arange(20 * hz) * 1e9 / hz).astype(np.int64)
    got = chains(stamps, RNG(0))
    assert len(got) == max(1, round(hz / 4))
    assert sorted(c[0] for c in got) == list(range(len(got)))
    steps = np.concatenate([np.diff(stamps[c]) for c in got])
    assert steps.min() >= LEAST_NS and steps.max() <= MOST_NS      # every step can be used
    assert np.mean(steps) == pytest.approx(np.mean(STEPS_MS) * MS, rel=0.08)
    assert len(np.unique(np.concatenate(got))) > 0.5 * len(stamps)


@pytest.mark.parametrize(('frames', 'drives'), [(480, 1), (481, 2), (9000, 19)])
def test_a_long_drive_of_a_slow_camera_is_cut_into_several(frames, drives):
    got = chains(np.arange(frames) * 200 * MS, RNG(0))
    assert len(got) == drives and np.concatenate(got).tolist() == list(range(frames))
    assert np.ptp([len(part) for part in got]) <= 1


def test_a_short_drive_of_a_fast_camera_has_fewer_chains_than_phases():
    got = chains(np.arange(9) * 16 * MS, RNG(0))        # 60 Hz: fifteen phases, nine frames
    assert 0 < len(got) <= 9


@pytest.mark.parametrize(('seconds', 'count'), [(20, 1), (30, 2), (75, 6), (900, 8), (2000, 17)])
def test_a_long_stretch_of_a_fast_camera_is_cut_in_time_as_well(seconds, count):
    stamps = np.arange(10 * seconds) * 100 * MS
    got = chains(stamps, RNG(0))
    assert len(got) == 2 * count
    for first, second in zip(got[::2], got[1::2]):      # two phases of each piece
        assert abs(first[0] - second[0]) == 1
    ends = [(min(a[0], b[0]), max(a[-1], b[-1])) for a, b in zip(got[::2], got[1::2])]
    assert all(one[1] < other[0] for one, other in zip(ends, ends[1:]))


@pytest.mark.parametrize('seed', range(5))
def test_what_is_held_out_of_a_fast_camera_is_time_that_no_training_window_sees(seed):
    made = cut(recording(20 * 75, image_ns=np.arange(20 * 75) * 50 * MS,
                         images=np.zeros((1500, 4, 4, 3), np.uint8)), RNG(0))
    rows, held = split(made, 6, 0.08, seed)
    assert stretches(made)[1].tolist() == [piece for piece in range(6) for _ in range(5)]
    learned, kept = ({int(frame) for row in part for frame in made.frame[row:row + 6]}
                     for part in (rows, held))
    assert learned and kept
    low, high = min(kept), max(kept)
    assert not any(low <= frame <= high for frame in learned)
    assert len(held) + len(rows) == len(starts(made, 6))


def test_drives_of_a_slow_camera_are_each_a_stretch():
    _, made = drives(5, 12)
    names, numbers = stretches(made)
    assert names.tolist() == numbers.tolist() == list(range(5))


def test_stamps_that_stand_still_are_no_reason_to_crash():
    assert all(len(c) == 1 for c in chains(np.full(30, 7 * MS), RNG(0)))


# cutting a recording

def recording(frames: int = 12, begin_ms: int = 0, **values) -> Recording:
    """Make a recording of an arc, v = 0.4 m/s and w = 0.8 rad/s, commanded from the start."""
    ms = begin_ms + np.arange(0, 250 * frames, 50)
    turn = 0.8 * (ms - begin_ms) / 1000
    odom = np.stack([0.5 * np.sin(turn), 0.5 * (1 - np.cos(turn)),
                     (turn + 3.0 + math.pi) % (2 * math.pi) - math.pi,
                     np.full(len(ms), 0.4), np.full(len(ms), 0.8)], 1)
    return Recording(**{
        'images': np.zeros((frames, 4, 4, 3), np.uint8),
        'image_ns': (begin_ms + 7 + 240 * np.arange(frames)) * MS,
        'odom_ns': ms * MS, 'odom': odom, 'command_ns': ms * MS,
        'command': np.tile([0.4, 0.8], (len(ms), 1)), 'gyro_ns': ms * MS,
        'gyro': np.full(len(ms), 0.81), 'clearance': np.linspace(0.1, 1, frames), **values})


def test_frames_get_pose_body_action_and_time():
    got = cut(recording(), RNG(0))
    seconds = 0.007 + 0.24 * np.arange(12)
    assert got.frame.tolist() == list(range(12)) and set(got.last) == {11}
    assert got.pose[:, 0] == pytest.approx(0.5 * np.sin(0.8 * seconds), abs=1e-3)
    assert got.pose[:, 2] == pytest.approx(3.0 + 0.8 * seconds, abs=1e-5)    # on beyond pi
    assert got.body == pytest.approx(np.tile([0.4, 0.8, 0.81], (12, 1)))
    assert got.action[:-1] == pytest.approx(np.tile([0.4, 0.8], (11, 1)))
    assert got.dt[:-1] == pytest.approx(0.24) and got.dt[-1] == 0
    assert got.clearance == pytest.approx(np.linspace(0.1, 1, 12))


def test_without_a_gyro_the_wheels_say_how_fast_it_turns():
    none = np.zeros(0)
    got = cut(recording(gyro_ns=none.astype(np.int64), gyro=none), RNG(0))
    assert got.body[:, 2] == pytest.approx(0.8)


def test_frames_without_odometry_are_left_out():
    whole = recording(20)
    late = recording(20, odom_ns=whole.odom_ns[40:], odom=whole.odom[40:])
    got = cut(late, RNG(0))
    assert whole.image_ns[got.frame].min() >= late.odom_ns[0]
    assert 8 <= len(got.frame) < 20


def test_two_drives_are_two():
    one, two = recording(), recording(begin_ms=60_000)
    both = Recording(**{name: np.concatenate([getattr(one, name), getattr(two, name)])
                        for name in ('images', 'image_ns', 'odom_ns', 'odom', 'command_ns',
                                     'command', 'gyro_ns', 'gyro', 'clearance')})
    got = cut(both, RNG(0))
    assert got.drive.tolist() == [0] * 12 + [1] * 12
    assert got.last.tolist() == [11] * 12 + [23] * 12
    assert got.dt[11] == 0 and got.action[11] == pytest.approx(got.action[10], abs=1.0)


@pytest.mark.parametrize('values, parts', [
    ({'frames': 7}, ('no drive of 8 frames', '7 from 0.007 to 1.447 s')),
    ({'odom_ns': (10**9 + np.arange(60)) * 1000 * MS}, ('no drive of 8 frames', 'same clock?')),
    ({'command_ns': (10**9 + np.arange(60)) * 1000 * MS},
     ('no command was sent while images were taken', '60 from 1000000000.000', 'same clock?')),
])
def test_a_recording_without_a_drive(values, parts):
    with pytest.raises(BagError) as wrong:
        cut(recording(**values), RNG(0))
    assert all(part in str(wrong.value) for part in parts), str(wrong.value)


# window starts

@pytest.mark.parametrize('length', [2, 4, 7])
def test_windows_begin_where_every_step_is_sound(length):
    rng = RNG(3)
    _, made = drives(4, 15)
    dt = made.dt.copy()
    odd = rng.choice(len(dt), 12, replace=False)
    dt[odd] = rng.choice([0.05, 0.5, 0.079, 0.451, 0.08, 0.45], 12)
    made = shifted(made, dt=dt)
    wanted = [row for row in range(len(dt))
              if row + length - 1 <= made.last[row]
              and np.all((dt[row:row + length - 1] >= np.float32(0.08))
                         & (dt[row:row + length - 1] <= np.float32(0.45)))]
    assert starts(made, length).tolist() == wanted and 0 < len(wanted) < len(dt)


def test_joined_recordings_keep_their_rows_apart():
    def part(lengths, first):
        n = sum(lengths)
        drive = np.repeat(np.arange(len(lengths)), lengths)
        last = np.repeat(np.cumsum(lengths) - 1, lengths)
        values = np.arange(n, dtype=np.float32) + first
        return Drives(np.arange(n)[::-1].copy(), drive, last, np.tile(values[:, None], 3),
                      np.tile(values[:, None], 3), np.tile(values[:, None], 2),
                      np.full(n, 0.25, np.float32), values)
    one, two = part([8, 9], 0), part([10], 100)
    both = joined([one, two], [20, 10])         # three pictures of the first are in no drive
    assert both.frame.tolist() == [*range(16, -1, -1), *range(29, 19, -1)]
    assert both.drive.tolist() == [0] * 8 + [1] * 9 + [2] * 10
    assert both.last.tolist() == [7] * 8 + [16] * 9 + [26] * 10
    assert both.pose[:, 0].tolist() == [*range(17), *range(100, 110)]
    begins = starts(both, 6)
    assert set(begins) == {*range(3), *range(8, 12), *range(17, 22)}
