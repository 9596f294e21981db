# SPDX-License-Identifier: Apache-2.0
"""Starts real nodes for a test, listens to them, and waits for what happens, not for time."""

from collections import defaultdict
import os
from pathlib import Path
import time

from ami_ros.validation.stack.processes import Processes
import rclpy
from rclpy.executors import SingleThreadedExecutor

STUB = str(Path(__file__).parent / 'stub_mind.py')
PATIENCE_S = 60.0       # a busy machine needs twenty for the imports alone
SETTLE_S = 1.0
AGAIN_S = 5.0           # a question that nobody answers is put again


class Bench:
    """Processes in the test's domain, and a node of the test's own that hears and speaks."""

    def __init__(self, folder: Path, monkeypatch):
        self.domain = int(os.environ['ROS_DOMAIN_ID'])
        self.processes = Processes(self.domain, folder, {'mind': [STUB]})
        for name, value in self.processes.settings().items():
            monkeypatch.setenv(name, value)
        self.context = rclpy.Context()
        rclpy.init(context=self.context, domain_id=self.domain)
        self.node = rclpy.create_node('test', context=self.context)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.heard = defaultdict(list)
        self.publishers = {}

    def start(self, name, **parameters):
        return self.processes.start(name, parameters)

    def hear(self, *rows):
        for row in rows:
            self.node.create_subscription(*row.subscriber(self.heard[row.name].append))

    def offer(self, *rows):
        for row in rows:
            self.publishers[row.name] = self.node.create_publisher(*row.publisher())

    def say(self, row, msg):
        self.publishers[row.name].publish(msg)

    def until(self, happened, what=''):
        """Spin until something is so; what it returned."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            self.executor.spin_once(timeout_sec=0.05)
            said = happened()
            if said:
                return said
            self.processes.check()
        raise AssertionError(f'{what or happened} did not happen within {PATIENCE_S} s')

    def met(self, *rows):
        """Wait until everybody that is there hears and is heard."""
        self.until(lambda: all(self.publishers[row.name].get_subscription_count()
                               if row.name in self.publishers
                               else self.node.count_publishers(row.name) for row in rows),
                   f'somebody at the other end of {[row.name for row in rows]}')
        self.settle()

    def settle(self):
        """Wait a second: one end may have met the other before the other has met it.

        DDS tells nobody when both have; what is sent before that is lost on a busy machine.
        """
        end = time.monotonic() + SETTLE_S
        self.until(lambda: time.monotonic() > end, 'the end of a second')

    def ask(self, row, request):
        """Call a service; again where the question was lost: to one that was killed, for one."""
        client = self.node.create_client(*row.client())
        self.until(client.service_is_ready, f'service {row.name}')
        self.settle()
        futures, put_s = [], -AGAIN_S

        def answered():
            nonlocal put_s
            if time.monotonic() - put_s > AGAIN_S:
                put_s = time.monotonic()
                futures.append(client.call_async(request))
            return next((future.result() for future in futures if future.done()), None)

        return self.until(answered, f'answer of {row.name}')

    def close(self):
        """Leave first: once, Fast DDS of Kilted did not come back from leaving ends that died."""
        try:
            self.executor.shutdown()
            self.node.destroy_node()
            rclpy.shutdown(context=self.context)
        finally:
            self.processes.stop()
