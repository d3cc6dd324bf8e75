// How accounts and slots stand in the tries (yellow paper, section 4.1).
#pragma once

#include <meridian/base/result.hpp>
#include <meridian/rlp/decode.hpp>
#include <meridian/state/account.hpp>

namespace meridian::state {

struct TrieAccount {
    Account account;
    Hash storage_root;
};

Bytes encode_account(const Account& account, const Hash& storage_root);
Result<TrieAccount, rlp::DecodeError> decode_account(BytesView rlp);
// Precondition: the value is not zero (such a slot is not in the trie).
Bytes encode_slot(const u256& value);
Result<u256, rlp::DecodeError> decode_slot(BytesView rlp);
// The key of a slot in its storage trie, and of an account in the account trie.
Hash slot_trie_key(const u256& key);
Hash account_trie_key(const Address& address);

}  // namespace meridian::state
