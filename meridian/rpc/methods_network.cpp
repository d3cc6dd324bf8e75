// The node and its network: identities, fees, fork configuration.
#include <meridian/crypto/keccak.hpp>
#include <meridian/rpc/block_reference.hpp>
#include <meridian/rpc/call_args.hpp>
#include <meridian/rpc/development.hpp>
#include <meridian/rpc/fees.hpp>
#include <meridian/rpc/fork_config.hpp>
#include <meridian/rpc/format.hpp>
#include <meridian/rpc/method.hpp>
#include <meridian/rpc/service.hpp>

#include <algorithm>

namespace meridian::rpc {
namespace {

json::value client_version(const Call& call) {
    return json::string(call.service.options().client_version);
}
json::value sha3(const Call& call) {
    return hex_data(crypto::keccak256(call.args.get(0, read_data)));
}
json::value net_version(const Call& call) {
    return json::string(std::to_string(call.service.chain().config().chain_id));
}
json::value net_listening(const Call&) {
    return true;
}
json::value net_peer_count(const Call&) {
    return quantity(std::uint64_t{0});
}
json::value chain_id(const Call& call) {
    return quantity(call.service.chain().config().chain_id);
}
json::value syncing(const Call&) {
    return false;
}
json::value mining(const Call& call) {
    const node::DevChain* development = call.service.development();
    return development != nullptr &&
           (development->mining().automine || development->mining().interval_ms != 0);
}
json::value hashrate(const Call&) {
    return quantity(std::uint64_t{0});
}
json::value protocol_version(const Call&) {
    return quantity(std::uint64_t{68});
}
json::value coinbase(const Call& call) {
    return hex_data(call.service.chain().next_attributes().coinbase);
}
json::value gas_price(const Call& call) {
    return quantity(suggested_gas_price(call.service.chain()));
}
json::value max_priority_fee(const Call&) {
    return quantity(suggested_tip());
}
json::value base_fee(const Call& call) {
    return quantity(next_base_fee(call.service.chain()));
}
json::value blob_base_fee(const Call& call) {
    return quantity(next_blob_base_fee(call.service.chain()));
}
json::value config(const Call& call) {
    return fork_configuration(call.service.chain());
}
json::value rpc_methods(const Call& call) {
    return describe(call.service.methods());
}
json::value rpc_modules(const Call& call) {
    json::object out;
    for (const Method* method : call.service.methods().sorted())
        out[method->name.substr(0, method->name.find('_'))] = "1.0";
    return out;
}

// --- eth_feeHistory -------------------------------------------------------------------------------------

std::vector<double> percentiles(const Call& call) {
    std::vector<double> out;
    if (!call.args.has(2))
        return out;
    const json::array& list = call.args.get(
        2, [](const json::value& v) -> const json::array& { return read_array(v, "[]float64"); });
    if (list.size() > 100)
        refuse("over the query limit 100");
    for (const auto& item : list) {
        if (!item.is_number())
            invalid_params(
                "invalid argument 2: json: cannot unmarshal non-number into Go value of type float64");
        const double value = item.to_number<double>();
        if (!(value >= 0 && value <= 100))
            refuse("invalid reward percentile: " + std::to_string(value));
        if (!out.empty() && value < out.back())
            refuse("invalid reward percentile: values are not ascending");
        out.push_back(value);
    }
    return out;
}

// The tips at the given percentiles of the block's gas.
json::array rewards(const sequencer::ExecutedBlock& block, const std::vector<double>& wanted) {
    struct Entry {
        u256 tip;
        std::uint64_t gas;
        std::size_t index;
    };
    const u256 base = block.header().base_fee.value_or(u256{});
    std::vector<Entry> entries;
    for (std::size_t i = 0; i < block.receipts.size(); ++i)
        entries.push_back({effective_gas_price(block.block.transactions[i], block.header().base_fee) - base,
                           block.receipts[i].gas_used, i});
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
        return a.tip != b.tip ? a.tip < b.tip : a.index < b.index;
    });
    json::array out;
    std::size_t index = 0;
    std::uint64_t gas = entries.empty() ? 0 : entries[0].gas;
    for (const double percentile : wanted) {
        if (entries.empty()) {
            out.push_back(quantity(std::uint64_t{0}));
            continue;
        }
        const auto threshold =
            static_cast<std::uint64_t>(static_cast<double>(block.header().gas_used) * percentile / 100);
        while (gas < threshold && index + 1 < entries.size())
            gas += entries[++index].gas;
        out.push_back(quantity(entries[index].tip));
    }
    return out;
}

// Columns of the answer, one entry a block and one more of each base fee.
struct FeeColumns {
    json::array base_fees;
    json::array gas_ratios;
    json::array blob_base_fees;
    json::array blob_ratios;
    json::array rewards;
};

u256 blob_fee_of(const chain::ChainConfig& config, const chain::Header& header) {
    return header.excess_blob_gas ? chain::blob_base_fee(config, header.timestamp, *header.excess_blob_gas)
                                  : u256{};
}

// A ratio as Go prints it: a whole number without a fraction.
json::value ratio(std::uint64_t part, std::uint64_t whole) {
    if (whole == 0 || part == 0)
        return 0;
    if (part == whole)
        return 1;
    return static_cast<double>(part) / static_cast<double>(whole);
}

void add_fees(FeeColumns& out, const chain::ChainConfig& config, const sequencer::ExecutedBlock& block) {
    const chain::Header& header = block.header();
    out.base_fees.push_back(quantity(header.base_fee.value_or(u256{})));
    out.blob_base_fees.push_back(quantity(blob_fee_of(config, header)));
    out.gas_ratios.push_back(ratio(header.gas_used, header.gas_limit));
    const std::uint64_t blob_max = config.blob_parameters(header.timestamp).max << 17;
    out.blob_ratios.push_back(header.blob_gas_used ? ratio(*header.blob_gas_used, blob_max) : json::value(0));
}

// The fees of the block after the last one asked for, known from that one alone.
void add_next_fees(FeeColumns& out, const chain::ChainConfig& config, const chain::Header& last) {
    const evm::Revision next = config.revision(last.number + 1, last.timestamp);
    out.base_fees.push_back(quantity(
        next >= evm::Revision::London ? chain::next_base_fee(config, last, last.timestamp) : u256{}));
    out.blob_base_fees.push_back(
        quantity(next >= evm::Revision::Cancun && last.excess_blob_gas
                     ? chain::blob_base_fee(config, last.timestamp,
                                            chain::next_excess_blob_gas(config, last, last.timestamp))
                     : u256{}));
}

json::value fee_history(const Call& call) {
    node::Chain& chain = call.service.chain();
    std::uint64_t count = call.args.get(0, read_lenient_uint64);
    const std::uint64_t head = chain.sealed_head()->number();
    const BlockNumber last = call.args.get(1, read_block_number);
    const std::uint64_t newest =
        last.tag == BlockTag::Pending ? head : resolve_number(chain, last, Latest::Sealed);
    const auto wanted = percentiles(call);
    if (newest > head)
        refuse("request beyond head block: requested " + std::to_string(newest) + ", head " +
               std::to_string(head));
    if (count == 0)
        return json::object{{"oldestBlock", "0x0"}, {"gasUsedRatio", nullptr}};
    count = std::min({count, newest + 1, std::uint64_t{call.service.limits().fee_history_blocks_max}});
    const std::uint64_t oldest = newest + 1 - count;
    FeeColumns columns;
    for (std::uint64_t number = oldest; number <= newest; ++number) {
        const node::BlockPtr block = available(chain.block(number));
        add_fees(columns, chain.config(), *block);
        if (!wanted.empty())
            columns.rewards.push_back(rewards(*block, wanted));
        if (number == newest)
            add_next_fees(columns, chain.config(), block->header());
    }
    json::object out{{"oldestBlock", quantity(oldest)},
                     {"baseFeePerGas", std::move(columns.base_fees)},
                     {"gasUsedRatio", std::move(columns.gas_ratios)},
                     {"baseFeePerBlobGas", std::move(columns.blob_base_fees)},
                     {"blobGasUsedRatio", std::move(columns.blob_ratios)}};
    if (!wanted.empty())
        out["reward"] = std::move(columns.rewards);
    return out;
}

}  // namespace

std::span<const Method> network_methods() {
    static const Method kMethods[] = {
        {"web3_clientVersion", "Name and version of the node", {}, "string", client_version},
        {"web3_sha3", "Keccak-256 of the data", {{"data", "Data"}}, "Data32", sha3},
        {"eth_networkId", "The chain identifier in decimal", {}, "string", net_version},
        {"net_version", "Network identifier, in decimal", {}, "string", net_version},
        {"net_listening", "Whether the node takes connections", {}, "boolean", net_listening},
        {"net_peerCount", "How many peers the node has", {}, "Quantity", net_peer_count},
        {"eth_chainId", "Chain identifier (EIP-155)", {}, "Quantity", chain_id},
        {"eth_syncing", "Whether the node is catching up", {}, "boolean", syncing},
        {"eth_mining", "Whether blocks are made unasked", {}, "boolean", mining},
        {"eth_hashrate", "Hashes a second: always zero", {}, "Quantity", hashrate},
        {"eth_protocolVersion", "Version of the eth protocol", {}, "Quantity", protocol_version},
        {"eth_coinbase", "Whom the fees of new blocks go to", {}, "Address", coinbase},
        {"eth_gasPrice", "A sufficient gas price in wei", {}, "Quantity", gas_price},
        {"eth_maxPriorityFeePerGas", "A sufficient tip in wei a gas", {}, "Quantity", max_priority_fee},
        {"eth_baseFee", "The next block's base fee in wei a gas", {}, "Quantity", base_fee},
        {"eth_blobBaseFee", "The next block's blob base fee in wei a gas", {}, "Quantity", blob_base_fee},
        {"eth_feeHistory",
         "Fees of past blocks",
         {{"blockCount", "Quantity"},
          {"newestBlock", "BlockNumberOrTag"},
          {"rewardPercentiles", "number[]", false}},
         "FeeHistory",
         fee_history},
        {"eth_config", "Fork configuration, now and next (EIP-7910)", {}, "ForkConfiguration", config},
        {"rpc_methods", "Every method with its parameters", {}, "Method[]", rpc_methods},
        {"rpc_modules", "The namespaces offered", {}, "{namespace: version}", rpc_modules},
    };
    return kMethods;
}

}  // namespace meridian::rpc
