# SPDX-License-Identifier: Apache-2.0
"""The command line: `ami-ros VERB`; the verbs are in ami_ros/cli."""

import os

from ami_ros.core.robot_processes import THREADS

for _name, _value in THREADS.items():
    os.environ.setdefault(_name, _value)    # before numpy or torch: spinning threads cost tenfold

import argparse  # noqa: E402
import importlib  # noqa: E402
import sys  # noqa: E402

from ami_ros.cli.subcommand_table import VERBS  # noqa: E402
from ami_ros.core.errors import AmiError  # noqa: E402
from ami_ros.core.renamed_public_names import refused  # noqa: E402


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence, as everything else here does."""

    def error(self, message: str):
        """Leave with status 1."""
        self.exit(1, f'{self.prog}: {message}; see {self.prog} --help\n')


def parser() -> argparse.ArgumentParser:
    """Declare every verb and option."""
    top = Parser('ami-ros', description='Learned world model, sampling planner and '
                 'rule-based safety filter for a robot with a camera.')
    verbs = top.add_subparsers(dest='verb', required=True, metavar='VERB')
    for name, where in VERBS.items():
        file = importlib.import_module(where)
        about = str(file.__doc__).strip().split('\n')[0]
        one = verbs.add_parser(name, help=about, description=about,
                               formatter_class=argparse.ArgumentDefaultsHelpFormatter)
        file.add(one)
        one.set_defaults(run=file.run)
    return top


def main(argv: list[str] | None = None) -> int:
    """Run a verb; what a user can mend is one sentence and exit status 1, a defect a traceback."""
    if hasattr(sys.stdout, 'reconfigure'):      # a folder's name may be no UTF-8
        sys.stdout.reconfigure(errors='backslashreplace')
    if old := refused(sys.argv[1:] if argv is None else argv):
        Parser('ami-ros').error(old)
    args, unknown = parser().parse_known_args(argv)
    if unknown:
        Parser(f'ami-ros {args.verb}').error(f'unrecognized arguments: {" ".join(unknown)}')
    try:
        return args.run(args)
    except KeyboardInterrupt:
        print('interrupted; what is finished is kept', file=sys.stderr)
        return 130
    except ModuleNotFoundError as missing:
        if missing.name and missing.name.startswith('ami_ros'):
            raise
        print(f'ami-ros {args.verb} needs {missing.name}, which is not installed; '
              "'make setup' installs all, or pip install 'ami_ros[sim]' or 'ami_ros[train]'",
              file=sys.stderr)
        return 1
    except (AmiError, RuntimeError, OSError) as wrong:
        if os.environ.get('AMI_TRACEBACK'):
            raise
        print(f'ami-ros {args.verb}: {wrong}', file=sys.stderr)
        return 1


if __name__ == '__main__':
    sys.exit(main())
