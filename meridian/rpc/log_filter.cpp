#include <meridian/rpc/block_reference.hpp>
#include <meridian/rpc/format.hpp>
#include <meridian/rpc/log_filter.hpp>
#include <meridian/store/log_index.hpp>

#include <algorithm>

namespace meridian::rpc {
namespace {

std::vector<Address> read_addresses(const json::value& value) {
    if (!value.is_array())
        return {read_address(value)};
    const json::array& list = value.get_array();
    if (list.size() > kFilterAddressesMax)
        throw ValueError("exceed max addresses");
    return read_list(value, "[]common.Address", read_address);
}

// The alternatives for one position; none for anything.
std::vector<Hash> read_topic(const json::value& value) {
    if (value.is_null())
        return {};
    if (value.is_string())
        return {read_hash(value)};
    const json::array& list = read_array(value, "invalid topic(s)");
    if (list.size() > kFilterTopicsMax)
        throw ValueError("exceed max topics");
    std::vector<Hash> out;
    for (std::size_t i = 0; i < list.size(); ++i) {
        // One alternative that takes anything.
        if (list[i].is_null())
            return {};
        out.push_back(read_within("[" + std::to_string(i) + "]", read_hash, list[i]));
    }
    return out;
}

std::vector<std::vector<Hash>> read_topics(const json::value& value) {
    const json::array& positions = read_array(value, "filters.FilterCriteria.topics");
    if (positions.size() > 4)
        throw ValueError("exceed max topics");
    return read_list(value, "filters.FilterCriteria.topics", read_topic);
}

}  // namespace

LogFilter read_log_filter(const json::value& value, node::Chain& chain) {
    const json::object& object = read_object(value, "filters.FilterCriteria");
    LogFilter out;
    out.block_hash = optional_member(object, "blockHash", read_hash);
    const auto from = optional_member(object, "fromBlock", read_block_number);
    const auto to = optional_member(object, "toBlock", read_block_number);
    if (out.block_hash && (from || to))
        throw ValueError("cannot specify both BlockHash and FromBlock/ToBlock, choose one or the other");
    if (from)
        out.from_block = resolve_number(chain, *from);
    if (to)
        out.to_block = resolve_number(chain, *to);
    out.terms.addresses = optional_member(object, "address", read_addresses).value_or(std::vector<Address>{});
    out.terms.topics =
        optional_member(object, "topics", read_topics).value_or(std::vector<std::vector<Hash>>{});
    return out;
}

void append_matching_logs(json::array& out, const sequencer::ExecutedBlock& block, const LogFilter& filter,
                          std::uint64_t first_log, bool removed) {
    if (!store::may_match(filter.terms, block.header().bloom))
        return;
    std::uint64_t log_index = 0;
    for (std::size_t i = 0; i < block.receipts.size(); ++i)
        for (const auto& log : block.receipts[i].logs) {
            if (log_index >= first_log && store::matches(filter.terms, log))
                out.push_back(format_log(log, block, i, log_index, removed));
            ++log_index;
        }
}

json::array search_logs(node::Chain& chain, const LogFilter& filter, std::size_t results_max,
                        const Deadline& deadline) {
    json::array out;
    if (filter.block_hash) {
        const auto block = available(chain.block(*filter.block_hash));
        if (!block)
            refuse("unknown block");
        append_matching_logs(out, *block, filter);
        return out;
    }
    const std::uint64_t head = chain.head()->number();
    store::LogQuery query = filter.terms;
    query.from_block = filter.from_block.value_or(head);
    query.to_block = filter.to_block.value_or(head);
    if (query.from_block > query.to_block)
        invalid_params("invalid block range params");
    query.to_block = std::min(query.to_block, head);
    node::BlockPtr block;
    available(chain.for_each_log(query, [&](const store::LogMatch& match) {
        deadline.check();
        if (!block || block->number() != match.block)
            block = find_block(chain, {{BlockTag::Number, match.block}, {}});
        out.push_back(format_log(match.log, *block, static_cast<std::size_t>(match.txn_index),
                                 static_cast<std::size_t>(match.log_index)));
        return out.size() <= results_max;
    }));
    if (out.size() > results_max)
        throw RpcError(ErrorCode::LimitExceeded,
                       "query returned more than " + std::to_string(results_max) + " results");
    return out;
}

}  // namespace meridian::rpc
