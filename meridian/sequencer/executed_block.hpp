// A block with what execution made of it: what readers are given.
#pragma once

#include <meridian/chain/block.hpp>
#include <meridian/store/chain_store.hpp>

#include <memory>

namespace meridian::sequencer {

struct ExecutedBlock {
    chain::Block block;
    // Zero, as are the header's roots, of a block that is still open.
    Hash hash;
    std::uint64_t size_bytes = 0;  // of the encoding
    std::vector<chain::Receipt> receipts;
    std::vector<Hash> txn_hashes;
    std::vector<Address> senders;
    u256 total_difficulty;
    // Of frames.
    std::uint64_t first_frame = 0;
    std::uint64_t last_frame = 0;

    const chain::Header& header() const noexcept { return block.header; }
    std::uint64_t number() const noexcept { return block.header.number; }
    bool sealed() const noexcept { return hash != Hash{}; }
};
using ExecutedBlockPtr = std::shared_ptr<const ExecutedBlock>;

// A block of the store; which frames it came in is not told. Errors: as ChainView::body().
store::StoreResult<ExecutedBlockPtr> read_block(const store::ChainView& view, std::uint64_t number);

}  // namespace meridian::sequencer
