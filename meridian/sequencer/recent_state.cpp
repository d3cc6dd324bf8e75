#include <meridian/sequencer/recent_state.hpp>

#include <algorithm>

namespace meridian::sequencer {
namespace {

// The newest entry at or before `version`; null if there is none. Histories are short: a linear search from
// the end finds it soonest.
template <class T>
const T* newest(const std::vector<T>& history, Version version) {
    for (auto it = history.rbegin(); it != history.rend(); ++it)
        if (it->version <= version)
            return &*it;
    return nullptr;
}

Version newest_cleared(const std::vector<Version>& cleared, Version version) {
    for (auto it = cleared.rbegin(); it != cleared.rend(); ++it)
        if (*it <= version)
            return *it;
    return 0;
}

template <class T>
void drop_old(std::vector<T>& history, Version version) {
    const auto end =
        std::ranges::find_if(history, [version](const T& entry) { return entry.version > version; });
    history.erase(history.begin(), end);
}

}  // namespace

void RecentState::apply(Version version, const state::StateChanges& changes) {
    Written written{.version = version, .accounts = {}, .codes = {}, .pages = {}};
    written.accounts.reserve(changes.accounts.size());
    {
        const std::unique_lock lock(m_code_mutex);
        for (const auto& [hash, code] : changes.code) {
            m_codes[hash] = {version, std::make_shared<const Bytes>(code)};
            written.codes.push_back(hash);
        }
    }
    for (const auto& [address, change] : changes.accounts) {
        Shard& home = shard(address);
        const std::unique_lock lock(home.mutex);
        Entry& entry = home.entries[address];
        entry.accounts.push_back({version, change.account});
        if (change.storage_cleared)
            entry.cleared.push_back(version);
        for (const auto& [key, value] : change.storage)
            entry.slots[key].push_back({version, value});
        written.accounts.push_back(address);
    }
    if (!changes.arenas.empty()) {
        const std::unique_lock lock(m_pages_mutex);
        for (const auto& [module, pages] : changes.arenas)
            for (const auto& [page, patch] : pages) {
                m_pages[{module, page}].push_back({version, std::make_shared<const state::PagePatch>(patch)});
                written.pages.emplace_back(module, page);
            }
    }
    const std::unique_lock lock(m_written_mutex);
    m_written.push_back(std::move(written));
}

void RecentState::forget(const Address& address, Version version) {
    Shard& home = shard(address);
    const std::unique_lock lock(home.mutex);
    const auto found = home.entries.find(address);
    if (found == home.entries.end())
        return;
    Entry& entry = found->second;
    drop_old(entry.accounts, version);
    std::erase_if(entry.cleared, [version](Version v) { return v <= version; });
    for (auto slot = entry.slots.begin(); slot != entry.slots.end();) {
        drop_old(slot->second, version);
        slot = slot->second.empty() ? entry.slots.erase(slot) : std::next(slot);
    }
    // A slot is never written without its account.
    if (entry.accounts.empty())
        home.entries.erase(found);
}

void RecentState::forget_pages(const Written& written) {
    if (written.pages.empty())
        return;
    const std::unique_lock lock(m_pages_mutex);
    for (const PageKey& key : written.pages)
        if (const auto found = m_pages.find(key); found != m_pages.end()) {
            drop_old(found->second, written.version);
            if (found->second.empty())
                m_pages.erase(found);
        }
}

void RecentState::drop_through(Version version) {
    for (;;) {
        Written written;
        {
            const std::unique_lock lock(m_written_mutex);
            if (m_written.empty() || m_written.front().version > version)
                return;
            written = std::move(m_written.front());
            m_written.pop_front();
        }
        for (const Address& address : written.accounts)
            forget(address, version);
        forget_pages(written);
        const std::unique_lock lock(m_code_mutex);
        for (const Hash& hash : written.codes)
            if (const auto found = m_codes.find(hash);
                found != m_codes.end() && found->second.version <= version)
                m_codes.erase(found);
    }
}

bool RecentState::account(const Address& address, Version version, std::optional<state::Account>& out) const {
    const Shard& home = shard(address);
    const std::shared_lock lock(home.mutex);
    const auto found = home.entries.find(address);
    if (found == home.entries.end())
        return false;
    const auto* entry = newest(found->second.accounts, version);
    if (entry == nullptr)
        return false;
    out = entry->value;
    return true;
}

bool RecentState::storage(const Address& address, const u256& key, Version version, u256& out) const {
    const Shard& home = shard(address);
    const std::shared_lock lock(home.mutex);
    const auto found = home.entries.find(address);
    if (found == home.entries.end())
        return false;
    const Version cleared = newest_cleared(found->second.cleared, version);
    const auto slot = found->second.slots.find(key);
    if (slot != found->second.slots.end())
        if (const auto* entry = newest(slot->second, version);
            entry != nullptr && entry->version >= cleared) {
            out = entry->value;
            return true;
        }
    out = u256{};
    return cleared != 0;
}

// An account's storage can be written only by its code, and is asked for only where there is none: slots that
// the base has and that were zeroed since do not occur in the question.
bool RecentState::has_storage(const Address& address, Version version, bool& out) const {
    const Shard& home = shard(address);
    const std::shared_lock lock(home.mutex);
    const auto found = home.entries.find(address);
    if (found == home.entries.end())
        return false;
    const Version cleared = newest_cleared(found->second.cleared, version);
    out = std::ranges::any_of(found->second.slots, [&](const auto& slot) {
        const auto* entry = newest(slot.second, version);
        return entry != nullptr && entry->version >= cleared && entry->value != u256{};
    });
    return out || cleared != 0;
}

// What the base lacks is in the patches, and what it has already, they say again.
void RecentState::patch_page(const Address& module, std::uint32_t page, Version version,
                             std::uint8_t* out) const {
    const std::shared_lock lock(m_pages_mutex);
    const auto found = m_pages.find({module, page});
    if (found == m_pages.end())
        return;
    for (const auto& entry : found->second)
        if (entry.version <= version)
            entry.value->write_to(out);
}

std::shared_ptr<const Bytes> RecentState::code(const Hash& code_hash) const {
    const std::shared_lock lock(m_code_mutex);
    const auto found = m_codes.find(code_hash);
    return found != m_codes.end() ? found->second.bytes : nullptr;
}

std::size_t RecentState::size() const {
    std::size_t count = 0;
    for (const Shard& shard : m_shards) {
        const std::shared_lock lock(shard.mutex);
        count += shard.entries.size();
    }
    return count;
}

std::optional<state::Account> RecentReader::account(const Address& address) {
    std::optional<state::Account> out;
    return m_recent.account(address, m_version, out) ? out : m_base.account(address);
}

u256 RecentReader::storage(const Address& address, const u256& key) {
    u256 out;
    return m_recent.storage(address, key, m_version, out) ? out : m_base.storage(address, key);
}

bool RecentReader::has_storage(const Address& address) {
    bool out = false;
    return m_recent.has_storage(address, m_version, out) ? out : m_base.has_storage(address);
}

bool RecentReader::arena_page(const Address& module, std::uint32_t page, std::uint8_t* out) {
    if (!m_base.arena_page(module, page, out))
        return false;
    m_recent.patch_page(module, page, m_version, out);
    return true;
}

BytesView RecentReader::code(const Hash& code_hash) {
    if (const auto held = m_codes.find(code_hash); held != m_codes.end())
        return *held->second;
    if (auto code = m_recent.code(code_hash))
        return *m_codes.emplace(code_hash, std::move(code)).first->second;
    return m_base.code(code_hash);
}

}  // namespace meridian::sequencer
