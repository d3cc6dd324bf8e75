#include <meridian/module/hash_map.hpp>

namespace meridian::module {

std::uint64_t hash_bytes(const std::uint8_t* bytes, std::size_t size) noexcept {
    std::uint64_t hash = size;
    for (; size >= 8; bytes += 8, size -= 8) {
        std::uint64_t word;
        std::memcpy(&word, bytes, 8);
        hash = mix_bits(hash ^ word) + 0x9e3779b97f4a7c15u;
    }
    if (size > 0) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes, size);
        hash = mix_bits(hash ^ word);
    }
    return hash;
}

void add_bucket(Arena& arena, Place<HashMapState> state, std::uint64_t (*hash_of)(const Arena&, Offset)) {
    Vector<std::uint32_t> heads(arena, arena.place(state, &HashMapState::buckets));
    const std::uint32_t added = heads.size();
    if (added == 0 || !heads.push_back(0))
        return;
    // The new bucket takes from the one whose number is its own without the highest bit.
    Place<std::uint32_t> link = heads.place(added ^ std::bit_floor(added));
    const Place<std::uint32_t> to = heads.place(added);
    for (std::uint64_t left = slots_max(arena); left > 0 && arena.at(link) != 0; --left) {
        const std::uint32_t granule = arena.at(link);
        const Offset entry = Ptr<void>{granule}.offset();
        const Place<std::uint32_t> next(entry);
        if (bucket_of(hash_of(arena, entry), added + 1) != added) {
            link = next;
            continue;
        }
        arena.edit(link) = arena.at(next);
        arena.edit(next) = arena.at(to);
        arena.edit(to) = granule;
    }
}

}  // namespace meridian::module
