# SPDX-License-Identifier: Apache-2.0
"""
The nodes of the product: they convert in, call the agent, and convert out.

What every node keeps to, so that they fit together in one process or in seven:

- A frame's number is the capture stamp of its picture in nanoseconds. Nothing has to be counted in
  two places, and latents, beliefs, plans and verdicts name their frame by it.
- Stamps grow for as long as the body runs, also over a reset of the simulator.
- The configurator owns the run and the goal. `configurator/goal` names both; a new run means that
  the robot was put somewhere else, so the mind forgets what it believed. Whoever plans (mind, or
  actor) acknowledges by the values 'run' and 'goal' of its sign of life on `diagnostics`, at once
  and at 4 Hz; until then the goal is repeated. Without a goal it plans rest, frame by frame.
- Signs of life go by fully qualified names, '/robot1/mind', so that robots may share a topic.
- `configurator/status` is the critic's permit: without a fresh one in mode autonomous, of the
  plan's run, no plan moves the robot. A hand on `cmd_vel_manual` needs none.
- In lock-step (parameter `lock_step`) each part waits until everything that belongs to a frame is
  there, whatever the order of arrival: the mind for odometry and IMU of the frame's stamp and for
  the command that answered its last plan; the critic for scan and odometry of the frame's stamp;
  the simulator for verdict and command of the frame. `cmd_vel` then carries the frame's stamp.
- In lock-step a frame that nobody answered is sent again, all of it. Whoever has answered it
  before gives the same answer again: it was the answer that got lost.
"""
