# SPDX-License-Identifier: Apache-2.0
"""Light is baked: how much of it, and of which colour, falls on a point of a surface."""

import math

import numpy as np

from ami_ros.sim.scenes.elements import Lighting, Room
from ami_ros.sim.scenes.scene import Scene

SOFT_M2 = 0.35          # lamps are not points: keeps what is near from being overexposed
WRAP = 0.25             # share of light that reaches around, from what the walls reflect
SHADOW_M = 0.12         # how far the shadow at the foot of a thing reaches
SHADOW = 0.5            # how dark it is


def windows_of(room: Room) -> list[tuple[np.ndarray, np.ndarray, np.ndarray, float, float]]:
    """List (middle (3,), inward normal (3,), along (3,), width m, height m) of the windows."""
    out = []
    for decor in room.decor:
        if decor.look.kind == 'window':
            corner, ahead = room.side_frame(decor.side)
            middle = corner + ahead * (decor.along_m + decor.width_m / 2)
            out.append((np.array([*middle, decor.up_m + decor.height_m / 2]),
                        np.array([ahead[1], -ahead[0], 0.0]), np.array([*ahead, 0.0]),
                        decor.width_m, decor.height_m))
    return out


def sun_direction(lighting: Lighting) -> np.ndarray:
    """Unit vector (3,) towards the sun."""
    up = lighting.sun_elevation_rad
    return np.array([math.cos(up) * math.cos(lighting.sun_azimuth_rad),
                     math.cos(up) * math.sin(lighting.sun_azimuth_rad), math.sin(up)])


def irradiance(scene: Scene, room: Room, points: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """Light (N, 3) on points (N, 3) with unit normals (N, 3) of one room; 1 makes white white."""
    light = scene.lighting
    out = np.broadcast_to(np.asarray(light.ambient, np.float32), points.shape).copy()
    out *= corners(room, points)[:, None]
    for lamp in light.lamps:
        if lamp.on and room.holds(lamp.x_m, lamp.y_m):
            fall = falling(points, normals, np.array([lamp.x_m, lamp.y_m, lamp.z_m]))[0]
            out += (lamp.power * fall)[:, None] * np.asarray(lamp.colour, np.float32)
    sun = sun_direction(light)
    for middle, inward, along, width, height in windows_of(room):
        fall, towards = falling(points, normals, middle + 0.1 * inward)
        cosine = np.maximum(-(towards @ inward), 0)
        out += (light.window_power * width * height * fall * (0.25 + cosine))[:, None] \
            * np.asarray(light.sky, np.float32)
        if light.sun > 0 and sun @ inward < -0.05:
            lit = through(points, sun, middle, inward, along, width, height)
            out += (light.sun * lit * np.maximum(normals @ sun, 0.0))[:, None] \
                * np.array([1.0, 0.93, 0.8], np.float32)
    if light.sun > 0:       # what the sun gives through all that is not modelled
        out += (0.4 * light.sun * np.maximum(normals @ sun, 0.0))[:, None] \
            * np.array([1.0, 0.93, 0.8], np.float32)
    return out


def falling(points, normals, source) -> tuple[np.ndarray, np.ndarray]:
    """Share (N,) of a source's light that falls on the points, and directions (N, 3) to it."""
    way = source - points
    squared = (way * way).sum(1)
    towards = way / np.sqrt(np.maximum(squared, 1e-6))[:, None]
    cosine = (normals * towards).sum(1)
    return np.maximum((cosine + WRAP) / (1 + WRAP), 0) / (squared + SOFT_M2), towards


def through(points, sun, middle, inward, along, width, height) -> np.ndarray:
    """Tell (N,) where the sun is seen through a window, 0 or 1 with a soft edge."""
    share = ((middle - points) @ inward) / (sun @ inward)
    at = points + share[:, None] * sun - middle
    x, z = np.abs(at @ along), np.abs(at[:, 2])
    edge = np.minimum(width / 2 - x, height / 2 - z)
    return np.where(share > 0, np.clip(edge / 0.06 + 0.5, 0, 1), 0.0)


def corners(room: Room, points: np.ndarray) -> np.ndarray:
    """Share (N,) of the ambient light that reaches points near the edges of a room."""
    x = np.minimum(points[:, 0] - room.x0_m, room.x1_m - points[:, 0])
    y = np.minimum(points[:, 1] - room.y0_m, room.y1_m - points[:, 1])
    z = np.minimum(points[:, 2], room.height_m - points[:, 2])
    out = np.ones(len(points), np.float32)
    for away in np.sort(np.stack([x, y, z]), 0)[1:2]:   # the nearest but for its own surface
        out -= 0.3 * np.exp(-np.maximum(away, 0) / 0.25)
    return out


def contact_shadow(scene: Scene, points: np.ndarray) -> np.ndarray:
    """Share (N,) of the light that is left beside what stands on the floor."""
    away = scene.distance(points[:, :2])
    return 1 - SHADOW * np.exp(-np.maximum(away, 0) / SHADOW_M)
