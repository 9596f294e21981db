# SPDX-License-Identifier: Apache-2.0
"""Starts nodes as processes in a ROS domain of their own, and leaves nothing running."""

import fcntl
from importlib.metadata import PackageNotFoundError, version
import os
from pathlib import Path
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from typing import TextIO

import yaml

from ami_ros.core.robot_processes import GUARDS, PLANNERS, THREADS
from ami_ros.core.share_directory import share
from ami_ros.nodes.run import PARENT

DOMAINS = range(1, 101)     # above 101 the ports of DDS meet those that Linux hands out
NODES = ('sim', *GUARDS, *PLANNERS)
RECORDER = 'recorder'       # beside them, where somebody asks for it
# A trial simulates the rover. Nodes have no robot and no policy of their own accord, so it says
# both, before all other files.
ROVER = {**{name: {'robot': 'rover'} for name in (*NODES, RECORDER)},
         'critic': {'robot': 'rover', 'safety_policy': 'config/safety_policy/rover.yaml'}}
GRACE_S = 3.0               # for the critic's last zero, and for shared memory to be given back
CLOSE_S = 20.0              # for a recorder to write what it has
QUIET = {**THREADS, 'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST'}
# Fast DDS announces a participant five times and then every three seconds; on a busy machine the
# first five are often lost, and half of all starts wait for the sixth (measured: 3.6 s, now 0.75).
PROFILE = """<?xml version="1.0" encoding="UTF-8" ?>
<dds xmlns="http://www.eprosima.com"><profiles>
  <participant profile_name="quick" is_default_profile="true"><rtps><builtin><discovery_config>
    <initialAnnouncements>
      <count>20</count><period><sec>0</sec><nanosec>100000000</nanosec></period>
    </initialAnnouncements>
    <leaseAnnouncement><sec>0</sec><nanosec>200000000</nanosec></leaseAnnouncement>
  </discovery_config></builtin></rtps></participant>
</profiles></dds>
"""
PROFILE_NAMES = ('FASTDDS_DEFAULT_PROFILES_FILE', 'FASTRTPS_DEFAULT_PROFILES_FILE')  # new, old
PACKAGE = Path(__file__).resolve().parents[3]   # so that children import the same ami_ros


class ChildEnded(RuntimeError):
    """A process that should run does not; the text is its last sentence."""


def claim_domain() -> tuple[int, TextIO]:
    """Return a domain that no other session on this machine holds, and the lock that says so."""
    for domain in DOMAINS:
        lock = open(Path(tempfile.gettempdir()) / f'ami_ros_domain_{domain}.lock', 'a')
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return domain, lock
        except OSError:
            lock.close()
    raise RuntimeError(f'all ROS domains from {DOMAINS[0]} to {DOMAINS[-1]} are held by other '
                       'sessions; end one of them')


def fast_dds_is_old() -> bool:
    """Tell whether it reads the old name of its profile: up to Jazzy, whose rclpy is 7."""
    try:
        return int(version('rclpy').split('.')[0]) <= 7
    except (PackageNotFoundError, ValueError):
        return True


def end(processes: list[subprocess.Popen], grace_s: float) -> None:
    """End processes: ask, wait, insist."""
    for process in processes:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + grace_s
    for process in processes:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Processes:
    """The nodes of one session; a context manager that ends what it started."""

    def __init__(self, domain: int, logs: Path, programs: dict[str, list[str]] | None = None):
        self.domain, self.logs, self.home = domain, logs, (logs / 'home').resolve()
        self.programs = {name: ['-c', f'from ami_ros.nodes.{name}_node import main; '
                                      'raise SystemExit(main())'] for name in (*NODES, RECORDER)}
        self.programs.update(programs or {})    # another program in the place of a node
        self.running: dict[str, subprocess.Popen] = {}
        self.commands: dict[str, list[str]] = {}
        self.respawn: set[str] = set()          # names that `check` starts again when they end
        self.respawn_s = 0.0                    # so long after they were found to have ended
        self.ended_s: dict[str, float] = {}
        logs.mkdir(parents=True, exist_ok=True)
        self.rover = logs / 'rover.yaml'
        self.rover.write_text(yaml.safe_dump({f'/**/{name}': {'ros__parameters': values}
                                              for name, values in ROVER.items()}))
        shutil.rmtree(self.home, ignore_errors=True)    # no latch of another run

    def settings(self) -> dict[str, str]:
        """Return the environment that everybody in the session shares, its own process too."""
        shared = {**QUIET, 'ROS_DOMAIN_ID': str(self.domain), 'ROS_HOME': str(self.home)}
        if not any(name in os.environ for name in PROFILE_NAMES):   # a person's own wins
            profile = self.logs / 'fastdds.xml'
            profile.write_text(PROFILE)
            shared[PROFILE_NAMES[fast_dds_is_old()]] = str(profile.resolve())
        return shared

    def environment(self, name: str = '') -> dict[str, str]:
        """Return what a child runs in; the body's has room for large pictures in shared memory."""
        path = os.pathsep.join(filter(None, (str(PACKAGE), os.environ.get('PYTHONPATH'))))
        out = {**os.environ, **self.settings(), 'PYTHONPATH': path, PARENT: str(os.getpid())}
        profile = PROFILE_NAMES[fast_dds_is_old()]
        if name == 'sim' and out.get(profile) == str((self.logs / 'fastdds.xml').resolve()):
            out[profile] = str(share('config/dds/fastdds.xml'))
        return out

    def start(self, name: str, parameters: dict, files: tuple[str | Path, ...] = (),
              remaps: tuple[tuple[str, str], ...] = ()) -> subprocess.Popen:
        """Start a node by its name; parameters win over the files."""
        command = [sys.executable, *self.programs[name], '--ros-args']
        named = (str(self.rover),) if name in ROVER else ()
        for file in (*named, *files):
            command += ['--params-file', str(file)]
        for key, value in parameters.items():
            said = str(value).lower() if isinstance(value, bool) else str(value)
            command += ['-p', f'{key}:={said}']
        for one, other in remaps:
            command += ['-r', f'{one}:={other}']
        self.log(name).unlink(missing_ok=True)
        self.commands[name] = command
        return self.launch(name)

    def launch(self, name: str) -> subprocess.Popen:
        """Start a node, or start it again, as it was started first."""
        with open(self.log(name), 'a') as log:
            self.running[name] = subprocess.Popen(
                self.commands[name], env=self.environment(name), stdin=subprocess.DEVNULL,
                stdout=log, stderr=log)
        return self.running[name]

    def log(self, name: str) -> Path:
        """Return where a node's output goes."""
        return self.logs / f'{name}.log'

    def check(self) -> None:
        """Start again what may be, and raise ChildEnded when another one is gone."""
        for name, process in list(self.running.items()):
            if process.poll() is None:
                continue
            if name in self.respawn:
                ended_s = self.ended_s.setdefault(name, time.monotonic())
                if time.monotonic() - ended_s >= self.respawn_s:
                    del self.ended_s[name]
                    self.launch(name)
            else:
                raise ChildEnded(f'{name} ended with code {process.returncode}: '
                                 f'{self.last_words(name)}')

    def last_words(self, name: str) -> str:
        """Return the last line that a node wrote."""
        lines = self.log(name).read_text(errors='replace').strip().split('\n')
        return lines[-1] or 'it said nothing'

    def stop(self) -> None:
        """End them all; a recorder last, so that it hears how the others end."""
        recorder = [self.running.pop(RECORDER)] if RECORDER in self.running else []
        for processes, grace_s in ((list(self.running.values()), GRACE_S), (recorder, CLOSE_S)):
            end(processes, grace_s)
        self.running.clear()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
