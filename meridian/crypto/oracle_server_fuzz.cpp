// Any bytes as a request to the oracle: an answer or a named error. Lengths are kept small, as MODEXP's
// cost grows with their third power.
#include <meridian/base/assert.hpp>
#include <meridian/crypto/oracle_server.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace meridian;
    if (size > 2048)
        return 0;
    Bytes answer;
    if (crypto::serve_oracle({data, size}, answer).has_value())
        MERIDIAN_ASSERT(!answer.empty() && answer[0] <= 1 && (answer[0] == 1 || answer.size() == 1));
    // Most inputs fail at the header; give the payload a true one.
    Bytes request = {data, data + size};
    if (size >= crypto::kOracleHeaderSize) {
        const std::size_t length = size - crypto::kOracleHeaderSize;
        for (std::size_t i = 0; i < 4; ++i)
            request[1 + i] = static_cast<std::uint8_t>(length >> (8 * i));
        static_cast<void>(crypto::serve_oracle(request, answer));
    }
    return 0;
}
