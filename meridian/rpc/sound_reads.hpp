// No answer is made of data that could not be read: states give what they cannot read as absent, and the
// words of a failure name files that are no client's business.
#pragma once

#include <meridian/node/chain.hpp>
#include <meridian/rpc/error.hpp>

namespace meridian::rpc {

// Does the work and gives what it gave; throws kUnreadable, in place of what it gave or threw, if the node's
// own data could not be read meanwhile.
template <class Work>
auto with_sound_reads(node::Chain& chain, Work work) {
    const std::uint64_t before = chain.failed_reads();
    const auto check = [&] {
        if (chain.failed_reads() == before)
            return;
        // It may hold nothing under the hash of a code that could not be read.
        chain.code_cache().clear();
        throw RpcError(ErrorCode::Internal, std::string(kUnreadable));
    };
    try {
        auto out = work();
        check();
        return out;
    } catch (...) {
        check();
        throw;
    }
}

}  // namespace meridian::rpc
