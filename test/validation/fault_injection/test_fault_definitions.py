# SPDX-License-Identifier: Apache-2.0
"""The table of faults: what may stand in it, and that the shipped one says what is tried."""

from ami_ros.core.share_directory import share
from ami_ros.validation.fault_injection.fault_definitions import chosen, read, Row
from ami_ros.validation.fault_injection.reaction_time_bounds import bound, evaluate
import pytest
import yaml

NUMBERS = {'tick_s': 0.02, 'max_plan_age_s': 0.35, 'top_mps': 0.6}
GOOD = {'name': 'gone', 'expected': 'stop', 'why': 'so', 'window': 'max_plan_age_s',
        'strike': {'by': 'signal', 'at': 'mind', 'signal': 'KILL'}}


def table(tmp_path, *rows):
    path = tmp_path / 'faults.yaml'
    path.write_text(yaml.safe_dump({'faults': list(rows)}))
    return read(path, NUMBERS)


@pytest.mark.parametrize('formula, value', [
    (0, 0.0), (0.5, 0.5), ('1 / 4 + 2 * 3', 6.25), ('max_plan_age_s', 0.35), ('(1 - 3) / 2', -1.0),
    ('max(max_plan_age_s, 0.5)', 0.5), ('min(top_mps, 2, 3)', 0.6)])
def test_formulas(formula, value):
    assert evaluate(formula, NUMBERS) == pytest.approx(value)


@pytest.mark.parametrize('formula, complaint', [
    ('max_plan', 'there are: max_plan_age_s, tick_s, top_mps'),
    ('1 +', 'is not a formula'), ('1 / 0', 'divides by zero'),
    ('__import__("os")', 'cannot be in a formula'), ('top_mps.real', 'cannot be in a formula'),
    ('2 ** 999999999', 'cannot be in a formula'), ('"a" * 3', 'cannot be in a formula'),
    ('True', 'cannot be in a formula'), ('-1', 'cannot be in a formula'),
    ('max(1)', 'cannot be in a formula'), ('print(1, 2)', 'cannot be in a formula')])
def test_formulas_are_numbers_and_nothing_else(formula, complaint):
    with pytest.raises(ValueError, match=complaint):
        evaluate(formula, NUMBERS)


def test_a_bound_is_the_window_two_ticks_and_the_way():
    assert bound('max_plan_age_s', NUMBERS) == pytest.approx(0.35 + 0.04 + 0.02)
    assert bound(0, {'tick_s': 0.01}) == pytest.approx(0.04)


def test_a_row_that_is_right_is_taken(tmp_path):
    row, = table(tmp_path,
                 {**GOOD, 'named': {'by': 'verdict', 'rule': 'input_timeout'}, 'latches': True})
    assert row.bound_s(NUMBERS) == pytest.approx(0.41) and row.hold_s == 1.5
    assert str(row.named) == 'verdict: rule input_timeout'


@pytest.mark.parametrize('change, complaint', [
    ({'window': 'max_age'}, 'row 1 .gone.: no number .max_age.'),
    ({'window': None}, 'stop needs a window'),
    ({'expected': 'halt'}, 'one of: stop, degrade, report'),
    ({'why': ''}, 'why must be given'),
    ({'name': 'Gone!'}, 'small letters'),
    ({'windw': 1}, "did you mean 'window'"),
    ({'strike': {'by': 'magic'}}, 'one of: signal, tamper, rogue, busy, disk'),
    ({'strike': {}}, 'one of: signal, tamper'),
    ({'strike': {'by': 'signal', 'at': 'mind'}}, 'it needs by, at, signal'),
    ({'strike': {'by': 'signal', 'at': 'mind', 'signal': 'TERM'}}, 'one of: KILL, STOP'),
    ({'strike': {'by': 'signal', 'at': 'sim', 'signal': 'KILL'}}, 'one of: mind, configurator'),
    ({'strike': {'by': 'tamper', 'at': 'imu', 'how': 'nan'}}, 'one of: plan, camera'),
    ({'named': {'rule': 'input_timeout'}}, 'it needs by'),
    ({'named': {'by': 'verdict', 'rul': 'x'}}, 'may have rule, says, grows'),
    ({'at_most_mps': 'top_mps'}, 'need expected: degrade'),
    ({'pauses': True}, 'need expected: degrade'),
    ({'expected': 'report'}, 'who reports it'),
    ({'hold_s': 0.1}, '0.5 to 30.0 s is right'),
])
def test_a_row_that_is_wrong_is_named(tmp_path, change, complaint):
    with pytest.raises(ValueError, match=complaint):
        table(tmp_path, {**GOOD, **change})


def test_a_row_may_need_what_is_not_there_yet(tmp_path):
    row, = table(tmp_path, {**GOOD, 'strike': None, 'needs': 'a latch'})
    assert row.needs == 'a latch'


@pytest.mark.parametrize('text, complaint', [
    ('faults: [', 'is not YAML'), ('rows: []', 'needs one key, faults'),
    ('faults: 3', 'needs one key'), ('faults: [3]', 'it is not a row')])
def test_a_file_that_is_no_table(tmp_path, text, complaint):
    path = tmp_path / 'faults.yaml'
    path.write_text(text)
    with pytest.raises(ValueError, match=complaint):
        read(path, NUMBERS)


def test_names_are_unique_and_can_be_chosen(tmp_path):
    with pytest.raises(ValueError, match='row 2 .gone.: it stands twice'):
        table(tmp_path, GOOD, GOOD)
    rows = table(tmp_path, GOOD, {**GOOD, 'name': 'lost'})
    assert [row.name for row in chosen(rows, ['lost'])] == ['lost']
    assert chosen(rows, None) == rows
    with pytest.raises(ValueError, match="no fault 'found'; there are: gone, lost"):
        chosen(rows, ['found'])


def test_a_changed_row_is_another_row(tmp_path):
    one, = table(tmp_path, GOOD)
    same, = table(tmp_path, dict(GOOD))
    other, = table(tmp_path, {**GOOD, 'hold_s': 3.0})
    assert one.digest == same.digest != other.digest


def test_the_shipped_table_tries_what_the_contract_of_the_critic_names():
    said = {row['name'] for row in yaml.safe_load(share('config/faults.yaml').read_text())[
        'faults']}
    demanded = """mind_killed mind_frozen configurator_killed configurator_frozen critic_killed
        critic_frozen clock_stops clock_forward clock_back plan_nan plan_infinite plan_huge
        plan_stale plan_future plan_repeated plan_reordered plan_endless camera_frozen camera_black
        camera_slow camera_wrong_size lidar_silent lidar_nan lidar_zero lidar_half_blind
        lidar_rotated odometry_jumps odometry_frozen second_publisher disk_full cores_busy
        e_stop_best_effort e_stop_transient_local reset_while_the_cause_lasts
        power_cut_while_latched""".split()
    assert set(demanded) <= said


def test_rows_that_need_the_same_robot_can_share_it():
    def setup(**more):
        return Row('gone', 'stop', 'so', 0.1, **more).setup

    killed, button = {'by': 'signal', 'at': 'mind', 'signal': 'KILL'}, {'by': 'reset'}
    assert setup(strike=killed) == setup(strike=button) == 'plain'
    different = [setup(strike=killed), setup(strike=killed, sim_time=True),
                 setup(strike={'by': 'disk'}), setup(strike={'by': 'tamper', 'at': 'plan'}),
                 setup(strike={'by': 'tamper', 'at': 'scan'}),
                 setup(strike={'by': 'tamper', 'at': 'clock'}, sim_time=True)]
    assert len(set(different)) == len(different)
