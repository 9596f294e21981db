# SPDX-License-Identifier: Apache-2.0
"""The audit log: what is noted is on disk soon, whatever a disk does; what is changed is seen."""

from datetime import datetime, timezone
import errno
import json
import os
from pathlib import Path
import random
import resource
import subprocess
import sys
import threading
import time

from ami_ros.cli import main as cli
from ami_ros.cli.audit import words
from ami_ros.critic.audit import log as audit_log
from ami_ros.critic.audit.hash_chain import entry, files, HEAD, lines
from ami_ros.critic.audit.log import AuditLog, LOCK
from ami_ros.critic.audit.verify import entries, moment, verify
from hypothesis import given, settings
from hypothesis import strategies as st
import pytest


def until(happened, seconds=30.0):
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, 'it did not happen'
        time.sleep(0.005)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(audit_log, 'GATHER_S', 0.01)
    monkeypatch.setattr(audit_log, 'AGAIN_S', 0.02)


def written(folder, count=10, **more):
    """A log of so many entries, and its end."""
    log = AuditLog(folder, **more)
    for number in range(count):
        log.note('stop', rule='stop_zone', reason=f'0.0{number} m free', speed=0.1 * number)
    log.close()
    assert log.wrong == ''
    return log


def told(folder, noted=None):
    return [(f.wrong, f.where, f.what) for f in verify(folder, noted).findings]


def numbers(folder):
    return [one.number for one in entries(folder)]


def rows(folder):
    return files(folder)[-1].read_bytes().splitlines(keepends=True)


def test_what_is_noted_is_there_in_order_each_with_the_hash_of_the_one_before(tmp_path):
    log = written(tmp_path / 'own' / 'audit')
    found = list(entries(tmp_path / 'own' / 'audit'))
    assert [one.number for one in found] == list(range(1, 11))
    assert found[0].before == '0' * 64
    assert all(b.before == a.hash for a, b in zip(found, found[1:]))
    assert found[3].what == {'rule': 'stop_zone', 'reason': '0.03 m free', 'speed': 0.3}
    assert found[3].kind == 'stop' and found[3].at.endswith('Z')
    assert log.head.number == 10 and log.head.hash == found[-1].hash
    checked = verify(tmp_path / 'own' / 'audit')
    assert (checked.findings, checked.count, checked.number) == ([], 10, 10)
    assert list(entries(tmp_path / 'own' / 'audit', ('reset',))) == []
    assert len(list(entries(tmp_path / 'own' / 'audit', since=found[4].at))) == 6


def test_a_log_goes_on_after_a_restart(tmp_path):
    written(tmp_path, 3)
    written(tmp_path, 4)
    assert numbers(tmp_path) == list(range(1, 8)) and told(tmp_path) == []


def test_it_is_on_disk_soon_and_at_once_where_it_must(tmp_path, monkeypatch):
    monkeypatch.setattr(audit_log, 'GATHER_S', 20.0)
    log = AuditLog(tmp_path)
    log.note('stop')
    time.sleep(0.1)
    assert log.head.number == 0         # it gathers
    begun = time.monotonic()
    log.note('latch', at_once=True)
    until(lambda: log.head.number == 2)
    assert time.monotonic() - begun < 10
    assert numbers(tmp_path) == [1, 2]
    log.close()
    assert audit_log.GATHER_S == 20.0
    monkeypatch.undo()
    assert audit_log.GATHER_S <= 0.5        # within a second, with the time that a disk takes


def spoil(folder, how):
    """Do something to line 5 of 10; return what is to be found, first of all."""
    path, content = files(folder)[-1], rows(folder)
    name = path.name
    if how == 'a letter':
        content[4] = content[4].replace(b'0.04', b'0.09')
        first = f'{name}:5', 'changed'
    elif how == 'a letter, and its hash':
        said = json.loads(content[4])
        from ami_ros.critic.audit.hash_chain import line
        content[4] = line(5, 10**18, 'stop', {'rule': 'none'}, said['before'])[0]
        first = f'{name}:6', 'changed'
    elif how == 'removed':
        del content[4]
        first = f'{name}:5', 'removed'
    elif how == 'reordered':
        content[4], content[5] = content[5], content[4]
        first = f'{name}:5', 'reordered'
    elif how == 'put behind':
        content.append(content.pop(4))
        first = f'{name}:5', 'reordered'
    elif how == 'twice':
        content.insert(5, content[4])
        first = f'{name}:6', 'reordered'
    elif how == 'rubbish':
        content.insert(4, b'\0\0\n')
        first = f'{name}:5', 'changed'
    elif how == 'the first':
        del content[0]
        first = f'{name}:1', 'removed'
    elif how == 'the end':
        del content[7:]
        first = f'{name}:7', 'removed'
    elif how == 'torn':
        content[-1] = content[-1][:40]
        first = f'{name}:10', 'torn'
    elif how == 'a line without its end':
        content[4] = content[4][:-1]
        first = f'{name}:5', 'changed'
    path.write_bytes(b''.join(content))
    return first


HOWS = ['a letter', 'a letter, and its hash', 'removed', 'reordered', 'put behind', 'twice',
        'rubbish', 'the first', 'the end', 'torn', 'a line without its end']


@pytest.mark.parametrize('how', HOWS)
def test_the_first_line_that_is_wrong_is_named(tmp_path, how):
    written(tmp_path)
    first = spoil(tmp_path, how)
    found = told(tmp_path)
    assert found[0] == (True, *first)


def test_a_whole_log_of_anothers_making_is_seen_by_what_was_noted_elsewhere(tmp_path):
    log = written(tmp_path / 'a')
    written(tmp_path / 'b', 12)
    assert told(tmp_path / 'a', (10, log.head.hash)) == []
    assert told(tmp_path / 'b') == []
    assert [f[2] for f in told(tmp_path / 'b', (10, log.head.hash))] == ['changed']
    written(tmp_path / 'c', 8)
    assert [f[2] for f in told(tmp_path / 'c', (10, log.head.hash))] == ['removed']


@pytest.mark.parametrize('content, what', [(None, 'head'), (b'', 'head'), (b'[]', 'head'),
                                           (b'{"n": 1}', 'head'), (b'\xff', 'head'),
                                           (b'[' * 9999, 'head')])
def test_a_head_that_is_gone_or_is_none_is_told(tmp_path, content, what):
    written(tmp_path)
    (tmp_path / HEAD).unlink()
    if content is not None:
        (tmp_path / HEAD).write_bytes(content)
    assert [f[2] for f in told(tmp_path)] == [what]
    written(tmp_path, 1)            # and the next critic puts it on record
    assert [one.kind for one in entries(tmp_path)][10:] == ['cut', 'stop']
    assert [f[2] for f in told(tmp_path)] == ['cut']


@pytest.mark.parametrize('torn', [b'', b'{"n":11,"at":"20', b'{"n":11}\n', b'\0' * 5000, b'\n\n',
                                  b'x\ny'])
def test_a_torn_end_loses_nothing_before_it_and_the_log_goes_on_behind_it(tmp_path, torn):
    written(tmp_path)
    with open(files(tmp_path)[-1], 'ab') as file:
        file.write(torn)
    assert len(numbers(tmp_path)) == 10
    assert bool(told(tmp_path)) == bool(torn)
    written(tmp_path, 2)
    kinds = [one.kind for one in entries(tmp_path)]
    assert kinds == ['stop'] * 10 + (['torn'] if torn else []) + ['stop'] * 2
    checked = verify(tmp_path)
    assert [f.what for f in checked.findings if not f.wrong] == (['torn'] if torn else [])
    assert not [f for f in checked.findings if f.wrong]
    assert numbers(tmp_path) == list(range(1, len(kinds) + 1))


def test_a_line_that_was_written_and_is_torn_later_is_no_accident(tmp_path):
    written(tmp_path)
    spoil(tmp_path, 'torn')
    written(tmp_path, 1)
    assert [one.kind for one in entries(tmp_path)][9:] == ['torn', 'cut', 'stop']
    assert [(f[0], f[2]) for f in told(tmp_path)] == [(False, 'torn'), (True, 'cut')]


def test_an_end_that_was_cut_off_before_a_restart_is_on_record(tmp_path):
    written(tmp_path)
    spoil(tmp_path, 'the end')
    written(tmp_path, 5)
    cut = next(entries(tmp_path, ('cut',)))
    assert cut.number == 8 and (cut.what['last'], cut.what['head']) == (7, 10)
    assert told(tmp_path)[0][0] and told(tmp_path)[0][2] == 'cut'


def test_files_are_turned_and_bounded_and_the_chain_goes_on(tmp_path):
    for _ in range(3):
        written(tmp_path, 40, largest=2000, kept=4)
    kept = files(tmp_path)
    assert 1 < len(kept) <= 4 and all(file.stat().st_size < 2500 for file in kept)
    found = numbers(tmp_path)
    assert found == list(range(found[0], 121)) and found[0] > 1
    assert told(tmp_path) == []
    kept[0].unlink()                # what is not gone by rotation is missing
    assert told(tmp_path)[0][2] == 'removed'
    written(tmp_path, 1, largest=2000, kept=4)      # and a restart forgets nothing of it
    assert told(tmp_path)[0][2] == 'removed'


def test_a_file_in_the_middle_is_missed(tmp_path):
    written(tmp_path, 60, largest=2000)
    gone = files(tmp_path)[2]
    first = int(gone.stem[-12:])
    gone.unlink()
    assert told(tmp_path)[0][1:] == (f'{files(tmp_path)[2].name}:1', 'removed')
    assert f'entries {first} to ' in verify(tmp_path).findings[0].text


class Disk:
    """A disk that has no room, or hangs, while it is told so; half a line may find its place."""

    def __init__(self, monkeypatch):
        self.room, self.hangs = None, None
        self.write, self.sync = os.write, os.fsync
        monkeypatch.setattr(os, 'write', self.written)
        monkeypatch.setattr(os, 'fsync', self.synced)

    def written(self, file, content):
        if self.room is None:
            return self.write(file, content)
        if not self.room:
            raise OSError(errno.ENOSPC, 'No space left on device')
        content = content[:self.room]
        self.room -= len(content)
        return self.write(file, content)

    def synced(self, file):
        if self.hangs is not None:
            self.hangs.wait(30)
        self.sync(file)


def test_a_full_disk_is_told_and_what_finds_no_place_is_counted(tmp_path, monkeypatch):
    disk = Disk(monkeypatch)
    log = AuditLog(tmp_path, waiting=20)
    log.note('start', at_once=True)
    until(lambda: log.head.number == 1)
    disk.room = 50                      # half a line
    for number in range(30):
        log.note('stop', number=number)
    log.note('reset', at_once=True)
    until(lambda: log.wrong)
    assert log.wrong == f'the audit log cannot be written to {tmp_path}: No space left on device'
    assert log.head.number == 1
    disk.room = None
    until(lambda: log.wrong == '' and not log.waiting)
    log.close()
    kinds = [one.kind for one in entries(tmp_path)]
    assert kinds == ['start', 'torn', *['stop'] * 20, 'lost']
    lost = list(entries(tmp_path))[-1].what
    assert lost['count'] == 11 and lost['kinds'] == {'stop': 10, 'reset': 1}
    assert 'No space left' in lost['why']
    assert [(f[0], f[2]) for f in told(tmp_path)] == [(False, 'torn')]


def test_a_disk_that_hangs_holds_nobody_up(tmp_path, monkeypatch):
    disk = Disk(monkeypatch)
    log = AuditLog(tmp_path, waiting=100)
    disk.hangs = threading.Event()
    begun = time.monotonic()
    for _ in range(1000):
        log.note('stop', at_once=True)
    assert time.monotonic() - begun < 5
    log.close()
    assert time.monotonic() - begun < 10 and log.head.number == 0
    disk.hangs.set()
    until(lambda: not log.waiting)


SMALL = """import resource, signal, sys
from pathlib import Path
from ami_ros.critic.audit import log as audit
audit.GATHER_S, audit.AGAIN_S = 0.01, 0.02
import time
log = audit.AuditLog(Path(sys.argv[1]))
def until(happened):
    end = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < end, log.wrong
        time.sleep(0.005)
resource.setrlimit(resource.RLIMIT_FSIZE, (3000, resource.RLIM_INFINITY))
for number in range(60):
    log.note('stop', number=number)
until(lambda: log.wrong)
print(log.wrong)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
until(lambda: not log.wrong and not log.waiting)
log.close()
"""


def test_a_file_that_may_not_grow(tmp_path):
    """The kernel's own limit, and the kernel's own half a line."""
    assert resource.RLIM_INFINITY == -1
    ended = subprocess.run([sys.executable, '-c', SMALL, tmp_path], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.strip().endswith('File too large')
    kinds = [one.kind for one in entries(tmp_path)]
    assert kinds.count('stop') == 60 and kinds.count('torn') == 1
    assert not [f for f in verify(tmp_path).findings if f.wrong]


@pytest.mark.skipif(os.geteuid() != 0, reason='mounting a small disk needs root')
def test_a_real_small_disk(tmp_path):
    disk = tmp_path / 'disk'
    disk.mkdir()
    if subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=64k', 'ami_audit', disk],
                      capture_output=True).returncode:
        pytest.skip('this machine lets nobody mount a tmpfs')
    try:
        log = AuditLog(disk / 'audit')
        log.note('start', at_once=True)
        until(lambda: log.head.number == 1)
        filler = disk / 'filler'
        with open(filler, 'wb', buffering=0) as file:
            try:
                while file.write(b'\0' * 4096):
                    pass
            except OSError as full:
                assert full.errno == errno.ENOSPC
        for number in range(60):
            log.note('stop', number=number)
        until(lambda: 'No space left on device' in log.wrong)
        filler.unlink()
        until(lambda: not log.wrong and not log.waiting)
        log.close()
        assert [one.kind for one in entries(disk / 'audit')].count('stop') == 60
        assert not [f for f in verify(disk / 'audit').findings if f.wrong]
    finally:
        subprocess.run(['umount', '-l', disk])


@pytest.mark.parametrize('folder', ['file', 'file/in/it', 'dev'])
def test_where_no_log_can_be_it_is_told(tmp_path, folder):
    (tmp_path / 'file').write_text('')
    where = Path('/dev/full') if folder == 'dev' else tmp_path / folder
    log = AuditLog(where)
    log.note('start', at_once=True)
    until(lambda: log.wrong)
    assert f'cannot be written to {where}' in log.wrong
    log.close()
    with pytest.raises(OSError, match='there is no audit log in'):
        verify(where)


def test_two_do_not_write_one_log(tmp_path):
    first = AuditLog(tmp_path)
    first.note('start', at_once=True)
    until(lambda: (tmp_path / LOCK).exists() and first.head.number == 1)
    second = AuditLog(tmp_path)
    second.note('start', at_once=True)
    until(lambda: second.wrong)
    assert 'a parameter state of its own' in second.wrong
    first.close()
    until(lambda: second.wrong == '')       # the first one went, as after a restart
    second.close()
    assert numbers(tmp_path) == [1, 2] and told(tmp_path) == []


def test_a_log_of_a_critic_that_is_killed_is_whole(tmp_path):
    code = ('import os, sys, time; from pathlib import Path; from ami_ros.critic.audit import log '
            'as audit; '
            'log = audit.AuditLog(Path(sys.argv[1])); log.note("latch", True)\n'
            'while log.head.number == 0: time.sleep(0.001)\n'
            'log.note("stop"); os.kill(os.getpid(), 9)')
    assert subprocess.run([sys.executable, '-c', code, tmp_path]).returncode == -9
    assert [one.kind for one in entries(tmp_path)][0] == 'latch' and told(tmp_path) == []


class Odd:
    def __str__(self):
        raise RuntimeError('no')


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.text(max_size=9), st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=9), max_size=5))
def test_whatever_is_noted_is_a_line_that_can_be_read(what):
    from ami_ros.critic.audit.hash_chain import FIRST, line
    content, own = line(1, 10**18, 'stop', what, FIRST)
    assert content.count(b'\n') == 1 and entry(content[:-1]).hash == own
    strict = json.loads(content, parse_constant=lambda name: pytest.fail(name))
    assert strict['kind'] == 'stop'


def test_a_thing_that_cannot_be_said_and_one_too_long_are_noted_all_the_same(tmp_path):
    log = AuditLog(tmp_path)
    log.note('stop', odd=Odd(), long='x' * 10**6, many=list(range(10**5)))
    log.close()
    one = next(entries(tmp_path))
    assert 'RuntimeError' in one.what['odd'] and len(one.what['long']) == 400
    assert len(one.what['many']) == 40


def test_rubbish_in_the_place_of_a_log_is_read_without_a_crash(tmp_path):
    """Random damage anywhere, seed 500: it is always told, and never a crash."""
    rng = random.Random(500)
    written(tmp_path / 'good', 30)
    path = files(tmp_path / 'good')[0]
    good, crashes = path.read_bytes(), 0
    for _ in range(300):
        content = bytearray(good)
        for _ in range(rng.randint(1, 5)):
            at = rng.randrange(len(content))
            content[at:at + rng.randint(0, 30)] = rng.randbytes(rng.randint(0, 30))
        path.write_bytes(content)
        if bytes(content) != good:
            assert [f for f in verify(tmp_path / 'good').findings if f.wrong]
            list(lines(tmp_path / 'good'))
    assert crashes == 0


@pytest.mark.parametrize('said, is_', [
    ('30s', '2026-01-31T11:59:30.000000Z'), ('2h', '2026-01-31T10:00:00.000000Z'),
    ('1d', '2026-01-30T12:00:00.000000Z'), ('2026-01-31', '2026-01-31T00:00:00.000000Z'),
    ('2026-01-31T10:00:00.500Z', '2026-01-31T10:00:00.500000Z'),
    ('2026-01-31T10:00+02:00', '2026-01-31T08:00:00.000000Z')])
def test_a_moment_is_a_span_or_a_time(said, is_):
    now = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)
    assert moment(said, now) == is_


@pytest.mark.parametrize('said', ['', 'x', '30', '99999999999d', '999999999d', '2026-13-01'])
def test_what_is_no_moment_is_told(said):
    with pytest.raises(ValueError, match='is no time; 90s, 30m'):
        moment(said)


def test_the_command_line_shows_and_verifies(tmp_path, capsys):
    log = written(tmp_path / 'audit', 3)
    where = ['--state-dir', str(tmp_path)]
    assert cli.main(['audit', 'verify', *where, '--head', log.known()]) == 0
    assert '3 entries up to 3' in (said := capsys.readouterr().out)
    assert said.strip().endswith('as it was written')
    assert cli.main(['audit', 'show', *where, '--kind', 'stop', '--since', '1h']) == 0
    rows = capsys.readouterr().out.splitlines()
    assert len(rows) == 3 and 'rule=stop_zone  reason=0.02 m free  speed=0.2' in rows[2]
    assert cli.main(['audit', 'show', *where, '--json']) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[0])['number'] == 1
    assert words({'granted': False, 'goal': 0, 'run': '', 'ages': {'scan': 0.1}}) == (
        'granted=false  ages={"scan": 0.1}')
    spoilt = files(tmp_path / 'audit')[0]
    spoilt.write_bytes(spoilt.read_bytes().replace(b'0.01 m', b'9.01 m'))
    assert cli.main(['audit', 'verify', *where]) == 1
    assert capsys.readouterr().out.splitlines()[-1].endswith(f'first wrong: {spoilt.name}:2')
    assert cli.main(['audit', 'show', '--state-dir', str(tmp_path / 'none')]) == 1
    assert 'there is no audit log in' in capsys.readouterr().err
    for wrong in ('x', '3:abc'):
        with pytest.raises(SystemExit):
            cli.main(['audit', 'verify', '--head', wrong])
