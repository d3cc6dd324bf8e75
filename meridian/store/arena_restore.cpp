#include <meridian/store/arena_restore.hpp>

#include <meridian/base/hex.hpp>
#include <meridian/module/memory.hpp>
#include <meridian/module/module.hpp>
#include <meridian/module/stored_tree.hpp>
#include <meridian/store/block_writes.hpp>
#include <meridian/store/stored_state.hpp>

namespace meridian::store {
namespace {

constexpr Address kModulesFirst = "0x4d01000000000000000000000000000000000000"_address;
constexpr Address kModulesLast = "0x4d010000000000000000000000000000ffffffff"_address;
constexpr std::string_view kModuleCode = "\xfeMeridian module ";

StoreError wrong(const Address& module, std::string_view what) {
    return {StoreErrorKind::Corrupt, "the arena of module " + to_hex0x(module) + ": " + std::string(what) +
                                         "; take the snapshot from another source"};
}

class Pages final : public module::PageSource {
public:
    Pages(state::StateReader& reader, const Address& module) : m_reader(reader), m_module(module) {}
    bool fetch(module::PageNumber page, std::span<std::uint8_t, module::kPageSize> out) noexcept override {
        return m_reader.arena_page(m_module, page, out.data());
    }

private:
    state::StateReader& m_reader;
    Address m_module;
};

StoreResult<void> rebuild(Database& database, const SnapshotPtr& snapshot, const Address& module,
                          std::uint32_t last_page) {
    const auto state = make_stored_state(snapshot, std::nullopt);
    StoredPage first;
    if (auto read = read_page(*snapshot, module, 0, first); !read)
        return read;
    module::ArenaHeader header;
    std::memcpy(&header, first.data(), sizeof header);
    if (header.page_limit > module::kPagesMax || last_page >= header.page_count)
        return fail(wrong(module, "its pages are not as many as its header says"));
    const module::ArenaMemory memory(header.page_limit);
    if (memory.region().base == nullptr)
        return fail(wrong(module, "there is no memory for it"));
    Pages pages(*state, module);
    auto arena = module::Arena::open(memory.region(), &pages);
    if (!arena)
        return fail(wrong(module, describe(arena.error())));
    std::vector<module::PageNumber> all(arena->page_count());
    for (module::PageNumber page = 0; page < all.size(); ++page)
        all[page] = page;
    module::StoredTree tree(*state, module);
    const auto commitment = tree.update(*arena, all);
    if (!commitment || arena->failure() || from_hash(*commitment) != state->storage(module, 0))
        return fail(wrong(module, "its pages are not those that its account commits to"));
    state::StateChanges changes;
    tree.collect(changes.arenas[module]);
    WriteBatch batch;
    auto written = write_state(*snapshot, changes, 0, nullptr, batch);
    return written ? database.commit(batch, Durability::Buffered) : written;
}

// Whether the account is a module's.
StoreResult<bool> is_module(StoredState& state, const Address& address) {
    const auto account = state.account(address);
    if (!account || !account->has_code())
        return false;
    const BytesView code = state.code(account->code_hash);
    if (state.failure())
        return fail(*state.failure());
    return code.size() > kModuleCode.size() && equal(code.first(kModuleCode.size()), as_bytes(kModuleCode));
}

}  // namespace

StoreResult<void> rebuild_arenas(Database& database) {
    const SnapshotPtr snapshot = database.snapshot();
    std::map<Address, std::uint32_t> last_pages;
    const auto pages = snapshot->cursor(Table::ArenaPages);
    for (bool at = pages->seek({}); at; at = pages->next())
        last_pages[first_bytes<Address::kSize>(pages->key())] = page_at(pages->key());
    if (pages->error())
        return fail(*pages->error());
    const auto state = make_stored_state(snapshot, std::nullopt);
    const auto accounts = snapshot->cursor(Table::Accounts);
    for (bool at = accounts->seek(kModulesFirst); at; at = accounts->next()) {
        const Address address = first_bytes<Address::kSize>(accounts->key());
        if (kModulesLast < address)
            break;
        auto module = is_module(*state, address);
        if (!module)
            return fail(std::move(module.error()));
        if (*module && !last_pages.contains(address))
            return fail(wrong(address, "it is missing"));
    }
    if (accounts->error())
        return fail(*accounts->error());
    for (const auto& [module, last_page] : last_pages)
        if (auto done = rebuild(database, snapshot, module, last_page); !done)
            return done;
    return {};
}

}  // namespace meridian::store
