// prestateTracer: what an execution needs to be repeated, or what it changed (diffMode).
//
// While the transaction runs only the touched places are noted; their values are read from the states before
// and after it.
#include <meridian/evm/evm.hpp>
#include <meridian/rpc/opcode.hpp>
#include <meridian/rpc/tracing.hpp>

#include <map>
#include <set>

namespace meridian::rpc {
namespace {

// EIP-7702's designation in front of the delegate's address.
constexpr std::uint8_t kDelegation[] = {0xef, 0x01, 0x00};

std::optional<Address> delegate_of(BytesView code) {
    if (code.size() != 23 || !equal(code.first(3), kDelegation))
        return std::nullopt;
    return first_bytes<20>(code.subspan(3));
}

bool is_nothing(const std::optional<state::Account>& account) {
    return !account || account->is_empty();
}

json::value slot_text(const u256& value) {
    return hex_data(to_hash(value));
}

std::string_view key_text(const json::value& value) {
    return text_of(value.get_string());
}

class PrestateTracer final : public TransactionTracer {
public:
    explicit PrestateTracer(const TraceConfig& config) : m_config(config) {}

    void begin(const TraceSubject& subject) override {
        m_before = subject.before;
        touch(subject.sender);
        touch(subject.coinbase);
        if (subject.txn.to)
            touch_with_delegate(*subject.txn.to);
        for (const auto& authorization : subject.txn.authorizations)
            if (const auto authority = chain::recover_authority(authorization)) {
                touch(*authority);
                m_delegates[*authority] = authorization.address;
            }
    }

    void on_enter(const evm::Message& message, BytesView) override {
        if (message.kind != evm::CallKind::Create && message.kind != evm::CallKind::Create2)
            return;
        touch(message.recipient);
    }

    void on_step(const evm::Step& step) override {
        const std::size_t size = step.stack.size();
        const auto top = [&](std::size_t i) { return step.stack[size - 1 - i]; };
        switch (step.opcode) {
            case op::kSload:
            case op::kSstore:
                if (size >= 1)
                    m_touched[step.contract].insert(top(0));
                break;
            case op::kBalance:
            case op::kExtcodesize:
            case op::kExtcodecopy:
            case op::kExtcodehash:
            case op::kSelfdestruct:
                if (size >= 1)
                    touch(to_address(top(0)));
                break;
            case op::kCall:
            case op::kCallcode:
            case op::kDelegatecall:
            case op::kStaticcall:
                if (size >= 5)
                    touch_called(to_address(top(1)));
                break;
            default:
                break;
        }
    }

    json::value result(const TraceSubject& subject) override {
        return m_config.diff_mode ? differences(subject) : prestate(subject);
    }

private:
    void touch(const Address& address) { m_touched.try_emplace(address); }
    void touch_with_delegate(const Address& address) {
        touch(address);
        const auto account = m_before->account(address);
        if (account)
            if (const auto delegate = delegate_of(m_before->code(account->code_hash)))
                touch(*delegate);
    }

    // As touch_with_delegate(), but the transaction may have brought a new delegate.
    void touch_called(const Address& address) {
        const auto found = m_delegates.find(address);
        if (found == m_delegates.end())
            return touch_with_delegate(address);
        touch(address);
        touch(found->second);
    }

    json::object describe(state::StateReader& state, const state::Account& account) const {
        json::object out{{"balance", quantity(account.balance)}};
        if (account.nonce != 0)
            out["nonce"] = account.nonce;
        if (account.has_code()) {
            out["codeHash"] = hex_data(account.code_hash);
            if (!m_config.disable_code)
                out["code"] = hex_data(state.code(account.code_hash));
        }
        return out;
    }

    static json::object storage_of(state::StateReader& state, const Address& address,
                                   const std::set<u256>& slots) {
        json::object out;
        for (const u256& slot : slots)
            out[key_text(slot_text(slot))] = slot_text(state.storage(address, slot));
        return out;
    }

    json::value prestate(const TraceSubject& subject) const {
        json::object out;
        for (const auto& [address, slots] : m_touched) {
            const auto account = subject.before->account(address);
            if (is_nothing(account) && !m_config.include_empty)
                continue;
            json::object entry = describe(*subject.before, account.value_or(state::Account{}));
            if (!slots.empty() && !m_config.prestate_disable_storage) {
                entry["storage"] = storage_of(*subject.before, address, slots);
            }
            out[key_text(hex_data(address))] = std::move(entry);
        }
        return out;
    }

    struct Difference {
        json::object pre;
        json::object post;
        bool modified = false;
    };

    Difference difference(const TraceSubject& subject, const Address& address,
                          const std::set<u256>& slots) const {
        const auto before = subject.before->account(address).value_or(state::Account{});
        const auto found = subject.after->account(address);
        const auto after = found.value_or(state::Account{});
        Difference out;
        out.pre = describe(*subject.before, before);
        if (before.balance != after.balance)
            out.post["balance"] = quantity(after.balance);
        if (before.nonce != after.nonce)
            out.post["nonce"] = after.nonce;
        if (before.code_hash != after.code_hash) {
            out.post["codeHash"] = hex_data(after.code_hash);
            if (!m_config.disable_code)
                out.post["code"] = hex_data(subject.after->code(after.code_hash));
        }
        if (!m_config.prestate_disable_storage)
            add_storage(out, subject, address, slots);
        out.modified = !out.post.empty() || out.modified;
        // What is gone has no state afterwards, and all that was looked at of what it had before.
        if (!found && subject.before->account(address)) {
            out.post.clear();
            out.modified = true;
            if (!slots.empty() && !m_config.prestate_disable_storage)
                out.pre["storage"] = storage_of(*subject.before, address, slots);
        }
        return out;
    }

    static void add_storage(Difference& out, const TraceSubject& subject, const Address& address,
                            const std::set<u256>& slots) {
        json::object pre;
        json::object post;
        for (const u256& slot : slots) {
            const u256 was = subject.before->storage(address, slot);
            const u256 is = subject.after->storage(address, slot);
            if (was == is)
                continue;
            out.modified = true;
            if (was != u256{})
                pre[key_text(slot_text(slot))] = slot_text(was);
            if (is != u256{})
                post[key_text(slot_text(slot))] = slot_text(is);
        }
        if (!pre.empty())
            out.pre["storage"] = std::move(pre);
        if (!post.empty())
            out.post["storage"] = std::move(post);
    }

    json::value differences(const TraceSubject& subject) const {
        json::object pre;
        json::object post;
        for (const auto& [address, slots] : m_touched) {
            Difference one = difference(subject, address, slots);
            if (!one.modified)
                continue;
            const json::value name = hex_data(address);
            if (!is_nothing(subject.before->account(address)))
                pre[key_text(name)] = std::move(one.pre);
            if (subject.after->account(address))
                post[key_text(name)] = std::move(one.post);
        }
        return json::object{{"post", std::move(post)}, {"pre", std::move(pre)}};
    }

    TraceConfig m_config;
    state::StateReader* m_before = nullptr;
    std::map<Address, std::set<u256>> m_touched;
    std::map<Address, Address> m_delegates;  // by the transaction's own authorizations
};

}  // namespace

std::unique_ptr<TransactionTracer> make_prestate_tracer(const TraceConfig& config) {
    return std::make_unique<PrestateTracer>(config);
}

}  // namespace meridian::rpc
