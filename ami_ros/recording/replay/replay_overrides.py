# SPDX-License-Identifier: Apache-2.0
"""What a replay does otherwise than the drive: another module, other numbers, another policy."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml

from ami_ros.core.errors import AmiError
from ami_ros.core.robot_processes import PLANNERS
from ami_ros.core.settings import (
    ActorSettings,
    build,
    EnergySettings,
    Settings,
    unknown,
    WorldModelSettings,
)
from ami_ros.critic.safety_policy.policy_loader import parse, Policy
from ami_ros.critic.safety_policy.policy_loader import read as read_policy
from ami_ros.modules.module import Module, open_module

GROUPS: dict[str, type[Settings]] = {
    'world_model': WorldModelSettings, 'actor': ActorSettings, 'energy': EnergySettings}


@dataclass(frozen=True)
class Changes:
    """Nothing at all is what a replay of the same is."""

    module: str = ''                    # folder; '' is the one of the drive
    policy: Path | None = None
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # by group

    @property
    def of_mind(self) -> bool:
        """Tell whether the mind may think otherwise."""
        return bool(self.module or self.settings)

    @property
    def any(self) -> bool:
        """Tell whether anything may be otherwise."""
        return self.of_mind or self.policy is not None

    def within(self, settings: Mapping[str, Settings]) -> dict[str, Any]:
        """Return the settings of a moment of the drive with the changes in them."""
        out = {}
        for group, said in settings.items():
            more = dict(self.settings.get(group, {}))
            if more.get('latency_s', 0.0) < 0:      # as measured: what was in force already
                del more['latency_s']
            out[group] = build(type(said), {**vars(said), **more}, f'--params, {group}')
        return out


def settings_of(path: Path) -> dict[str, dict[str, object]]:
    """Read the groups of a parameter file that a mind thinks with; ValueError names what is wrong.

    Node names may bear namespaces and wildcards, as in /**/mind.
    """
    try:
        said = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError, ValueError) as why:
        raise AmiError(f'{path} cannot be read: {why}; '
                       'config/rover_node_parameters.yaml is a parameter file') from None
    out: dict[str, dict[str, object]] = {}
    for node, block in (said or {}).items():
        if node.rpartition('/')[2] not in PLANNERS:
            continue
        for group, values in (block or {}).get('ros__parameters', {}).items():
            if group in GROUPS:
                for key in values:
                    known = [one.name for one in fields(GROUPS[group])]
                    if key not in known:
                        raise AmiError(f'{path}, {group}: {unknown(key, known)}')
                out.setdefault(group, {}).update(values)
    if not out:
        raise AmiError(f'{path} has no settings of {", ".join(GROUPS)} for a node of: '
                       f'{", ".join(PLANNERS)}; config/rover_node_parameters.yaml has')
    return out


def module_of(node: str, then: dict, changes: Changes) -> Module:
    """Open the module that thinks; ValueError where the one of the drive is not here."""
    if changes.module:
        return open_module(changes.module)
    if not then:
        raise AmiError(f'{node} did not say which module it had; give --modules')
    for path in (then['path'], ''):
        try:
            module = open_module(path)
        except (AmiError, OSError):
            continue
        if module.id == then['hash']:
            return module
    raise AmiError(f'the drive was made with {then["name"]} {then["version"]}, hash '
                   f'{then["hash"][:12]}, which is neither at {then["path"]} nor active here; '
                   'give --modules FOLDER')


def policy_of(said: dict, changes: Changes) -> Policy:
    """Return the policy that judges."""
    if changes.policy is not None:
        return read_policy(changes.policy)
    try:
        return parse(said['policy']['text'], said['policy']['file'])
    except AmiError as wrong:
        raise AmiError(f'the policy of the recording is none of this version: {wrong}; take the '
                       'version that recorded it, or another policy: ami-ros replay '
                       '--safety-policy'
                       ) from None
