// The arenas of native modules in a store that was filled from elsewhere: their trees, which are computed
// anew and have to give what the modules' accounts commit to.
#pragma once

#include <meridian/store/database.hpp>

namespace meridian::store {

// Checks every arena against storage slot 0 of its account, that no module is without its arena, and writes
// the trees over the pages. Commits are buffered; the caller syncs. Takes the memory of one arena. Corrupt
// names the module. Precondition: no tree pages are there.
StoreResult<void> rebuild_arenas(Database& database);

}  // namespace meridian::store
