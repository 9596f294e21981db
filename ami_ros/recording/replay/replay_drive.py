# SPDX-License-Identifier: Apache-2.0
"""Does a recorded drive again, mind and critic beside each other, and says what differs."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
import multiprocessing
from pathlib import Path
import time

from ami_ros.core.errors import AmiError
from ami_ros.recording import message_reader
from ami_ros.recording.replay import command_to_image_chains, trace_reader
from ami_ros.recording.replay.differences import First
from ami_ros.recording.replay.replay_critic import CriticAgain
from ami_ros.recording.replay.replay_mind import KINDS, MindAgain, Seen
from ami_ros.recording.replay.replay_overrides import Changes


def minds(bag: Path, said: dict[str, dict], changes: Changes, make_eye: Callable,
          keep_plans: bool) -> tuple[dict, First, dict | None]:
    """Let every node of the mind think again; return what came of it, and its plans."""
    who = trace_reader.kinds(said, *KINDS)
    if not who:
        raise AmiError(f'{bag} has no trace of a mind; it has of: {", ".join(said)}')
    node, about = next(iter(who.items()))
    robot = trace_reader.robot_of(about)
    camera = robot.camera
    seen = Seen(camera.kind, keep_plans)
    again = {node: MindAgain(one, changes, make_eye, seen) for node, one in who.items()}
    picture, *infos = trace_reader.heard_as(bag, node, camera.topic,
                                            *trace_reader.info_names(robot))
    for one in trace_reader.stream(bag, picture, *infos):
        if isinstance(one, trace_reader.TraceLine):
            if one.node in again:
                again[one.node].do(one)
        elif any(message_reader.is_of(one.topic, info) for info in infos):
            seen.on_info(one.data, again.values())
        else:
            seen.pictures.put(one.data)
    report = {**seen.report(), 'begin_ns': seen.begin_ns,
              'lost': sum(one.lost for one in again.values()),
              'span_s': max(0.0, (seen.end_ns - seen.begin_ns) / 1e9),
              'modules': {node: {'recorded': named(said[node].get('module') or {}),
                                 'replayed': {'name': one.module.manifest['name'],
                                              'version': str(one.module.manifest['version']),
                                              'hash': one.module.id}}
                          for node, one in again.items()}}
    return report, seen.first, seen.plans


def named(module: dict) -> dict:
    """Name a module without its manifest."""
    return {key: module.get(key, '') for key in ('name', 'version', 'hash')}


def critics(bag: Path, said: dict[str, dict], changes: Changes,
            plans: dict | None = None) -> tuple[dict, First]:
    """Tell every critic again what it was told; return what came of it."""
    again = {node: CriticAgain(one, changes, plans)
             for node, one in trace_reader.kinds(said, 'critic').items()}
    for line in trace_reader.stream(bag):
        if isinstance(line, trace_reader.TraceLine) and line.node in again:
            again[line.node].do(line)
    if not again:
        raise AmiError(f'{bag} has no trace of a critic; it has of: {", ".join(said)}')
    if len(again) > 1:
        raise AmiError(f'{bag} has several critics, {", ".join(again)}; record one robot')
    one, = again.values()
    recorded = next(iter(trace_reader.kinds(said, 'critic').values()))
    policy = {'recorded': recorded['policy']['hash'],
              'replayed': one.policy.hash}
    return {**one.report(), 'begin_ns': one.begin_ns, 'lost': one.lost, 'policy': policy,
            'span_s': max(0.0, (one.end_ns - one.begin_ns) / 1e9)}, one.first


def replay(bag: Path, changes: Changes, make_eye: Callable) -> dict:
    """Do it all; the report for people and programs."""
    begun, said = time.monotonic(), trace_reader.abouts(bag)
    context = multiprocessing.get_context('spawn')      # networks do not survive a fork
    with ProcessPoolExecutor(1, context) as beside:
        if changes.of_mind:     # the critic hears what is thought now
            mind, first, plans = minds(bag, said, changes, make_eye, True)
            critic, of_critic = critics(bag, said, changes, plans)
        else:
            waiting = beside.submit(critics, bag, said, changes)
            mind, first, _ = minds(bag, said, changes, make_eye, False)
            critic, of_critic = waiting.result()
    first = min((first, of_critic), key=lambda one: one.at_ns)
    span_s, took_s = max(mind['span_s'], critic['span_s']), time.monotonic() - begun
    begin_ns = min(mind.pop('begin_ns'), critic.pop('begin_ns'))
    if first.said is not None:
        first.said = {'at_s': round((first.at_ns - begin_ns) / 1e9, 6), **first.said}
    return {'bag': bag.name, 'same_is_wanted': not changes.any, 'seconds_of_drive': span_s,
            'seconds_taken': took_s, 'times_real_time': span_s / took_s if took_s else None,
            'verdicts': critic, 'first_difference': first.said,
            **{name: mind.pop(name) for name in ('latents', 'beliefs', 'plans')}, 'mind': mind,
            'chains': command_to_image_chains.complete(bag)}


def the_same(report: dict) -> bool:
    """Tell whether a replay with nothing changed was what it has to be."""
    return (not report['verdicts']['different'] and not report['mind']['plans_different']
            and not any(report[what]['different'] for what in ('latents', 'beliefs', 'plans'))
            and bool(report['verdicts']['compared'] and report['latents']['compared']))
