# SPDX-License-Identifier: Apache-2.0
"""Trace of the critic: every call that it receives, and the data that it uses."""

from collections.abc import Mapping
from pathlib import Path

from ami_ros.critic.safety_policy.policy_loader import Policy
from ami_ros.nodes.trace_publisher import robot_said, settings_said, text_of, TracePublisher
from ami_ros.recording import critic_call_recorder

IDLE_S = 0.0002         # is written down at a time: a plan that comes meanwhile waits so long
EVERY_S = 0.1           # a message
HASHED = 12             # hex digits of the policy's hash beside each verdict


def traced(node, policy: Policy, made: Mapping) -> TracePublisher:
    """Put every call of a node's critic on record, and say what it goes by."""
    out = TracePublisher(node, lambda: critic_call_recorder.state(node.critic), EVERY_S)
    critic_call_recorder.watch(node.critic, out.tracer)
    out.tell({'policy.hash': policy.hash[:HASHED]}, kind='critic', settings=settings_said(made),
             robot=robot_said(node.robot), policy={'file': Path(policy.path).name,
                                                   'hash': policy.hash,
                                                   'text': text_of(policy.path)})
    return out
