# SPDX-License-Identifier: Apache-2.0
"""Maps a function over items of work: in this process, in others, or on a Ray cluster.

What the function returns comes back to this process, which alone writes files. So an item that is
done again after a machine was lost is written once, and the machines need no shared folder.
"""

from collections.abc import Callable, Iterable, Iterator
import itertools
from typing import Any, Protocol

from ami_ros.parallel.processes import Processes

AHEAD = 2       # items given out for each process: none waits, and few results are in memory


class Pool(Protocol):
    """Processes that do items of work."""

    def width(self) -> int:
        """Return how many items can be done at the same time now."""

    def submit(self, function: Callable, item: tuple) -> Any:
        """Begin an item; return a handle, which can be a key of a dict."""

    def wait(self, handles: list) -> list:
        """Return handles that are finished, at least one."""

    def result(self, handle: Any) -> Any:
        """Return what the item returned, or raise what it raised."""

    def close(self, finished: bool) -> None:
        """Let the processes go; not `finished`: there are items that nobody waits for."""


def outcomes(function: Callable, items: Iterable[tuple], jobs: int = 1, cluster: str = '',
             common: tuple = ()) -> Iterator[tuple[int, Any]]:
    """Yield (index of the item, function(*common, *item)) as items are finished, each once.

    The function is one of a module of the package. `cluster`: HOST:PORT of a Ray cluster, which
    does the work instead of `jobs` processes. RuntimeError where the cluster cannot be used.
    """
    work = list(items)
    if not cluster and jobs == 1:
        for index, item in enumerate(work):
            yield index, function(*common, *item)
        return
    if not work:
        return
    pool, finished = opened(min(jobs, len(work)), cluster, common), False
    left = iter(enumerate(work))
    running: dict[Any, int] = {}        # handle: index
    try:
        while True:
            for index, item in itertools.islice(
                    left, max(0, AHEAD * pool.width() - len(running))):
                running[pool.submit(function, item)] = index
            if not running:
                break
            for handle in pool.wait(list(running)):
                yield running.pop(handle), pool.result(handle)
        finished = True
    finally:
        pool.close(finished)


def opened(jobs: int, cluster: str, common: tuple) -> Pool:
    """Open processes of this machine or a cluster."""
    if not cluster:
        return Processes(jobs, common)
    try:
        from ami_ros.parallel.ray_cluster import RayCluster
    except ModuleNotFoundError as missing:
        if missing.name != 'ray':
            raise
        raise RuntimeError("--cluster needs Ray, which is not installed; pip install "
                           "'ami_ros[cluster]' on each machine") from None
    return RayCluster(cluster, common)
