# SPDX-License-Identifier: Apache-2.0
"""Nothing repairs or judges a recording that somebody still writes."""

import os
from pathlib import Path
import subprocess
import sys
import threading

import ami_ros
from ami_ros.cli import main as cli
from ami_ros.recording import in_use
from ami_ros.recording.repair import repair
import pytest
from recorded_drive import begun, moment

PROGRAM = Path(__file__).parents[1] / 'helpers/recorded_drive.py'
FOREIGN = ("import sys, time; f = open(sys.argv[1], 'ab'); print('open', flush=True); "
           'sys.stdin.read()')


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def running(tmp_path):
    """Give the folder of a recorder at work in another process."""
    folder = tmp_path / 'bag'
    program = subprocess.Popen(
        [sys.executable, str(PROGRAM), str(folder), str(10**9)], stdout=subprocess.PIPE,
        env={**os.environ, 'PYTHONPATH': str(Path(ami_ros.__file__).parents[1])}, text=True)
    for _ in range(40):
        assert program.stdout.readline()
    yield folder
    assert program.poll() is None       # it was at work all the while
    program.kill()
    program.communicate()


def test_a_running_recording_is_neither_repaired_nor_judged(running, capsys):
    for option in ('--repair', '--check'):
        assert cli.main(['record', option, str(running)]) == 1
        said = ''.join(capsys.readouterr())
        assert f'{running} is being recorded at this moment by process' in said
        assert 'end that recording first' in said
        assert 'ami-ros record --repair' not in said
    assert [path.name for path in running.iterdir()] == ['bag_0.mcap']


def test_once_its_recorder_is_killed_it_is_repaired(tmp_path, monkeypatch):
    monkeypatch.setattr(in_use, 'WATCH_S', 0.0)
    folder = tmp_path / 'bag'
    program = subprocess.Popen(
        [sys.executable, str(PROGRAM), str(folder), str(10**9)], stdout=subprocess.PIPE,
        env={**os.environ, 'PYTHONPATH': str(Path(ami_ros.__file__).parents[1])}, text=True)
    while not (folder / 'bag_0.mcap').exists() or (folder / 'bag_0.mcap').stat().st_size < 10**5:
        assert program.stdout.readline() or program.poll() is None
    program.kill()
    program.communicate()
    before = (folder / 'bag_0.mcap').read_bytes()
    mended = repair(folder)
    assert mended.messages > 0 and mended.kept == ('bag_0.mcap.original',)
    assert (folder / 'bag_0.mcap.original').read_bytes() == before


def test_the_lock_of_our_recorder_is_enough(tmp_path, monkeypatch):
    monkeypatch.setattr(in_use, 'PROC', tmp_path / 'no proc')
    recorder = begun(tmp_path / 'bag')
    with pytest.raises(ValueError, match='by a recorder that holds the lock of the folder; end'):
        repair(tmp_path / 'bag')
    for message in moment(0):
        recorder.write(*message)
    recorder.close()
    assert in_use.writer_of(tmp_path / 'bag') == ''


def test_a_foreign_recorder_is_found_by_its_open_file(tmp_path):
    file = tmp_path / 'rosbag2_0.mcap'
    file.write_bytes(b'\x89MCAP0\r\n')
    program = subprocess.Popen([sys.executable, '-c', FOREIGN, str(file)], text=True,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    program.stdout.readline()
    before = content(tmp_path)
    with pytest.raises(ValueError, match=f'by process {program.pid} ') as wrong:
        repair(tmp_path)
    assert Path(sys.executable).name in str(wrong.value) and content(tmp_path) == before
    program.communicate()
    assert in_use.writer_of(tmp_path) == ''


def test_who_only_reads_is_no_writer(tmp_path):
    (tmp_path / 'a.mcap').write_bytes(b'x')
    with open(tmp_path / 'a.mcap', 'rb'):
        assert in_use.writer_of(tmp_path) == ''


def test_a_file_that_grows_is_written_by_somebody(tmp_path, monkeypatch):
    monkeypatch.setattr(in_use, 'PROC', tmp_path / 'no proc')     # as of another container
    file, stop = tmp_path / 'a.mcap', threading.Event()
    file.write_bytes(b'x')

    def write():
        while not stop.wait(0.02):
            with open(file, 'ab') as more:
                more.write(b'x')

    thread = threading.Thread(target=write)
    thread.start()
    try:
        with pytest.raises(ValueError, match='by an unknown process: a.mcap grows'):
            repair(tmp_path)
    finally:
        stop.set()
        thread.join()


def test_an_old_file_is_not_watched(tmp_path, monkeypatch):
    monkeypatch.setattr(in_use.time, 'sleep', lambda _: pytest.fail('it was watched'))
    (tmp_path / 'a.mcap').write_bytes(b'x')
    os.utime(tmp_path / 'a.mcap', (10**9, 10**9))
    assert in_use.writer_of(tmp_path, watch=True) == ''
