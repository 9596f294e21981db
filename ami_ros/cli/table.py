# SPDX-License-Identifier: Apache-2.0
"""
The verbs of the command line: one verb, one file, one line in this table.

A verb's file declares its options in `add`, does its work in `run`, and imports what is heavy
only there: its first sentence is its help.
"""

VERBS = {       # verb: file, in the order in which a person meets them
    'sim': 'ami_ros.cli.sim',
    'mode': 'ami_ros.cli.mode',
    'goal': 'ami_ros.cli.goal',
    'teleop': 'ami_ros.cli.teleop',
    'robot': 'ami_ros.cli.robot',
    'safety': 'ami_ros.cli.safety',
    'modules': 'ami_ros.cli.modules',
    'audit': 'ami_ros.cli.audit',
    'host': 'ami_ros.cli.host',
    'doctor': 'ami_ros.cli.doctor',
    'calibrate': 'ami_ros.cli.calibrate',
    'record': 'ami_ros.cli.record',
    'replay': 'ami_ros.cli.replay',
    'trace': 'ami_ros.cli.trace',
    'report': 'ami_ros.cli.report',
    'collect': 'ami_ros.cli.collect',
    'world': 'ami_ros.cli.world',
    'train': 'ami_ros.cli.train',
    'pretrain': 'ami_ros.cli.pretrain',
    'gates': 'ami_ros.cli.gates',
    'quantize': 'ami_ros.cli.quantize',
    'evaluate': 'ami_ros.cli.evaluate',
    'robustness': 'ami_ros.cli.robustness',
    'bench': 'ami_ros.cli.bench',
    'migrate': 'ami_ros.cli.migrate',
    'faults': 'ami_ros.cli.faults',
    'adversarial': 'ami_ros.cli.adversarial',
}
