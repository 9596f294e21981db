# SPDX-License-Identifier: Apache-2.0
"""Processes of this machine that do items of work."""

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
import multiprocessing
import os
import threading
from typing import Any

common_arguments: tuple = ()       # of this process, where it is one of a pool


class Processes:
    """A fixed number of processes, each started anew: networks and PyBullet survive no fork."""

    def __init__(self, jobs: int, common: tuple):
        self.jobs = jobs
        self.executor = ProcessPoolExecutor(jobs, multiprocessing.get_context('spawn'), begin,
                                            (common,))

    def width(self) -> int:
        """Return the number of processes."""
        return self.jobs

    def submit(self, function: Callable, item: tuple) -> Future:
        """Begin an item."""
        return self.executor.submit(with_common, function, item)

    def wait(self, handles: list[Future]) -> list[Future]:
        """Return those that are finished."""
        return list(wait(handles, return_when=FIRST_COMPLETED).done)

    def result(self, handle: Future) -> Any:
        """Return what it returned."""
        return handle.result()

    def close(self, finished: bool) -> None:
        """End the processes; those of an interrupted run after their item."""
        self.executor.shutdown(wait=finished, cancel_futures=not finished)


def begin(common: tuple) -> None:
    """Begin a process of a pool, which ends as soon as its parent does, however that ends."""
    global common_arguments
    common_arguments = common
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)         # nobody would take the result
    threading.Thread(target=watch, daemon=True).start()


def with_common(function: Callable, item: tuple) -> Any:
    """Do an item with the arguments that all items have."""
    return function(*common_arguments, *item)
