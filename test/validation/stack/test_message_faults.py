# SPDX-License-Identifier: Apache-2.0
"""What becomes of messages on their way: each fault does what it is called, and nothing else."""

from ami_ros.core.share_directory import share
from ami_ros.core.types import Plan
from ami_ros.nodes import message_conversions as convert
from ami_ros.robots.find_robot import find
from ami_ros.validation.fault_injection import campaign, message_faults
from ami_ros.validation.fault_injection.fault_definitions import read
from ami_ros.validation.fault_injection.ground_truth_sim_node import WheelLog
import numpy as np
import pytest
from rosgraph_msgs.msg import Clock

NS = 10**9
AT_NS = 1_700_000_000 * NS


def plan(number=0):
    knots = np.array([[0.6, 0.1], [0.5, 0.2], [0.4, 0.3]])
    stamp_ns = AT_NS + number * NS // 10
    return convert.plan_message(Plan(knots, 0.25, stamp_ns, stamp_ns, 'run', 1))


def scan(number=0):
    ranges = np.linspace(1.0, 4.0, 180) + 0.01 * number
    return convert.scan_message(AT_NS + number, ranges, np.linspace(-3.1, 3.1, 180), (0.08, 8.0))


def picture(number=0):
    return convert.image_message(np.full((64, 64, 3), 90 + number, np.uint8), AT_NS + number)


def odometry(number=0):
    return convert.odometry_message(AT_NS + number, np.array([0.1 * number, 0.2, 0.3]),
                                    np.array([0.6, 0.0]))


def clock(number=0):
    return Clock(clock=convert.time(AT_NS + number))


MAKE = {'plan': plan, 'scan': scan, 'camera': picture, 'odometry': odometry, 'clock': clock}
EVERY = [(at, how) for at, (_, hows) in message_faults.FAULTS.items() for how in hows]


def sent(at, how, count=4, seed=3, every_s=0.1):
    """What goes out for each message that comes in."""
    fault, out = message_faults.FAULTS[at][1][how](np.random.default_rng(seed)), []
    for n in range(count):
        said = fault(MAKE[at](n), n * every_s)
        out.append([MAKE[at](n)] if said is None else said)
    return out


def stamp(msg):
    return convert.nanoseconds(msg.clock if hasattr(msg, 'clock') else msg.header.stamp)


@pytest.mark.parametrize('at, how', EVERY)
def test_no_fault_lets_everything_through(at, how):
    honest = [[MAKE[at](n)] for n in range(4)]
    assert sent(at, how) != honest
    assert all(isinstance(msg, type(honest[0][0])) for out in sent(at, how) for msg in out)


@pytest.mark.parametrize('at, how', EVERY)
def test_a_fault_is_the_same_for_the_same_seed(at, how):
    assert list(map(repr, sent(at, how))) == list(map(repr, sent(at, how)))


@pytest.mark.parametrize('at', message_faults.FAULTS)
def test_silence_is_silence(at):
    if 'silent' in message_faults.FAULTS[at][1]:
        assert sent(at, 'silent') == [[]] * 4


@pytest.mark.parametrize('how', ['nan', 'infinite'])
def test_one_number_of_a_plan_is_none_and_never_of_its_end(how):
    for seed in range(20):
        for out, in sent('plan', how, seed=seed):
            knots = convert.plan_from(out).knots
            assert np.count_nonzero(~np.isfinite(knots)) == 1
            assert np.isnan(knots).any() == (how == 'nan')


def test_plans_are_stale_or_early_by_a_second_and_else_the_same():
    for how, off_s in (('stale', -1.0), ('future', 1.0)):
        for n, (out,) in enumerate(sent('plan', how)):
            assert stamp(out) - stamp(plan(n)) == off_s * NS
            assert np.array_equal(convert.plan_from(out).knots, convert.plan_from(plan(n)).knots)


def test_a_huge_plan_is_one_that_can_be_read():
    assert convert.plan_from(sent('plan', 'huge')[0][0]).knots[0, 0] == message_faults.HUGE_MPS


@pytest.mark.parametrize('at, how', EVERY)
def test_what_is_not_wrong_yet_goes_out_as_it_came(at, how):
    fault = message_faults.FAULTS[at][1][how](np.random.default_rng(3))
    assert (fault(MAKE[at](0), 0.0) is None) == (how in ('frozen', 'repeated', 'slow'))
    assert fault(MAKE[at](1), 0.1) is not None


def test_a_plan_is_repeated_with_its_stamp():
    assert [stamp(out) for out, in sent('plan', 'repeated')] == [stamp(plan(0))] * 4


def test_every_second_plan_overtakes():
    stamps = [[stamp(m) for m in out] for out in sent('plan', 'reordered')]
    assert stamps == [[], [stamp(plan(1)), stamp(plan(0))], [], [stamp(plan(3)), stamp(plan(2))]]


def test_the_endless_plan_is_one_and_drives():
    first, *rest = sent('plan', 'endless')
    was, points = plan(0), first[0].points
    assert first[0].header == was.header and rest == [[]] * 3
    assert len(points) == message_faults.ENDLESS_KNOTS + 1
    assert {point.velocities[0].linear.x for point in points[:-1]} == {message_faults.FULL_MPS}
    lasts_s = points[-1].time_from_start.sec
    assert lasts_s == round(message_faults.ENDLESS_KNOTS * convert.plan_from(was).knot_s)


@pytest.mark.parametrize('at, how, content', [
    ('camera', 'frozen', 'data'), ('scan', 'frozen', 'ranges'), ('odometry', 'frozen', 'pose')])
def test_what_is_frozen_has_new_stamps(at, how, content):
    out = [msgs[0] for msgs in sent(at, how)]
    assert all(getattr(msg, content) == getattr(out[0], content) for msg in out)
    assert [stamp(msg) for msg in out] == [stamp(MAKE[at](n)) for n in range(4)]


def test_pictures_black_slow_and_cut():
    assert not np.any(convert.picture_from(sent('camera', 'black')[0][0]))
    assert [len(out) for out in sent('camera', 'slow', 12)] == [1, *[0] * 9, 1, 0]
    cut = convert.picture_from(sent('camera', 'wrong_size')[0][0])
    assert cut.shape == (48, 64, 3)


def test_scans_without_a_word_and_turned():
    now = np.frombuffer(scan().ranges, np.float32)
    said = {how: np.frombuffer(sent('scan', how)[0][0].ranges, np.float32)
            for how in ('nan', 'zero', 'half_blind', 'rotated')}
    assert np.isnan(said['nan']).all() and not said['zero'].any()
    blind = np.isnan(said['half_blind'])
    assert blind.sum() == 90 and np.array_equal(said['half_blind'][~blind], now[~blind])
    assert np.count_nonzero(blind != np.roll(blind, 1)) == 2       # one half, in one piece
    assert np.array_equal(said['rotated'], np.roll(now, 45))


def test_odometry_and_clock_jump_once():
    out = [convert.odometry_from(msgs[0], 0) for msgs in sent('odometry', 'jumped')]
    assert out[0].pose[:2] == pytest.approx([1.0, 1.2]) and out[0].twist[0] == 0.6
    assert out[1].pose[0] - out[0].pose[0] == pytest.approx(0.1)    # from there it goes on
    for how, off_s in (('forward', 5), ('back', -5)):
        assert [stamp(msgs[0]) - stamp(clock(n)) for n, msgs in enumerate(sent('clock', how))
                ] == [off_s * NS] * 4


@pytest.mark.parametrize('at, how', EVERY)
def test_messages_that_went_out_are_left_alone(at, how):
    fault = message_faults.FAULTS[at][1][how](np.random.default_rng(0))
    fault(MAKE[at](0), 0.0)
    second = list(fault(MAKE[at](1), 0.1))
    was = repr(second)
    fault(MAKE[at](2), 0.2)
    assert repr(second) == was


def test_the_shipped_table_is_right_for_the_shipped_robot():
    numbers = campaign.numbers_of(campaign.POLICY, find(campaign.ROBOT))
    rows = read(share('config/faults.yaml'), numbers)
    for row in rows:
        if row.strike.get('by') == 'tamper':
            message_faults.known(row.strike['at'], row.strike['how'])
        if row.named is not None:
            assert row.named.by in ('verdict', 'critic', 'mind', 'configurator'), row.name
    assert numbers['camera_period_s'] == pytest.approx(0.1)
    assert 'stop' in campaign.listed(rows, numbers)


def test_a_fault_that_nobody_knows_is_refused():
    with pytest.raises(ValueError, match="how is 'melted'; at scan it is one of: silent, frozen"):
        message_faults.known('scan', 'melted')


def test_what_wheels_are_told():
    wheels = WheelLog(0.25)
    assert wheels.at(1.0)[0] == 0.0                             # nobody has told them anything
    wheels.on_command((0.6, 0.1), 1.0)
    assert wheels.at(1.2) == (0.6, 0.0)
    assert wheels.at(1.3) == (0.0, pytest.approx(0.05))         # the base's own timeout
    wheels.on_command((0.0, 0.0), 1.4)
    assert wheels.at(1.5) == (0.0, pytest.approx(0.25))         # which is when rest began
    wheels.on_command((0.0, 0.0), 1.6)
    assert wheels.at(1.7)[1] == pytest.approx(0.45)
    wheels.on_command((0.0, 0.3), 1.8)                          # turning is no rest
    assert wheels.at(1.9) == (0.0, 0.0)
    wheels.on_command((0.0, 0.0), 1.95)
    assert wheels.at(2.0)[1] == pytest.approx(0.05)
