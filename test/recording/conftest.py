# SPDX-License-Identifier: Apache-2.0
"""Leaves out what needs bags where their libraries are not installed, and says so."""

from importlib.util import find_spec

BAGS = find_spec('mcap') and find_spec('rosbags')
NEEDING = ['test_background_recorder.py', 'test_recorder.py', 'test_recording_limits.py',
           'test_repair.py']
collect_ignore = [] if BAGS else NEEDING


def pytest_report_header():
    return [] if BAGS else [f'test/recording: {", ".join(NEEDING)} left out, mcap and rosbags '
                            'are not installed (make setup)']
