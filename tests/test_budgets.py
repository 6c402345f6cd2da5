"""The budgets of the house style: length of functions and modules, a sentence atop each module; exceptions may only become fewer."""

from __future__ import annotations

import ast
import io
import tokenize
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[1] / "src" / "creneau"
MODULES = sorted(SOURCE.rglob("*.py"))
FUNCTION_LINES = 30
MODULE_LINES = 300

LONGER: dict[str, str] = {}
"""Functions over the budget, each with its reason."""


def code_lines(text: str) -> set[int]:
    """The lines that hold code: neither blank, nor only a comment, nor within a docstring."""
    skipped = {
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENDMARKER,
    }
    found: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in skipped:
            found.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        ):
            found -= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return found


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_module_keeps_to_its_budget(module: Path) -> None:
    text = module.read_text("utf-8")
    tree, lines = ast.parse(text), code_lines(text)
    name = module.relative_to(SOURCE)

    long = {
        f"{name}:{node.name}": size
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (size := len(lines & set(range(node.lineno, (node.end_lineno or 0) + 1)))) > FUNCTION_LINES
        and f"{name}:{node.name}" not in LONGER
    }

    assert ast.get_docstring(tree), "a module opens with a sentence that says what it is for"
    assert len(lines) <= MODULE_LINES, f"{len(lines)} lines of code"
    assert not long


def test_the_exceptions_still_exist() -> None:
    names = {
        f"{module.relative_to(SOURCE)}:{node.name}"
        for module in MODULES
        for node in ast.walk(ast.parse(module.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }

    assert set(LONGER) <= names
