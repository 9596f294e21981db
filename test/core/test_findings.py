# SPDX-License-Identifier: Apache-2.0
"""Findings as a page, as JSON and as an exit status."""

from ami_ros.core.findings import (
    counted,
    Finding,
    first,
    good,
    OK,
    page,
    report,
    status,
    WARN,
    WRONG,
)
import pytest

SLOW = Finding(WARN, 'scan: rate', '8.1 Hz', '10 Hz', 'Look at the cable of the lidar.')
TYPE = Finding(WRONG, 'odom: type', 'Pose', 'Odometry', 'Start another driver.')
WELL = good('imu: rate', '40.0 Hz', '40 Hz')


def test_the_worst_comes_first_and_decides_the_exit_status():
    assert first([WELL, SLOW, TYPE]) is TYPE and first([WELL]) is None
    assert [status(found) for found in ([WELL, SLOW], [TYPE], [])] == [0, 1, 0]
    assert counted([WELL, SLOW, WELL]) == '1 warn, 2 ok'


def test_the_page_begins_with_what_to_do_and_fits_its_width():
    said = page('rover, domain 7', [WELL, SLOW, TYPE], 60).split('\n')
    assert said[0] == 'rover, domain 7' and said[2].startswith('First: Start another driver.')
    assert max(map(len, said)) <= 60 and said[-1] == '1 WRONG, 1 warn, 1 ok'
    assert any(line.strip() == '-> Look at the cable of the lidar.' for line in said)
    assert 'Nothing to do' in page('rover', [WELL])


def test_the_report_says_the_same():
    said = report({'robot': 'rover'}, [WELL, TYPE])
    assert (said['robot'], said['good'], said['first']) == ('rover', False, TYPE.fix)
    assert said['findings'][0] == {'level': OK, 'what': 'imu: rate', 'measured': '40.0 Hz',
                                   'wanted': '40 Hz', 'fix': ''}


def test_a_level_that_is_none_is_refused():
    with pytest.raises(ValueError, match='there are: WRONG, warn, not checked, ok'):
        Finding('bad', 'scan', 'x')
