#include <meridian/store/keys.hpp>

#include <meridian/crypto/keccak.hpp>

#include <bit>

namespace meridian::store {
namespace {

constexpr std::uint8_t kCodeFlag = 0x80;
constexpr std::uint8_t kAccountChanged = 1;
constexpr std::uint8_t kPagesChanged = 2;
constexpr std::size_t kEntryHeadSize = 20 + 1 + 4;

void put_number(std::uint8_t* out, std::uint64_t number) noexcept {
    detail::store_be64(number, out);
}

void put_number32(std::uint8_t* out, std::uint32_t number) noexcept {
    for (int i = 0; i < 4; ++i)
        out[i] = static_cast<std::uint8_t>(number >> (24 - 8 * i));
}

std::uint32_t number32_at(const std::uint8_t* in) noexcept {
    return std::uint32_t{in[0]} << 24 | std::uint32_t{in[1]} << 16 | std::uint32_t{in[2]} << 8 | in[3];
}

// The significant bytes of a big-endian number.
BytesView trimmed(BytesView bytes) noexcept {
    while (!bytes.empty() && bytes[0] == 0)
        bytes = bytes.subspan(1);
    return bytes;
}

template <std::size_t N, class... Parts>
FixedBytes<N> joined(const Parts&... parts) noexcept {
    static_assert((Parts::kSize + ...) == N);
    FixedBytes<N> out;
    auto* at = out.data();
    ((at = std::copy(parts.begin(), parts.end(), at)), ...);
    return out;
}

}  // namespace

NumberKey number_key(std::uint64_t number) noexcept {
    NumberKey out;
    put_number(out.data(), number);
    return out;
}

std::uint64_t number_at(BytesView key) noexcept {
    return detail::load_be64(key.data());
}

StorageKey storage_key(const Address& address, const u256& slot) noexcept {
    return joined<52>(address, to_hash(slot));
}

GroupKey group_key(std::uint64_t number, std::uint32_t group) noexcept {
    GroupKey out;
    put_number(out.data(), number);
    put_number32(out.data() + 8, group);
    return out;
}

TermKey log_term(std::uint8_t position, BytesView value) noexcept {
    std::array<std::uint8_t, 33> input{position};
    const std::size_t size = std::min<std::size_t>(value.size(), 32);
    std::copy_n(value.begin(), size, input.begin() + 1);
    return first_bytes<8>(crypto::keccak256(BytesView(input).first(1 + size)));
}

PostingKey posting_key(const TermKey& term, std::uint64_t number) noexcept {
    return joined<16>(term, number_key(number));
}

AccountHistoryKey account_history_key(const Address& address, std::uint64_t number) noexcept {
    return joined<28>(address, number_key(number));
}

StorageHistoryKey storage_history_key(const Address& address, const u256& slot,
                                      std::uint64_t number) noexcept {
    return joined<60>(address, to_hash(slot), number_key(number));
}

ArenaPageKey arena_page_key(const Address& module, std::uint32_t page) noexcept {
    FixedBytes<4> number;
    put_number32(number.data(), page);
    return joined<24>(module, number);
}

ArenaHistoryKey arena_history_key(const Address& module, std::uint32_t page, std::uint64_t number) noexcept {
    return joined<32>(arena_page_key(module, page), number_key(number));
}

std::uint32_t page_at(BytesView key) noexcept {
    return number32_at(key.data() + 20);
}

Bytes encode_page_patch(const state::PagePatch& patch) {
    Bytes out = to_bytes(number_key(patch.lines));
    for (const auto& content : patch.contents)
        append(out, content);
    return out;
}

std::optional<state::PagePatch> decode_page_patch(BytesView value) {
    if (value.size() < 8)
        return std::nullopt;
    state::PagePatch out{.lines = number_at(value), .contents = {}};
    value = value.subspan(8);
    const auto count = static_cast<std::size_t>(std::popcount(out.lines));
    if (count == 0 || value.size() != count * state::kArenaLineSize)
        return std::nullopt;
    for (std::size_t i = 0; i < count; ++i)
        out.contents.push_back(first_bytes<state::kArenaLineSize>(value.subspan(i * state::kArenaLineSize)));
    return out;
}

Bytes trie_node_key(BytesView owner, std::span<const std::uint8_t> nibbles) {
    Bytes out;
    out.reserve(owner.size() + nibbles.size());
    append(out, owner);
    append(out, nibbles);
    return out;
}

Bytes encode_account_value(const state::Account& account) {
    const NumberKey nonce_bytes = number_key(account.nonce);
    const Hash balance_bytes = to_hash(account.balance);
    const BytesView nonce = trimmed(nonce_bytes);
    const BytesView balance = trimmed(balance_bytes);
    Bytes out;
    out.reserve(kAccountValueSizeMax);
    out.push_back(static_cast<std::uint8_t>(nonce.size() | (account.has_code() ? kCodeFlag : 0)));
    out.push_back(static_cast<std::uint8_t>(balance.size()));
    append(out, nonce);
    append(out, balance);
    if (account.has_code())
        append(out, account.code_hash);
    return out;
}

std::optional<state::Account> decode_account_value(BytesView value) noexcept {
    if (value.size() < 2)
        return std::nullopt;
    const bool has_code = (value[0] & kCodeFlag) != 0;
    const std::size_t nonce_size = value[0] & ~unsigned{kCodeFlag};
    const std::size_t balance_size = value[1];
    if (nonce_size > 8 || balance_size > 32 ||
        value.size() != 2 + nonce_size + balance_size + (has_code ? 32u : 0u))
        return std::nullopt;
    const BytesView nonce = value.subspan(2, nonce_size);
    const BytesView balance = value.subspan(2 + nonce_size, balance_size);
    if (trimmed(nonce).size() != nonce_size || trimmed(balance).size() != balance_size)
        return std::nullopt;
    state::Account out;
    out.nonce = static_cast<std::uint64_t>(load_be(nonce));
    out.balance = load_be(balance);
    if (has_code) {
        out.code_hash = first_bytes<32>(value.last(32));
        if (!out.has_code())
            return std::nullopt;
    }
    return out;
}

Bytes encode_slot_value(const u256& value) {
    const Hash bytes = to_hash(value);
    return to_bytes(trimmed(bytes));
}

std::optional<u256> decode_slot_value(BytesView value) noexcept {
    if (value.size() > 32 || trimmed(value).size() != value.size())
        return std::nullopt;
    return load_be(value);
}

std::uint64_t ChangeSet::change_count() const noexcept {
    std::uint64_t count = 0;
    for (const Entry& entry : entries)
        count += entry.slots.size() + entry.pages.size() + (entry.account ? 1 : 0);
    return count;
}

Bytes encode_change_set(const ChangeSet& changes) {
    Bytes out;
    std::size_t size = 0;
    for (const auto& entry : changes.entries)
        size +=
            kEntryHeadSize + 32 * entry.slots.size() + (entry.pages.empty() ? 0 : 4 + 4 * entry.pages.size());
    out.resize(size);
    std::uint8_t* at = out.data();
    for (const auto& entry : changes.entries) {
        at = std::copy(entry.address.begin(), entry.address.end(), at);
        *at++ = static_cast<std::uint8_t>((entry.account ? kAccountChanged : 0) |
                                          (entry.pages.empty() ? 0 : kPagesChanged));
        put_number32(at, static_cast<std::uint32_t>(entry.slots.size()));
        at += 4;
        for (const u256& slot : entry.slots) {
            store_be(slot, at);
            at += 32;
        }
        if (entry.pages.empty())
            continue;
        put_number32(at, static_cast<std::uint32_t>(entry.pages.size()));
        at += 4;
        for (const std::uint32_t page : entry.pages) {
            put_number32(at, page);
            at += 4;
        }
    }
    return out;
}

namespace {
bool take_pages(BytesView& value, std::vector<std::uint32_t>& out) {
    if (value.size() < 4)
        return false;
    const std::size_t count = number32_at(value.data());
    value = value.subspan(4);
    if (count == 0 || value.size() / 4 < count)
        return false;
    for (std::size_t i = 0; i < count; ++i) {
        const std::uint32_t page = number32_at(value.data() + 4 * i);
        if (!out.empty() && page <= out.back())
            return false;
        out.push_back(page);
    }
    value = value.subspan(4 * count);
    return true;
}
}  // namespace

std::optional<ChangeSet> decode_change_set(BytesView value) {
    ChangeSet out;
    while (!value.empty()) {
        if (value.size() < kEntryHeadSize || value[20] > (kAccountChanged | kPagesChanged))
            return std::nullopt;
        ChangeSet::Entry entry;
        entry.address = first_bytes<20>(value);
        entry.account = (value[20] & kAccountChanged) != 0;
        const bool has_pages = (value[20] & kPagesChanged) != 0;
        const std::size_t slots = number32_at(value.data() + 21);
        value = value.subspan(kEntryHeadSize);
        if (value.size() / 32 < slots || (slots == 0 && !entry.account && !has_pages))
            return std::nullopt;
        if (!out.entries.empty() && !(out.entries.back().address < entry.address))
            return std::nullopt;
        entry.slots.reserve(slots);
        for (std::size_t i = 0; i < slots; ++i)
            entry.slots.push_back(load_be32(value.data() + 32 * i));
        value = value.subspan(32 * slots);
        if (has_pages && !take_pages(value, entry.pages))
            return std::nullopt;
        out.entries.push_back(std::move(entry));
    }
    return out;
}

Bytes encode_posting(std::span<const std::uint32_t> indexes) {
    Bytes out;
    std::uint32_t last = 0;
    for (const std::uint32_t index : indexes) {
        std::uint32_t step = index - last;
        last = index;
        for (; step >= 0x80; step >>= 7)
            out.push_back(static_cast<std::uint8_t>(step | 0x80));
        out.push_back(static_cast<std::uint8_t>(step));
    }
    return out;
}

std::optional<std::vector<std::uint32_t>> decode_posting(BytesView value) {
    std::vector<std::uint32_t> out;
    std::uint64_t last = 0;
    while (!value.empty()) {
        std::uint64_t step = 0;
        unsigned shift = 0;
        for (;; shift += 7) {
            if (value.empty() || shift > 28)
                return std::nullopt;
            const std::uint8_t byte = value[0];
            value = value.subspan(1);
            step |= std::uint64_t{byte & 0x7fu} << shift;
            if ((byte & 0x80) == 0) {
                // A last byte of zero is longer than needed.
                if (byte == 0 && shift > 0)
                    return std::nullopt;
                break;
            }
        }
        last += step;
        if (last > 0xffffffff || (step == 0 && !out.empty()))
            return std::nullopt;
        out.push_back(static_cast<std::uint32_t>(last));
    }
    return out;
}

}  // namespace meridian::store
