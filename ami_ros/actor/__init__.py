# SPDX-License-Identifier: Apache-2.0
"""The planner: a cross-entropy search inside the world model."""
