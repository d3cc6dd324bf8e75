#include <guest/stf/stf_case.hpp>

#include <meridian/base/hex.hpp>
#include <meridian/chain/executor.hpp>
#include <meridian/evm/code_cache.hpp>
#include <meridian/rlp/encode.hpp>

namespace meridian::guest {
namespace {

// --- encoding ---------------------------------------------------------------------------------------

rlp::ListBuilder optional_number(const std::optional<std::uint64_t>& value) {
    rlp::ListBuilder out;
    if (value)
        out.uint(*value);
    return out;
}

rlp::ListBuilder config_list(const chain::ChainConfig& config) {
    rlp::ListBuilder activation;
    for (const auto& first : config.activation)
        activation.list(optional_number(first));
    rlp::ListBuilder blobs;
    for (const auto& change : config.blob_schedule) {
        const auto& schedule = change.schedule;
        blobs.list(rlp::ListBuilder{}
                       .uint(change.timestamp)
                       .uint(schedule.target)
                       .uint(schedule.max)
                       .uint(schedule.base_fee_update_fraction));
    }
    return rlp::ListBuilder{}
        .uint(config.chain_id)
        .list(activation)
        .list(optional_number(config.dao_fork_block))
        .list(optional_number(config.muir_glacier_block))
        .list(optional_number(config.arrow_glacier_block))
        .list(optional_number(config.gray_glacier_block))
        .list(blobs)
        .bytes(config.deposit_contract.bytes)
        .uint(config.max_code_size)
        .uint(config.max_init_code_size);
}

rlp::ListBuilder state_list(const state::MemoryState& state) {
    rlp::ListBuilder out;
    for (const auto& [address, entry] : state.accounts()) {
        rlp::ListBuilder slots;
        for (const auto& [key, value] : entry.storage)
            slots.list(rlp::ListBuilder{}.number(key).number(value));
        const auto code = state.codes().find(entry.account.code_hash);
        out.list(rlp::ListBuilder{}
                     .bytes(address.bytes)
                     .uint(entry.account.nonce)
                     .number(entry.account.balance)
                     .bytes(code == state.codes().end() ? BytesView{} : BytesView{code->second})
                     .list(slots));
    }
    return out;
}

// --- decoding ---------------------------------------------------------------------------------------

std::optional<std::uint64_t> read_optional_number(rlp::ListReader& reader) {
    rlp::ListReader nested(reader.list());
    std::optional<std::uint64_t> out;
    if (!nested.at_end())
        out = nested.uint64();
    reader.adopt(nested);
    return out;
}

chain::ChainConfig read_config(rlp::ListReader& reader) {
    chain::ChainConfig config;
    rlp::ListReader fields(reader.list());
    config.chain_id = fields.uint64();
    rlp::ListReader activation(fields.list());
    for (auto& first : config.activation)
        first = read_optional_number(activation);
    fields.adopt(activation);
    config.dao_fork_block = read_optional_number(fields);
    config.muir_glacier_block = read_optional_number(fields);
    config.arrow_glacier_block = read_optional_number(fields);
    config.gray_glacier_block = read_optional_number(fields);
    rlp::ListReader blobs(fields.list());
    while (!blobs.at_end()) {
        rlp::ListReader change(blobs.list());
        const std::uint64_t timestamp = change.uint64();
        const std::uint64_t target = change.uint64();
        const std::uint64_t max = change.uint64();
        config.blob_schedule.push_back({timestamp, {target, max, change.uint64()}});
        blobs.adopt(change);
    }
    fields.adopt(blobs);
    config.deposit_contract = fields.fixed<20>();
    config.max_code_size = fields.uint64();
    config.max_init_code_size = fields.uint64();
    reader.adopt(fields);
    return config;
}

void read_account(state::MemoryState& state, rlp::ListReader& accounts) {
    rlp::ListReader fields(accounts.list());
    const auto address = fields.fixed<20>();
    state.set_nonce(address, fields.uint64());
    state.set_balance(address, fields.number());
    if (const BytesView code = fields.bytes(); !code.empty())
        state.set_code(address, code);
    rlp::ListReader slots(fields.list());
    while (!slots.at_end()) {
        rlp::ListReader slot(slots.list());
        const u256 key = slot.number();
        state.set_storage(address, key, slot.number());
        slots.adopt(slot);
    }
    fields.adopt(slots);
    accounts.adopt(fields);
}

chain::Header read_header(rlp::ListReader& reader) {
    if (auto header = chain::decode_header(reader.item().raw))
        return std::move(*header);
    reader.reject(rlp::DecodeError::InvalidValue);
    return {};
}

// --- execution --------------------------------------------------------------------------------------

class GivenHashes final : public evm::BlockHashSource {
public:
    explicit GivenHashes(const std::map<std::uint64_t, Hash>& hashes) : m_hashes(hashes) {}
    Hash block_hash(std::uint64_t number) override {
        const auto found = m_hashes.find(number);
        return found == m_hashes.end() ? Hash{} : found->second;
    }

private:
    const std::map<std::uint64_t, Hash>& m_hashes;
};

class RootOverParent final : public chain::IntermediateRoot {
public:
    explicit RootOverParent(const state::MemoryState& parent) : m_parent(parent) {}
    Hash root_after(const state::StateChanges& changes) override {
        state::MemoryState state = m_parent;
        state.apply(changes);
        return state.root();
    }

private:
    const state::MemoryState& m_parent;
};

StfVerdict rejected(chain::BlockError error, const std::optional<chain::TxnError>& txn_error) {
    std::string text = "rejected ";
    text += chain::name(error);
    if (txn_error) {
        text += ' ';
        text += chain::name(*txn_error);
    }
    return {std::move(text), {}, {}};
}

}  // namespace

Bytes encode(const StfCase& stf_case) {
    rlp::ListBuilder hashes;
    for (const auto& [number, hash] : stf_case.block_hashes)
        hashes.list(rlp::ListBuilder{}.uint(number).bytes(hash.bytes));
    return rlp::ListBuilder{}
        .list(config_list(stf_case.config))
        .encoded(chain::encode(stf_case.parent))
        .list(hashes)
        .list(state_list(stf_case.parent_state))
        .bytes(stf_case.block)
        .build();
}

Result<StfCase, rlp::FieldError> decode_stf_case(BytesView item) {
    auto reader = rlp::ListReader::open(item);
    StfCase out;
    out.config = read_config(reader);
    out.parent = read_header(reader);
    rlp::ListReader hashes(reader.list());
    while (!hashes.at_end()) {
        rlp::ListReader entry(hashes.list());
        const std::uint64_t number = entry.uint64();
        out.block_hashes[number] = entry.fixed<32>();
        hashes.adopt(entry);
    }
    reader.adopt(hashes);
    rlp::ListReader accounts(reader.list());
    while (!accounts.at_end())
        read_account(out.parent_state, accounts);
    reader.adopt(accounts);
    const BytesView block = reader.bytes();
    out.block.assign(block.begin(), block.end());
    if (const auto done = reader.finish(); !done)
        return fail(done.error());
    return out;
}

StfVerdict execute(const StfCase& stf_case) {
    auto block = chain::decode_block(stf_case.block);
    if (!block)
        return rejected(block.error().error, block.error().txn_error);
    evm::CodeCache code_cache;
    GivenHashes hashes(stf_case.block_hashes);
    RootOverParent intermediate_root(stf_case.parent_state);
    state::MemoryState state = stf_case.parent_state;
    const chain::ExecutionEnvironment environment{
        .code_cache = code_cache, .block_hashes = hashes, .intermediate_root = &intermediate_root};
    const auto outcome = chain::execute_block(stf_case.config, stf_case.parent, *block, state, environment);
    if (!outcome)
        return rejected(outcome.error().error, outcome.error().txn_error);
    state.apply(outcome->changes);
    const Hash root = state.root();
    if (root != block->header.state_root)
        return rejected(chain::BlockError::InvalidStateRoot, {});
    StfVerdict verdict;
    verdict.text = "accepted " + to_hex0x(root.bytes) + " " +
                   to_hex0x(chain::receipts_root(outcome->receipts).bytes) + " " +
                   std::to_string(outcome->gas_used);
    verdict.post_state = std::move(state);
    verdict.header = std::move(block->header);
    return verdict;
}

}  // namespace meridian::guest
