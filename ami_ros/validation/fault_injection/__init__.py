# SPDX-License-Identifier: Apache-2.0
"""
Injects one fault at a time into a running robot, and measures with the simulator's truth.

The nodes under test are the real ones, with their code unchanged. What happens to a message
happens in a process of its own that sits on one topic (tamper.py). What is expected of each
fault, how soon and why, stands in config/faults.yaml.

Without rclpy: table, bounds, trace, judge, ledger, lanes. With it: the rest.
"""
