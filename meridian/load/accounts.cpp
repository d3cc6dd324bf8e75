#include <meridian/load/accounts.hpp>

#include <meridian/base/assert.hpp>
#include <meridian/crypto/keccak.hpp>
#include <meridian/crypto/secp256k1.hpp>
#include <meridian/load/parallel.hpp>

namespace meridian::load {
namespace {

Hash digest_of(std::string_view seed, std::string_view role, std::uint64_t index) {
    Bytes text = to_bytes(as_bytes(seed));
    append(text, as_bytes(role));
    for (int shift = 56; shift >= 0; shift -= 8)
        text.push_back(static_cast<std::uint8_t>(index >> shift));
    return crypto::keccak256(text);
}

}  // namespace

Account derive_account(std::string_view seed, std::string_view role, std::uint64_t index) {
    Account out;
    out.private_key = digest_of(seed, role, index);
    const auto address = crypto::secp256k1::address_of(out.private_key);
    MERIDIAN_ASSERT(address);  // a digest is no key with a chance of 2^-127
    out.address = *address;
    return out;
}

std::vector<Account> derive_senders(const std::string& seed, std::size_t count, std::size_t first) {
    std::vector<Account> out(count);
    on_all_cores(
        count,
        [&](std::size_t from, std::size_t to) {
            for (std::size_t i = from; i < to; ++i)
                out[i] = derive_account(seed, "sender", first + i);
        },
        "deriving accounts");
    return out;
}

std::vector<Address> derive_recipients(const std::string& seed, std::size_t count) {
    std::vector<Address> out(count);
    on_all_cores(count, [&](std::size_t from, std::size_t to) {
        for (std::size_t i = from; i < to; ++i)
            out[i] = first_bytes<20>(digest_of(seed, "recipient", i));
    });
    return out;
}

Account derive_treasury(std::string_view seed) {
    return derive_account(seed, "treasury", 0);
}

}  // namespace meridian::load
