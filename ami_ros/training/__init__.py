# SPDX-License-Identifier: Apache-2.0
"""From rosbag2 bags to a module: collect, read, train, gate, export."""
