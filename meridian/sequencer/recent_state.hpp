// What the frames since the last stored block have changed, kept per frame, so that readers of any of these
// frames and the executor that runs ahead of them share one copy.
//
// Thread-safe; one thread writes versions. A reader sees version V: of each value the newest one written at
// or before V, and where there is none, the base state that it holds itself. drop_through(D) may be called
// once no reader is left whose base lacks what version D wrote; bounded by that.
#pragma once

#include <meridian/state/state.hpp>
#include <meridian/state/state_reader.hpp>

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

namespace meridian::sequencer {

// The number of a frame; versions are written in ascending order.
using Version = std::uint64_t;

class RecentState {
public:
    RecentState() = default;
    RecentState(const RecentState&) = delete;
    RecentState& operator=(const RecentState&) = delete;

    void apply(Version version, const state::StateChanges& changes);
    // Forgets what is in the base now.
    void drop_through(Version version);

    // Each gives false if the base has the answer.
    // `out` becomes empty if the account does not exist.
    bool account(const Address& address, Version version, std::optional<state::Account>& out) const;
    bool storage(const Address& address, const u256& key, Version version, u256& out) const;
    bool has_storage(const Address& address, Version version, bool& out) const;
    // Writes those lines of the page that frames changed.
    void patch_page(const Address& module, std::uint32_t page, Version version, std::uint8_t* out) const;
    // Null if no frame made that code.
    std::shared_ptr<const Bytes> code(const Hash& code_hash) const;

    // Accounts that have a value here.
    std::size_t size() const;

private:
    template <class T>
    struct Versioned {
        Version version;
        T value;
    };
    template <class T>
    using History = std::vector<Versioned<T>>;  // ascending

    struct Entry {
        History<std::optional<state::Account>> accounts;
        std::vector<Version> cleared;  // when the storage was lost as a whole, ascending
        std::unordered_map<u256, History<u256>, state::U256Hash> slots;
    };
    struct Shard {
        mutable std::shared_mutex mutex;
        std::unordered_map<Address, Entry> entries;
    };
    struct Code {
        Version version;
        std::shared_ptr<const Bytes> bytes;
    };
    using PageKey = std::pair<Address, std::uint32_t>;
    struct Written {
        Version version;
        std::vector<Address> accounts;
        std::vector<Hash> codes;
        std::vector<PageKey> pages;
    };
    static constexpr std::size_t kShards = 64;

    Shard& shard(const Address& address) { return m_shards[address.bytes[19] % kShards]; }
    const Shard& shard(const Address& address) const { return m_shards[address.bytes[19] % kShards]; }
    void forget(const Address& address, Version version);
    void forget_pages(const Written& written);

    std::array<Shard, kShards> m_shards;
    mutable std::shared_mutex m_code_mutex;
    std::unordered_map<Hash, Code> m_codes;
    mutable std::shared_mutex m_pages_mutex;
    std::map<PageKey, History<std::shared_ptr<const state::PagePatch>>> m_pages;
    std::mutex m_written_mutex;
    std::deque<Written> m_written;
};

// The state at one version: a base with the recent changes in front. Not thread-safe itself; each user makes
// its own.
class RecentReader final : public state::StateReader {
public:
    // Both outlive this; `base` holds everything up to some version that is at most `version`.
    RecentReader(const RecentState& recent, state::StateReader& base, Version version)
        : m_recent(recent), m_base(base), m_version(version) {}

    std::optional<state::Account> account(const Address& address) override;
    u256 storage(const Address& address, const u256& key) override;
    bool has_storage(const Address& address) override;
    BytesView code(const Hash& code_hash) override;
    bool arena_page(const Address& module, std::uint32_t page, std::uint8_t* out) override;
    state::StateError error() const noexcept override { return m_base.error(); }

    // Moves on to a later version.
    void set_version(Version version) noexcept { m_version = version; }

private:
    const RecentState& m_recent;
    state::StateReader& m_base;
    Version m_version;
    // What code() gave out stays valid.
    std::unordered_map<Hash, std::shared_ptr<const Bytes>> m_codes;
};

}  // namespace meridian::sequencer
