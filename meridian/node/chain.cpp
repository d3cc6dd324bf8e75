#include <meridian/node/chain.hpp>

namespace meridian::node {

chain::BlockAttributes Chain::next_attributes() {
    const BlockPtr last = head();
    const chain::Header& header = last->header();
    chain::BlockAttributes out;
    out.timestamp = header.timestamp + 1;
    out.coinbase = header.coinbase;
    out.gas_limit = header.gas_limit;
    return out;
}

}  // namespace meridian::node
