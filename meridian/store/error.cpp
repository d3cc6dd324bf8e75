#include <meridian/store/error.hpp>

namespace meridian::store {

const char* to_string(StoreErrorKind kind) noexcept {
    switch (kind) {
        case StoreErrorKind::NotFound:
            return "not found";
        case StoreErrorKind::Pruned:
            return "pruned";
        case StoreErrorKind::Io:
            return "input or output failed";
        case StoreErrorKind::DiskFull:
            return "disk full";
        case StoreErrorKind::Corrupt:
            return "corrupt";
        case StoreErrorKind::Locked:
            return "locked";
        case StoreErrorKind::WrongFormat:
            return "wrong format";
        case StoreErrorKind::WrongChain:
            return "wrong chain";
        case StoreErrorKind::Invalid:
            return "invalid";
        case StoreErrorKind::LimitExceeded:
            return "limit exceeded";
        case StoreErrorKind::Exhausted:
            return "out of file descriptors or memory";
    }
    return "unknown store error";
}

}  // namespace meridian::store
