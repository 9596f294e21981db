# SPDX-License-Identifier: Apache-2.0
"""The critic against sensors that lie: drives at a wall, without ROS, with exact truth."""
