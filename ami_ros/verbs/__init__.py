# SPDX-License-Identifier: Apache-2.0
"""
The verbs of the command line: one verb, one file, one line in this table.

A verb's file declares its options in `add`, does its work in `run`, and imports what is heavy
only there: its first sentence is its help.
"""

VERBS = {       # verb: file, in the order in which a person meets them
    'sim': 'ami_ros.verbs.sim',
    'mode': 'ami_ros.verbs.mode',
    'goal': 'ami_ros.verbs.goal',
    'drive': 'ami_ros.verbs.drive',
    'robot': 'ami_ros.verbs.robot',
    'policy': 'ami_ros.verbs.policy',
    'modules': 'ami_ros.verbs.modules',
    'audit': 'ami_ros.verbs.audit',
    'machine': 'ami_ros.verbs.machine',
    'doctor': 'ami_ros.verbs.doctor',
    'calibrate': 'ami_ros.verbs.calibrate',
    'record': 'ami_ros.verbs.record',
    'replay': 'ami_ros.verbs.replay',
    'trace': 'ami_ros.verbs.trace',
    'report': 'ami_ros.verbs.report',
    'collect': 'ami_ros.verbs.collect',
    'world': 'ami_ros.verbs.world',
    'train': 'ami_ros.verbs.train',
    'quantize': 'ami_ros.verbs.quantize',
    'evaluate': 'ami_ros.verbs.evaluate',
    'bench': 'ami_ros.verbs.bench',
    'faults': 'ami_ros.verbs.faults',
    'hostile': 'ami_ros.verbs.hostile',
}
