// anvil_dumpState and anvil_loadState: the state as compressed JSON, in Anvil's layout.
//
// A dump holds the accounts and where the chain was, not its blocks. Loading one adds the accounts to those
// that there are, and seals empty blocks until the chain is as high as the dumped one.
#include <meridian/base/hex.hpp>
#include <meridian/rpc/block_reference.hpp>
#include <meridian/rpc/development.hpp>
#include <meridian/rpc/gzip.hpp>
#include <meridian/rpc/json_text.hpp>

#include <algorithm>

namespace meridian::rpc {
namespace {

constexpr std::size_t kDumpBytesMax = 64 << 20;  // uncompressed
constexpr JsonBounds kDumpBounds{16, 1'000'000};

std::string hex_text(BytesView bytes) {
    return to_hex0x(bytes);
}

json::object dump_account(node::DevChain& chain, const Address& address, const state::Account& account) {
    json::object storage;
    const auto listed = chain.view().for_each_slot(address, [&storage](const u256& slot, const u256& value) {
        storage[hex_text(to_hash(slot))] = hex_data(to_hash(value));
        return true;
    });
    available(node::or_failure(listed));
    return {{"nonce", account.nonce},
            {"balance", quantity(account.balance)},
            {"code", hex_data(chain.head_state().code(account.code_hash))},
            {"storage", std::move(storage)}};
}

json::object dump_block(const chain::Header& header) {
    return {{"number", quantity(header.number)},
            {"beneficiary", hex_data(header.coinbase)},
            {"timestamp", quantity(header.timestamp)},
            {"gas_limit", header.gas_limit},
            {"basefee", header.base_fee.value_or(u256{})[0]},
            {"difficulty", quantity(header.difficulty)},
            {"prevrandao", hex_data(header.mix_hash)},
            {"blob_excess_gas_and_price",
             json::object{{"excess_blob_gas", header.excess_blob_gas.value_or(0)}, {"blob_gasprice", 1}}}};
}

json::value dump_state(const Call& call) {
    node::DevChain& chain = development_chain(call);
    json::object accounts;
    const auto listed =
        chain.view().for_each_account([&](const Address& address, const state::Account& account) {
            accounts[hex_text(address)] = dump_account(chain, address, account);
            return true;
        });
    available(node::or_failure(listed));
    // Anvil wants the best of the blocks in the dump, and takes its own genesis where there are none.
    const json::object dump{{"block", dump_block(chain.head()->header())},
                            {"accounts", std::move(accounts)},
                            {"best_block_number", 0},
                            {"blocks", json::array{}},
                            {"transactions", json::array{}}};
    return hex_data(gzip(as_bytes(json::serialize(dump))));
}

struct DumpedAccount {
    std::uint64_t nonce = 0;
    u256 balance;
    Bytes code;
    std::map<u256, u256> storage;
};

struct Dump {
    std::uint64_t block_number = 0;
    std::uint64_t timestamp = 0;
    std::map<Address, DumpedAccount> accounts;
};

std::map<u256, u256> read_dumped_storage(const json::value& value) {
    std::map<u256, u256> out;
    for (const auto& [key, word] : read_object(value, "storage"))
        out[from_hash(read_within(key, read_word, json::value(key)))] =
            from_hash(read_within(key, read_word, word));
    return out;
}

DumpedAccount read_dumped_account(const json::value& value) {
    const json::object& object = read_object(value, "account");
    DumpedAccount out;
    out.nonce = optional_member(object, "nonce", read_lenient_uint64).value_or(0);
    out.balance = optional_member(object, "balance", read_lenient_quantity).value_or(u256{});
    out.code = optional_member(object, "code", read_data).value_or(Bytes{});
    out.storage = optional_member(object, "storage", read_dumped_storage).value_or(std::map<u256, u256>{});
    return out;
}

Dump read_dump(const json::value& value) {
    const json::object& object = read_object(value, "state dump");
    Dump out;
    if (const auto* block = member(object, "block")) {
        const json::object& fields = read_object(*block, "block");
        out.block_number = optional_member(fields, "number", read_lenient_uint64).value_or(0);
        out.timestamp = optional_member(fields, "timestamp", read_lenient_uint64).value_or(0);
    }
    out.block_number = std::max(
        out.block_number, optional_member(object, "best_block_number", read_lenient_uint64).value_or(0));
    const auto read_accounts = [](const json::value& v) {
        std::map<Address, DumpedAccount> accounts;
        for (const auto& [key, account] : read_object(v, "accounts"))
            accounts[read_within(key, read_address, json::value(key))] =
                read_within(key, read_dumped_account, account);
        return accounts;
    };
    out.accounts = optional_member(object, "accounts", read_accounts).value_or(decltype(out.accounts){});
    return out;
}

// Plain JSON is taken as well.
Dump read_compressed_dump(const json::value& value) {
    Bytes data = read_data(value);
    if (is_gzip(data)) {
        auto plain = gunzip(data, kDumpBytesMax);
        if (!plain)
            throw ValueError("state dump: " + plain.error());
        data = *std::move(plain);
    }
    const auto parsed = parse_json({reinterpret_cast<const char*>(data.data()), data.size()}, kDumpBounds);
    if (!parsed)
        throw ValueError("state dump: " + parsed.error().message());
    return read_within("state dump", read_dump, *parsed);
}

// Empty blocks up to the dumped number, the last of them at the dumped time if that is still to come.
void catch_up(const Call& call, const Dump& dump) {
    node::DevChain& chain = development_chain(call);
    const std::uint64_t head = chain.head()->number();
    if (dump.block_number > head && dump.block_number - head > call.service.limits().mine_blocks_max)
        invalid_params("state dump: block number " + std::to_string(dump.block_number) + " is too far ahead");
    while (chain.head()->number() < dump.block_number) {
        if (call.service.stopping())
            refuse("the node is ending");
        const bool last = chain.head()->number() + 1 == dump.block_number;
        if (last && dump.timestamp > chain.head()->header().timestamp)
            chain.settings().next_timestamp = dump.timestamp;
        mine_one(chain);
    }
}

json::value load_state(const Call& call) {
    node::DevChain& chain = development_chain(call);
    const Dump dump = call.args.get(0, read_compressed_dump);
    catch_up(call, dump);
    alter_head(chain, [&](node::OverlayState& state) {
        for (const auto& [address, account] : dump.accounts) {
            state.set_nonce(address, account.nonce);
            state.set_balance(address, account.balance);
            state.set_code(address, account.code);
            state.clear_storage(address);
            for (const auto& [slot, word] : account.storage)
                state.set_storage(address, slot, word);
        }
    });
    return true;
}

}  // namespace

std::span<const Method> dump_methods() {
    static const std::vector<Method> kMethods = [] {
        const Param historical{"preserveHistoricalStates", "boolean", false};
        std::vector<Method> out;
        for (const char* name : {"anvil_dumpState", "hardhat_dumpState"})
            out.push_back(
                {name,
                 "The head's accounts, block number and time as gzip-compressed JSON; no blocks and "
                 "no earlier states",
                 {historical},
                 "Data",
                 dump_state});
        for (const char* name : {"anvil_loadState", "hardhat_loadState"})
            out.push_back({name,
                           "Adds a dump's accounts, after empty blocks up to the dump's number",
                           {{"state", "Data"}},
                           "boolean",
                           load_state});
        return out;
    }();
    return kMethods;
}

}  // namespace meridian::rpc
