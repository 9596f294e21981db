# SPDX-License-Identifier: Apache-2.0
"""
The processes of a robot, what they run in, and how soon one that ended is started again.

Launch files, `ami-ros sim`, benchmarks and the fault campaign all start a robot by these. Imports
nothing, so that threads can be limited before numpy or torch is imported.
"""

GUARDS = ('critic', 'configurator')
COMPOSED, SEPARATE = ('mind',), ('perception', 'world_model', 'actor')
PLANNERS = (*COMPOSED, *SEPARATE)
RESPAWN_S = 0.2     # until a process that ended is started again
THREADS = {         # two spinning threads on two busy cores cost ten times
    'OMP_NUM_THREADS': '1', 'OPENBLAS_NUM_THREADS': '1', 'OMP_WAIT_POLICY': 'PASSIVE',
}


def planners(use_composition: bool) -> tuple[str, ...]:
    """Name the planner nodes: one process, or one per module."""
    return COMPOSED if use_composition else SEPARATE
