# SPDX-License-Identifier: Apache-2.0
"""
Builds ami_ros for colcon (ament_python) and for pip.

With colcon all executables go to lib/ami_ros (see setup.cfg), where `ros2 run` looks; with pip
they go to bin, so that `ami-ros` is on the path of the environment.
"""

from glob import glob
from pathlib import Path
import re

from setuptools import find_packages, setup

NAME = 'ami_ros'
VERSION = re.search(r"^__version__ = '([^']+)'", Path(NAME, '__init__.py').read_text(), re.M)[1]
NODES = ('perception', 'world_model', 'actor', 'critic', 'configurator', 'sim', 'mind',
         'recorder')


def files(*patterns: str) -> list[str]:
    """Return the files that the patterns match, `**` for any depth."""
    found = (f for p in patterns for f in glob(p, recursive=True))
    return sorted(f for f in found if Path(f).is_file() and '__pycache__' not in f)


def shared(*patterns: str) -> list[tuple[str, list[str]]]:
    """Return data_files that keep their folders below share/ami_ros."""
    folders: dict[Path, list[str]] = {}
    for file in files(*patterns):
        folders.setdefault(Path(file).parent, []).append(file)
    return [(str(Path('share', NAME, folder)), inside) for folder, inside in folders.items()]


FORKED = "platform_machine == 'x86_64' and python_version >= '3.12' and python_version < '3.14'"
PYBULLET = [f'pybullet-arm64==3.2.8; {FORKED}',     # a drop-in fork that has wheels there
            "pybullet; platform_machine != 'x86_64' or python_version < '3.12' "
            "or python_version >= '3.14'"]
BAGS = ['mcap>=1.6', 'rosbags', 'zstandard']     # a Writer that flushes
IMAGES = ['opencv-python-headless']
EXTRAS = {
    'sim': [*PYBULLET, 'onnx', 'onnxruntime', 'scipy', *IMAGES, *BAGS],
    # the second physics engine; pyopengl is for its pictures, with the EGL of Mesa or of a GPU
    'mujoco': ["mujoco-core>=4,<5; python_version >= '3.11'", 'pyopengl', *IMAGES, *BAGS],
    'record': [*IMAGES, *BAGS],         # what a robot with a sourced ROS needs besides
    # several machines: collect, evaluate and robustness with --cluster
    'cluster': ['ray>=2.60,<3'],
    'train': ['torch', 'onnx', 'onnxruntime', 'scipy', *IMAGES, *BAGS],
    # ROS 2 as wheels for x86-64 Linux, where none is sourced; one of the two, never both
    'ros': ['ros-jazzy-rclpy[fastrtps]', 'ros-common-interfaces==5.3.6'],
    'ros-kilted': ['ros-kilted-rclpy[fastrtps]', 'ros-common-interfaces==5.5.1'],
    # a real TensorRT parser and builder for tests, without a GPU; proprietary, never needed to run
    'tensorrt-rtx': ['tensorrt-rtx-cu13-libs', 'tensorrt-rtx-cu13-bindings'],
    'test': ['pytest', 'pytest-xdist', 'hypothesis'],    # `colcon test` looks for this name
    'dev': ['pytest', 'pytest-xdist', 'hypothesis', 'coverage', 'ruff', 'mypy',
            'colcon-core', 'colcon-ros', 'colcon-bash', 'securesystemslib'],
}

setup(
    name=NAME,
    version=VERSION,
    description='A robot mind of small modules that learns its world and plans inside it',
    author='The ami_ros maintainers',
    author_email='ami-ros@example.org',
    maintainer='The ami_ros maintainers',
    maintainer_email='ami-ros@example.org',
    license='Apache-2.0',
    python_requires='>=3.10',
    packages=find_packages(exclude=['test', 'test.*']),
    package_data={NAME: ['py.typed', *(str(Path(f).relative_to(NAME))
                                       for f in files(f'{NAME}/modules/shipped/**'))]},
    data_files=[
        ('share/ament_index/resource_index/packages', [f'resource/{NAME}']),
        *shared('package.xml', 'launch/*.py', 'urdf/*', 'config/**', 'docs/**'),
    ],
    zip_safe=False,
    install_requires=['numpy', 'pyyaml', 'cryptography', 'jsonschema'],
    extras_require=EXTRAS,
    entry_points={'console_scripts': [
        f'ami-ros = {NAME}.cli.main:main',
        *(f'{node} = {NAME}.nodes.{node}_node:main' for node in NODES),
    ]},
)
