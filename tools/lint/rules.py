"""The rules of tools/lint. A rule is a function of one file (path below the root, text) that yields
(line, message); what it needs to know of the tree stands in `Tree`."""

import re

from source_text import functions, includes, without_comments_and_literals

LINES_MAX = 900
FUNCTION_LINES_MAX = 70
# A source of this size needs no head comment.
TINY_LINES_MAX = 30

# Of the standard library, the pure tier may use what neither performs I/O nor depends on time, threads,
# randomness, locale or exceptions.
HOST_HEADERS = frozenset(
    """any atomic barrier cfenv chrono clocale cmath complex condition_variable coroutine csignal cstdio ctime
    exception execution filesystem format fstream future iomanip ios iosfwd iostream istream latch locale
    mutex ostream print random regex semaphore shared_mutex sstream stdexcept stop_token streambuf
    syncstream system_error thread typeindex typeinfo valarray""".split())

# crypto holds the native accelerator, the host's half, which calls libraries; that the other half does
# without them is what the guest build shows.
NATIVE_BACKEND = re.compile(r"^meridian/crypto/")
# A failed assertion says where, then ends the process: the one line of output that the pure tier has.
LAST_WORDS = "meridian/base/assert.cpp"
THIRD_PARTY = re.compile(r"^(?:boost|openssl|rocksdb|lmdb|simdjson|spdlog|CLI|benchmark|toml\+\+|prometheus)/|^(?:secp256k1|blst|gmp|liburing|sodium)")
SYSTEM = re.compile(r"^(?:sys|netinet|arpa|linux)/|^(?:unistd|fcntl|pthread|poll|signal|dlfcn|stdio|time|errno)\.h$")

PURE_FORBIDDEN = (
    (re.compile(r"\b(?:float|double)\b"), "floating point is not deterministic enough for the pure tier"),
    (re.compile(r"\bthrow\b|\btry\s*\{|\bcatch\s*\("), "no exceptions in the pure tier: return a Result"),
    (re.compile(r"\b(?:dynamic_cast|typeid)\b"), "no RTTI in the pure tier"),
    (re.compile(r"\b(?:rand|srand|time|clock|getenv)\s*\(\s*(?:\)|NULL|nullptr|\")"), "no environment in the pure tier"),
    (re.compile(r"\bstd::(?:cout|cerr|clog|printf|fprintf)\b"), "no output in the pure tier"),
)

UNFINISHED = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b")
MACHINE_PATH = re.compile(r"""(?<![\w.$}/])/(?:home|root|Users|work|mnt|media|tmp|var/tmp)(?:/|\b(?=["'\s]))""")
REGISTRY = re.compile(r"\b(?:registry\.npm\w*|deb\.debian|proxy\.golang|index\.crates|files\.pythonhosted)\.\w+")


class Tree:
    """The order of the folders, read from meridian/CMakeLists.txt: one source of truth."""

    def __init__(self, cmake_text, files=(), sources_listed=(), long_functions=()):
        self.order, self.pure = [], set()
        tier = None
        for line in cmake_text.splitlines():
            if match := re.match(r"\s*set\(MERIDIAN_TIER (\w+)\)", line):
                tier = match.group(1)
            elif match := re.match(r"\s*add_subdirectory\(([\w/]+)\)", line):
                self.order.append(match.group(1))
                if tier == "pure":
                    self.pure.add(match.group(1))
        self.files = frozenset(files)
        self.sources_listed = frozenset(sources_listed)
        self.long_functions = dict(long_functions)

    def folder_of(self, path):
        """The folder of meridian/ to which a path belongs, the longest match first; None outside."""
        if not path.startswith("meridian/"):
            return None
        rest = path[len("meridian/"):]
        candidates = [folder for folder in self.order if rest.startswith(folder + "/")]
        return max(candidates, key=len, default=None)


def is_test(path):
    return path.endswith(("_test.cpp", "_fuzz.cpp", "_test.hpp")) or "/testing/" in path


def layers(tree, path, text):
    folder = tree.folder_of(path)
    if folder is None:
        if path.startswith("meridian/") and path.count("/") > 1:
            yield 1, "this folder is not listed in meridian/CMakeLists.txt"
        return
    rank = tree.order.index(folder)
    for line, target in includes(text):
        other = tree.folder_of(target)
        if other is not None and tree.order.index(other) > rank:
            yield line, f"{folder} includes {target}: only folders listed above it in meridian/CMakeLists.txt"


def pure_tier(tree, path, text):
    if tree.folder_of(path) not in tree.pure or path == LAST_WORDS:
        return
    test = is_test(path)
    for line, target in includes(text):
        if target in HOST_HEADERS and not test:
            yield line, f"host header <{target}> in the pure tier"
        elif SYSTEM.search(target):
            yield line, f"system header <{target}> in the pure tier"
        elif THIRD_PARTY.search(target) and not NATIVE_BACKEND.search(path):
            yield line, f"third-party header <{target}> in the pure tier"
    if test:
        return
    for line, code in enumerate(without_comments_and_literals(text).split("\n"), 1):
        for pattern, message in PURE_FORBIDDEN:
            if not code.lstrip().startswith("#") and pattern.search(code):
                yield line, message


def length(tree, path, text):
    count = text.count("\n")
    if count > LINES_MAX:
        yield LINES_MAX + 1, f"{count} lines; at most {LINES_MAX}: split by what changes together"
    for line, lines, head in functions(text):
        name = re.sub(r"\s*\(.*", "", head).split(" ")[-1]
        if lines > FUNCTION_LINES_MAX and f"{path}:{name}" not in tree.long_functions:
            yield line, f"function {name} has {lines} lines; at most {FUNCTION_LINES_MAX} (tools/lint/long_functions.txt)"


def wording(_tree, path, text):
    for line, content in enumerate(text.split("\n"), 1):
        if UNFINISHED.search(content):
            yield line, "unfinished: do it or write an issue"
        if MACHINE_PATH.search(content):
            yield line, "a path of one machine"
        if REGISTRY.search(content):
            yield line, "the name of a package registry's host"
        if content != content.rstrip() and not path.endswith(".md"):
            yield line, "trailing blanks"


def header(tree, path, text):
    if path.endswith(".hpp") and not re.search(r"^#pragma once$", text, re.MULTILINE):
        yield 1, "no #pragma once"
    explained = path.endswith(".cpp") and (path[:-4] + ".hpp" in tree.files or text.count("\n") <= TINY_LINES_MAX)
    if not explained and not is_test(path) and not text.startswith("//"):
        yield 1, "no head comment: what is this file for, and what are its invariants?"


def listed(tree, path, _text):
    if path.endswith(".cpp") and path not in tree.sources_listed:
        yield 1, "in no CMakeLists.txt: it is never compiled"


CXX_RULES = (layers, pure_tier, length, header, listed)
TEXT_RULES = (wording,)
