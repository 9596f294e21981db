# SPDX-License-Identifier: Apache-2.0
"""What kinds of modules a set is made of, and what each has to bring."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class ModuleKind:
    """One kind of module."""

    about: str
    files: tuple[str, ...]          # without these it is none
    says: tuple[str, ...]           # keys of the manifest besides those of every module
    brings: tuple[str, ...] = ()    # files that take the place of the mind's own


MIND = 'rover-jepa'
GENERAL = 'general'
KINDS = {
    MIND: ModuleKind('perception, world model and the energies of the actor, and its map',
               ('see.onnx', 'step.onnx', 'imagine.onnx'),
               ('horizon', 'map_cell_m', 'surprise_scale')),
    'ground-map': ModuleKind('another map of where the robot may drive, for the same encoder',
                       ('map_cost.npy', 'map_origin.npy'), ('map_cell_m',),
                       ('map_cost.npy', 'map_origin.npy')),
    GENERAL: ModuleKind('compares two images of any place; knows no single place',
                        ('encode.onnx', 'compare.onnx', 'predict.onnx'), ()),
}


def lacking(kind: str, manifest: dict, files: Iterable[str]) -> list[str]:
    """Name what a module of a kind should say or bring, and does not."""
    wants = KINDS[kind]
    return [key for key in wants.says if key not in manifest] + [
        file for file in wants.files if file not in files]
