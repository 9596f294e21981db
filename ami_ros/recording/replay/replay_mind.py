# SPDX-License-Identifier: Apache-2.0
"""
Lets the mind of a recorded drive think again, on the same pictures, readings and commands.

What time decided then is taken from the record: which readings and commands had come, and how
many rounds the search was given. All else is made anew and compared with what was made then.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import numpy as np

from ami_ros.core.types import Frame, Goal, Latent, Plan
from ami_ros.inference import Options
from ami_ros.inference.encoder_and_dynamics import mind
from ami_ros.recording.replay import trace_reader
from ami_ros.recording.replay.differences import First, Gap
from ami_ros.recording.replay.replay_overrides import Changes, module_of
from ami_ros.recording.trace_records import Aimed, Began, fingerprint, State, Thought, Tuned

PICTURES = 600          # are remembered, a minute of a camera at 10 Hz
UNSEEN = np.zeros((0, 0, 3), np.uint8)
KINDS = ('mind', 'perception', 'world_model', 'actor')
ASKED = ('start_ns', 'number', 'run', 'goal', 'arrived', 'iterations')      # of a plan


class Rounds:
    """A clock that stands for the rounds of a search: it is late after as many as then."""

    def __init__(self):
        self.count = 0

    def __call__(self) -> int:
        self.count += 1
        return self.count


class Pictures:
    """The camera's messages, by their stamps."""

    def __init__(self, kind: str):
        self.kind = f'sensor_msgs/msg/{kind}'
        self.kept: OrderedDict[int, bytes] = OrderedDict()

    def put(self, data: bytes) -> None:
        """Take one; it is read when it is asked for."""
        sec, nanosec = np.frombuffer(data, '<u4', 2, 4).tolist()
        self.kept[sec * 10**9 + nanosec] = data
        if len(self.kept) > PICTURES:
            self.kept.popitem(last=False)

    def at(self, stamp_ns: int):
        """Return the message of a stamp, or None."""
        data = self.kept.get(stamp_ns)
        return None if data is None else trace_reader.message(data, self.kind)


class MindAgain:
    """One node of the mind, of a recorded drive; `do` takes what it put on record, in order."""

    def __init__(self, said: dict, changes: Changes, make_eye: Callable, seen: 'Seen'):
        self.said, self.changes, self.seen = said, changes, seen
        self.robot = trace_reader.robot_of(said)
        self.rounds = Rounds()
        self.module = module_of(said['node'], said['module'], changes)
        self.mind: Any = None           # a Mind from the first state on
        self.sure = False               # from a state on, until something of the record is lost
        self.goal: Goal | None = None
        self.number, self.process = 0, ''
        self.lost = 0
        self.make_eye = make_eye
        self.eye: Any = None            # what `make_eye` made, likewise

    def do(self, line: trace_reader.TraceLine) -> None:
        """Do again what was done."""
        what = line.what
        if line.process != self.process or line.number != self.number + 1:
            self.lost += 0 if line.process != self.process else line.number - self.number - 1
            self.sure = False
        self.process, self.number = line.process, line.number
        if isinstance(what, State):
            then = what.module or {}
            if then and then['hash'] != self.module.id and not self.changes.module:
                self.module, self.sure = module_of(self.said['node'], then, self.changes), False
            if not self.sure:
                self.begin_at(what)
        elif self.sure:
            again: dict[type, Callable] = {Tuned: self.tune, Began: self.begin, Aimed: self.aim,
                                           Thought: self.think}
            again[type(what)](what)
        elif isinstance(what, Thought):
            self.seen.unsure += 1

    def begin_at(self, state: State) -> None:
        """Remember what was remembered then."""
        settings, own = self.changes.within(state.settings), self.said['settings'].get('', {})
        self.mind = mind(self.module, self.robot, settings['world_model'],
                         settings['actor'], settings['energy'], self.rounds,
                         own.get('backend', 'onnx'), Options(own.get('precision', 'float32')))
        self.eye = self.make_eye(self.robot, self.mind.encoder.contract)
        for info in self.seen.infos:
            self.eye.on_info(info)
        self.aim(state.goal)
        for part, values in ((self.mind.world_model, state.world_model),
                             (self.mind.actor, state.actor)):
            for name, value in values.items():
                setattr(part, name, list(value) if isinstance(getattr(part, name), list)
                        else value)
        if self.changes.module:         # a latent means nothing to another module
            self.mind.world_model.reset()
        self.sure = True

    def tune(self, what: Tuned) -> None:
        """Think on with other numbers."""
        self.mind.tune(**self.changes.within(what.settings))

    def begin(self, what: Began) -> None:
        """Forget."""
        self.mind.begin()
        self.goal = None

    def aim(self, what: Aimed) -> None:
        """Take up a goal."""
        self.goal = None
        if what.wrong or what.number <= 0:
            return
        if what.picture is not None:
            self.goal = self.mind.goal(what.picture, what.number)
            self.seen.goals[what.run, what.number] = self.goal.z
        elif what.z is not None:        # an actor of its own: perception saw it
            z = self.seen.goals.get((what.run, what.number), what.z)
            self.goal = Goal(z, self.mind.encoder.place(z), what.number)
        if self.goal is not None:
            self.mind.actor.set_goal(self.goal)

    def think(self, then: Thought) -> None:
        """Think, with what there was; compare what comes of it."""
        if then.wrong:
            self.sure = False           # how far it came nobody knows
            self.seen.failed += 1
            return
        stages = [stage for stage, _ in then.ends]
        key, frame = (then.run, then.frame_ns), self.frame(then)
        latent, belief = None, then.belief
        if 'perception' in stages:
            picture = self.picture(then)
            if picture is None:
                self.seen.pictures_missing += 1
                self.sure = False
                return
            latent = self.mind.see(replace(frame, image=picture))
            self.seen.latents[key] = latent.z
            self.seen.latent(then, latent.z)
        if 'world_model' in stages:
            if latent is None:
                latent = Latent(cast(np.ndarray, self.seen.latents.get(key, then.z)), frame)
            belief = self.mind.believe(latent, then.commands)
            self.seen.beliefs[key] = belief
            self.seen.belief(then, belief)
        if 'actor' in stages:
            self.seen.plan(then, self.plan(then, self.seen.beliefs.get(key, belief)))

    def frame(self, then: Thought) -> Frame:
        """Make the frame, without its picture; perception alone asks for no body."""
        body = then.body if then.body is not None else np.zeros(3)
        odometry = then.odometry if then.odometry is not None else np.zeros(3)
        return Frame(UNSEEN, body, odometry, then.frame_ns, then.frame_ns, then.run)

    def picture(self, then: Thought) -> np.ndarray | None:
        """Look at the picture of a frame; None where it was not recorded."""
        msg = self.seen.pictures.at(then.picture_ns)
        if msg is None:
            return None
        picture = self.eye.view(msg)
        if fingerprint(picture) != then.fingerprint:
            self.seen.pictures_other += 1
        return picture

    def plan(self, then: Thought, belief) -> Plan:
        """Search for as many rounds as then; all of them where the numbers say another count."""
        wanted = self.mind.actor.settings.iterations
        done = cast(Plan, then.plan).iterations
        asked = 'iterations' in self.changes.settings.get('actor', {})
        self.rounds.count = 0
        deadline = None if asked or not 0 < done < wanted else done - 0.5
        return self.mind.plan(belief, then.commands, self.goal, deadline)


class Seen:
    """What came of it all, compared."""

    def __init__(self, camera: str, keep_plans: bool = False):
        self.pictures = Pictures(camera)
        self.infos: list = []
        self.latents: dict = {}             # by run and frame, where several nodes share them
        self.beliefs: dict = {}
        self.goals: dict = {}
        self.plans: dict | None = {} if keep_plans else None
        self.gaps = {'latents': Gap(), 'beliefs': Gap(), 'plans': Gap()}
        self.first = First()
        self.frames = self.unsure = self.failed = 0
        self.pictures_missing = self.pictures_other = self.other_plans = 0
        self.begin_ns, self.end_ns = 2**63, 0

    def latent(self, then: Thought, z: np.ndarray) -> None:
        """Compare a latent."""
        self.frames += 1
        self.begin_ns, self.end_ns = min(self.begin_ns, then.frame_ns), then.frame_ns
        if self.gaps['latents'].put(cast(np.ndarray, then.z), z):
            self.first.put(then.frame_ns, 'perception', 'z', then.z, z)
        for kept in (self.latents, self.beliefs):
            while len(kept) > PICTURES:
                kept.pop(next(iter(kept)))

    def belief(self, then: Thought, now) -> None:
        """Compare a belief: latent, place, and the figures of its certainty."""
        was = then.belief
        for name in ('z', 'place', 'surprise', 'disagreement', 'out_of_distribution'):
            if self.gaps['beliefs'].put(getattr(was, name), getattr(now, name)):
                self.first.put(then.frame_ns, 'world_model', name, getattr(was, name),
                               getattr(now, name))

    def plan(self, then: Thought, now: Plan) -> None:
        """Compare a plan: its knots, and what else the critic goes by."""
        was, other = cast(Plan, then.plan), []
        if self.plans is not None:
            self.plans[then.run, then.frame_ns] = now
        if self.gaps['plans'].put(was.knots, now.knots):
            other.append(('knots', was.knots, now.knots))
        other += [(name, getattr(was, name), getattr(now, name)) for name in ASKED
                  if getattr(was, name) != getattr(now, name)]
        self.other_plans += bool(other)
        for what, recorded_, replayed in other[:1]:
            self.first.put(then.frame_ns, 'actor', what, recorded_, replayed)

    def on_info(self, data: bytes, minds) -> None:
        """Take a camera_info."""
        info = trace_reader.message(data, trace_reader.INFO)
        self.infos = [info]
        for one in minds:
            if one.eye is not None:
                one.eye.on_info(info)

    def report(self) -> dict:
        """Say how it went."""
        return {**{name: gap.report() for name, gap in self.gaps.items()},
                'frames': self.frames, 'plans_different': self.other_plans,
                'frames_that_failed_then': self.failed, 'frames_not_replayed': self.unsure,
                'pictures_missing': self.pictures_missing,
                'pictures_other': self.pictures_other}
