#!/usr/bin/env python3
"""Tests of the lints: each rule accepts the good example and reports the bad one on the right line."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import lint  # noqa: E402
import rules  # noqa: E402
from source_text import functions, includes, without_comments_and_literals  # noqa: E402

CMAKE = """
set(MERIDIAN_TIER pure)
add_subdirectory(base)
add_subdirectory(evm)
add_subdirectory(modules)
add_subdirectory(modules/exchange)
if(NOT MERIDIAN_GUEST)
  set(MERIDIAN_TIER host)
  add_subdirectory(node)
endif()
"""


def tree(**keywords):
    return rules.Tree(CMAKE, **keywords)


def lines(rule, path, text, **keywords):
    return [line for line, _ in rule(tree(**keywords), path, text)]


class Blanking(unittest.TestCase):
    def test_comments_and_literals_vanish_and_lines_stay(self):
        source = 'int a; // double\n/* try {\n */ auto s = "throw \\" x"; char c = \'"\'; int n = 1\'000;\n'
        code = without_comments_and_literals(source)
        self.assertEqual(code.count("\n"), source.count("\n"))
        for word in ("double", "try", "throw"):
            self.assertNotIn(word, code)
        self.assertIn("int n = 1'000;", code)

    def test_raw_string(self):
        self.assertNotIn("float", without_comments_and_literals('auto s = R"(a "float" b)";'))

    def test_includes(self):
        text = '#include <meridian/a.hpp>  // <b>\n// #include <c>\n#include "d.hpp"\n'
        self.assertEqual(list(includes(text)), [(1, "meridian/a.hpp"), (3, "d.hpp")])


class Layers(unittest.TestCase):
    def test_folders_above_are_allowed(self):
        text = "#include <meridian/base/x.hpp>\n#include <meridian/evm/y.hpp>\n"
        self.assertEqual(lines(rules.layers, "meridian/evm/a.cpp", text), [])

    def test_folders_below_are_not(self):
        text = "#include <vector>\n#include <meridian/node/x.hpp>\n"
        self.assertEqual(lines(rules.layers, "meridian/evm/a.cpp", text), [2])
        self.assertEqual(lines(rules.layers, "meridian/evm/a_test.cpp", text), [2])
        self.assertEqual(lines(rules.layers, "apps/meridian/main.cpp", text), [])

    def test_nested_folder_is_its_own(self):
        text = "#include <meridian/modules/exchange/x.hpp>\n"
        self.assertEqual(lines(rules.layers, "meridian/modules/a.cpp", text), [1])
        self.assertEqual(lines(rules.layers, "meridian/modules/exchange/a.cpp", text), [])

    def test_unlisted_folder(self):
        self.assertEqual(lines(rules.layers, "meridian/other/a.cpp", "\n"), [1])


class PureTier(unittest.TestCase):
    def check(self, text, expected, path="meridian/evm/a.cpp"):
        self.assertEqual(lines(rules.pure_tier, path, text), expected)

    def test_host_headers(self):
        for name in ("iostream", "thread", "mutex", "chrono", "random", "filesystem", "fstream", "regex", "locale"):
            self.check(f"#include <vector>\n#include <{name}>\n", [2])
            self.check(f"#include <{name}>\n", [], "meridian/node/a.cpp")

    def test_third_party_and_system_headers(self):
        self.check("#include <boost/json.hpp>\n", [1])
        self.check("#include <openssl/evp.h>\n", [1])
        self.check("#include <openssl/evp.h>\n", [], "meridian/crypto/native_accelerator.cpp")
        self.check("#include <sys/socket.h>\n#include <unistd.h>\n", [1, 2])

    def test_floating_point_exceptions_rtti_and_output(self):
        for code in ("double x;", "float f();", "throw 1;", "try { f(); }", "catch (...) {}",
                     "dynamic_cast<A*>(b)", "typeid(a)", 'getenv("A")', "std::cout << 1;"):
            self.check("int a;\n" + code + "\n", [2])

    def test_words_inside_names_and_comments_are_free(self):
        self.check("// double\nint double_sha; bool retry; int catch_all; throws();\n", [])


class Length(unittest.TestCase):
    BODY = "    x = 1;\n"

    def function(self, statements):
        return "namespace a {\nint f(int x) {\n" + self.BODY * statements + "}\n}\n"

    def test_function_of_seventy_lines(self):
        self.assertEqual(lines(rules.length, "a.cpp", self.function(68)), [])
        self.assertEqual(lines(rules.length, "a.cpp", self.function(69)), [2])

    def test_allowlist(self):
        self.assertEqual(lines(rules.length, "a.cpp", self.function(80), long_functions={"a.cpp:f": "table"}), [])

    def test_class_namespace_and_initialiser_are_no_functions(self):
        text = "class A {\n" + "    int f() { return 1; }\n" * 100 + "};\nint t[] = {\n" + "1,\n" * 100 + "};\n"
        self.assertEqual(lines(rules.length, "a.hpp", text), [])
        self.assertEqual(len(list(functions(text))), 100)

    def test_loop_header_with_semicolons(self):
        text = "void f() {\n    for (int i = 0; i < 3; ++i) {\n        g();\n    }\n}\n"
        self.assertEqual([(line, count) for line, count, _ in functions(text)], [(1, 5)])

    def test_member_initialisers(self):
        text = "A::A(int b)\n    : m_b{b}, m_c(b) {\n    g();\n}\n"
        self.assertEqual(len(list(functions(text))), 1)

    def test_macro_and_attribute(self):
        text = "#define A(x) \\\n" + "    f(x) \\\n" * 80 + "    g()\n__attribute__((noinline)) void f(int a) {\n}\n"
        self.assertEqual([(count, head) for _, count, head in functions(text)], [(2, "void f(int a)")])

    def test_file(self):
        self.assertEqual(lines(rules.length, "a.cpp", "\n" * 900), [])
        self.assertEqual(lines(rules.length, "a.cpp", "\n" * 901), [901])


class Wording(unittest.TestCase):
    def test_bad(self):
        bad = ["// TO" "DO later", "// FIX" "ME", 'open("/' 'home/me/x")', "cd /" "tmp/x", "registry.np" "mjs.org", "int a; "]
        for text in bad:
            self.assertEqual(lines(rules.wording, "a.cpp", "ok\n" + text + "\n"), [2], text)

    def test_good(self):
        for text in ("// todos of a list", "frame/works/b", "${PWD}/tmp/x", "method", "https://eips.ethereum.org"):
            self.assertEqual(lines(rules.wording, "a.cpp", text + "\n"), [], text)


class Files(unittest.TestCase):
    def test_header(self):
        self.assertEqual(lines(rules.header, "a.hpp", "// What.\n#pragma once\n"), [])
        self.assertEqual(lines(rules.header, "a.hpp", "// What.\n"), [1])
        self.assertEqual(lines(rules.header, "a.cpp", "int a;\n" * 31), [1])
        self.assertEqual(lines(rules.header, "a.cpp", "int a;\n" * 30), [])
        self.assertEqual(lines(rules.header, "a.cpp", "int a;\n" * 31, files={"a.hpp"}), [])

    def test_listed(self):
        self.assertEqual(lines(rules.listed, "meridian/a.cpp", "", sources_listed={"meridian/a.cpp"}), [])
        self.assertEqual(lines(rules.listed, "meridian/b.cpp", "", sources_listed={"meridian/a.cpp"}), [1])

    def test_loop_in_cmake(self):
        text = "foreach(name u256 rlp)\n  add_executable(${name}_bench ${name}_bench.cpp)\nendforeach()\n"
        self.assertIn("u256_bench.cpp", lint.unrolled(text))
        self.assertIn("rlp_bench.cpp", lint.unrolled(text))


if __name__ == "__main__":
    unittest.main()
