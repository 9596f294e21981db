# SPDX-License-Identifier: Apache-2.0
"""The place memory: keyframes of a tour, their pose graph, free ground, localisation in it."""
