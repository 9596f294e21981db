# SPDX-License-Identifier: Apache-2.0
"""The simulator's process: the handshake of lock-step, and what it tells about itself."""

from ami_ros.core.types import Command, Verdict
from ami_ros.nodes import message_conversions as convert
from ami_ros.nodes import sensor_conversions, topics
from ami_ros.robots.find_robot import find
import numpy as np
import pytest

ROVER = find('rover')
SENSORS = (topics.CAMERA, topics.CAMERA_INFO, topics.SCAN, topics.ODOMETRY, topics.IMU,
           topics.JOINT_STATES, topics.CLOCK)


@pytest.fixture
def sim(bench):
    def started(**parameters):
        bench.hear(*SENSORS, topics.TRUTH_STATE, topics.LATENCY)
        bench.offer(topics.COMMAND, topics.VERDICT, topics.PLAN)
        bench.start('sim', **parameters)
        bench.met(*SENSORS, topics.COMMAND, topics.VERDICT)
        return bench
    return started


def newest(bench, row):
    return bench.heard[row.name][-1]


def frame(bench, after=0):
    """Wait for a picture that is newer, with all that belongs to it; return its stamp."""
    def whole():
        stamps = {max((convert.nanoseconds(m.header.stamp) for m in bench.heard[row.name]),
                      default=0) for row in SENSORS[:-1]}
        return len(stamps) == 1 and max(stamps) > after and max(stamps)
    return bench.until(whole, 'a whole frame')


def answer(bench, number, v, stamp=None):
    command = Command(np.array([v, 0.0]), number if stamp is None else stamp)
    bench.say(topics.COMMAND, convert.command_message(command))
    bench.say(topics.VERDICT, convert.verdict_message(Verdict(command, 'go', number=number)))


def test_lock_step_waits_for_the_verdict_that_names_the_frame(sim):
    bench = sim(lock_step=True, engine='loopback', answer_timeout_s=0.2)
    first = frame(bench)
    answer(bench, first - 1, 0.5)                       # of another frame
    answer(bench, first, 0.5, stamp=first - 1)          # whose command is another one's
    bench.heard[topics.CAMERA.name].clear()
    assert frame(bench) == first                        # so it is sent again
    assert not bench.heard[topics.TRUTH_STATE.name]     # and no time has passed
    answer(bench, first, 0.5)
    assert frame(bench, first) == first + 10**8
    looks = bench.until(lambda: len(bench.heard[topics.TRUTH_STATE.name]) == 2 and [
        convert.state_from(m) for m in bench.heard[topics.TRUTH_STATE.name]], 'two looks')
    assert [at - first for _, at, _ in looks] == [5 * 10**7, 10**8]
    assert looks[-1][0]['x_m'] == pytest.approx(0.05)
    took, of, _ = convert.state_from(bench.until(lambda: bench.heard[topics.LATENCY.name])[-1])
    assert of == first and took['camera_to_command_ms'] > 0


def test_the_readings_say_what_they_are(sim):
    bench = sim(lock_step=True, image_width=96, image_height=48)
    stamp = frame(bench)
    assert convert.picture_from(newest(bench, topics.CAMERA)).shape == (48, 96, 3)
    info = newest(bench, topics.CAMERA_INFO)
    assert (info.width, info.height) == (96, 48) and info.k[0] == pytest.approx(
        48 / np.tan(ROVER.camera_hfov_rad / 2))
    scan = sensor_conversions.laser_from(newest(bench, topics.SCAN), ROVER.lidar, ROVER,
                                    sensor_conversions.Came(0, 0))
    assert len(scan.ranges) == ROVER.lidar_beams and not np.isnan(scan.ranges).any()
    assert convert.odometry_from(newest(bench, topics.ODOMETRY), 0).stamp_ns == stamp
    assert np.isfinite(convert.imu_from(newest(bench, topics.IMU))[1]).all()
    assert list(newest(bench, topics.JOINT_STATES).name) == ['left_wheel_joint',
                                                             'right_wheel_joint']
    assert bench.until(lambda: convert.nanoseconds(newest(bench, topics.CLOCK).clock) == stamp)


def test_real_time_obeys_and_keeps_its_rates(sim):
    bench = sim(engine='loopback')
    frame(bench)
    begun = convert.nanoseconds(newest(bench, topics.CAMERA).header.stamp)
    for heard in bench.heard.values():
        heard.clear()

    def driven():
        now = convert.nanoseconds(newest(bench, topics.CLOCK).clock) \
            if bench.heard[topics.CLOCK.name] else begun
        bench.say(topics.COMMAND, convert.command_message(Command(np.array([0.4, 0.0]), now)))
        return now - begun > 1.1e9

    bench.until(driven, 'a second of driving')
    said, _, _ = convert.state_from(newest(bench, topics.TRUTH_STATE))
    assert said['x_m'] > 0.02       # between commands that come late the base stops by itself
    for row, period_ms in ((topics.CAMERA, 100), (topics.SCAN, 50), (topics.ODOMETRY, 25)):
        stamps = [convert.nanoseconds(m.header.stamp) for m in bench.heard[row.name]]
        assert min(np.diff(stamps)) == period_ms * 10**6     # some are lost on a busy machine
