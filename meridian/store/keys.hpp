// The tables' keys and values, byte by byte. Numbers are big-endian, so that keys sort as numbers do.
//
// table            key                                   value
// ---------------  ------------------------------------  ----------------------------------------------------
// meta             a name, as "head"                     number: 8 bytes; identity: hash 32, chain id 8;
//                                                        head: number 8, hash 32, state root 32
// accounts         address 20                            account (see encode_account_value)
// storage          address 20, slot 32                   value without leading zeros, 1 to 32 bytes
// code             code hash 32                          the code
// account_trie     path, a nibble a byte, 0 to 63        node (RLP)
// storage_trie     keccak256(address) 32, path           node (RLP)
// blocks           number 8                              RLP: header, hash, state root, total difficulty,
//                                                        size, count of transactions
// bodies           number 8, group 4                     RLP: envelope, sender, () or (v) in turn; of the
// last
//                                                        group, kBodyRest: ommers, withdrawals if there are
// receipts         number 8, group 4                     RLP: list of receipts (see record_codec.hpp)
// block_numbers    block hash 32                         number 8
// transactions     transaction hash 32                   number 8, index 4
// log_index        term 8, number 8                      varints: indexes of transactions, each less the last
// account_history  address 20, number 8                  the account before that block; empty: there was none
// storage_history  address 20, slot 32, number 8         the slot before that block; empty: zero
// change_sets      number 8                              per account: address 20, flags 1, count of slots 4,
//                                                        slots 32 each (see ChangeSet); if pages changed,
//                                                        their count 4 and numbers 4 each
// arena_pages      address 20, page 4                    the page without the zeros at its end
// arena_history    address 20, page 4, number 8          mask of lines 8, and what they were before, 64 each
//
// A group is kGroupSize transactions of a block. A term is the head of keccak256(position, address or
// topic): position 0 for the log's address, 1 to 4 for its topics. Terms of different things may collide,
// so what the index finds is compared with the log itself.
#pragma once

#include <meridian/base/u256.hpp>
#include <meridian/state/account.hpp>
#include <meridian/store/error.hpp>
#include <meridian/store/table.hpp>

#include <optional>
#include <span>
#include <vector>

namespace meridian::store {

// Changes whenever anything in this file does.
inline constexpr std::uint64_t kSchemaVersion = 2;

inline constexpr std::size_t kGroupSize = 32;
inline constexpr std::uint32_t kBodyRest = 0xffffffff;

using NumberKey = FixedBytes<8>;
using StorageKey = FixedBytes<52>;
using GroupKey = FixedBytes<12>;
using TermKey = FixedBytes<8>;
using PostingKey = FixedBytes<16>;
using AccountHistoryKey = FixedBytes<28>;
using StorageHistoryKey = FixedBytes<60>;
using ArenaPageKey = FixedBytes<24>;
using ArenaHistoryKey = FixedBytes<32>;
static_assert(sizeof(StorageKey) == sizeof(Address) + sizeof(Hash));
static_assert(sizeof(GroupKey) == sizeof(NumberKey) + 4);
static_assert(sizeof(PostingKey) == sizeof(TermKey) + sizeof(NumberKey));
static_assert(sizeof(AccountHistoryKey) == sizeof(Address) + sizeof(NumberKey));
static_assert(sizeof(StorageHistoryKey) == sizeof(StorageKey) + sizeof(NumberKey));

inline constexpr std::size_t kHeadSize = 8 + 32 + 32;
inline constexpr std::size_t kIdentitySize = 32 + 8;
inline constexpr std::size_t kTxnPlaceSize = 8 + 4;
// Lengths 1, code flag included; balance length 1; nonce, balance, code hash.
inline constexpr std::size_t kAccountValueSizeMax = 1 + 1 + 8 + 32 + 32;

NumberKey number_key(std::uint64_t number) noexcept;
// Precondition: key.size() >= 8.
std::uint64_t number_at(BytesView key) noexcept;
StorageKey storage_key(const Address& address, const u256& slot) noexcept;
GroupKey group_key(std::uint64_t number, std::uint32_t group) noexcept;
TermKey log_term(std::uint8_t position, BytesView value) noexcept;
PostingKey posting_key(const TermKey& term, std::uint64_t number) noexcept;
AccountHistoryKey account_history_key(const Address& address, std::uint64_t number) noexcept;
StorageHistoryKey storage_history_key(const Address& address, const u256& slot,
                                      std::uint64_t number) noexcept;
ArenaPageKey arena_page_key(const Address& module, std::uint32_t page) noexcept;
ArenaHistoryKey arena_history_key(const Address& module, std::uint32_t page, std::uint64_t number) noexcept;
// Precondition: key.size() >= 24.
std::uint32_t page_at(BytesView key) noexcept;
// `owner` is empty for the account trie, else keccak256(address); nibbles one a byte.
Bytes trie_node_key(BytesView owner, std::span<const std::uint8_t> nibbles);

// Byte 0: length of the nonce, and 0x80 if there is code. Byte 1: length of the balance. Then nonce and
// balance without leading zeros, then the code hash if there is code.
Bytes encode_account_value(const state::Account& account);
// Empty unless the bytes are what the encoder writes.
std::optional<state::Account> decode_account_value(BytesView value) noexcept;

// Without leading zeros; empty for zero.
Bytes encode_slot_value(const u256& value);
std::optional<u256> decode_slot_value(BytesView value) noexcept;

Bytes encode_page_patch(const state::PagePatch& patch);
std::optional<state::PagePatch> decode_page_patch(BytesView value);

// What a block changed, for pruning its history and for going back.
struct ChangeSet {
    struct Entry {
        Address address;
        bool account = false;  // the account itself, not only its slots
        std::vector<u256> slots;
        std::vector<std::uint32_t> pages = {};  // of the arena that the account commits to; ascending

        friend bool operator==(const Entry&, const Entry&) = default;
    };
    std::vector<Entry> entries;  // ascending addresses

    // Accounts, slots and pages.
    std::uint64_t change_count() const noexcept;
    friend bool operator==(const ChangeSet&, const ChangeSet&) = default;
};
Bytes encode_change_set(const ChangeSet& changes);
std::optional<ChangeSet> decode_change_set(BytesView value);

// Ascending indexes, each as a LEB128 varint of what it adds to the one before.
Bytes encode_posting(std::span<const std::uint32_t> indexes);
std::optional<std::vector<std::uint32_t>> decode_posting(BytesView value);

}  // namespace meridian::store
