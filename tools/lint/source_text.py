"""C++ source as the lints see it: comments and literals blanked, lines and columns kept."""

import re

_TOKEN = re.compile(
    r'''//[^\n]*|/\*.*?\*/|R"(?P<d>[^()\\\s]{0,16})\(.*?\)(?P=d)"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+\'''',
    re.DOTALL)


def _blank(text):
    return re.sub(r"[^\n]", " ", text)


def without_comments_and_literals(source):
    """The source with every comment, string and character literal replaced by blanks. Include lines
    keep their quoted path, which is not a literal."""

    def replace(match):
        line_start = source.rfind("\n", 0, match.start()) + 1
        if source[line_start:match.start()].lstrip().startswith("#include"):
            return match.group() if match.group().startswith('"') else _blank(match.group())
        return _blank(match.group())

    return _TOKEN.sub(replace, source)


def includes(source):
    """(line number, path) of every include."""
    code = without_comments_and_literals(source)
    for number, line in enumerate(code.split("\n"), 1):
        match = re.match(r'\s*#\s*include\s*[<"]([^>"]+)[>"]', line)
        if match:
            yield number, match.group(1)


_NOT_A_FUNCTION = re.compile(r"^\s*(?:if|for|while|switch|namespace|class|struct|union|enum|else|do|extern)\b")


def functions(source):
    """(first line, length in lines, head) of every function body that is not nested in another one.

    A heuristic: a brace opens a function if the text between it and the previous `;`, `{` or `}` has a
    parameter list, is no control statement and no initialiser."""
    code = re.sub(r"^[ \t]*#(?:\\\n|[^\n])*", lambda m: _blank(m.group()),
                  without_comments_and_literals(source), flags=re.MULTILINE)
    code = re.sub(r"__attribute__\s*\(\(.*?\)\)", lambda m: _blank(m.group()), code)
    stack, head_start = [], 0
    for position, character in enumerate(code):
        if character == "{" and not code[position - 1].isspace():
            stack.append(_INITIALISER)  # by our format a body has a blank before its brace
        elif character == "{":
            head = code[head_start:position]
            nested = any(isinstance(entry, tuple) for entry in stack)
            first = position - len(head.lstrip())
            stack.append((first, " ".join(head.split())) if not nested and _opens_function(head) else None)
            head_start = position + 1
        elif character == "}" and stack:
            entry = stack.pop()
            if isinstance(entry, tuple):
                first_line = code.count("\n", 0, entry[0]) + 1
                yield first_line, code.count("\n", 0, position) + 2 - first_line, entry[1]
            if entry is not _INITIALISER:
                head_start = position + 1
        elif character == ";" and code.count("(", head_start, position) == code.count(")", head_start, position):
            head_start = position + 1


_INITIALISER = "initialiser"


def _opens_function(head):
    return ("(" in head and ")" in head and not _NOT_A_FUNCTION.match(head)
            and not re.search(r"=\s*$|^\s*(?:return|static_assert)\b", head))
