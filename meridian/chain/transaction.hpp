// Ethereum transactions of every type, and OP deposits: structure, encoding, hashes, sender.
#pragma once

#include <meridian/base/bytes.hpp>
#include <meridian/base/result.hpp>
#include <meridian/base/u256.hpp>
#include <meridian/chain/errors.hpp>

#include <optional>
#include <vector>

namespace meridian::chain {

enum class TxnType : std::uint8_t {
    Legacy = 0,
    AccessList = 1,  // EIP-2930
    DynamicFee = 2,  // EIP-1559
    Blob = 3,        // EIP-4844
    SetCode = 4,     // EIP-7702
    Module = 0x4d,   // commands for a native module (docs/modules.md)
    Deposit = 0x7e,  // OP Stack deposits specification
};

struct AccessListEntry {
    Address address;
    std::vector<Hash> storage_keys;
    friend bool operator==(const AccessListEntry&, const AccessListEntry&) = default;
};
using AccessList = std::vector<AccessListEntry>;

// EIP-7702. Empty authority if the signature does not recover.
struct Authorization {
    u256 chain_id;
    Address address;
    std::uint64_t nonce = 0;
    u256 y_parity;
    u256 r;
    u256 s;
    friend bool operator==(const Authorization&, const Authorization&) = default;
};

struct Transaction {
    TxnType type = TxnType::Legacy;
    // Legacy: present if the signature is replay-protected (EIP-155).
    std::optional<std::uint64_t> chain_id;
    std::uint64_t nonce = 0;
    // gasPrice for types 0 and 1, where both are equal. Wei a gas.
    u256 max_fee_per_gas;
    u256 max_priority_fee_per_gas;
    std::uint64_t gas_limit = 0;
    std::optional<Address> to;  // empty: contract creation
    u256 value;
    Bytes data;
    AccessList access_list;
    u256 max_fee_per_blob_gas;
    std::vector<Hash> blob_hashes;
    std::vector<Authorization> authorizations;

    // Signature. v as encoded: 27/28 or 35+2*chain_id+parity for legacy, the parity otherwise.
    u256 v;
    u256 r;
    u256 s;

    // Module transactions only (type 0x4D). `to` is the module's account, `from` the account in whose name,
    // `nonce` a time in milliseconds, `data` the commands as the payload of an RLP list of strings.
    std::uint32_t module_id = 0;
    std::uint64_t expiry_ms = 0;  // since the epoch; zero: never

    // Deposits only (type 0x7E): no signature; `from` is given.
    Hash source_hash;
    Address from;
    std::optional<u256> mint;
    bool is_system = false;

    // 0 or 1.
    std::uint8_t y_parity() const noexcept;
};

// Of a module transaction.
inline constexpr std::size_t kModuleCommandsMax = 1'024;
inline constexpr std::size_t kModuleCommandSize = 4'096;

// EIP-2718 envelope as it is hashed, gossiped and put into tries: type byte and RLP, or the bare list
// of a legacy transaction.
Bytes encode(const Transaction& txn);
// As inside a block body: typed envelopes are wrapped in an RLP string.
void append_to_block(Bytes& out, const Transaction& txn);
Result<Transaction, DecodeFailure> decode_transaction(BytesView envelope);
// As eth_sendRawTransaction takes it: also the network form of a blob transaction with its sidecar
// (EIP-4844 and EIP-7594 wrappers), of which the sidecar is dropped after its commitments were checked
// against the blob hashes.
Result<Transaction, DecodeFailure> decode_pooled_transaction(BytesView envelope);

Hash transaction_hash(const Transaction& txn);
// What the sender signed.
Hash signing_hash(const Transaction& txn);
// What identifies the sender: the ECDSA signature, with its form checked. With `homestead` it must be low-s
// (EIP-2). A deposit has none: InvalidSignatureVrs.
struct SenderSignature {
    Hash digest;
    Hash r;
    Hash s;
    std::uint8_t parity = 0;  // of the nonce point's y
};
Result<SenderSignature, TxnError> sender_signature(const Transaction& txn, bool homestead = true);
// Recovers the sender. With `homestead` the signature must be low-s (EIP-2). A deposit's sender is given.
Result<Address, TxnError> recover_sender(const Transaction& txn, bool homestead = true);
// EIP-7702: keccak256(0x05 || rlp([chain_id, address, nonce])), low-s, y parity 0 or 1.
std::optional<Address> recover_authority(const Authorization& authorization);

}  // namespace meridian::chain
