#include <meridian/spec/fixture.hpp>

#include <meridian/base/hex.hpp>

#include <boost/json/array.hpp>

namespace meridian::spec {
namespace {

std::string hex(const u256& value) {
    return to_quantity(value);
}

// Collects lines up to a limit.
struct Difference {
    std::size_t limit;
    std::string out;
    std::size_t lines = 0;

    void add(const Address& address, std::string_view what, const std::string& expected,
             const std::string& actual) {
        if (expected == actual || ++lines > limit)
            return;
        out += "\n    " + to_hex0x(address) + " " + std::string(what) + ": expected " + expected + ", got " +
               actual;
    }
};

void compare_storage(Difference& diff, const Address& address, const std::map<u256, u256>& expected,
                     const std::map<u256, u256>& actual) {
    for (const auto& [key, value] : expected) {
        const auto found = actual.find(key);
        diff.add(address, "storage " + hex(key), hex(value),
                 found == actual.end() ? "0x0" : hex(found->second));
    }
    for (const auto& [key, value] : actual)
        if (!expected.contains(key))
            diff.add(address, "storage " + hex(key), "0x0", hex(value));
}

}  // namespace

state::StateChanges read_alloc(const Json& alloc) {
    state::StateChanges out;
    for (const auto& item : object(alloc)) {
        const Json& entry = item.value();
        const Address key = address(alloc, {item.key().data(), item.key().size()});
        state::AccountChange& change = out.accounts[key];
        state::Account account;
        if (const Json* nonce = find(entry, "nonce"))
            account.nonce = number64(*nonce);
        if (const Json* balance = find(entry, "balance"))
            account.balance = number(*balance);
        if (const Json* code = find(entry, "code")) {
            Bytes content = bytes(*code);
            if (!content.empty()) {
                account.code_hash = crypto::keccak256(content);
                out.code.emplace(account.code_hash, std::move(content));
            }
        }
        change.account = account;
        change.storage_cleared = true;
        if (const Json* storage = find(entry, "storage"))
            for (const auto& slot : object(*storage)) {
                const u256 value = number(slot.value());
                if (value != u256{})
                    change.storage[number(*storage, {slot.key().data(), slot.key().size()})] = value;
            }
    }
    return out;
}

std::vector<Hash> read_hashes(const Json& list) {
    std::vector<Hash> out;
    for (const Json& item : array(list))
        out.push_back(hash(item));
    return out;
}

chain::AccessList read_access_list(const Json& list) {
    chain::AccessList out;
    for (const Json& item : array(list)) {
        chain::AccessListEntry& entry = out.emplace_back();
        entry.address = address(member(item, "address"));
        if (const Json* keys = find(item, "storageKeys"))
            entry.storage_keys = read_hashes(*keys);
    }
    return out;
}

std::vector<chain::Authorization> read_authorizations(const Json& list) {
    std::vector<chain::Authorization> out;
    for (const Json& item : array(list)) {
        chain::Authorization& entry = out.emplace_back();
        entry.chain_id = number(member(item, "chainId"));
        entry.address = address(member(item, "address"));
        entry.nonce = number64(member(item, "nonce"));
        const Json* parity = find(item, "yParity");
        entry.y_parity = number(parity != nullptr ? *parity : member(item, "v"));
        entry.r = number(member(item, "r"));
        entry.s = number(member(item, "s"));
    }
    return out;
}

chain::Withdrawal read_withdrawal(const Json& value) {
    return {number64(member(value, "index")), number64(member(value, "validatorIndex")),
            address(member(value, "address")), number64(member(value, "amount"))};
}

std::string describe_difference(const state::StateChanges& expected, const state::MemoryState& actual,
                                std::size_t limit) {
    Difference diff{limit, {}};
    const state::MemoryState::Entry missing;
    for (const auto& [address, change] : expected.accounts) {
        const auto found = actual.accounts().find(address);
        const bool exists = found != actual.accounts().end();
        if (change.account.has_value() != exists) {
            diff.add(address, "account", change.account ? "present" : "absent",
                     exists ? "present" : "absent");
            continue;
        }
        if (!exists)
            continue;
        const state::Account& have = found->second.account;
        diff.add(address, "nonce", std::to_string(change.account->nonce), std::to_string(have.nonce));
        diff.add(address, "balance", hex(change.account->balance), hex(have.balance));
        diff.add(address, "code hash", to_hex0x(change.account->code_hash), to_hex0x(have.code_hash));
        compare_storage(diff, address, change.storage, found->second.storage);
    }
    for (const auto& [address, entry] : actual.accounts())
        if (!expected.accounts.contains(address))
            diff.add(
                address, "account", "absent",
                "nonce " + std::to_string(entry.account.nonce) + " balance " + hex(entry.account.balance));
    if (diff.lines > limit)
        diff.out += "\n    and " + std::to_string(diff.lines - limit) + " more differences";
    return diff.out;
}

boost::json::object write_alloc(const state::MemoryState& state) {
    boost::json::object out;
    for (const auto& [address, entry] : state.accounts()) {
        boost::json::object account;
        if (entry.account.has_code())
            account["code"] = to_hex0x(state.codes().at(entry.account.code_hash));
        if (!entry.storage.empty()) {
            boost::json::object storage;
            for (const auto& [key, value] : entry.storage)
                storage[to_hex0x(to_hash(key))] = to_hex0x(to_hash(value));
            account["storage"] = std::move(storage);
        }
        account["balance"] = to_quantity(entry.account.balance);
        if (entry.account.nonce != 0)
            account["nonce"] = to_quantity(entry.account.nonce);
        out[to_hex0x(address)] = std::move(account);
    }
    return out;
}

}  // namespace meridian::spec
