// meridian-guest-runner PROGRAM [ARGUMENT...]
//
// Runs an RV64 program of the guest build under qemu-riscv64 and answers its oracle requests by the
// native accelerator until it ends. Standard streams are the program's. Exit code: the program's, 128
// plus the signal that ended it, or 71 if the runner could not do its part.
#include <guest/oracle_pipe.hpp>
#include <meridian/crypto/oracle_server.hpp>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>
#include <cstdio>
#include <vector>

namespace {

using namespace meridian;

constexpr int kRunnerFailed = 71;
constexpr const char* kEmulator = "qemu-riscv64";

struct Pipe {
    int read_end;
    int write_end;
};

[[noreturn]] void fail(const char* what) {
    std::perror(what);
    std::_Exit(kRunnerFailed);
}

// Both ends lie above the descriptors that the guest expects, so that moving one there closes no other.
Pipe make_pipe() {
    int ends[2];
    if (::pipe(ends) != 0) {
        fail("pipe");
    }
    const auto move_up = [](int descriptor) {
        const int moved = ::fcntl(descriptor, F_DUPFD_CLOEXEC, 16);
        if (moved < 0) {
            fail("fcntl");
        }
        ::close(descriptor);
        return moved;
    };
    return {move_up(ends[0]), move_up(ends[1])};
}

[[noreturn]] void become_guest(const Pipe& requests, const Pipe& answers, char** program) {
    if (::dup2(requests.write_end, guest::kOracleRequestDescriptor) < 0 ||
        ::dup2(answers.read_end, guest::kOracleAnswerDescriptor) < 0) {
        fail("dup2");
    }
    std::vector<char*> arguments{const_cast<char*>(kEmulator)};
    for (; *program != nullptr; ++program) {
        arguments.push_back(*program);
    }
    arguments.push_back(nullptr);
    ::execvp(kEmulator, arguments.data());
    fail(kEmulator);
}

// False at the end of the stream before the first byte; a stream that ends within a message is an error.
bool read_message(int descriptor, std::span<std::uint8_t> out) {
    for (std::size_t done = 0; done < out.size();) {
        const auto count = ::read(descriptor, out.data() + done, out.size() - done);
        if (count < 0) {
            fail("reading a request");
        }
        if (count == 0) {
            if (done == 0) {
                return false;
            }
            std::fputs("guest runner: a request ends early\n", stderr);
            std::_Exit(kRunnerFailed);
        }
        done += static_cast<std::size_t>(count);
    }
    return true;
}

void write_message(int descriptor, BytesView message) {
    while (!message.empty()) {
        const auto count = ::write(descriptor, message.data(), message.size());
        if (count < 0) {
            return;  // the guest has ended; its exit code says why
        }
        message = message.subspan(static_cast<std::size_t>(count));
    }
}

std::uint32_t load_le32(const std::uint8_t* bytes) {
    return std::uint32_t{bytes[0]} | std::uint32_t{bytes[1]} << 8 | std::uint32_t{bytes[2]} << 16 |
           std::uint32_t{bytes[3]} << 24;
}

void serve(int requests, int answers) {
    Bytes request;
    Bytes answer;
    for (;;) {
        request.resize(crypto::kOracleHeaderSize);
        if (!read_message(requests, request)) {
            return;
        }
        const auto length = load_le32(request.data() + 1);
        if (length > crypto::kOracleMaxPayload) {
            std::fprintf(stderr, "guest runner: a request of %u bytes\n", length);
            std::_Exit(kRunnerFailed);
        }
        request.resize(crypto::kOracleHeaderSize + length);
        if (!read_message(requests, std::span{request}.subspan(crypto::kOracleHeaderSize)) && length != 0) {
            return;
        }
        if (const auto served = crypto::serve_oracle(request, answer); !served) {
            std::fprintf(stderr, "guest runner: malformed request of kind %u\n", request[0]);
            std::_Exit(kRunnerFailed);
        }
        const auto size = static_cast<std::uint32_t>(answer.size());
        const std::uint8_t prefix[4] = {static_cast<std::uint8_t>(size), static_cast<std::uint8_t>(size >> 8),
                                        static_cast<std::uint8_t>(size >> 16),
                                        static_cast<std::uint8_t>(size >> 24)};
        write_message(answers, prefix);
        write_message(answers, answer);
    }
}

int exit_code_of(pid_t child) {
    int status = 0;
    if (::waitpid(child, &status, 0) != child) {
        fail("waitpid");
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fputs("Usage: meridian-guest-runner PROGRAM [ARGUMENT...]\n", stderr);
        return 2;
    }
    std::signal(SIGPIPE, SIG_IGN);
    const Pipe requests = make_pipe();
    const Pipe answers = make_pipe();
    const pid_t child = ::fork();
    if (child < 0) {
        fail("fork");
    }
    if (child == 0) {
        std::signal(SIGPIPE, SIG_DFL);
        become_guest(requests, answers, argv + 1);
    }
    ::close(requests.write_end);
    ::close(answers.read_end);
    serve(requests.read_end, answers.write_end);
    return exit_code_of(child);
}
