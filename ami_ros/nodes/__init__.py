# SPDX-License-Identifier: Apache-2.0
"""
The only place with rclpy: nodes that convert in, call the agent, and convert out.

What every node keeps to, so that they fit together in one process or in seven:

- A frame's number is the capture stamp of its picture in nanoseconds. Nothing has to be counted in
  two places, and latents, beliefs, plans and verdicts name their frame by it.
- Stamps grow for as long as the body runs, also over a reset of the simulator.
- The configurator owns the run and the goal. `configurator/goal` names both; a new run means that
  the robot was put somewhere else, so the mind forgets what it believed. The mind acknowledges by
  its status on `diagnostics` (convert.Health: name 'mind', values 'run' and 'goal'), at once and
  at 2 Hz; until then the goal is repeated. Without a goal the mind plans rest, frame by frame.
- In lock-step (parameter `lock_step`) each part waits until everything that belongs to a frame is
  there, whatever the order of arrival: the mind for odometry and IMU of the frame's stamp and for
  the command that answered its last plan; the critic for scan and odometry of the frame's stamp;
  the simulator for verdict and command of the frame. `cmd_vel` then carries the frame's stamp.
- In lock-step a frame that nobody answered is sent again, all of it. Whoever has answered it
  before gives the same answer again: it was the answer that got lost.
"""
