# SPDX-License-Identifier: Apache-2.0
"""A Ray cluster that does items of work; Ray repeats those of a machine that was lost."""

from collections.abc import Callable
import logging
import pickle
import subprocess
import sys
from typing import Any

import ray

from ami_ros.core.errors import AmiError
from ami_ros.core.robot_processes import THREADS
from ami_ros.parallel.installed_versions import installed

CONNECT_S = 25.0        # Ray itself tries for minutes
TRIES = 5               # of an item whose process or machine was lost, after the first
ITEMS_A_PROCESS = 8     # a process ends after so many, and what PyBullet did not free with it
PROBE = """
import logging, socket, sys
host, port = sys.argv[1:]
try:
    socket.create_connection((host, int(port)), 5).close()
    import ray
    ray.init(address=f'{host}:{port}', logging_level=logging.CRITICAL, log_to_driver=False)
except Exception as why:
    sys.exit(' '.join(str(why).split()))
"""


class RayCluster:
    """The machines of a cluster; this one is one of them."""

    def __init__(self, address: str, common: tuple):
        reach(address)
        ray.init(address=address, logging_level=logging.ERROR, log_to_driver=False,
                 runtime_env={'env_vars': THREADS})
        if not ray.cluster_resources().get('CPU'):
            ray.shutdown()
            raise RuntimeError(f'no machine of the Ray cluster at {address} offers a CPU; start '
                               'one with ray start --address, without --num-cpus 0')
        self.task = ray.remote(num_cpus=1, max_retries=TRIES, max_calls=ITEMS_A_PROCESS)(task())
        self.installed, self.common = ray.put(installed()), ray.put(pickle.dumps(common))

    def width(self) -> int:
        """Return the number of CPUs; machines come and go."""
        return max(1, int(ray.cluster_resources().get('CPU', 0)))

    def submit(self, function: Callable, item: tuple) -> 'ray.ObjectRef':
        """Begin an item."""
        return self.task.remote(self.installed, self.common, pickle.dumps((function, item)))

    def wait(self, handles: list) -> list:
        """Return one that is finished."""
        return ray.wait(handles, num_returns=1)[0]

    def result(self, handle: 'ray.ObjectRef') -> Any:
        """Fetch what it returned; where that was lost with its machine, Ray does it again."""
        try:
            return ray.get(handle)
        except ray.exceptions.RayTaskError as wrong:
            if isinstance(wrong.cause, Exception):
                raise wrong.cause from None
            raise RuntimeError(f'a machine of the cluster: {wrong}') from None
        except ray.exceptions.RayError as wrong:
            why = str(wrong).strip().split('\n')[0]
            raise RuntimeError(f'the cluster did not finish an item in {TRIES + 1} tries: '
                               f'{why}') from None

    def close(self, finished: bool) -> None:
        """Leave the cluster, which ends what runs there for this process."""
        ray.shutdown()


def reach(address: str) -> None:
    """Join the cluster in a process that can be ended; RuntimeError where that fails."""
    host, _, port = address.rpartition(':')
    if not host or '/' in host or not (port.isdecimal() and 0 < int(port) < 65536):
        raise AmiError(f'--cluster {address} is not HOST:PORT, as ray start --head says it')
    try:
        done = subprocess.run([sys.executable, '-c', PROBE, host, port], timeout=CONNECT_S,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        why = (done.stderr.strip().split('\n')[-1] or f'status {done.returncode}')
    except subprocess.TimeoutExpired:
        done, why = None, f'no answer in {CONNECT_S:g} s'
    if done is None or done.returncode:
        raise RuntimeError(
            f'this machine cannot join the Ray cluster at {address}: {why}; ray start --head '
            f'starts one there, and ray start --address={address} adds this machine to it')


def task() -> Callable:
    """Make the function that a machine runs.

    It is made here so that it is sent whole: a machine without this package says so, and nothing
    of the package is used before it is known to be the same.
    """
    def item_of(wanted: dict, common: bytes, sent: bytes) -> Any:
        import pickle

        import ray
        where = f'the machine {ray.util.get_node_ip_address()} of the cluster'
        try:
            from ami_ros.parallel.installed_versions import differences, installed
        except ImportError as why:
            raise RuntimeError(f'{where} has no ami_ros {wanted["ami_ros"]} ({why}); install it '
                               'there') from None
        if other := differences(installed(), wanted):
            raise RuntimeError(f'{where} has {other}; install the same there')
        function, item = pickle.loads(sent)
        return function(*pickle.loads(common), *item)
    return item_of
