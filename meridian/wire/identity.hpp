// Who a replica is: a key of its own, with which it signs what the server of a feed has drawn for the
// connection.
#pragma once

#include <meridian/frames/codec.hpp>
#include <meridian/store/chain_store.hpp>

#include <optional>

namespace meridian::wire {

// keccak256(abi.encode(keccak256(TYPE), chainId, genesisHash, nonce)) (docs/wire.md). No frame and no
// transaction has such a hash.
Hash identity_hash(const store::ChainIdentity& chain, const Hash& nonce) noexcept;
// Who signed; empty if the signature is invalid.
std::optional<Address> recover_identity(const Hash& hash, const frames::FrameSignature& signature) noexcept;
// Nobody can foresee it.
Hash draw_nonce();

}  // namespace meridian::wire
