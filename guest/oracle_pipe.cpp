#include <meridian/crypto/oracle_accelerator.hpp>

#include "oracle_pipe.hpp"

#include <unistd.h>
#include <cstdlib>

namespace meridian::guest {
namespace {

[[noreturn]] void give_up() noexcept {
    static constexpr char kMessage[] =
        "guest: no oracle on descriptors 3 and 4; start it by meridian-guest-runner\n";
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, kMessage, sizeof kMessage - 1);
    ::_exit(kNoOracle);
}

void write_all(BytesView data) noexcept {
    while (!data.empty()) {
        const auto count = ::write(kOracleRequestDescriptor, data.data(), data.size());
        if (count <= 0) {
            give_up();
        }
        data = data.subspan(static_cast<std::size_t>(count));
    }
}

void read_all(std::span<std::uint8_t> out) noexcept {
    while (!out.empty()) {
        const auto count = ::read(kOracleAnswerDescriptor, out.data(), out.size());
        if (count <= 0) {
            give_up();
        }
        out = out.subspan(static_cast<std::size_t>(count));
    }
}

BytesView ask(BytesView request) noexcept {
    static Bytes answer;
    write_all(request);
    std::uint8_t prefix[4];
    read_all(prefix);
    const auto length = std::uint32_t{prefix[0]} | std::uint32_t{prefix[1]} << 8 |
                        std::uint32_t{prefix[2]} << 16 | std::uint32_t{prefix[3]} << 24;
    if (length > kOracleMaxAnswer) {
        give_up();
    }
    answer.resize(length);
    read_all(answer);
    return answer;
}

}  // namespace

void install_oracle() noexcept {
    crypto::set_oracle_transport(ask);
}

}  // namespace meridian::guest
