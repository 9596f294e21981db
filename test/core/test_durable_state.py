# SPDX-License-Identifier: Apache-2.0
"""Where a robot keeps what outlives it, and a stop that is kept there."""

import errno
import os
from pathlib import Path
import tempfile

from ami_ros.core.durable_state import (
    claim,
    KeptStop,
    settle,
    state_folder,
    state_folder_or_temporary,
    write_whole,
)
import pytest


@pytest.mark.parametrize('said, space, home, is_', [
    ('/data/robot', '/a', None, '/data/robot'), ('~/robot', '', None, '{home}/robot'),
    ('', '', None, '{home}/.ros/ami_ros'), ('', '/', None, '{home}/.ros/ami_ros'),
    ('', '/fleet/robot1', None, '{home}/.ros/ami_ros/fleet/robot1'),
    ('', '/robot1/', '/data/ros', '/data/ros/ami_ros/robot1')])
def test_each_robot_has_a_folder(said, space, home, is_, monkeypatch, tmp_path):
    monkeypatch.setenv('HOME', str(tmp_path))
    monkeypatch.delenv('ROS_HOME', raising=False)
    if home:
        monkeypatch.setenv('ROS_HOME', home)
    assert str(state_folder(said, space)) == is_.format(home=tmp_path)
    assert os.listdir(tmp_path) == []


def test_who_has_no_home_says_where(monkeypatch):
    def homeless(*_):
        raise RuntimeError('Could not determine home directory.')
    monkeypatch.delenv('ROS_HOME', raising=False)
    monkeypatch.setattr(Path, 'home', homeless)
    with pytest.raises(ValueError, match='no folder for the state .* Say one in the parameter'):
        state_folder()


def test_a_file_is_whole_or_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / 'new' / 'file.json'
    write_whole(path, 'one')

    def full(_):
        raise OSError(28, 'No space left on device')
    monkeypatch.setattr(os, 'fsync', full)
    with pytest.raises(OSError):
        write_whole(path, 'two')
    assert path.read_text() == 'one'


@pytest.mark.parametrize('number, told', [(errno.EINVAL, False), (errno.ENOTSUP, False),
                                          (errno.EIO, True)])
def test_a_folder_that_knows_no_sync_is_no_broken_disk(tmp_path, monkeypatch, number, told):
    def sync(_):
        raise OSError(number, 'no')
    monkeypatch.setattr(os, 'fsync', sync)
    if told:
        with pytest.raises(OSError):
            settle(tmp_path)
    else:
        settle(tmp_path)


def test_one_at_a_time_holds_a_lock(tmp_path):
    lock = tmp_path / 'own' / 'lock'
    held = claim(lock)
    assert held is not None and claim(lock) is None
    os.close(held)
    assert claim(lock) is not None


def test_a_stop_is_kept_with_its_reason_until_it_is_taken_back(tmp_path):
    kept = KeptStop(tmp_path / 'own')
    assert kept.found() == '' and kept.wrong == ''
    kept.keep('stopped was requested')
    assert KeptStop(tmp_path / 'own').found() == 'stopped was requested'
    kept.keep('')
    assert KeptStop(tmp_path / 'own').found() == '' and kept.wrong == ''
    kept.keep('')


@pytest.mark.parametrize('spoil', [
    lambda path: path.write_bytes(b'\xff\xfe'), lambda path: path.mkdir(),
    lambda path: path.write_text('')])
def test_what_cannot_be_read_is_a_stop(tmp_path, spoil):
    spoil(tmp_path / 'stopped')
    assert KeptStop(tmp_path).found()


def test_what_cannot_be_kept_is_told(tmp_path):
    (tmp_path / 'file').write_text('')
    kept = KeptStop(tmp_path / 'file' / 'x')
    assert 'a stop cannot be kept in' in kept.wrong
    kept = KeptStop(tmp_path)
    (tmp_path / 'stopped.new').mkdir()
    kept.keep('because')
    assert 'a stop cannot be kept in' in kept.wrong and kept.found() == ''


def no_home():
    raise RuntimeError('Could not determine home directory.')


def test_who_has_no_home_gets_a_temporary_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv('ROS_HOME', str(tmp_path))
    assert state_folder_or_temporary('', 'robot') == (tmp_path / 'ami_ros' / 'robot', '')
    monkeypatch.delenv('ROS_HOME')
    monkeypatch.setattr(Path, 'home', no_home)
    monkeypatch.setattr(tempfile, 'tempdir', str(tmp_path))
    folder, wrong = state_folder_or_temporary('', '/robot')
    own = tmp_path / f'ami_ros_{os.getuid()}'
    assert folder == own / 'robot' and own.stat().st_mode & 0o777 == 0o700
    assert 'no folder for the state of this robot' in wrong
    assert wrong.endswith(f'Meanwhile it is {folder}, which a reboot may empty.')
    assert state_folder_or_temporary()[0] == own
    own.chmod(0o777)                        # anybody may have written there
    other = state_folder_or_temporary()[0]
    assert other != own and other.parent == tmp_path and other.is_dir()
    own.rmdir()
    own.write_text('no folder')
    assert state_folder_or_temporary()[0].is_dir()
