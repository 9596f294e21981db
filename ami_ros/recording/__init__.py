# SPDX-License-Identifier: Apache-2.0
"""Bags on disk: rosbag2 MCAP written, cut short and mended, without a ROS installation."""
