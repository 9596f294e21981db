# SPDX-License-Identifier: Apache-2.0
"""What is copied onto a robot: the service, its environment, the profiles of the middlewares."""

from pathlib import Path
import re
import runpy
import shutil
import subprocess
import xml.etree.ElementTree as ET

import pytest

CONFIG = Path(__file__).resolve().parent.parent / 'config'
SERVICE = CONFIG / 'systemd/ami_ros.service'
MIDDLEWARES = {'fastdds.xml': '{http://www.eprosima.com}dds',
               'cyclonedds.xml': '{https://cdds.io/config}CycloneDDS'}


def settings(path: Path) -> dict[str, str]:
    """The KEY=VALUE lines of a file, comments left out."""
    lines = [line for line in path.read_text().splitlines() if not line.startswith('#')]
    return dict(line.split('=', 1) for line in lines if '=' in line)


@pytest.mark.parametrize('name', MIDDLEWARES)
def test_a_profile_is_xml_of_its_middleware(name):
    root = ET.parse(CONFIG / 'dds' / name).getroot()
    assert root.tag == MIDDLEWARES[name]


def test_every_transport_of_fast_dds_is_described_and_used():
    space = {'d': 'http://www.eprosima.com'}
    root = ET.parse(CONFIG / 'dds/fastdds.xml')
    described = {e.text for e in root.findall('.//d:transport_descriptor/d:transport_id', space)}
    used = {e.text for e in root.findall('.//d:userTransports/d:transport_id', space)}
    assert described == used == {'ami_shm', 'ami_udp'}
    assert root.find('.//d:useBuiltinTransports', space).text == 'false'
    assert int(root.find('.//d:segment_size', space).text) > 10 * 640 * 480 * 3


def test_the_service_is_one_that_systemd_understands(tmp_path):
    if shutil.which('systemd-analyze') is None:
        pytest.skip('needs systemd-analyze')
    unit = Path(shutil.copy(SERVICE, tmp_path))
    done = subprocess.run(['systemd-analyze', 'verify', '--man=no', str(unit)],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and unit.name not in done.stderr, done.stderr


def test_the_service_finds_in_its_environment_all_that_it_asks_for():
    unit = SERVICE.read_text()
    environment = settings(CONFIG / 'systemd/ami_ros.env')
    assert set(re.findall(r'\$\{(\w+)\}', unit)) <= set(environment)
    assert 'EnvironmentFile=/etc/default/ami_ros\n' in unit
    for key in ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE'):
        inside = environment[key].partition('/share/ami_ros/')[2]
        assert (CONFIG.parent / inside).is_file()
    assert (CONFIG.parent / 'launch' / re.search(r'(\w+\.launch\.py)', unit)[1]).is_file()


def test_the_service_does_not_close_what_dds_and_cameras_need():
    said = settings(SERVICE)
    assert not {'PrivateTmp', 'PrivateIPC', 'PrivateDevices', 'PrivateNetwork', 'PrivateUsers',
                'ProtectClock', 'RestrictRealtime', 'MemoryDenyWriteExecute'} & set(said)
    assert {'AF_UNIX', 'AF_INET', 'AF_NETLINK'} <= set(said['RestrictAddressFamilies'].split())
    assert int(said['LimitRTPRIO']) >= 50 and said['KillSignal'] == 'SIGINT'


def test_buffers_are_those_that_the_machine_is_checked_for():
    from ami_ros.host.memory_and_disk import BUFFER_MB
    said = settings(CONFIG / 'systemd/60-ami-ros.conf')
    assert int(said['net.core.rmem_max']) >= 1e6 * BUFFER_MB
    cyclone = (CONFIG / 'dds/cyclonedds.xml').read_text()
    asked = int(re.search(r'SocketReceiveBufferSize min="(\d+)MB"', cyclone)[1]) << 20
    assert int(said['net.core.rmem_max']) >= asked      # else no node of Cyclone starts


def test_all_of_it_is_shipped(monkeypatch):
    told = {}
    monkeypatch.setattr('setuptools.setup', told.update)
    monkeypatch.chdir(CONFIG.parent)
    runpy.run_path('setup.py')
    shipped = {file for _, files in told['data_files'] for file in files}
    mine = {str(f.relative_to(CONFIG.parent)) for folder in ('dds', 'systemd')
            for f in (CONFIG / folder).iterdir()}
    assert len(mine) >= 6 and mine <= shipped
