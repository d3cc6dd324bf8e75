// One block with all that its execution needs, as bytes, and what became of it as a line of text: how two
// builds of the state-transition function are compared.
//
// A file of cases is a sequence of RLP lists. Pure code, in the native build and in the guest's.
#pragma once

#include <meridian/chain/block.hpp>
#include <meridian/chain/config.hpp>
#include <meridian/rlp/decode.hpp>
#include <meridian/state/memory_state.hpp>

#include <string>

namespace meridian::guest {

struct StfCase {
    chain::ChainConfig config;
    chain::Header parent;
    // Hashes of ancestors by number, for BLOCKHASH.
    std::map<std::uint64_t, Hash> block_hashes;
    state::MemoryState parent_state;
    Bytes block;  // RLP, possibly not even that
};

// The configuration's OP part is not carried.
Bytes encode(const StfCase& stf_case);
Result<StfCase, rlp::FieldError> decode_stf_case(BytesView item);

struct StfVerdict {
    // "accepted STATE_ROOT RECEIPTS_ROOT GAS", or "rejected" and the specification's names of the errors.
    std::string text;
    // The post-state of an accepted block.
    std::optional<state::MemoryState> post_state;
    std::optional<chain::Header> header;
};

StfVerdict execute(const StfCase& stf_case);

}  // namespace meridian::guest
