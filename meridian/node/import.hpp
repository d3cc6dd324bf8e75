// Reads a file of consecutive blocks (RLP, one after another, as clients export) into a DevChain.
#pragma once

#include <meridian/node/dev_chain.hpp>

namespace meridian::node {

struct ImportProgress {
    std::uint64_t blocks = 0;
    std::uint64_t transactions = 0;
    std::uint64_t gas = 0;
    std::uint64_t last_number = 0;
};

struct ImportFailure {
    // Of the offending block, as far as it is known; else its place in the file, counted from 1.
    std::optional<std::uint64_t> number;
    std::uint64_t position = 0;
    std::string reason;

    std::string message() const;
};

// Called after each block.
using ImportCallback = std::function<void(const ImportProgress&)>;

// Imports until the end or the first invalid block; blocks before it stay. A leading genesis block is
// skipped if it is the chain's own, and so are blocks that the chain has already.
Result<ImportProgress, ImportFailure> import_blocks(DevChain& chain, BytesView rlp,
                                                    const ImportCallback& progress);

}  // namespace meridian::node
