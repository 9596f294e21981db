# SPDX-License-Identifier: Apache-2.0
"""No class is larger than a reader can hold: its own methods and its parents' are counted."""

import importlib
import pkgutil
from types import FunctionType

import ami_ros
import pytest

MOST = 20
# extras, ROS packages
OPTIONAL = ('mujoco', 'launch', 'launch_ros', 'tensorrt', 'torch', 'cuda', 'ray')


def function_of(member):
    """Return the function of a method or property, else None."""
    for name in ('fget', 'func', '__func__'):       # property, cached_property, class method
        member = getattr(member, name, None) or member
    return member if isinstance(member, FunctionType) else None


def methods(cls: type) -> set[str]:
    """Name the methods that somebody wrote for a class or a parent of it, in this package.

    One that replaces a parent's counts beside it, since who reads has to know both.
    """
    return {f'{owner.__qualname__}.{name}' for owner in cls.__mro__
            if owner.__module__.split('.')[0] == cls.__module__.split('.')[0]
            for name, member in vars(owner).items()
            if (function := function_of(member)) is not None
            and function.__code__.co_filename.endswith('.py')
            and function.__module__ == owner.__module__}


def classes():
    """Yield every class of the package that can be imported here."""
    for found in pkgutil.walk_packages(ami_ros.__path__, 'ami_ros.'):
        if found.name.endswith('__main__'):
            continue
        try:
            module = importlib.import_module(found.name)
        except ImportError as why:
            name = (why.name or '').split('.')[0]
            assert name in OPTIONAL, f'{found.name}: {why}'
            continue
        yield from (one for one in vars(module).values()
                    if isinstance(one, type) and one.__module__ == found.name)


def test_no_class_has_too_many_methods():
    pytest.importorskip('rclpy', reason='needs rclpy: the nodes are counted as well')
    sizes = {f'{one.__module__}.{one.__qualname__}': len(methods(one)) for one in classes()}
    assert len(sizes) > 300
    large = {name: size for name, size in sizes.items() if size > MOST}
    assert not large, f'more than {MOST} methods, so split into parts: {large}'


class Base:
    def __init__(self):
        pass

    def one(self):
        pass

    @property
    def two(self):
        pass


class Derived(Base):
    def one(self):
        pass

    @staticmethod
    def three():
        pass

    @classmethod
    def four(cls):
        pass


def test_a_method_that_is_replaced_counts_twice():
    assert methods(Derived) == {'Base.__init__', 'Base.one', 'Base.two', 'Derived.one',
                                'Derived.three', 'Derived.four'}
