// A table by key whose order nobody sees. It grows by one bucket at a time (linear hashing), so no operation
// pays for a large table; it does not shrink. Values do not move.
//
// Work: constant on average over keys that nobody chooses, such as identifiers that the module hands out. The
// hash has no secret, as every node has to compute the same: users who choose keys can make them collide and
// every look-up among them linear. Their keys belong into an OrderedMap.
#pragma once

#include <meridian/module/pool.hpp>
#include <meridian/module/vector.hpp>

namespace meridian::module {

// Zero is an empty map.
struct HashMapState {
    // Each bucket: the granule of its first entry.
    VectorState buckets;
    PoolState entries;
};
static_assert(Storable<HashMapState>);

// Mixes all bits into all bits.
constexpr std::uint64_t mix_bits(std::uint64_t x) noexcept {
    x = (x ^ (x >> 33)) * 0xff51afd7ed558ccdu;
    x = (x ^ (x >> 33)) * 0xc4ceb9fe1a85ec53u;
    return x ^ (x >> 33);
}
std::uint64_t hash_bytes(const std::uint8_t* bytes, std::size_t size) noexcept;

// Numbers that are handed out one after the other, as identifiers are, go to buckets that lie side by side, a
// page of buckets for every 1024 of them: what is young or old at the same time shares the cache's lines.
constexpr std::uint64_t hash_number(std::uint64_t number) noexcept {
    return number ^ mix_bits(number >> 10);
}

// How many entries an arena has room for.
inline std::uint64_t slots_max(const Arena& arena) noexcept {
    return std::uint64_t{arena.page_count()} * (kPageSize / kGranule);
}

// An entry is: the granule of the next one, then key and value, in whichever order is shorter; gaps are zero.
struct HashEntryLayout {
    std::uint32_t key_offset;
    std::uint32_t value_offset;
    std::uint32_t stride;
};

// Adds a bucket and moves to it what belongs there; `hash_of` is the hash of the key at an offset. If there
// is no page for it, the table stays as it is and gets slower instead.
void add_bucket(Arena& arena, Place<HashMapState> state, std::uint64_t (*hash_of)(const Arena&, Offset));

constexpr std::uint32_t bucket_of(std::uint64_t hash, std::uint32_t bucket_count) noexcept {
    const std::uint32_t mask = std::bit_ceil(bucket_count) - 1;
    const std::uint32_t bucket = static_cast<std::uint32_t>(hash) & mask;
    return bucket < bucket_count ? bucket : bucket & mask >> 1;
}

template <class K, class V>
class HashMap {
public:
    HashMap(Arena& arena, Place<HashMapState> state) noexcept : m_arena(arena), m_state(state) {
        static_assert(Storable<K> && Storable<V> && kLayout.stride <= kPageSize);
    }

    std::uint32_t size() const noexcept { return m_arena.at(m_state).entries.size; }

    // Where the value of a key is, until the key is erased; nowhere if it is not in the map.
    Place<V> find(const K& key) const noexcept {
        if (m_arena.at(m_state).buckets.size == 0)
            return {};
        const Offset entry = target(link_to(key, head_of(key)));
        return Place<V>(entry == 0 ? 0 : entry + kLayout.value_offset);
    }
    const V* get(const K& key) const noexcept {
        const Place<V> place = find(key);
        return place ? &m_arena.at(place) : nullptr;
    }

    // Adds the key or gives it another value. Errors: OutOfPages, what the arena has failed with.
    Result<Place<V>, Error> put(const K& key, const V& value) {
        if (m_arena.at(m_state).buckets.size == 0) {
            if (const Result<void, Error> first = heads().push_back(0); !first)
                return fail(first.error());
        }
        const Place<std::uint32_t> head = head_of(key);
        Offset entry = target(link_to(key, head));
        if (entry == 0) {
            const Result<Offset, Error> added =
                allocate_slot(m_arena, m_arena.place(m_state, &HashMapState::entries), kLayout.stride);
            if (!added)
                return fail(added.error());
            entry = *added;
            m_arena.edit(Place<std::uint32_t>(entry)) = m_arena.at(head);
            m_arena.edit(head) = Ptr<void>::to(entry).granule;
            m_arena.edit(Place<K>(entry + kLayout.key_offset)) = key;
            if (size() > m_arena.at(m_state).buckets.size)
                add_bucket(m_arena, m_state, hash_at);
        }
        m_arena.edit(Place<V>(entry + kLayout.value_offset)) = value;
        if (const auto failure = m_arena.failure())
            return fail(*failure);
        return Place<V>(entry + kLayout.value_offset);
    }

    // Whether there was one.
    bool erase(const K& key) {
        if (m_arena.at(m_state).buckets.size == 0)
            return false;
        const Place<std::uint32_t> link = link_to(key, head_of(key));
        const Offset entry = target(link);
        if (entry == 0)
            return false;
        m_arena.edit(link) = m_arena.at(Place<std::uint32_t>(entry));
        free_slot(m_arena, m_arena.place(m_state, &HashMapState::entries), kLayout.stride, entry);
        return true;
    }

private:
    static constexpr HashEntryLayout kLayout = [] {
        constexpr auto align = [](std::size_t offset, std::size_t to) { return (offset + to - 1) / to * to; };
        const std::size_t key = align(sizeof(std::uint32_t), alignof(K));
        const std::size_t value_behind = align(key + sizeof(K), alignof(V));
        const std::size_t value = align(sizeof(std::uint32_t), alignof(V));
        const std::size_t key_behind = align(value + sizeof(V), alignof(K));
        const bool key_first = value_behind + sizeof(V) <= key_behind + sizeof(K);
        return HashEntryLayout{static_cast<std::uint32_t>(key_first ? key : key_behind),
                               static_cast<std::uint32_t>(key_first ? value_behind : value),
                               slot_stride(key_first ? value_behind + sizeof(V) : key_behind + sizeof(K))};
    }();

    static std::uint64_t hash(const K& key) noexcept {
        if constexpr (sizeof(K) <= sizeof(std::uint64_t)) {
            std::uint64_t number = 0;
            std::memcpy(&number, &key, sizeof(K));
            return hash_number(number);
        } else {
            return hash_bytes(reinterpret_cast<const std::uint8_t*>(&key), sizeof(K));
        }
    }
    static std::uint64_t hash_at(const Arena& arena, Offset entry) {
        return hash(arena.at(Place<K>(entry + kLayout.key_offset)));
    }
    Offset target(Place<std::uint32_t> link) const noexcept { return Ptr<void>{m_arena.at(link)}.offset(); }
    // The link of a bucket's chain that leads to the key's entry; if there is none, one that leads nowhere.
    Place<std::uint32_t> link_to(const K& key, Place<std::uint32_t> link) const noexcept {
        // No chain is longer than there is room for entries, but that of a damaged arena may go in a circle,
        // and then any link will do.
        std::uint64_t left = slots_max(m_arena);
        for (Offset entry = target(link); entry != 0 && !same(entry, key) && left > 0; entry = target(link)) {
            link = Place<std::uint32_t>(entry);
            --left;
        }
        return link;
    }
    bool same(Offset entry, const K& key) const noexcept {
        return std::memcmp(m_arena.bytes(entry + kLayout.key_offset), &key, sizeof(K)) == 0;
    }
    Vector<std::uint32_t> heads() const noexcept {
        return {m_arena, m_arena.place(m_state, &HashMapState::buckets)};
    }
    // Precondition: there are buckets.
    Place<std::uint32_t> head_of(const K& key) const noexcept {
        return heads().place(bucket_of(hash(key), std::max(m_arena.at(m_state).buckets.size, 1u)));
    }

    Arena& m_arena;
    Place<HashMapState> m_state;
};

}  // namespace meridian::module
