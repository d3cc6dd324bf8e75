// The arguments that every benchmark takes: `--run TEXT` measures only the rows whose name contains it.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace meridian::bench {

inline std::string_view row_filter;  // of --run

inline bool wants(std::string_view row) {
    return row.find(row_filter) != std::string_view::npos;
}

[[noreturn]] inline void end_with_usage(std::FILE* out, int exit_code, const char* program,
                                        const char* more) {
    std::fprintf(out,
                 "Usage: %s [--run TEXT]\n\n  --run TEXT  measure only the rows whose name contains TEXT\n%s",
                 program, more);
    std::exit(exit_code);
}

// Takes the arguments in pairs; `take` is asked for those that are the benchmark's own, and `more` are their
// lines of the help. Ends the process with 2 on an argument that nobody takes.
template <class Take>
void read_arguments(int argc, char** argv, Take&& take, const char* more = "") {
    for (int i = 1; i < argc; i += 2) {
        const std::string_view option = argv[i];
        if (option == "--help" || option == "-h")
            end_with_usage(stdout, 0, argv[0], more);
        if (i + 1 == argc || (option != "--run" && !take(option, argv[i + 1]))) {
            std::fprintf(stderr, "%s: '%s' is no option or lacks its value\n", argv[0], argv[i]);
            end_with_usage(stderr, 2, argv[0], more);
        }
        if (option == "--run")
            row_filter = argv[i + 1];
    }
}

inline void read_arguments(int argc, char** argv) {
    read_arguments(argc, argv, [](std::string_view, const char*) { return false; });
}

}  // namespace meridian::bench
