"""
No file of the checkers is there for nothing.
"""

from tests.meta.sources import ROOT, imports, modules


def test_every_file_is_used_by_a_registered_checker() -> None:
    """Directly or through others; the rules over columns are asked for by the command alone."""
    waiting, reached = ["chaos.checkers"], set[str]()
    while waiting:
        name = waiting.pop()
        path = ROOT.joinpath(*name.split("."))
        file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        if name not in reached and file.exists():
            reached.add(name)
            waiting += [found for found in imports(file) if found.startswith("chaos.checkers")]
    files = {path for path in modules("chaos/checkers") if "columnar" not in path.parts and path.name != "__init__.py"}
    assert {".".join(path.with_suffix("").parts) for path in files} - reached == set()
