// Operations on a trie, committed and opened again now and then, against the naive model.
#include <meridian/base/assert.hpp>
#include <meridian/trie/entry_walk.hpp>
#include <meridian/trie/naive_trie_test_model.hpp>
#include <meridian/trie/trie.hpp>

namespace meridian::trie {
namespace {

// The model rebuilds its trie for every root: more entries cost much and show little.
constexpr int kOperationsMax = 40;

class Input {
public:
    Input(const std::uint8_t* data, std::size_t size) : m_rest(data, size) {}
    bool empty() const { return m_rest.empty(); }
    unsigned byte() {
        if (m_rest.empty())
            return 0;
        const unsigned value = m_rest[0];
        m_rest = m_rest.subspan(1);
        return value;
    }
    // Of few distinct bytes, so that keys share prefixes and are prefixes of each other.
    Bytes key() {
        Bytes out(byte() % 6);
        for (auto& b : out)
            b = static_cast<std::uint8_t>(byte() % 4 * 0x11 + byte() % 2);
        return out;
    }
    Bytes value() {
        const std::size_t size = byte() % 64;
        return Bytes(size, static_cast<std::uint8_t>(byte()));
    }

private:
    BytesView m_rest;
};

void update_some(Input& input, Trie& trie, test::NaiveTrie& model) {
    std::map<Bytes, Bytes> changes;
    for (unsigned i = input.byte() % 8; i > 0; --i) {
        const Bytes key = input.key();
        changes[key] = input.value();
    }
    std::vector<KeyValue> entries;
    for (const auto& [key, value] : changes) {
        entries.push_back({key, value});
        model.put(key, value);
    }
    MERIDIAN_ASSERT(trie.update(entries).has_value());
}

void check_key(const Bytes& key, Trie& trie, const test::NaiveTrie& model) {
    const auto value = trie.get(key);
    MERIDIAN_ASSERT(value.has_value());
    const auto entry = model.entries().find(key);
    MERIDIAN_ASSERT(value->has_value() == (entry != model.entries().end()));
    MERIDIAN_ASSERT(!*value || equal(**value, entry->second));
}

// The entries from a key on, one way or the other.
void check_order(const Bytes& bound, WalkOrder order, const Hash& root, MemoryNodeStore& store,
                 const test::NaiveTrie& model) {
    EntryWalk walk(root, store, order);
    const auto& all = model.entries();
    const auto check_next = [&](const auto& entry) {
        const auto found = walk.next();
        MERIDIAN_ASSERT(found && *found);
        MERIDIAN_ASSERT(equal(walk.key(), entry.first) && equal(walk.value(), entry.second));
    };
    MERIDIAN_ASSERT(walk.seek(bound).has_value());
    if (order == WalkOrder::Ascending)
        std::for_each(all.lower_bound(bound), all.end(), check_next);
    else
        std::for_each(std::make_reverse_iterator(all.upper_bound(bound)), all.rend(), check_next);
    MERIDIAN_ASSERT(walk.next() == false);
}

void run(Input input) {
    MemoryNodeStore store;
    Trie trie;
    test::NaiveTrie model;
    for (int operations = 0; !input.empty() && operations < kOperationsMax; ++operations) {
        switch (input.byte() % 6) {
            case 0:
            case 1: {
                const Bytes key = input.key();
                const Bytes value = input.value();
                MERIDIAN_ASSERT(trie.put(key, value).has_value());
                model.put(key, value);
                break;
            }
            case 2: {
                const Bytes key = input.key();
                MERIDIAN_ASSERT(trie.erase(key).has_value());
                model.put(key, {});
                break;
            }
            case 3:
                update_some(input, trie, model);
                break;
            case 4:
                check_key(input.key(), trie, model);
                MERIDIAN_ASSERT(trie.root() == model.root());
                break;
            default:
                trie.commit(store);
                check_order(input.key(), WalkOrder::Ascending, trie.root(), store, model);
                check_order(input.key(), WalkOrder::Descending, trie.root(), store, model);
                trie = Trie(trie.root(), &store);
        }
    }
    MERIDIAN_ASSERT(trie.root() == model.root());
}

}  // namespace
}  // namespace meridian::trie

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    meridian::trie::run({data, size});
    return 0;
}
