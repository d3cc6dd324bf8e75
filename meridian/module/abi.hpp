// Solidity's ABI, as far as modules need it: arguments to read, results and reverts to write.
#pragma once

#include <meridian/base/u256.hpp>

#include <optional>
#include <string_view>

namespace meridian::module {

// Of a function, as "add(uint256)": the first four bytes of its hash.
std::uint32_t selector(std::string_view signature) noexcept;
// Of an event, as "Added(address,uint256)": its first topic.
Hash event_topic(std::string_view signature) noexcept;

// A call's arguments, one after the other. Fails once and for all: what is read then is zero.
class AbiReader {
public:
    // Of call data, with its selector; without one there is no function.
    explicit AbiReader(BytesView input) noexcept;

    std::uint32_t selector() const noexcept { return m_selector; }
    u256 word() noexcept;
    // A word that is at most `max`.
    std::uint64_t number(std::uint64_t max = ~std::uint64_t{0}) noexcept;
    Address address() noexcept;
    // Of type `bytes` or `string`; refers to the input.
    BytesView bytes() noexcept;
    // Whether everything was there and in range. More input than was read is no error, as with Solidity.
    bool ok() const noexcept { return m_ok; }

private:
    std::uint32_t m_selector = 0;
    BytesView m_arguments;
    std::size_t m_at = 0;
    bool m_ok = true;
};

void append_word(Bytes& out, const u256& value);
Bytes abi_word(const u256& value);
inline Hash topic(const Address& address) noexcept {
    return left_padded<32>(address);
}
// Error(string), which tools show as the reason of a revert.
Bytes revert_reason(std::string_view reason);

}  // namespace meridian::module
