# SPDX-License-Identifier: Apache-2.0
"""Each check of a robot: silent about one that is well, and naming what was broken."""

from dataclasses import replace
import math
import re

from ami_ros.core.findings import first, OK, status, UNCHECKED, WARN, WRONG
from ami_ros.operator.checks import diagnose as all_checks
from ami_ros.operator.checks import nothing_received
from ami_ros.operator.checks.diagnose import diagnose
from ami_ros.operator.checks.observation import Endpoint, HealthReport, Moved, Observation, Qos
from ami_ros.operator.checks.topic_connections import clashes
from ami_ros.perception.images.lens import lens
from healthy_observation import altered, DIAGNOSTIC, healthy, NOW_NS, readings, saying, TWIST
import numpy as np
import pytest

S, MS = 10**9, 10**6


def found(seen, what):
    """The findings about something; what is broken there must be the worst of them."""
    return [f for f in diagnose(seen) if f.what.startswith(what)]


def bad(seen):
    return [f for f in diagnose(seen) if f.level in (WRONG, WARN)]


def only(seen, what, level=WRONG):
    """Break one thing: this and nothing else is found, with a fix."""
    lacking = bad(seen)
    assert [f.what for f in lacking] == [what], lacking
    assert lacking[0].level == level and lacking[0].fix and lacking[0].measured
    return lacking[0]


def test_a_robot_that_is_well():
    seen = healthy()
    assert bad(seen) == [] and status(diagnose(seen)) == 0 and first(diagnose(seen)) is None
    assert {f.what for f in diagnose(seen) if f.level == UNCHECKED} == {
        'imu: sign', 'scan: direction', 'scan: left and right'}
    about = [f.what.partition(':')[0] for f in diagnose(seen)]
    assert all(about.count(name) == 1 or name in about[n - 1:n] or name in about[n + 1:n + 2]
               for n, name in enumerate(about))     # what belongs together stands together
    assert len(all_checks.CHECKS) == 19


# who talks to whom

def test_nobody_publishes_a_sensor():
    seen = healthy()
    seen.channels['scan'].publishers, seen.channels['scan'].readings = (), []
    assert 'nobody publishes /r1/scan' in only(seen, 'scan: published').measured
    seen.elsewhere['scan'] = '/scan'
    assert '-r /scan:=/r1/scan' in only(seen, 'scan: published').fix
    seen = healthy()
    seen.channels['imu'].publishers, seen.channels['imu'].readings = (), []
    only(seen, 'imu: published', WARN)      # not required


def test_a_sensor_in_another_type_is_named_with_its_node():
    seen = healthy()
    seen.channels['camera'].publishers = (
        Endpoint('/r1/usb_cam', 'sensor_msgs/msg/CompressedImage'),)
    seen.channels['camera'].readings = []
    wrong = only(seen, 'camera: type')
    assert wrong.measured == 'CompressedImage from /r1/usb_cam'
    assert 'kind: CompressedImage' in wrong.fix


def test_a_publisher_that_says_nothing():
    seen = healthy()
    seen.channels['odom'].readings = []
    lacking = found(seen, 'odom: heard')
    assert lacking[0].level == WRONG and 'share /dev/shm' in lacking[0].fix


@pytest.mark.parametrize('offered, asked, reasons', [
    (Qos(), Qos(), 0), (Qos(), Qos(reliable=False), 0), (Qos(reliable=False), Qos(), 1),
    (Qos(latched=True), Qos(), 0), (Qos(), Qos(latched=True), 1),
    (Qos(reliable=False), Qos(latched=True), 2),
    (Qos(deadline_s=0.1), Qos(deadline_s=0.1), 0), (Qos(), Qos(deadline_s=0.1), 1),
    (Qos(deadline_s=0.2), Qos(deadline_s=0.1), 1), (Qos(), Qos(lease_s=1.0), 1),
    (Qos(lease_s=0.5), Qos(lease_s=1.0), 0), (Qos(), Qos(manual=True), 1),
    (Qos(manual=True), Qos(), 0)])
def test_qualities_that_clash(offered, asked, reasons):
    assert len(clashes(offered, asked)) == reasons


def test_a_joystick_that_speaks_best_effort_is_never_heard():
    seen = healthy()
    seen.others['cmd_vel_manual'].publishers = (Endpoint('/joy', TWIST, Qos(reliable=False)),)
    wrong = only(seen, 'cmd_vel_manual: QoS')
    assert '/joy and /r1/critic never meet: best effort is offered' in wrong.measured
    assert wrong.fix == 'Let /joy offer reliable.'


def test_a_base_that_asks_for_more_than_the_critic_offers():
    seen = healthy()
    seen.others['cmd_vel'].subscribers = (Endpoint('/r1/base', TWIST, Qos(deadline_s=0.1)),)
    assert only(seen, 'cmd_vel: QoS').fix == 'Let /r1/base ask for none.'


def test_a_base_that_wants_the_other_twist():
    seen = healthy()
    seen.others['cmd_vel'].subscribers = (Endpoint('/r1/base', 'geometry_msgs/msg/Twist'),)
    wrong = only(seen, 'cmd_vel: type')
    assert '/r1/base wants Twist' in wrong.measured
    assert 'command_type: Twist ' in wrong.fix and 'enable_stamped_cmd_vel: false' in wrong.fix
    seen.others['cmd_vel'].subscribers += (Endpoint('/r1/other', TWIST),)
    only(seen, 'cmd_vel: type', WARN)       # somebody takes ours


@pytest.mark.parametrize('listeners', [(), ('/rosbag2_recorder', '/rviz2', '/r1/record')])
def test_nobody_listens_to_the_commands(listeners):
    seen = healthy()
    seen.others['cmd_vel'].subscribers = tuple(Endpoint(name, TWIST) for name in listeners)
    only(seen, 'cmd_vel: heard')


def test_somebody_else_commands_the_wheels():
    seen = healthy()
    seen.others['cmd_vel'].publishers += (Endpoint('/teleop', TWIST),)
    wrong = only(seen, 'cmd_vel: sole publisher')
    assert '/teleop' in wrong.measured and 'cmd_vel_manual' in wrong.fix


def test_a_goal_in_another_type():
    seen = healthy()
    seen.others['goal/image'].publishers = (
        Endpoint('/phone', 'sensor_msgs/msg/CompressedImage'),)
    assert only(seen, 'goal/image: type').measured == 'CompressedImage from /phone'


# when

def test_rates():
    seen = healthy()
    seen.channels['scan'].readings = readings(seen.robot.sensor('scan'), hz=15)
    assert 'hz: 15' in only(seen, 'scan: rate', WARN).fix
    seen.channels['scan'].readings = readings(seen.robot.sensor('scan'), hz=8)
    assert only(seen, 'scan: rate').measured.startswith('8.0 Hz')
    seen.channels['scan'].readings = readings(seen.robot.sensor('scan'), hz=40)
    assert 'hz: 40' in only(seen, 'scan: rate', WARN).fix
    seen.channels['scan'].readings = readings(seen.robot.sensor('scan'))[:2]
    only(seen, 'scan: rate')


def test_large_pictures_that_fast_dds_has_no_room_for():
    seen = healthy()
    camera = seen.robot.sensor('camera')
    seen.channels['camera'].readings = readings(camera, hz=3)
    saying(seen, 'camera', size=(640, 480))
    saying(seen, 'camera_info', size=(640, 480), focal_px=(160.0, 160.0))
    assert 'config/dds/fastdds.xml' in only(seen, 'camera: rate').fix
    seen.around = replace(seen.around, profile='/some/fastdds.xml')
    assert 'hz: 3' in only(seen, 'camera: rate').fix


def late(begin, until):
    """What came between two readings waits for the second."""
    def delayed(n, r):
        wait = (until - r.steady_ns) * (begin < r.steady_ns < until)
        return replace(r, steady_ns=r.steady_ns + wait)
    return delayed


def test_one_sensor_that_is_held_up_and_all_of_them_at_once():
    seen = altered(healthy(), 'scan', late(1 * S, 1.4 * S))
    assert 'the robot stops' in only(seen, 'scan: rate', WARN).fix
    for sensor in seen.robot.sensors:
        altered(seen, sensor.name, late(1 * S, 1.4 * S))
    assert 'not the drivers' in only(seen, 'sensors: silence', WARN).fix


@pytest.mark.parametrize('change, said', [
    (lambda n, r: replace(r, stamp_ns=0), 'all are zero'),
    (lambda n, r: replace(r, stamp_ns=r.stamp_ns if n else 0), '1 of 60 are zero'),
    (lambda n, r: replace(r, stamp_ns=r.stamp_ns - (n == 9) * S), '1 of 60 go back in time'),
    (lambda n, r: replace(r, stamp_ns=NOW_NS + n // 2 * 100 * MS), '30 of 60 are said twice')])
def test_stamps(change, said):
    lacking = found(altered(healthy(), 'scan', change), 'scan: stamps')
    assert lacking[0].level == WRONG and lacking[0].measured == said and '/r1/driver' in \
        lacking[0].fix


def test_two_publishers_of_one_sensor():
    seen = altered(healthy(), 'odom', lambda n, r: replace(r, stamp_ns=r.stamp_ns - n % 2 * S))
    seen.channels['odom'].publishers += (Endpoint('/r1/ekf', seen.channels['odom'].type),)
    assert 'speak at once: /r1/driver, /r1/ekf' in found(seen, 'odom: stamps')[0].measured


def moved_clock(seconds):
    return lambda n, r: replace(r, stamp_ns=r.stamp_ns - round(seconds * S))


@pytest.mark.parametrize('seconds, level, said', [
    (-3.0, WRONG, '2.995 s ahead of ours: it stamps 14:13:25.950 UTC, here it is 14:13:22.955'),
    (-0.04, OK, '-35 ms'), (-0.06, WRONG, '0.055 s ahead'), (0.2, OK, '205 ms'),
    (0.3, WRONG, '305 ms from stamp to arrival'), (3.0, WRONG, '3.005 s behind ours')])
def test_clocks_that_differ(seconds, level, said):
    clock, = found(altered(healthy(), 'scan', moved_clock(seconds)), 'scan: clock')
    assert clock.level == level and said in clock.measured
    assert level == OK or clock.fix


def test_simulated_time():
    seen = altered(healthy(), 'scan', lambda n, r: replace(r, stamp_ns=(1 + n) * 50 * MS))
    assert 'Nobody publishes /clock' in found(seen, 'scan: clock')[0].fix
    seen.clock_talkers, seen.clock_ns = ('/gazebo',), 3 * S
    assert not found(seen, 'scan: clock')
    wrong, = found(seen, 'time')
    assert wrong.level == WRONG and 'do not follow /clock' in wrong.measured
    seen.sim_time = dict.fromkeys(seen.sim_time, True)
    assert found(seen, 'time')[0].level == OK
    seen.clock_talkers = ()
    assert 'which nobody publishes' in found(seen, 'time')[0].measured
    seen.clock_talkers = ('/gazebo', '/player')
    assert 'comes from /gazebo, /player' in found(seen, 'time')[0].measured
    assert found(healthy(sim_time={'/a': True, '/b': False}, clock_talkers=('/sim',)),
                 'time')[0].level == WARN
    assert found(healthy(sim_time={}), 'time')[0].level == UNCHECKED


# where

def test_frames():
    wrong = only(altered(healthy(), 'scan', {'frame': 'velodyne'}), 'scan: frame')
    assert wrong.measured == "'velodyne'" and 'links are: left_wheel' in wrong.fix
    wrong = only(altered(healthy(), 'scan', {'frame': 'imu_link'}), 'scan: frame')
    assert 'link: imu_link' in wrong.fix
    assert not bad(altered(healthy(), 'scan', {'frame': 'r1/laser'}))       # namespaced
    turns = altered(healthy(), 'scan', lambda n, r: replace(r, frame='laser' if n % 2 else 'b'))
    assert 'it changes' in only(turns, 'scan: frame').measured


def test_odometry_is_of_base_link_in_odom():
    wrong = only(saying(healthy(), 'odom', child='wheels'), 'odom: frame')
    assert wrong.measured == 'odom to wheels'
    assert not bad(saying(healthy(), 'odom', child='base_footprint'))
    only(altered(healthy(), 'odom', {'frame': 'map'}), 'odom: frame', WARN)


def test_a_picture_is_in_an_optical_frame():
    lacking = found(altered(healthy(), 'camera', {'frame': 'camera_link'}), 'camera: axes')
    assert lacking[0].level == WARN and 'REP 103' in lacking[0].fix


def test_mounts_of_tf_and_urdf():
    seen = healthy()
    x, y, z, roll, pitch, yaw = seen.robot.body.mount('laser')
    seen.mounts['laser'] = 'base_link', (x + 0.019, y, z, roll, pitch, yaw + math.radians(1.9))
    assert not bad(seen)
    seen.mounts['laser'] = 'base_link', (x + 0.05, y, z, roll, pitch, yaw)
    assert '5.0 cm and 0.0 degrees off' in only(seen, 'tf_static: mounts, laser').measured
    seen.mounts['laser'] = 'base_link', (x, y, z, roll, pitch, yaw + math.pi)
    assert '180.0 degrees' in only(seen, 'tf_static: mounts, laser').measured
    seen.mounts['laser'] = 'mast', (x, y, z - 0.5, roll, pitch, yaw)      # a link of tf alone
    seen.mounts['mast'] = 'base_link', (0.0, 0.0, 0.5, 0.0, 0.0, 0.0)
    assert not bad(seen)
    seen.mounts['mast'] = 'laser', (0.0,) * 6       # a ring
    assert found(seen, 'tf_static: mounts, laser')[0].level == UNCHECKED
    assert found(healthy(mounts=None), 'tf_static')[0].measured == 'tf2_msgs is not installed'


# what

@pytest.mark.parametrize('fill, level, said', [
    (0, WRONG, 'black'), (3, WRONG, 'black'), (128, WRONG, 'all the same')])
def test_pictures_without_anything_in_them(fill, level, said):
    pixels = np.full((64, 64, 3), fill, np.uint8)
    lacking = found(saying(healthy(), 'camera', pixels=pixels), 'camera: image')
    assert lacking[0].level == level and lacking[0].measured.startswith(said)


def test_glare_and_a_picture_that_never_changes():
    pixels = np.full((64, 64, 3), 255, np.uint8)
    pixels[:36] = 60
    assert 'over-exposed' in only(saying(healthy(), 'camera', pixels=pixels), 'camera: image',
                                  WARN).measured
    only(saying(healthy(), 'camera', digest=7), 'camera: changes', WARN)


def test_an_encoding_that_is_not_read():
    wrong = only(saying(healthy(), 'camera', pixels=None, wrong="encoding 'x' is not read"),
                 'camera: encoding')
    assert wrong.measured == "encoding 'x' is not read"


@pytest.mark.parametrize('size, focal, hfov, level, most', [
    ((640, 480), (554.0, 554.0), 0.80, OK, '46.8'),     # 60 degrees across, 47 in a square
    ((640, 480), (554.0, 554.0), 1.05, WRONG, '46.8'),  # the rule that looked at the width alone
    ((480, 640), (554.0, 554.0), 0.80, OK, '46.8'),
    ((640, 480), (554.0, 415.5), 1.00, OK, '60.0')])    # pixels that are not square
def test_a_square_picture_is_cut_from_both_sides_of_the_camera(size, focal, hfov, level, most):
    seen = healthy(robot=replace(healthy().robot, camera_hfov_rad=hfov))
    saying(saying(seen, 'camera', size=size), 'camera_info', size=size, focal_px=focal)
    what, = found(seen, 'camera_info: field of view')
    assert what.level == level and f'{most} across in images of 64x64' in what.measured
    uneven = found(seen, 'camera_info: focal length')
    assert [f.level for f in uneven] == [WARN] * (focal[0] != focal[1])


def test_a_lens_that_distorts_is_asked_itself():
    flat = [lens((640, 480), 'plumb_bob', [554.0, 0, 320, 0, 554.0, 240, 0, 0, 1],
                 [k1, 0.0, 0.0, 0.0, 0.0], np.eye(3).ravel(), [0.0] * 12) for k1 in (0.0, 0.2)]
    widths = []
    for one in flat:
        seen = healthy()
        saying(saying(seen, 'camera', size=(640, 480)), 'camera_info', size=(640, 480),
               focal_px=(554.0, 554.0), lens=one)
        what, = found(seen, 'camera_info: field of view')
        widths.append(float(re.search(r': ([0-9.]+) across in images', what.measured)[1]))
    assert widths[0] == pytest.approx(46.8, abs=0.2) and widths[1] < widths[0] - 0.5


@pytest.mark.parametrize('changes, why', [
    ({'module_wrong': 'it was made for another robot'}, 'it was made for another robot'),
    ({}, 'no image came'), ({'module': ''}, 'no module was opened')])
def test_a_contract_with_nothing_to_compare_is_not_ok(changes, why):
    seen = healthy(eye_compared=False, **changes)
    what, = found(seen, 'camera: contract')
    assert what.level == UNCHECKED and why in what.measured
    assert found(healthy(), 'camera: contract')[0].level == OK


def test_a_camera_info_of_another_camera_is_told_by_its_frame():
    other = altered(healthy(), 'camera_info', {'frame': 'rear_optical_frame'})
    assert only(other, 'camera_info: frame', WARN).wanted == 'camera_optical_frame'


def test_camera_info_belongs_to_the_pictures():
    assert only(saying(healthy(), 'camera_info', size=(640, 480)),
                'camera_info: size').wanted.startswith('64x64')
    only(saying(healthy(), 'camera_info', focal_px=(0.0, 0.0)), 'camera_info: focal length')
    narrow = only(saying(healthy(), 'camera_info', focal_px=(32.0, 32.0)),
                  'camera_info: field of view')
    assert narrow.measured.startswith('90.0 degrees') and '110.0' in narrow.wanted


def test_what_the_mind_would_not_look_at():
    wrong = only(healthy(eye_wrong='camera sees 60 degrees, the module wants 110'),
                 'camera: contract')
    assert wrong.measured == 'camera sees 60 degrees, the module wants 110'
    assert found(healthy(eye_notes=('no mount',)), 'camera: contract')[0].level == UNCHECKED


def with_ranges(make):
    def change(n, r):
        return replace(r, said=replace(r.said, ranges=make(r.said.ranges.copy())))
    return altered(healthy(), 'scan', change)


def none_is(value, share):
    def make(ranges):
        ranges[:round(share * len(ranges))] = value
        return ranges
    return make


@pytest.mark.parametrize('value, share, level, fix', [
    (0.0, 0.5, WRONG, 'write no_return: 0.0 for scan'), (0.0, 0.2, WARN, 'Is no_return: 0.0'),
    (12.0, 0.5, WRONG, 'write no_return: 12'), (65.533, 0.2, WARN, 'Is no_return: 65.533'),
    (math.nan, 0.5, WRONG, 'Clean the window')])
def test_what_a_lidar_says_of_nothing(value, share, level, fix):
    lacking = only(with_ranges(none_is(value, share)), 'scan: valid', level)
    assert fix in lacking.fix


def test_a_lidar_that_sees_nothing_and_one_that_says_inf():
    only(with_ranges(none_is(math.inf, 1.0)), 'scan: valid', WARN)
    seen = with_ranges(none_is(math.inf, 0.5))
    assert not bad(seen)
    lidar = replace(seen.robot.lidar, no_return=0.0)
    sensors = tuple(lidar if s.name == 'scan' else s for s in seen.robot.sensors)
    seen.robot = replace(seen.robot, sensors=sensors)
    assert 'write no_return: .inf' in only(seen, 'scan: valid').fix


def test_beams_and_range():
    wrong = only(with_ranges(lambda ranges: ranges[:90]), 'scan: beams', WARN)
    assert 'beams: 90' in wrong.fix
    wrong = only(saying(healthy(), 'scan', angle_step=2.0), 'scan: beams')
    assert 'radians, not degrees' in wrong.fix
    only(saying(healthy(), 'scan', angle_step=0.0), 'scan: beams')
    assert 'range_m: [0.08, 3.5]' in only(saying(healthy(), 'scan', limits=(0.08, 3.5)),
                                          'scan: range').fix
    wrong = only(saying(healthy(), 'scan', angle_min=0.0), 'scan: beams')
    assert 'angle_min_rad: 0.0000 and angle_max_rad: 6.2483' in wrong.fix
    assert 'from -180 to 178 degrees' in wrong.wanted
    seen = saying(healthy(), 'scan', angle_min=0.0)
    silent = replace(seen.robot.lidar, angle_min_rad=None, angle_max_rad=None)
    seen.robot = replace(seen.robot, sensors=tuple(
        silent if s.name == 'scan' else s for s in seen.robot.sensors))
    assert not bad(seen)


def test_odometry():
    only(saying(healthy(), 'odom', twist=(math.nan, 0.0)), 'odom: values')
    only(saying(healthy(), 'odom', turn=0.0), 'odom: values')

    def way(speed, told, jump=0.0):
        return altered(healthy(), 'odom', lambda n, r: replace(r, said=Moved(
            (n * 0.025 * speed + jump * (n > 40), 0.0, 0.0), (told, 0.0), 'base_link')))
    assert not bad(way(0.3, 0.3))
    assert 'has another unit' in only(way(0.3, 300.0), 'odom: values', WARN).fix
    assert 'it says no speed' in only(way(0.3, 0.0), 'odom: values', WARN).measured
    assert found(way(0.3, 0.3, 2.0), 'odom: jumps')[0].measured.startswith('2.01 m in 0.025 s')


@pytest.mark.parametrize('accel, said', [
    ((0, 0, 1.0), 'that is in g'), ((0, 0, 0.0), 'gravity is taken away'),
    ((0, 0, -9.81), 'upside down'), ((9.81, 0, 0), 'tilted by 90 degrees'),
    ((0, 0, 8.0), '8.00')])
def test_gravity(accel, said):
    lacking = only(saying(healthy(), 'imu', accel=np.array(accel, float)), 'imu: gravity', WARN)
    assert said in lacking.measured


@pytest.mark.parametrize(('mount', 'felt'), [
    ((math.pi, 0.0, 0.0), (0.0, 0.0, -9.81)),                       # upside down
    ((-math.pi / 2, 0.0, -math.pi / 2), (0.0, -9.81, 0.0))])        # an optical frame
def test_gravity_is_judged_in_base_link(mount, felt):
    """What the URDF says of the mount is right, and anything else is not."""
    seen = saying(healthy(), 'imu', accel=np.array(felt))
    only(seen, 'imu: gravity', WARN)
    robot, body = replace(seen.robot), seen.robot.body
    mounts = {**body.mounts, 'imu_link': (0.0, 0.0, 0.0, *mount)}
    object.__setattr__(robot, 'body', replace(body, mounts=mounts))
    assert not bad(replace(seen, robot=robot, mounts=None))
    level = replace(healthy(), robot=robot, mounts=None)
    assert [f.what for f in bad(level)] == ['imu: gravity']


def test_an_imu_is_judged_at_rest_alone():
    assert '0.0500' in only(saying(healthy(), 'imu', spin=np.array([0, 0, 0.05])), 'imu: bias',
                            WARN).measured
    only(saying(healthy(), 'imu', spin=np.array([0, 0, np.inf])), 'imu: values', WARN)
    seen = saying(saying(healthy(), 'odom', twist=(0.0, 0.5)), 'imu', accel=np.zeros(3))
    assert found(seen, 'imu: gravity')[0].level == UNCHECKED


# our nodes

def test_a_node_that_is_missing_twice_or_silent():
    seen = healthy()
    seen.nodes = tuple(n for n in seen.nodes if n != '/r1/critic')
    assert 'robot.launch.py' in only(seen, 'critic: runs').fix
    twice = healthy(nodes=(*healthy().nodes, '/r1/mind'))
    assert only(twice, 'mind: runs').measured == '2 of them'
    seen = healthy()
    del seen.health['mind']
    assert 'no sign of life' in only(seen, 'mind: runs', WARN).measured
    seen.health['mind'] = HealthReport('/r1/mind', 0, '', {'state': 'active'}, 2, 2.5)
    assert 'silent for 2.5 s' in only(seen, 'mind: runs', WARN).measured


def test_without_any_of_our_nodes_the_sensors_are_still_checked():
    seen = healthy(nodes=('/r1/driver', '/r1/base'), health={}, verdict=None, status=None,
                   services=(), running={})
    only(seen, 'nodes: ours', WARN)


def test_a_mind_in_parts():
    parts = ('perception', 'world_model', 'actor')
    seen = healthy()
    seen.nodes = tuple(n for n in seen.nodes if n != '/r1/mind') + ('/r1/perception',)
    seen.health.update({name: HealthReport(f'/r1/{name}', 0, '',
                                           {'state': 'active'}) for name in parts})
    assert [f.what for f in bad(seen)] == ['world_model: runs', 'actor: runs']


def resting(seen, mode, state='inactive'):
    """Let the configurator be in a mode that plans nothing."""
    seen.status.values['mode'] = mode
    seen.health['mind'] = HealthReport('/r1/mind', 0, '', {'state': state})
    return seen


def test_states_and_complaints():
    def mind(level, message, state):
        seen = healthy()
        seen.health['mind'] = HealthReport('/r1/mind', level, message, {'state': state})
        return seen
    assert only(mind(0, '', 'inactive'), 'mind: runs', WARN).measured == 'inactive'
    assert not bad(resting(healthy(), 'idle'))
    assert only(resting(mind(0, '', 'active'), 'idle', 'active'), 'mind: runs', WARN)
    assert 'no pictures' in only(mind(2, 'no pictures', 'active'), 'mind: runs').measured
    only(mind(1, 'it is late', 'active'), 'mind: runs', WARN)


def test_the_critic_says_why_the_robot_stands():
    seen = healthy()
    seen.verdict = HealthReport('critic', 2, 'scan is 0.4 s old',
                        {'action': 'stop', 'rule': 'input_timeout', 'unreadable': ''})
    assert only(seen, 'critic: verdict', WARN).measured == (
        'stop by rule input_timeout: scan is 0.4 s old')
    resting(seen, 'idle')                   # then it should stand
    assert not bad(seen) and 'mode idle' in found(seen, 'critic: verdict')[0].measured
    seen.verdict.values['unreadable'] = 'scan is in frame x'
    assert only(seen, 'critic: reads').measured == 'scan is in frame x'


def test_a_stopped_robot_and_services_that_are_missing():
    seen = healthy()
    resting(seen, 'stopped').status.values['reason'] = 'e-stop'
    assert 'configurator/reset' in only(seen, 'configurator: mode', WARN).fix
    missing = only(healthy(services=healthy().services[:-1]), 'configurator: services', WARN)
    assert missing.measured == 'no begin'


def test_nodes_that_were_told_different_things():
    seen = healthy()
    seen.running['/r1/mind']['robot'] = 'other'
    assert '/r1/mind has other' in only(seen, 'parameters: robot').measured
    seen = healthy(running={'/r1/critic': {'robot': 'other'}})
    assert only(seen, 'parameters: robot', WARN).fix == 'ami-ros doctor --robot other'


def test_files():
    only(healthy(policy=None, policy_path='there is none'), 'policy: file')
    only(healthy(module_wrong='made for robot x'), 'module: fits')
    seen = healthy()
    seen.health['mind'].values['module'] = seen.module
    assert found(seen, 'mind: module')[0].measured == 'rover-room-7 1.0.0' and not bad(seen)
    seen.health['mind'].values.update(module='kitchen 1.0.0', notes='the active set was not taken')
    wrong = only(seen, 'mind: module', WARN)
    assert wrong.measured == 'kitchen 1.0.0' and wrong.fix == 'the active set was not taken'
    assert found(healthy(module=''), 'module')[0].level == UNCHECKED


# nothing

def test_when_nothing_is_heard_the_causes_stand_in_order():
    seen = healthy()
    for channel in (*seen.channels.values(), *seen.others.values()):
        channel.publishers = channel.subscribers = ()
    causes = [f.what for f in diagnose(seen)]
    assert causes == [f'silence: {what}' for what in ('nothing runs', 'domain', 'middleware',
                                                      'network')]
    assert status(diagnose(seen)) == 1
    seen.around = replace(seen.around, discovery='LOCALHOST', rmw='rmw_zenoh_cpp')
    seen.elsewhere = {'scan': '/r2/scan'}
    causes = [f.what for f in diagnose(seen)]
    assert causes[0] == 'silence: namespace' and 'silence: discovery range' in causes
    assert 'silence: router' in causes


def test_the_header_says_where_was_listened():
    said = nothing_received.header(healthy())
    for part in ('robot rover', 'namespace /r1', 'RMW rmw_fastrtps_cpp', 'ROS_DOMAIN_ID 7',
                 'discovery SUBNET'):
        assert part in said
    bare = Observation(healthy().robot)
    bare.around = replace(bare.around, localhost_only='1')
    assert 'LOCALHOST (ROS_LOCALHOST_ONLY=1)' in nothing_received.header(bare)


def test_a_program_that_asks_for_more_than_we_offer_is_its_own_business():
    seen = healthy()
    seen.others['critic/verdict'] = replace(
        seen.others['goal/image'], name='critic/verdict', type=DIAGNOSTIC,
        publishers=(Endpoint('/r1/critic', DIAGNOSTIC),),
        subscribers=(Endpoint('/rqt', DIAGNOSTIC, Qos(latched=True)),), asked=Qos())
    wrong = only(seen, 'critic/verdict: QoS', WARN)
    assert wrong.fix == 'Let /rqt ask for volatile.'


def test_one_message_is_nothing_to_compare():
    seen = healthy()
    seen.channels['scan'].readings = seen.channels['scan'].readings[:1]
    assert found(seen, 'scan: stamps')[0].level == UNCHECKED


@pytest.mark.parametrize('kind', ['PointCloud2', 'Range'])
def test_what_nobody_looks_at_is_not_ok(kind):
    seen = healthy()
    scan = seen.robot.sensor('scan')
    other = replace(scan, kind=kind, beams=None, angle_min_rad=None, angle_max_rad=None, **(
        {'height_m': (0.0, 1.0), 'no_return': None} if kind == 'PointCloud2' else {}))
    seen.robot = replace(seen.robot, sensors=tuple(
        other if s.name == 'scan' else s for s in seen.robot.sensors))
    assert found(seen, 'scan: values')[0].level == UNCHECKED
    assert not found(seen, 'scan: beams')
