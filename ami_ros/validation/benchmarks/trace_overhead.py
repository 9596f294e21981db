# SPDX-License-Identifier: Apache-2.0
"""
Measures how much trace and recorder add to the latency from camera to command.

    python3 -m ami_ros.validation.benchmarks.trace_overhead --report FILE

One stack drives in real time; of every two drives from the same start to the same goal one is
recorded, in turn first and second. So both share the machine's mood; a bare timer tells it. Then
the bare cost on the critical path, in CPU time, which no other process can lengthen.
"""

import argparse
import json
import os
from pathlib import Path
import tempfile
from time import thread_time_ns
from typing import Any

import numpy as np
import rclpy

from ami_ros.core.share_directory import share
from ami_ros.core.types import Odometry, Permit, Plan, Scan
from ami_ros.critic.critic import Critic
from ami_ros.critic.safety_policy.policy_loader import read
from ami_ros.recording import critic_call_recorder
from ami_ros.recording.trace_records import Tracer
from ami_ros.robots.find_robot import find
from ami_ros.sim.simulator_interface import open_body, SimRoom
from ami_ros.validation.stack import bench, sim_session
from ami_ros.validation.stack.episode_runner import EpisodeRunner, START_S
from ami_ros.validation.stack.processes import claim_domain, end, Processes, RECORDER
from ami_ros.validation.stack.timer_jitter import Probe

SEED, BLOCKS, WORLD, HZ = 700, 20, 7, 10
STAGES = ('camera_to_command', 'critic', 'encode_plan')


def drives(pairs: int, folder: Path) -> dict[bool, list[list[dict]]]:
    """Drive pairs, one of each recorded; return the stages of every frame, by drive."""
    asked = sim_session.Session(logs=folder / 'logs', real_time=True, camera_hz=HZ,
                                world_seed=WORLD)
    domain, lock = claim_domain()
    context = rclpy.Context()
    out: dict = {False: [], True: []}
    robot = find('rover')
    with lock, Processes(domain, asked.logs) as processes, open_body(
            'pybullet', robot, SimRoom(WORLD), 0, robot.camera_size) as body:
        os.environ.update(processes.settings())
        asked.start(processes)
        rclpy.init(context=context, domain_id=domain)
        pilot = EpisodeRunner(context, False, 1 / HZ, processes.check)
        for number, errand in enumerate(sim_session.errands(body, BLOCKS, SEED,
                                                            lambda i: i < pairs)):
            for recorded in ((False, True), (True, False))[number % 2]:
                if recorded:
                    processes.start(RECORDER, {'folder': str(folder), 'name': f'bag{number}'},
                                    (share('config/rover_node_parameters.yaml'),))
                    pilot.wait(lambda: pilot.recorded(sim_session.RECORDED, RECORDER),
                               'that everything is recorded', START_S)
                drive = pilot.drive(errand.drive, errand.picture, errand.seed)
                out[recorded].append([tick.stages_ms for tick in drive.ticks.values()
                                      if tick.plan and tick.plan.iterations])
                if recorded:
                    end([processes.running.pop(RECORDER)], 20.0)
            print(f'pair {number + 1} of {pairs}', flush=True)
        pilot.destroy_node()
        rclpy.shutdown(context=context)
    return out


def stage(blocks: list[list[dict]], name: str) -> np.ndarray:
    """Return one stage of all frames, ms."""
    return np.array([ms for block in blocks for stages in block
                     if (ms := stages.get(f'{name}_ms')) is not None])


def added(out: dict[bool, list[list[dict]]]) -> dict:
    """Compare; the interval of what is added comes from drawing pairs anew, 1000 times."""
    rng, report = np.random.default_rng(0), {}
    for name in STAGES:
        without, with_it = (stage(out[recorded], name) for recorded in (False, True))
        row: dict[str, Any] = {'n': [len(without), len(with_it)]}
        for p in (50, 99):
            drawn = []
            for _ in range(1000):
                chosen = rng.integers(0, len(out[True]), len(out[True]))
                one, other = (stage([out[recorded][i] for i in chosen], name)
                              for recorded in (False, True))
                drawn.append(np.percentile(other, p) - np.percentile(one, p))
            row[f'p{p}'] = {'without': float(np.percentile(without, p)),
                            'with': float(np.percentile(with_it, p)),
                            'added': float(np.percentile(with_it, p)
                                           - np.percentile(without, p)),
                            'added_90_percent': np.percentile(drawn, [5, 95]).tolist()}
        report[name] = row
    return report


def critical_path() -> dict:
    """Measure the critic's answer with and without a witness, us of CPU time, in turn."""
    robot, policy = find('rover'), read(share('config/safety_policy/rover.yaml'))
    angles = np.linspace(-np.pi, np.pi, robot.lidar_beams, endpoint=False)
    took: dict[str, list[float]] = {'without': [], 'nobody_listens': [], 'recorded': []}
    critics = {}
    for name in took:
        critics[name] = Critic(policy, robot), Tracer(10**6)
        if name != 'without':
            critic_call_recorder.watch(*critics[name])
            critics[name][1].switch(name == 'recorded')
    for tick in range(4000):
        now = 10**9 + tick * 20_000_000
        for name, (critic, tracer) in critics.items():
            scan = Scan(np.full(len(angles), 2.0) + 1e-3 * (tick % 7), angles, (0.0, 0.0, 0.0),
                        now, now)
            odometry = Odometry(np.array([0.004 * tick, 0.0, 0.0]), np.array([0.2, 0.0]), now, now)
            plan = Plan(np.tile((0.2, 0.0), (8, 1)), 0.25, now, now)
            begun = thread_time_ns()
            critic.on_scan(scan)
            critic.on_odometry(odometry)
            critic.on_permit(Permit('autonomous', '', now, now))
            critic.on_plan(plan, now)
            critic.judge(now, now)
            took[name].append((thread_time_ns() - begun) / 1e3)
            while len(tracer):
                tracer.take()
    return {name: {f'p{p}': float(np.percentile(values[500:], p)) for p in (50, 99)}
            for name, values in took.items()}


def main() -> None:
    """Measure and report."""
    args = argparse.ArgumentParser(description=__doc__.strip().split('\n')[0])
    args.add_argument('--pairs', type=int, default=16,
                      help='Number of pairs of drives, one of each recorded')
    args.add_argument('--report', type=Path, required=True, help='Report JSON file')
    given = args.parse_args()
    load = os.getloadavg()
    with tempfile.TemporaryDirectory() as folder, Probe() as probe:
        out = drives(given.pairs, Path(folder))
    report = {'machine': bench.machine(), 'versions': bench.versions(),
              'load_average': {'before': load[0], 'after': os.getloadavg()[0]},
              'protocol': {'pairs': given.pairs, 'goal_steps': BLOCKS, 'seed': SEED,
                           'camera_hz': HZ, 'world_seed': WORLD},
              'noise_ms': sim_session.percentiles(probe.late_ms), 'ms': added(out),
              'critic_cpu_us': critical_path()}
    given.report.write_text(json.dumps(report, indent=1) + '\n')
    print(json.dumps({key: report[key] for key in ('noise_ms', 'ms', 'critic_cpu_us')}, indent=1))


if __name__ == '__main__':
    main()
