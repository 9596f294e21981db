# SPDX-License-Identifier: Apache-2.0
"""A disk that can be filled: as root a tmpfs, else a quota on the files of processes."""

import os
import subprocess
import sys
import time

from ami_ros.validation.fault_injection.fillable_disk import SmallDisk
import pytest

# writes a line each hundredth of a second, and lives on where it cannot
WRITER = """
import sys, time
while True:
    try:
        with open(sys.argv[1], 'a') as log:
            log.write('x' * 4096)
    except OSError as why:
        sys.stdout.write(f'{why.errno}\\n')
        sys.stdout.flush()
    time.sleep(0.01)
"""


@pytest.fixture(params=['tmpfs', 'quota'])
def disk(request, tmp_path, monkeypatch):
    made = SmallDisk(tmp_path / 'disk')
    if request.param == 'quota':
        monkeypatch.setattr('ami_ros.validation.fault_injection.fillable_disk.SIZE',
                            'no such size')
    made.mount()
    if request.param == 'tmpfs' and not made.mounted:
        pytest.skip('this user may not mount')
    assert made.mounted == (request.param == 'tmpfs')
    yield made
    made.unmount()
    assert not os.path.ismount(made.path)


def grows(log):
    was, end = log.stat().st_size, time.monotonic() + 10
    while time.monotonic() < end:
        if log.stat().st_size > was:
            return True
        time.sleep(0.01)
    return False


def test_a_full_disk_takes_nothing_until_it_is_empty(disk):
    log = disk.path / 'a.log'
    writer = subprocess.Popen([sys.executable, '-c', WRITER, str(log)], stdout=subprocess.PIPE)
    try:
        while not log.exists():
            time.sleep(0.01)
        assert grows(log)
        disk.fill([writer.pid])
        assert int(writer.stdout.readline()) in (27, 28)        # EFBIG, ENOSPC
        full = log.stat().st_size
        for _ in range(5):
            writer.stdout.readline()
        assert log.stat().st_size == full
        disk.empty([writer.pid])
        assert grows(log)
    finally:
        writer.kill()
        writer.wait()
        writer.stdout.close()


def test_logs_outlive_the_disk_and_a_forgotten_one_is_replaced(tmp_path):
    disk = SmallDisk(tmp_path / 'disk')
    disk.mount()
    if not disk.mounted:
        pytest.skip('this user may not mount')
    (disk.path / 'critic.log').write_text('well')
    again = SmallDisk(tmp_path / 'disk')         # whoever made the first was killed
    again.mount()
    assert list(again.path.iterdir()) == []
    (again.path / 'mind.log').write_text('so')
    again.unmount()
    assert (tmp_path / 'mind.log').read_text() == 'so' and not os.path.ismount(disk.path)
