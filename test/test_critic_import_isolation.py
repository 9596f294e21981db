# SPDX-License-Identifier: Apache-2.0
"""Whom the critic does not need, and who cannot let go of its stops: by what is imported."""

import ast
from pathlib import Path

import pytest
from test_import_layers import imported

PACKAGE = Path(__file__).resolve().parents[1] / 'ami_ros'
HEAVY = {'torch', 'onnx', 'onnxruntime', 'tensorrt', 'pybullet', 'cv2'}
GUARDED = ('mind', 'perception', 'world_model', 'actor', 'configurator')


def reached(*entries: str) -> tuple[set[str], set[str]]:
    """Return the files of the package that an entry imports, also late, and the packages."""
    todo, files, packages = list(entries), set(), set()
    while todo:
        name = todo.pop()
        path = PACKAGE.parent.joinpath(*name.split('.'))
        file = path / '__init__.py' if path.is_dir() else path.with_suffix('.py')
        if not file.exists():       # a name inside a file
            todo += [name.rpartition('.')[0]] if name.count('.') else []
            continue
        relative = file.relative_to(PACKAGE).as_posix()
        if relative in files:
            continue
        files.add(relative)
        tree = ast.parse(file.read_text())
        for _, said in imported(file.read_text(), '.'.join(file.relative_to(
                PACKAGE.parent).with_suffix('').parts[:-1])):
            if said.partition('.')[0] == 'ami_ros':
                todo.append(said)
            else:
                packages.add(said.partition('.')[0])
        for node in ast.walk(tree):             # from ami_ros.nodes import topics
            if isinstance(node, ast.ImportFrom) and (node.module or '').startswith('ami_ros'):
                todo += [f'{node.module}.{alias.name}' for alias in node.names]
    return files, packages


def test_the_critic_needs_no_network_no_simulator_and_no_pictures():
    files, packages = reached('ami_ros.nodes.critic_node')
    assert 'critic/rules/stop_zone.py' in files and 'numpy' in packages      # it does look
    assert packages & HEAVY <= {'cv2'}      # only when a compressed picture is read; it reads none
    assert not [file for file in files if file.startswith(('inference/', 'sim/', 'training/'))]


@pytest.mark.parametrize('name', GUARDED)
def test_who_is_guarded_has_no_client_of_the_critics_reset(name):
    """Only the table of topics knows the service; nothing that they import takes it from there."""
    files, _ = reached(f'ami_ros.nodes.{name}_node')
    assert f'nodes/{name}_node.py' in files and 'nodes/topics.py' in files
    knows = set()
    for file in files:
        for node in ast.walk(ast.parse((PACKAGE / file).read_text())):
            if (isinstance(node, ast.Attribute) and node.attr in ('CRITIC_RESET', 'SERVICES')
                    or isinstance(node, ast.Name) and node.id in ('CRITIC_RESET', 'SERVICES')
                    or isinstance(node, ast.Constant) and isinstance(node.value, str)
                    and node.value.strip('/~').endswith('critic/reset')
                    and ' ' not in node.value):
                knows.add(file)
    assert knows == {'nodes/topics.py'}


def test_this_would_be_seen():
    files, packages = reached('ami_ros.nodes.mind_node')
    assert 'onnxruntime' in packages and 'inference/onnx_backend.py' in files
