// The guest's accelerator: questions to the host, in the encoding of crypto/oracle.hpp.
#pragma once

#include <meridian/crypto/oracle.hpp>

namespace meridian::crypto {

// Hands a request to the host and returns the whole answer, valid until the next call. A transport that
// cannot answer must not return.
using OracleTransport = BytesView (*)(BytesView request) noexcept;

// To be called once, before the first use of accelerator() in the guest.
void set_oracle_transport(OracleTransport transport) noexcept;

// An accelerator over the transport, also available natively, for tests.
const Accelerator& oracle_accelerator() noexcept;

}  // namespace meridian::crypto
