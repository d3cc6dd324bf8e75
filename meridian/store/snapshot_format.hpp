// Writing the entries of a snapshot's chunk; snapshot.hpp reads them.
#pragma once

#include <meridian/base/bytes.hpp>
#include <meridian/store/table.hpp>

namespace meridian::store {

// Appends one entry. Precondition: key.size() < 2^16, value.size() < 2^32.
void append_entry(Bytes& out, Table table, BytesView key, BytesView value);

}  // namespace meridian::store
