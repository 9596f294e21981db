# SPDX-License-Identifier: Apache-2.0
"""
Hands out the golden drives as if they had been driven with the module that ships now.

A module that was exported or signed anew bears another hash, and may well say the same: then the
golden drives still hold. Where it says something else, they do not, and are to be recorded anew.
"""

from pathlib import Path

from ami_ros.modules.module import open_module, shipped
import pytest
from rewrite_recording import copied

GOLDEN = Path(__file__).with_name('golden')
DRIVES = ('mind', 'separate')


@pytest.fixture(scope='session')
def golden(tmp_path_factory) -> dict[str, Path]:
    """Give the drives by name."""
    from ami_ros.recording.replay.trace_reader import abouts
    folder, now = tmp_path_factory.mktemp('golden'), open_module(shipped()).id
    out = {}
    for name in DRIVES:
        then = {one['module']['hash'] for one in abouts(GOLDEN / f'{name}.mcap').values()
                if one.get('module')}
        assert len(then) == 1
        out[name] = folder / f'{name}.mcap'
        copied(GOLDEN / f'{name}.mcap', out[name], then.pop().encode(), now.encode())
    return out
