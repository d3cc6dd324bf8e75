// Any bytes as an account and as a slot of a trie: what is accepted encodes to the same bytes.
#include <meridian/base/assert.hpp>
#include <meridian/state/account_rlp.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace meridian;
    const BytesView input(data, size);
    if (const auto account = state::decode_account(input))
        MERIDIAN_ASSERT(equal(state::encode_account(account->account, account->storage_root), input));
    if (const auto slot = state::decode_slot(input))
        MERIDIAN_ASSERT(equal(state::encode_slot(*slot), input));
    return 0;
}
