# SPDX-License-Identifier: Apache-2.0
"""What came lately is found by its stamp; a worker gets the newest only."""

import threading

from ami_ros.core.types import Command, Odometry
from ami_ros.nodes.time_buffers import BodyBuffer, Commands
from ami_ros.nodes.worker import Slot, Worker
from ami_ros.nodes.worker_health import WorkerHealth
import numpy as np
import pytest


def body(lock_step=False, gyro=True):
    out = BodyBuffer(0.1, lock_step)
    for stamp, yaw in ((0, 3.1), (10**8, -3.1)):        # turns over the seam
        pose = np.array([stamp / 1e8, 0.0, yaw])
        out.on_odometry(Odometry(pose, np.array([0.5, 0.1]), stamp, 0))
        if gyro:
            out.on_gyro(stamp / 1e8, stamp)
    return out


def test_readings_between_two_pictures_are_interpolated():
    felt, odometry = body().at(5 * 10**7)
    assert odometry[0] == pytest.approx(0.5) and abs(odometry[2]) == pytest.approx(np.pi)
    assert felt.dtype == np.float32 and felt.tolist() == pytest.approx([0.5, 0.1, 0.5])


@pytest.mark.parametrize('stamp, there', [(2 * 10**8, True), (2 * 10**8 + 1, False),
                                          (-10**8, True), (-10**8 - 1, False)])
def test_readings_that_are_too_old_are_none(stamp, there):
    assert (body().at(stamp) is not None) == there


def test_in_lock_step_only_the_very_stamp_counts():
    assert body(lock_step=True).at(10**8) is not None
    assert body(lock_step=True).at(10**8 + 1) is None
    assert body(lock_step=True, gyro=False).at(10**8) is None


def test_a_robot_without_imu_turns_as_its_odometry_says():
    assert body(gyro=False).at(10**8)[0].tolist() == pytest.approx([0.5, 0.1, 0.1])


def test_time_that_goes_back_begins_anew():
    b = body()
    b.on_odometry(Odometry(np.zeros(3), np.zeros(2), 5, 0))
    assert b.at(10**8)[1].tolist() == [0, 0, 0]


def test_commands_are_found_by_their_stamp():
    commands = Commands()
    for stamp, v in ((1, 0.1), (2, 0.2), (3, 0.3), (3, 0.4)):
        commands.on_command(Command(np.array([v, 0.0]), stamp))
    assert [c.values[0] for c in commands.since(2)] == [0.2, 0.4]
    assert commands.has(1) and not commands.has(4)
    commands.on_command(Command(np.zeros(2), 1))        # a clock that was set
    assert len(commands.since(0)) == 1


def test_a_slot_keeps_the_newest_and_counts_the_rest():
    slot = Slot()
    assert slot.take() is None
    assert (slot.put(1), slot.put(2), slot.dropped) == (None, 1, 1)
    assert slot.take(lambda item: item == 1) is None
    assert (slot.take(), slot.take()) == (2, None)


def test_a_worker_works_until_nothing_is_left_and_says_what_it_died_of():
    left, done = [1, 2, 3], threading.Event()

    def step():
        if left:
            left.pop()
            return True
        done.set()
        if dying:
            raise KeyError('bug')
        return False

    dying = []
    worker = Worker(step, 10.0)
    worker.start()
    worker.wake()
    assert done.wait(5.0) and not left
    dying.append(1)
    worker.wake()
    worker._thread.join(5.0)
    assert isinstance(worker.died_of, KeyError)
    worker.stop()


def test_after_a_cleanup_the_health_of_the_last_activation_can_still_be_told():
    health = WorkerHealth()
    health.surprises.append(1.0)
    health.unfamiliar.append(0.5)
    values = health.values(None, None)      # the networks were given back
    assert values['module'] == '' and 'surprise' not in values
