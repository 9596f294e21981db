# SPDX-License-Identifier: Apache-2.0
"""A latch outlives its process, however that ended, and whatever became of the file."""

import json
import os
from pathlib import Path
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

from ami_ros.critic import stop_latch as module
from ami_ros.critic.critic import Critic
from ami_ros.critic.stop_latch import FILE, Latch
from hypothesis import given, settings
from hypothesis import strategies as st
import pytest
from rule_contract import CHOSEN, ROBOT


def said(folder):
    return json.loads((folder / FILE).read_text())


def until(happened, seconds=20.0):
    """The disk is written behind the one who closes: wait for what it says."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, 'it did not happen'
        time.sleep(0.005)


@pytest.fixture(autouse=True, scope='module')
def patient():
    """On a busy machine a disk may take longer than a critic that ends waits for it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, 'END_S', 20.0)
        yield


@pytest.fixture
def full(monkeypatch):
    """A disk on which nothing can be replaced, while `why` is not empty."""
    disk = SimpleNamespace(why='No space left on device', tries=0)
    replace = os.replace

    def replaced(*paths):
        disk.tries += 1
        if disk.why:
            raise OSError(28, disk.why)
        replace(*paths)

    monkeypatch.setattr(os, 'replace', replaced)
    monkeypatch.setattr(module, 'AGAIN_S', 0.02)
    return disk


def test_without_a_folder_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    latch = Latch()
    latch.close('a', 'b')
    latch.end()
    assert os.listdir(tmp_path) == [] and latch.closed == {'a': 'b'} and latch.wrong == ''


def test_a_latch_outlives_its_process(tmp_path):
    folder = tmp_path / 'own' / 'state'
    first = Latch(folder)
    assert first.closed == {} and said(folder)['running'] is True
    first.close('bumper_cliff_estop', 'pulled')
    first.close('bumper_cliff_estop', 'again')
    until(lambda: said(folder)['closed'] == {'bumper_cliff_estop': 'pulled'})
    first.end()
    second = Latch(folder)
    assert second.closed == {'bumper_cliff_estop': 'pulled'}
    second.open()
    until(lambda: said(folder) == {'running': True, 'closed': {}})
    second.end()
    third = Latch(folder)
    assert third.closed == {}
    third.end()
    # a critic of another version must find them
    assert sorted(os.listdir(folder)) == ['critic.lock', 'critic_latch.json']


CODE = """import os, sys
from pathlib import Path
from ami_ros.critic.stop_latch import Latch
latch = Latch(Path(sys.argv[1]))
latch.close('tilt', 'it leans')
os.kill(os.getpid(), 9)"""


def test_after_an_unclean_end_it_comes_up_stopped(tmp_path):
    assert subprocess.run([sys.executable, '-c', CODE, tmp_path]).returncode == -9
    latch = Latch(tmp_path)
    name, reason = list(latch.closed.items())[-1]       # `tilt` may not have come to the disk
    assert (name, reason) == ('unclean_end', 'it did not end properly the last time')
    critic = Critic(CHOSEN, ROBOT, latch)
    verdict = critic.judge(0, 0)
    assert verdict.latch and verdict.reason.endswith('latched until critic/reset')
    assert critic.reset(0, 0) == '' and critic.latch.closed == {}
    latch.end()


def test_a_process_that_forgets_to_end_it_ends_all_the_same(tmp_path):
    subprocess.run([sys.executable, '-c', CODE.rpartition('os.kill')[0], tmp_path], check=True,
                   timeout=30)
    assert said(tmp_path)['running'] is True
    latch = Latch(tmp_path)
    assert all(t.daemon for t in threading.enumerate() if t.name == 'latch')
    assert 'latch' in [t.name for t in threading.enumerate()]
    latch.end()


def test_to_close_it_waits_for_no_disk(tmp_path, monkeypatch):
    latch, hangs = Latch(tmp_path), threading.Event()
    monkeypatch.setattr(os, 'fsync', lambda _: hangs.wait(20))
    begun = time.monotonic()
    latch.close('tilt', 'it leans')
    assert latch.closed == {'tilt': 'it leans'} and time.monotonic() - begun < 5
    assert said(tmp_path) == {'running': True, 'closed': {}}    # whoever finds this is stopped
    hangs.set()
    until(lambda: said(tmp_path)['closed'])
    latch.end()


def test_who_still_writes_when_it_ends_keeps_the_folder(tmp_path, monkeypatch):
    """Else it would write over what the next one says."""
    hangs = threading.Event()
    monkeypatch.setattr(module, 'END_S', 0.05)
    first = Latch(tmp_path, lambda: hangs.wait(20))
    first.end()
    second = Latch(tmp_path)
    assert 'a parameter state of its own' in second.wrong and 'unclean_end' in second.closed
    assert second.taken and not first.taken
    hangs.set()
    until(lambda: said(tmp_path)['running'] is False)
    second.end()


def assert_stopped(folder, content):
    folder.mkdir(exist_ok=True)
    (folder / FILE).write_bytes(content)
    latch = Latch(folder)
    assert 'unclean_end' in latch.closed
    latch.end()


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=60))
def test_what_cannot_be_read_comes_up_stopped(tmp_path_factory, content):
    assert_stopped(tmp_path_factory.mktemp('state'), content)


@pytest.mark.parametrize('content', [
    b'{}', b'[]', b'null', b'{"running": false}', b'{"running": 0, "closed": {}}',
    b'{"running": false, "closed": []}', b'{"running": "no", "closed": {}}',
    pytest.param(b'[' * 60000, id='deep'),
    pytest.param(b'{"running": false, "closed": {}}' + b' ' * 70000, id='long')])
def test_what_is_no_latch_comes_up_stopped(tmp_path, content):
    assert_stopped(tmp_path / 'state', content)


@pytest.mark.parametrize(('long', 'names'), [(65536, []), (65537, ['unclean_end'])])
def test_how_long_a_latch_may_be(tmp_path, long, names):
    (tmp_path / FILE).write_text('{"running": false, "closed": {}}'.ljust(long))
    latch = Latch(tmp_path)
    assert list(latch.closed) == names
    latch.end()


def test_a_disk_that_cannot_be_written_stops_nothing_and_is_told(tmp_path, full):
    latch = Latch(tmp_path)
    assert latch.closed == {} and 'cannot be written to' in latch.wrong
    assert 'No space' in latch.wrong
    latch.close('tilt', 'it leans')
    assert latch.closed and not (tmp_path / FILE).exists()
    until(lambda: full.tries > 5)
    full.why = ''                   # there is room again: nobody has to ask for it
    until(lambda: latch.wrong == '')
    assert said(tmp_path)['closed'] == {'tilt': 'it leans'}
    full.why = 'No space left on device'
    latch.open()
    until(lambda: latch.wrong)
    latch.end()
    full.why = ''
    assert set(Latch(tmp_path).closed) == {'tilt', 'unclean_end'}   # what was not said is not so


def test_a_disk_is_written_when_there_is_news_and_not_for_ever(tmp_path, full):
    full.why = ''
    latch = Latch(tmp_path)
    latch.close('tilt', 'it leans')
    until(lambda: said(tmp_path)['closed'])
    tries = full.tries
    time.sleep(0.2)         # that nothing happens has no event; 0.2 s is many writes
    assert full.tries <= tries + 1
    latch.end()
    assert full.tries <= tries + 2


def test_where_there_is_no_folder_to_be_it_is_told(tmp_path):
    (tmp_path / 'file').write_text('')
    latch = Latch(tmp_path / 'file')
    assert 'cannot be read' in latch.closed['unclean_end'] and 'cannot be written' in latch.wrong
    latch.end()


def test_two_critics_do_not_share_a_latch(tmp_path):
    first, second = Latch(tmp_path), Latch(tmp_path)
    assert 'unclean_end' in second.closed and 'a parameter state of its own' in second.wrong
    second.open()
    second.end()
    assert said(tmp_path)['running'] is True and first.wrong == ''
    first.end()
    assert Latch(Path(tmp_path)).closed == {}
