#!/usr/bin/env python3
"""Checks the files of the repository against tools/lint/rules.py; prints path:line: message."""

import re
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import rules  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
CXX = (".cpp", ".hpp")
TEXT = CXX + (".py", ".sh", ".cmake", ".txt", ".md", ".json", ".mjs", ".sol", ".c", ".h", ".yml", ".toml")
# Generated files, and the files that must name what they forbid.
EXEMPT = re.compile(r"^(?:package-lock\.json|LICENSE|tools/lint/|tests/fuzz/corpus/|tests/spec/data/)")


def tracked_files():
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True).stdout
    return sorted(name for name in listing.decode().split("\0") if name and (ROOT / name).is_file())


def listed_sources(files):
    """Every .cpp named in a CMakeLists.txt, as a path from the root."""
    found = set()
    for name in files:
        if Path(name).name != "CMakeLists.txt":
            continue
        folder = Path(name).parent
        for source in re.findall(r"[\w./-]+\.cpp", unrolled((ROOT / name).read_text())):
            found.add((folder / source).as_posix())
    return found


def unrolled(cmake):
    """The text with the body of each foreach over a literal list once for every value."""

    def body(match):
        variable, values, text = match.groups()
        return "".join(text.replace("${" + variable + "}", value) for value in values.split())

    return re.sub(r"foreach\((\w+)((?:\s+\w+)+)\)(.*?)endforeach\(\)", body, cmake, flags=re.DOTALL)


def long_functions():
    """`path:function  reason` a line; a reason is compulsory."""
    allowed = {}
    for line in (ROOT / "tools/lint/long_functions.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            key, _, reason = line.partition(" ")
            if not reason.strip():
                sys.exit(f"tools/lint/long_functions.txt: no reason for {key}")
            allowed[key] = reason.strip()
    return allowed


def main():
    files = tracked_files()
    tree = rules.Tree((ROOT / "meridian/CMakeLists.txt").read_text(), files, listed_sources(files), long_functions())
    findings = 0
    for name in files:
        suffix = Path(name).suffix
        if EXEMPT.search(name) or (suffix not in TEXT and name not in ("meridian.sh", "tools/ci", ".ci/run")):
            continue
        text = (ROOT / name).read_text(encoding="utf-8")
        for rule in rules.TEXT_RULES + (rules.CXX_RULES if suffix in CXX else ()):
            for line, message in rule(tree, name, text):
                print(f"{name}:{line}: {message}")
                findings += 1
    print(f"lint: {len(files)} files, {findings} findings", file=sys.stderr)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
