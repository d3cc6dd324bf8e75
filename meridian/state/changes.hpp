// Changes of one account, put together.
#pragma once

#include <meridian/state/account.hpp>

namespace meridian::state {

// What both did, one after the other, as one change of what stood before the first one.
void append(AccountChange& change, const AccountChange& later);

}  // namespace meridian::state
