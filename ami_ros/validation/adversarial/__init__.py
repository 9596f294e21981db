# SPDX-License-Identifier: Apache-2.0
"""The critic against hostile plans: lock-step, without ROS, without pictures, with exact truth."""
