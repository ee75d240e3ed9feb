"""The package's layout: a name means one thing, and every floor and room is in its place."""

import ast
import tomllib
from collections import Counter, defaultdict
from pathlib import Path

import pytest

import needs_attention

PACKAGE = Path(needs_attention.__file__).parent
PYPROJECT = PACKAGE.parents[1] / "pyproject.toml"
MODULES = {path.relative_to(PACKAGE): ast.parse(path.read_text()) for path in sorted(PACKAGE.rglob("*.py"))}


def public_types(module: ast.Module) -> list[str]:
    """The names of its classes, nested ones too, and of its type aliases."""
    classes = [node.name for node in ast.walk(module) if isinstance(node, ast.ClassDef)]
    assigned = [node.targets[0] for node in module.body if isinstance(node, ast.Assign)]
    names = [target.id for target in assigned if isinstance(target, ast.Name)]
    aliases = [node.name.id for node in module.body if isinstance(node, ast.TypeAlias)]
    return [*classes, *aliases, *(name for name in names if name[0].isupper() and not name.isupper())]


def are_parallel(one: Path, other: Path) -> bool:
    """Whether two packages are siblings, or namesakes on two floors, such as `downloads` and `jobs/download`."""
    return one.parent == other.parent or one.name.rstrip("s") == other.name.rstrip("s")


def test_the_name_of_a_type_is_unique_in_the_package() -> None:
    times = Counter(name for module in MODULES.values() for name in public_types(module))

    assert [name for name, count in times.items() if count > 1] == []


def test_only_parallel_packages_have_modules_of_the_same_name() -> None:
    packages = defaultdict(set)
    for path in MODULES:
        packages[path.stem].add(path.parent)
    del packages["__init__"]

    assert packages
    for stem, homes in packages.items():
        alone = [home for home in homes if not any(are_parallel(home, other) for other in homes - {home})]
        assert len(homes) == 1 or not alone, (stem, homes)


@pytest.mark.parametrize("path", [path for path in MODULES if path.name == "__init__.py"], ids=str)
def test_a_package_holds_its_docstring_and_nothing_else(path: Path) -> None:
    assert ast.get_docstring(MODULES[path])
    assert len(MODULES[path].body) == 1


def test_the_package_has_at_most_eight_floors() -> None:
    contracts = tomllib.loads(PYPROJECT.read_text())["tool"]["importlinter"]["contracts"]
    (floors,) = [contract["layers"] for contract in contracts if contract["type"] == "layers"]

    assert 1 < len(floors) <= 8


def test_every_module_logs_through_the_functions_logger() -> None:
    calls = (node for module in MODULES.values() for node in ast.walk(module) if isinstance(node, ast.Call))
    made = {ast.unparse(call) for call in calls if ast.unparse(call.func) == "Logger"}
    assert made == {"Logger(child=True)"}  # any other would be a logger of its own, without the request's ID
