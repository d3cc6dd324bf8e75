#include <meridian/evm/evm.hpp>

#include <meridian/evm/code_cache.hpp>
#include <meridian/evm/machine.hpp>

namespace meridian::evm {

Evm::Evm(Revision revision, state::State& state, const BlockContext& block, const TxnContext& txn,
         CodeCache& cache, Tracer* tracer, const Options& options)
    : m_revision(revision),
      m_state(state),
      m_block(block),
      m_txn(txn),
      m_cache(cache),
      m_tracer(tracer),
      m_options(options) {}

CallResult Evm::execute(const Message& message) {
    m_cache.trim();
    Machine machine(m_revision, m_state, m_block, m_txn, m_cache, m_tracer, m_options);
    const Outcome outcome = machine.execute(message);
    return {outcome.status, outcome.gas_left, to_bytes(outcome.output), outcome.created};
}

Address create_address(const Address& sender, std::uint64_t nonce) {
    // RLP of [sender, nonce], which is short: one length byte, 21 bytes of address, up to 9 of nonce.
    std::uint8_t bytes[31] = {0, 0x80 + 20};
    std::copy_n(sender.data(), 20, bytes + 2);
    std::size_t size = 22;
    if (nonce == 0) {
        bytes[size++] = 0x80;
    } else if (nonce < 0x80) {
        bytes[size++] = static_cast<std::uint8_t>(nonce);
    } else {
        const std::size_t length = byte_length(nonce);
        bytes[size++] = static_cast<std::uint8_t>(0x80 + length);
        for (std::size_t i = length; i-- > 0;)
            bytes[size++] = static_cast<std::uint8_t>(nonce >> (8 * i));
    }
    bytes[0] = static_cast<std::uint8_t>(0xc0 + size - 1);
    return first_bytes<20>(BytesView{crypto::keccak256({bytes, size})}.subspan(12));
}

Address create2_address(const Address& sender, const Hash& salt, const Hash& init_code_hash) {
    std::uint8_t bytes[85] = {0xff};
    std::copy_n(sender.data(), 20, bytes + 1);
    std::copy_n(salt.data(), 32, bytes + 21);
    std::copy_n(init_code_hash.data(), 32, bytes + 53);
    return first_bytes<20>(BytesView{crypto::keccak256({bytes, sizeof(bytes)})}.subspan(12));
}

// The phrases are geth's (core/vm/errors.go), which tools recognise.
std::string_view describe(Status status) noexcept {
    switch (status) {
        case Status::Success:
            return "";
        case Status::Revert:
            return "execution reverted";
        case Status::OutOfGas:
            return "out of gas";
        case Status::UndefinedInstruction:
        case Status::InvalidInstruction:
            return "invalid opcode";
        case Status::StackUnderflow:
            return "stack underflow";
        case Status::StackOverflow:
            return "stack limit reached";
        case Status::BadJumpDestination:
            return "invalid jump destination";
        case Status::InvalidMemoryAccess:
            return "return data out of bounds";
        case Status::StaticModeViolation:
            return "write protection";
        case Status::PrecompileFailure:
            return "precompiled contract failed";
        case Status::CallDepthExceeded:
            return "max call depth exceeded";
        case Status::InsufficientBalance:
            return "insufficient balance for transfer";
        case Status::NonceOverflow:
            return "nonce uint64 overflow";
        case Status::CreateCollision:
            return "contract address collision";
        case Status::InitCodeSizeExceeded:
            return "max initcode size exceeded";
        case Status::CodeSizeExceeded:
            return "max code size exceeded";
        case Status::InvalidCode:
            return "invalid code: must not begin with 0xef";
        case Status::Interrupted:
            return "execution aborted";
    }
    return "";
}

}  // namespace meridian::evm
