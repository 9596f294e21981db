# SPDX-License-Identifier: Apache-2.0
"""A message in the panel is shown whole, however narrow the terminal is."""

from ami_ros.operator.terminal import wrapped
import pytest

LONG = 'critic  stop by fresh: the scan is 0.412 s old by its arrival, limit 0.250 s; ' * 3


@pytest.mark.parametrize('width', [30, 79, 120, 1000])
def test_nothing_is_cut(width):
    parts = wrapped(LONG, width)
    assert all(len(part) <= width for part in parts)
    assert ' '.join(' '.join(parts).split()) == ' '.join(LONG.split())
    assert (len(parts) == 1) == (len(LONG) <= width)


def test_what_cannot_be_printed_is_a_question_mark():
    assert wrapped('a\x1b[2Jb', 80) == ['a?[2Jb'] and wrapped('', 80) == ['']
