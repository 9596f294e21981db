# SPDX-License-Identifier: Apache-2.0
"""
Runs a node from its making to its end, the same way for all.

A node may have `turn()`, which is called between callbacks and returns how many seconds there is
nothing to do, `done`, which says that it is over, and `stop()`, which is called before it ends:
also at SIGTERM, while it can still publish. What is wrong with its parameters or files is one
sentence and exit code 1. Started by a session, it ends when that does, however that ended.
"""

from collections.abc import Callable
import ctypes
import os
from pathlib import Path
import signal
import sys
import tempfile

import rclpy
from rclpy.exceptions import ParameterException
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from ami_ros.core.errors import AmiError
from ami_ros.nodes import ros_time_check

try:        # halves what a message costs (measured: picture to command 5.2 ms, so 2.6 ms)
    from rclpy.experimental.events_executor import EventsExecutor as Executor
except ImportError:
    from rclpy.executors import SingleThreadedExecutor as Executor

PARENT = 'AMI_ROS_PARENT'  # environment: the process that this one must not outlive
IDLE_S = 0.1        # a signal waits so long at most
WRONG = (AmiError, OSError, ImportError, RuntimeError, ParameterException)


def run(make: Callable[[], Node], args: list[str] | None = None, executor_of=Executor) -> int:
    """Make a node and let it work until a signal comes; return the exit code."""
    if {'--help', '-h'} & set(sys.argv[1:] if args is None else args):
        about = sys.modules[make.__module__].__doc__
        sys.stdout.write(f'usage: {Path(sys.argv[0]).name} [--ros-args -p NAME:=VALUE '
                         f'--params-file FILE ...]\n{(about or "").strip()}\n')
        return 0
    follow()
    asked_to_end = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: asked_to_end.append(number))
    try:
        log_somewhere()
        rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)
        node = make()
        ros_time_check.guard(node)
    except WRONG as wrong:
        sys.stderr.write(f'{first_line(wrong)}\n')
        rclpy.try_shutdown()
        return 1
    executor = executor_of()
    executor.add_node(node)
    turn = getattr(node, 'turn', lambda: IDLE_S)
    try:
        while not (asked_to_end or orphaned() or getattr(node, 'done', False)) and rclpy.ok():
            executor.spin_once(timeout_sec=min(turn(), IDLE_S))
        return getattr(node, 'exit_code', 0)
    finally:
        getattr(node, 'stop', lambda: None)()
        executor.remove_node(node)
        node.destroy_node()
        rclpy.try_shutdown()


def log_somewhere() -> None:
    """Have rcl write its logs to a temporary folder, and say so, where it could not otherwise.

    It takes $ROS_LOG_DIR, else $ROS_HOME/log, else ~/.ros/log of $HOME, and without a folder that
    can be written no node starts.
    """
    home = os.environ.get('ROS_HOME') or os.path.join(os.environ.get('HOME', ''), '.ros')
    folder = Path(os.environ.get('ROS_LOG_DIR') or os.path.join(home, 'log'))
    try:
        folder = folder.expanduser()
        if not folder.is_absolute() and not os.environ.get('HOME'):
            raise OSError('HOME is not set')
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise OSError('it cannot be written')
    except (OSError, RuntimeError) as why:
        os.environ['ROS_LOG_DIR'] = other = tempfile.mkdtemp(prefix='ami_ros_log_')
        sys.stderr.write(f'no logs in {folder}: {getattr(why, "strerror", None) or why}; they go '
                         f'to {other}. Set HOME, ROS_HOME or ROS_LOG_DIR to a folder that can be '
                         'written\n')


def follow() -> None:
    """Have Linux end this process with a session that is killed, even where it hangs itself."""
    if PARENT in os.environ and sys.platform == 'linux':
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)      # PR_SET_PDEATHSIG


def orphaned() -> bool:
    """Tell whether the session that started this process is gone."""
    parent = os.environ.get(PARENT)
    return parent is not None and int(parent) != os.getppid()


def first_line(wrong: Exception) -> str:
    """Return what is wrong without the lines that rcl adds about where."""
    return str(wrong).strip().split('\n')[0] or type(wrong).__name__
