// The process's accelerator in the guest build.
#include <meridian/crypto/oracle_accelerator.hpp>

namespace meridian::crypto {

const Accelerator& accelerator() noexcept {
    return oracle_accelerator();
}

}  // namespace meridian::crypto
