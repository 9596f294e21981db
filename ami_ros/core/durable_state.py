# SPDX-License-Identifier: Apache-2.0
"""
Where a robot keeps what must outlive its processes, and how a small file is kept there.

Nothing here decides anything: who keeps a latch, a stop or a log says what a failure means.
"""

from errno import EACCES, EINVAL, ENOTSUP
import fcntl
import os
from pathlib import Path
from stat import S_ISDIR
import tempfile

from ami_ros.core.errors import AmiError


def state_folder(said: str = '', namespace: str = '') -> Path:
    """Return the folder that was said, or a robot's own: ~/.ros/ami_ros and its namespace.

    $ROS_HOME stands for ~/.ros, as everywhere in ROS. Nothing is made. ValueError where this user
    has no home.
    """
    try:
        if said:
            return Path(said).expanduser()
        home = os.environ.get('ROS_HOME')
        root = Path(home) if home else Path.home() / '.ros'
        return root.joinpath('ami_ros', *namespace.strip('/').split('/'))
    except RuntimeError as why:
        raise AmiError(f'no folder for the state of this robot: {why} Say one in the parameter '
                       'state_dir, or in ROS_HOME.') from None


def state_folder_or_temporary(said: str = '', namespace: str = '') -> tuple[Path, str]:
    """Return the folder, and '', or a temporary one for who has no home, and what is lost by it.

    A temporary folder must be this user's own: what another one wrote is no state of this robot.
    """
    try:
        return state_folder(said, namespace), ''
    except ValueError as why:
        folder = Path(tempfile.gettempdir()) / f'ami_ros_{os.getuid()}'
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            about = folder.lstat()
            if about.st_uid != os.getuid() or not S_ISDIR(about.st_mode) or about.st_mode & 0o022:
                raise PermissionError(EACCES, 'it is not only of this user')
        except OSError:
            folder = Path(tempfile.mkdtemp(prefix='ami_ros_'))
        folder = folder.joinpath(*namespace.strip('/').split('/'))
        return folder, f'{why} Meanwhile it is {folder}, which a reboot may empty.'


def write_whole(path: Path, text: str) -> None:
    """Write a file whole or not at all, so that a power cut leaves the old one or the new one."""
    temporary = path.with_suffix('.new')
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(temporary, 'w', encoding='utf-8') as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    settle(path.parent)


def settle(folder: Path) -> None:
    """Have names that were made, replaced or removed in a folder survive a power cut.

    A file system that cannot do that (some of other machines, or of user programs) says so.
    """
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as why:
        if why.errno not in (EINVAL, ENOTSUP):
            raise
    finally:
        os.close(handle)


def claim(path: Path) -> int | None:
    """Hold a lock file until this process ends, however; None where another one has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return handle
    except BlockingIOError:
        os.close(handle)
        return None


class KeptStop:
    """A stop that a person asked for: while it stands a file does, with the reason in it.

    One that cannot be read is a stop as well. What cannot be kept is told in `wrong`.
    """

    def __init__(self, folder: Path):
        self.path, self.wrong = folder / 'stopped', ''
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if not os.access(folder, os.W_OK | os.X_OK):
                raise PermissionError(EACCES, 'Permission denied')
        except OSError as why:
            self._told(why)

    def found(self) -> str:
        """Return why it was stopped when the last process ended; '' where it was not."""
        try:
            return self.path.read_text(encoding='utf-8').strip() or 'it was stopped'
        except FileNotFoundError:
            return ''
        except (OSError, ValueError) as why:
            return f'whether it was stopped cannot be read: {why}'

    def keep(self, reason: str) -> None:
        """Keep a stop with its reason; or none, where that is empty."""
        try:
            if reason:
                write_whole(self.path, f'{reason}\n')
            elif self.path.exists():
                self.path.unlink()
                settle(self.path.parent)
            self.wrong = ''
        except OSError as why:
            self._told(why)

    def _told(self, why: OSError) -> None:
        self.wrong = f'a stop cannot be kept in {self.path}: {why.strerror}'
