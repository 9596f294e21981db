# SPDX-License-Identifier: Apache-2.0
"""The whole robot as real processes, one of them with a tamper before its topic."""

import gc
import os
from pathlib import Path
import signal
import subprocess
from typing import Any
import uuid

import rclpy

from ami_ros.core.robot_processes import GUARDS, planners, RESPAWN_S
from ami_ros.core.share_directory import share
from ami_ros.nodes.mind_settings import thinking_with
from ami_ros.validation.fault_injection.fault_definitions import Row
from ami_ros.validation.fault_injection.fillable_disk import SmallDisk
from ami_ros.validation.fault_injection.message_faults import FAULTS
from ami_ros.validation.fault_injection.observer import Observer
from ami_ros.validation.fault_injection.topic_proxy import RAW
from ami_ros.validation.stack.processes import claim_domain, Processes

ROBOT = (*planners(True), *GUARDS)      # started again when they end, as launch does it
SPEAKS = {'plan': 'mind'}       # who publishes a topic of the table of faults; else the simulator
OWN = {name: ['-c',
              f'from ami_ros.validation.fault_injection.{file} import main; raise '
              f'SystemExit(main())']
       for name, file in (('sim', 'ground_truth_sim_node'), ('tamper', 'topic_proxy'),
                          ('rogue', 'rogue_publisher'))}


class FaultyStack:
    """A robot to do harm to; a context manager that leaves nothing running.

    `row` may become another of the same setup.
    """

    def __init__(self, logs: Path, row: Row, world_seed: int, module: str = '',
                 programs: dict[str, list[str]] | None = None):
        self.row, self.world_seed, self.module = row, world_seed, module
        self.disk = SmallDisk(logs / 'disk') if row.strike['by'] == 'disk' else None
        self.logs, self.programs = self.disk.path if self.disk else logs, programs or {}
        self.burning: list[subprocess.Popen] = []
        self.buttons: dict = {}       # publishers of e_stop, by their QoS
        self.session = f's{uuid.uuid4().hex[:8]}'   # orders of others are not for this tamper

    def __enter__(self):
        self.environment = dict(os.environ)
        if self.disk:
            self.disk.mount()
        domain, self.lock = claim_domain()
        self.processes = Processes(domain, self.logs, {**OWN, **self.programs})
        self.processes.respawn, self.processes.respawn_s = set(ROBOT), RESPAWN_S
        os.environ.update(self.processes.settings())
        os.environ['ROS_LOG_DIR'] = str(self.logs / 'ros')
        self.context = rclpy.Context()
        self.observer: Any = None       # an Observer while the stack runs
        try:
            self.start()
            rclpy.init(context=self.context, domain_id=domain)
            self.observer = Observer(self.context, self.processes.check, self.session)
        except BaseException:
            self.__exit__()
            raise
        return self

    def start(self) -> None:
        """Start everybody; the body last, so that somebody is there to see."""
        files, at = (share('config/rover_node_parameters.yaml'),), self.row.strike.get('at', '')
        time = {'use_sim_time': True} if self.row.sim_time else {}
        tampered = self.row.strike['by'] == 'tamper'
        remaps = {}
        if tampered:
            name = FAULTS[at][0].name
            remaps[SPEAKS.get(at, 'sim')] = ((name, name + RAW),)
            self.processes.start('tamper', {'at': at, 'session': self.session})
        for name in ROBOT:
            known = thinking_with(self.module) if name == 'mind' else {}
            self.processes.start(name, {**time, **known}, files, remaps.get(name, ()))
        self.processes.start('sim', {'world_seed': self.world_seed}, files, remaps.get('sim', ()))

    def calm(self) -> None:
        """Have nobody keep the processors busy."""
        for child in self.burning:
            child.kill()
            child.wait()
        self.burning.clear()

    def about(self) -> dict:
        """Say what the fault itself was like: the disk, or what the tamper cost messages."""
        latency = {key[8:-3]: float(value) for key, value in self.observer.log.tamper.items()
                   if key.startswith('latency.')}
        return {**({'disk': self.disk.kind} if self.disk else {}),
                **({'tamper_ms': latency} if latency else {})}

    def __exit__(self, *_):
        self.calm()
        for process in self.processes.running.values():
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)     # or it could not end by itself
        if self.observer is not None:
            self.observer.spinner.shutdown()
            self.observer.destroy_node()
        self.buttons, self.observer = {}, None
        rclpy.try_shutdown(context=self.context)
        gc.collect()        # or its participant lives on in this domain, and says what it said
        self.processes.stop()
        self.lock.close()
        if self.disk:
            self.disk.unmount()
        os.environ.clear()
        os.environ.update(self.environment)
