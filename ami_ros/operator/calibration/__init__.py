# SPDX-License-Identifier: Apache-2.0
"""
Measures a robot: what its recorded motions say about lag, braking, scale, lidar and camera.

Pure functions over arrays; one quantity, one file. `motions` says how the robot is moved for it,
`found` how a result is judged before it is believed. Nothing here knows where readings come from.
"""
