# SPDX-License-Identifier: Apache-2.0
"""Says every small fault that could be put into a file: each is a mutant, with a name that lasts.

What only people read is left alone: f-strings, docstrings, annotations, what `raise` says, the
words of `setting` and `Order`, `release`, decorators, and any string of three words or more. So is
`strict` of `zip`, which only another bug would meet.
"""

import ast
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
import re

COMPARED = {
    ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE), ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,), ast.NotIn: (ast.In,),
}
COMPUTED = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult, ast.Pow: ast.Mult, ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
CALLED = {'min': 'max', 'max': 'min', 'any': 'all', 'all': 'any', 'minimum': 'maximum',
          'maximum': 'minimum', 'floor': 'ceil', 'ceil': 'floor', 'popleft': 'pop',
          'appendleft': 'append'}
DROPPED = ('abs',)      # f(x) becomes x
WORDS = ('setting', 'Order', 'getdoc', 'namedtuple')    # calls whose strings are for people
SENTENCE = re.compile(r'\w+ \w+ \w+')     # no name, key or unit looks like that
SHOWN = 60              # characters of code in a name


@dataclass(frozen=True)
class Mutant:
    """One fault."""

    file: str           # below the root
    where: str          # the function or class, dotted; '' is the file itself
    line: int
    was: str
    now: str
    number: int         # of those in `where` that read alike

    @property
    def name(self) -> str:
        """Name it so that changes elsewhere in the file do not rename it."""
        again = f' #{self.number}' if self.number else ''
        return f'{self.file} {self.where or "top"}: {self.was} -> {self.now}{again}'


@dataclass
class Site:
    """Where a tree can be changed, and how."""

    where: str
    line: int
    was: str
    now: str
    apply: Callable[[], None]


def mutants(root: Path, file: str) -> list[Mutant]:
    """Return all mutants of a file."""
    seen, found = Counter(), []
    for site in sites(ast.parse((root / file).read_text())):
        key = site.where, site.was, site.now
        found.append(Mutant(file, site.where, site.line, site.was, site.now, seen[key]))
        seen[key] += 1
    return found


def mutated(root: Path, file: str, index: int):
    """Return the code object of a file with its mutant number `index`."""
    tree = ast.parse((root / file).read_text())
    for number, site in enumerate(sites(tree)):
        if number == index:
            site.apply()
            break
    else:
        raise ValueError(f'{file} has {number + 1} mutants, there is no number {index}')
    return compile(ast.fix_missing_locations(tree), str(root / file), 'exec')


def sites(tree: ast.Module) -> Iterator[Site]:
    """Yield every place, always in the same order."""
    yield from inside(tree, '')


def inside(node: ast.AST, where: str) -> Iterator[Site]:
    """Yield the places of what a node holds."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        where = f'{where}.{node.name}'.lstrip('.')
    for name, value in ast.iter_fields(node):
        if name in ('annotation', 'returns', 'decorator_list', 'bases', 'type_params'):
            continue
        for index, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(child, ast.AST) and not for_people(child, node, name):
                put = (partial(value.__setitem__, index) if index is not None
                       else partial(setattr, node, name))
                yield from of(child, node, put, where)
                yield from inside(child, where)


def for_people(node: ast.AST, parent: ast.AST, field: str) -> bool:
    """Tell whether only people read it, or nothing can be changed in it."""
    if isinstance(node, (ast.JoinedStr, ast.Import, ast.ImportFrom)):
        return True
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        said = parent.func if isinstance(parent, ast.Call) else None
        name = said.id if isinstance(said, ast.Name) else getattr(said, 'attr', '')
        return (isinstance(parent, ast.Expr) or name in WORDS or name.endswith('Error')
                or name == 'Stop' or bool(SENTENCE.search(node.value)))
    if isinstance(node, ast.keyword) and node.arg in ('reason', 'because', 'strict'):
        return True
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return node.target.id == 'release' and node.value is not None
    return isinstance(node, ast.If) and ast.unparse(node.test) == 'TYPE_CHECKING'


def of(node: ast.AST, parent: ast.AST, put: Callable, where: str) -> Iterator[Site]:
    """Yield what may become of one node."""
    line = getattr(node, 'lineno', 0)

    def site(other: ast.AST | None, apply: Callable[[], None] | None = None,
             was: str = '', now: str = '') -> Site:
        other = None if other is None else ast.copy_location(other, node)
        return Site(where, line, short(was or node), short(now or other),
                    apply or (lambda: put(other)))

    if isinstance(node, ast.Compare):
        for index, sign in enumerate(node.ops):
            for kind in COMPARED[type(sign)]:
                ops = [*node.ops]
                ops[index] = kind()
                yield site(ast.Compare(node.left, ops, node.comparators))
    elif isinstance(node, ast.BinOp) and type(node.op) in COMPUTED:
        yield site(ast.BinOp(node.left, COMPUTED[type(node.op)](), node.right))
    elif isinstance(node, ast.BoolOp):
        other = ast.And() if isinstance(node.op, ast.Or) else ast.Or()
        yield site(ast.BoolOp(other, node.values))
        for index in range(len(node.values)):
            left = [*node.values[:index], *node.values[index + 1:]]
            yield site(left[0] if len(left) == 1 else ast.BoolOp(node.op, left))
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Not, ast.USub)):
        yield site(node.operand)
    elif isinstance(node, ast.Constant):
        other = another(node.value)
        if other is not None:
            yield site(ast.Constant(other))
    elif isinstance(node, ast.Call):
        yield from of_call(node, site)
    elif isinstance(node, (ast.If, ast.While, ast.IfExp)):
        if not isinstance(node.test, (ast.Compare, ast.UnaryOp)):
            turned = ast.copy_location(ast.UnaryOp(ast.Not(), node.test), node.test)
            test = ast.unparse(node.test)
            yield site(None, partial(setattr, node, 'test', turned), f'if {test}',
                       f'if not ({test})')
    elif isinstance(node, ast.Return) and node.value is not None and not (
            isinstance(node.value, ast.Constant) and node.value.value is None):
        yield site(ast.Return(ast.Constant(None)))
    elif deletable(node):
        yield site(ast.Pass())


def of_call(node: ast.Call, site: Callable) -> Iterator[Site]:
    """Yield what may become of a call."""
    name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, 'attr', '')
    if name in CALLED:
        other = CALLED[name]
        func = (ast.Name(other, ast.Load()) if isinstance(node.func, ast.Name)
                else ast.Attribute(node.func.value, other, ast.Load()))
        yield site(ast.Call(ast.copy_location(func, node.func), node.args, node.keywords))
    elif name in DROPPED and len(node.args) == 1 and not node.keywords:
        yield site(node.args[0])


def deletable(node: ast.AST) -> bool:
    """Tell whether a statement may be left out, so that what remains can still run."""
    if isinstance(node, (ast.Assign, ast.AugAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return isinstance(node, ast.AugAssign) or any(
            isinstance(one, (ast.Attribute, ast.Subscript)) for one in targets)
    return isinstance(node, (ast.Raise, ast.Continue, ast.Break, ast.Delete)) or (
        isinstance(node, ast.Expr) and isinstance(node.value, (ast.Call, ast.Yield)))


def another(value):
    """Return another constant of the same kind, or None where there is none to try."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, float):
        return value * 2 if value else 1.0
    return f'X{value}' if isinstance(value, str) else None


def short(said: ast.AST | str) -> str:
    """Write code on one line, not too long, without what a table would trip over."""
    text = said if isinstance(said, str) else ast.unparse(said)
    text = ' '.join(text.split()).replace('|', '/')
    return text if len(text) <= SHOWN else f'{text[:SHOWN - 3]}...'
