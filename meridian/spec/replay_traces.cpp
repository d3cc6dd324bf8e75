// A block whose pre-state is gathered from what the prestate tracer says of each transaction.

#include <meridian/base/hex.hpp>
#include <meridian/spec/fixture.hpp>
#include <meridian/spec/replay_formats.hpp>

#include <set>

namespace meridian::spec {
namespace {

// The tracer gives what a transaction touches as it is before that transaction. Of the block's pre-state
// are those accounts and slots that no earlier transaction has shown or written.
class PreStateGatherer {
public:
    void read(const Json& before) {
        for (const auto& item : object(before)) {
            const Address key = address(before, {item.key().data(), item.key().size()});
            read_account(key, item.value());
            if (const Json* storage = find(item.value(), "storage"))
                for (const auto& slot : object(*storage)) {
                    const u256 slot_key = number(*storage, {slot.key().data(), slot.key().size()});
                    const u256 value = number(slot.value());
                    if (m_known_slots.emplace(key, slot_key).second && value != u256{})
                        m_state->set_storage(key, slot_key, value);
                }
        }
    }
    void mark_written(const Json& after) {
        for (const auto& item : object(after)) {
            const Address key = address(after, {item.key().data(), item.key().size()});
            m_known_accounts.insert(key);
            if (const Json* storage = find(item.value(), "storage"))
                for (const auto& slot : object(*storage))
                    m_known_slots.emplace(key, number(*storage, {slot.key().data(), slot.key().size()}));
        }
    }
    std::unique_ptr<state::MemoryState> take() { return std::move(m_state); }

private:
    void read_account(const Address& key, const Json& json) {
        if (!m_known_accounts.insert(key).second)
            return;
        state::Account account;
        if (const Json* nonce = find(json, "nonce"))
            account.nonce = number64(*nonce);
        if (const Json* balance = find(json, "balance"))
            account.balance = number(*balance);
        if (const Json* code = find(json, "code")) {
            const Bytes content = bytes(*code);
            account.code_hash = crypto::keccak256(content);
            m_state->add_code(content);
        }
        if (account.nonce != 0 || account.balance != u256{} || account.has_code())
            m_state->set_account(key, account);
    }

    std::unique_ptr<state::MemoryState> m_state = std::make_unique<state::MemoryState>();
    std::set<Address> m_known_accounts;
    std::set<std::pair<Address, u256>> m_known_slots;
};

// The traces of a block's transactions, in order.
std::vector<const Json*> read_results(const Json& json, std::size_t count) {
    std::vector<const Json*> out;
    const Json& list = member(json, "result");
    for (const Json& item : array(list))
        out.push_back(&member(item, "result"));
    if (out.size() != count)
        reject(list, "expected a trace for each of " + std::to_string(count) + " transactions");
    return out;
}

}  // namespace

Result<CasePtr, InputError> load_block_traces(const std::string& folder) {
    auto out = std::make_unique<ReplayCase>();
    out->config = chain::ChainConfig::mainnet();
    const auto block = read_document(folder + "/block.json", [&](const Json& json) {
        out->block = read_rpc_block(member(json, "result"));
        out->hash = hash(member(member(json, "result"), "hash"));
        return true;
    });
    if (!block)
        return fail(block.error());
    const std::size_t count = out->block.transactions.size();
    PreStateGatherer gatherer;
    const auto gathered = read_document(folder + "/prestatetrace.json", [&](const Json& before_json) {
        const auto written = read_document(folder + "/difftrace.json", [&](const Json& after_json) {
            const std::vector<const Json*> before = read_results(before_json, count);
            const std::vector<const Json*> after = read_results(after_json, count);
            for (std::size_t i = 0; i < count; ++i) {
                gatherer.read(*before[i]);
                gatherer.mark_written(member(*after[i], "post"));
            }
            return true;
        });
        return written ? std::string() : written.error().text();
    });
    if (!gathered)
        return fail(gathered.error());
    if (!gathered->empty())
        return fail(InputError{InputError::Kind::Field, folder + "/difftrace.json", {}, *gathered});
    out->accounts = gatherer.take();
    out->block_hashes.hashes.emplace(out->block.header.number - 1, out->block.header.parent_hash);
    return out;
}

}  // namespace meridian::spec
