// How the store fails: a kind for programs, a sentence with path and remedy for people.
#pragma once

#include <meridian/base/result.hpp>

#include <cstdint>
#include <string>

namespace meridian::store {

enum class [[nodiscard]] StoreErrorKind : std::uint8_t {
    NotFound,       // no such block, snapshot or file
    Pruned,         // it was there, and is older than what is kept
    Io,             // the file system refused
    DiskFull,       // no space left; nothing of the batch was written
    Corrupt,        // bytes that do not check, or that nothing here writes
    Locked,         // another process has the store open
    WrongFormat,    // written by another version of the format
    WrongChain,     // belongs to another genesis or chain id
    Invalid,        // the caller's argument: a block that does not follow the head, a range reversed
    LimitExceeded,  // the answer would exceed a stated bound
    Exhausted,      // the process has no file descriptors or memory left for it; what is stored is sound
};

// Name of a kind, as "disk full".
const char* to_string(StoreErrorKind kind) noexcept;

struct StoreError {
    StoreErrorKind kind = StoreErrorKind::Io;
    // What failed, where, and what to do about it.
    std::string message;
};

template <class T>
using StoreResult = Result<T, StoreError>;

inline std::unexpected<StoreError> store_fail(StoreErrorKind kind, std::string message) {
    return fail(StoreError{kind, std::move(message)});
}

}  // namespace meridian::store
