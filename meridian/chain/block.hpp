// Headers, bodies and blocks.
#pragma once

#include <meridian/base/hex.hpp>
#include <meridian/chain/receipt.hpp>

namespace meridian::chain {

// keccak256(rlp([])): the ommers hash of a block without ommers.
inline constexpr Hash kEmptyOmmersHash =
    literals::operator""_hash("1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347", 64);

struct Header {
    Hash parent_hash;
    Hash ommers_hash = kEmptyOmmersHash;
    Address coinbase;
    Hash state_root;
    Hash transactions_root;
    Hash receipts_root;
    Bloom bloom;
    u256 difficulty;
    std::uint64_t number = 0;
    std::uint64_t gas_limit = 0;
    std::uint64_t gas_used = 0;
    std::uint64_t timestamp = 0;  // seconds
    Bytes extra_data;
    Hash mix_hash;  // prevRandao from Paris on
    FixedBytes<8> nonce;
    std::optional<u256> base_fee;                  // London, EIP-1559
    std::optional<Hash> withdrawals_root;          // Shanghai, EIP-4895
    std::optional<std::uint64_t> blob_gas_used;    // Cancun, EIP-4844
    std::optional<std::uint64_t> excess_blob_gas;  // Cancun, EIP-4844
    std::optional<Hash> parent_beacon_block_root;  // Cancun, EIP-4788
    std::optional<Hash> requests_hash;             // Prague, EIP-7685

    friend bool operator==(const Header&, const Header&) = default;
};

struct Block {
    Header header;
    std::vector<Transaction> transactions;
    std::vector<Header> ommers;
    std::optional<std::vector<Withdrawal>> withdrawals;  // present from Shanghai on
};

struct BlockDecodeFailure {
    BlockError error = BlockError::RlpStructuresEncoding;
    // Set if the offending part is a transaction.
    std::optional<TxnError> txn_error;
    std::string field;
    std::string reason;
    std::optional<rlp::DecodeError> fault;  // what the RLP decoder said, if it was that which refused
};

Bytes encode(const Header& header);
Hash header_hash(const Header& header);
Bytes encode(const Block& block);
Result<Header, BlockDecodeFailure> decode_header(BytesView rlp);
Result<Block, BlockDecodeFailure> decode_block(BytesView rlp);

Hash transactions_root(const std::vector<Transaction>& transactions);
Hash receipts_root(const std::vector<Receipt>& receipts);
Hash withdrawals_root(const std::vector<Withdrawal>& withdrawals);
Hash ommers_hash(const std::vector<Header>& ommers);

}  // namespace meridian::chain
