// Why an operation on an arena, or on what was made from one, did not succeed.
#pragma once

#include <meridian/base/result.hpp>

#include <cstdint>
#include <string_view>

namespace meridian::module {

enum class [[nodiscard]] Error : std::uint8_t {
    // Of an operation; the arena can be used as before.
    OutOfPages,  // the arena's page limit is reached
    RunTooLong,  // more than kRunPagesMax pages in one piece, or none
    // Of the arena: it has failed (Arena::failure).
    UndoFull,  // more lines changed than one transaction may change; reverting makes the arena usable again
    MissingPage,  // the page source does not have a page
    OutOfBounds,  // a pointer leads behind the last page: the state is damaged
    // Of input.
    RegionTooSmall,  // the host gave less memory than the arena's page limit
    BadHeader,       // page 0 is not an arena's of this layout
    BadChanges,      // not the encoding of changes, or they do not fit the arena
    BadWitness,      // not the encoding of a witness
    BadProof,        // siblings that are too few or too many, or pages out of order
    WrongRoot,       // the pages do not have the root that was asked for
};

// A sentence without its full stop.
std::string_view describe(Error error) noexcept;

}  // namespace meridian::module
