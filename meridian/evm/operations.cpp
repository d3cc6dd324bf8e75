// Operations that are the same in every revision, apart from their constant gas.
#include <meridian/evm/operation_support.hpp>

#include <meridian/evm/operations.hpp>

namespace meridian::evm {

namespace {

using Args = const u256* const*;

Flow exp_operation(Frame& frame, Args args, u256& result, std::int64_t byte_cost) {
    if (!charge(frame, byte_cost * byte_length(*args[1])))
        return kOutOfGas;
    result = exp(*args[0], *args[1]);
    return Flow::Continue;
}

Flow exp_frontier(Frame& frame, Args args, u256& result) {
    return exp_operation(frame, args, result, Traits<Revision::Frontier>::kExpByteCost);
}

Flow exp_spurious_dragon(Frame& frame, Args args, u256& result) {
    return exp_operation(frame, args, result, Traits<Revision::SpuriousDragon>::kExpByteCost);
}

Flow keccak256(Frame& frame, Args args, u256& result) {
    const u256& offset = *args[0];
    const u256& size = *args[1];
    if (!reach(frame, offset, size) || !charge(frame, kKeccakWordCost * word_count(size[0])))
        return kOutOfGas;
    result = from_hash(crypto::keccak256(memory_view(frame, offset, size)));
    return Flow::Continue;
}

// --- data -----------------------------------------------------------------------------------------------

Flow copy_from(Frame& frame, Args args, BytesView source) {
    if (!reach(frame, *args[0], *args[2]) || !charge(frame, kCopyWordCost * word_count((*args[2])[0])))
        return kOutOfGas;
    copy_padded(frame, *args[0], source, *args[1], *args[2]);
    return Flow::Continue;
}

Flow calldatacopy(Frame& frame, Args args, u256&) {
    return copy_from(frame, args, frame.message->input);
}

Flow codecopy(Frame& frame, Args args, u256&) {
    return copy_from(frame, args, frame.code->bytes());
}

Flow returndatasize(Frame& frame, Args, u256& result) {
    result = frame.return_data.size();
    return Flow::Continue;
}

Flow returndatacopy(Frame& frame, Args args, u256&) {
    const u256& offset = *args[1];
    const u256& size = *args[2];
    // EIP-211: reading beyond the end is an error, unlike with every other copy.
    const std::size_t available = frame.return_data.size();
    if (!fits_u64(offset) || !fits_u64(size) || offset[0] > available || size[0] > available - offset[0])
        return halt(Status::InvalidMemoryAccess);
    return copy_from(frame, args, frame.return_data);
}

Flow mcopy(Frame& frame, Args args, u256&) {
    const u256& to = *args[0];
    const u256& from = *args[1];
    const u256& size = *args[2];
    if (!reach(frame, to, size) || !reach(frame, from, size) ||
        !charge(frame, kCopyWordCost * word_count(size[0])))
        return kOutOfGas;
    if (size[0] != 0)
        std::memmove(frame.memory->data() + to[0], frame.memory->data() + from[0], size[0]);
    return Flow::Continue;
}

Flow msize(Frame& frame, Args, u256& result) {
    result = frame.memory->size();
    return Flow::Continue;
}

// --- surroundings ---------------------------------------------------------------------------------------

Flow address(Frame& frame, Args, u256& result) {
    result = from_address(frame.message->recipient);
    return Flow::Continue;
}

Flow origin(Frame& frame, Args, u256& result) {
    result = from_address(frame.machine->txn().origin);
    return Flow::Continue;
}

Flow gasprice(Frame& frame, Args, u256& result) {
    result = frame.machine->txn().gas_price;
    return Flow::Continue;
}

Flow blockhash(Frame& frame, Args args, u256& result) {
    const BlockContext& block = frame.machine->block();
    const u256 number = *args[0];
    result = 0;
    if (!fits_u64(number) || number[0] >= block.number || block.number - number[0] > 256 ||
        block.block_hashes == nullptr)
        return Flow::Continue;
    result = from_hash(block.block_hashes->block_hash(number[0]));
    return Flow::Continue;
}

Flow coinbase(Frame& frame, Args, u256& result) {
    result = from_address(frame.machine->block().coinbase);
    return Flow::Continue;
}

Flow timestamp(Frame& frame, Args, u256& result) {
    result = frame.machine->block().timestamp;
    return Flow::Continue;
}

Flow number(Frame& frame, Args, u256& result) {
    result = frame.machine->block().number;
    return Flow::Continue;
}

Flow prevrandao(Frame& frame, Args, u256& result) {
    result = frame.machine->block().prev_randao;
    return Flow::Continue;
}

Flow gaslimit(Frame& frame, Args, u256& result) {
    result = frame.machine->block().gas_limit;
    return Flow::Continue;
}

Flow chainid(Frame& frame, Args, u256& result) {
    result = frame.machine->block().chain_id;
    return Flow::Continue;
}

Flow selfbalance(Frame& frame, Args, u256& result) {
    result = frame.self->account.balance;
    return Flow::Continue;
}

Flow basefee(Frame& frame, Args, u256& result) {
    result = frame.machine->block().base_fee;
    return Flow::Continue;
}

Flow blobhash(Frame& frame, Args args, u256& result) {
    const auto hashes = frame.machine->txn().blob_hashes;
    const u256& index = *args[0];
    result = fits_u64(index) && index[0] < hashes.size() ? from_hash(hashes[index[0]]) : u256{};
    return Flow::Continue;
}

Flow blobbasefee(Frame& frame, Args, u256& result) {
    result = frame.machine->block().blob_base_fee;
    return Flow::Continue;
}

// --- effects --------------------------------------------------------------------------------------------

Flow tload(Frame& frame, Args args, u256& result) {
    result = frame.machine->state().transient_storage(frame.message->recipient, *args[0]);
    return Flow::Continue;
}

Flow tstore(Frame& frame, Args args, u256&) {
    if (frame.message->is_static)
        return halt(Status::StaticModeViolation);
    frame.machine->state().set_transient_storage(frame.message->recipient, *args[0], *args[1]);
    return Flow::Continue;
}

template <std::size_t Topics>
Flow log(Frame& frame, Args args, u256&) {
    if (frame.message->is_static)
        return halt(Status::StaticModeViolation);
    const u256& offset = *args[0];
    const u256& size = *args[1];
    if (!reach(frame, offset, size) || !charge(frame, kLogByteCost * static_cast<std::int64_t>(size[0])))
        return kOutOfGas;
    state::Log entry{frame.message->recipient, {}, to_bytes(memory_view(frame, offset, size))};
    entry.topics.reserve(Topics);
    for (std::size_t i = 0; i < Topics; ++i)
        entry.topics.push_back(to_hash(*args[2 + i]));
    if (Tracer* const tracer = frame.machine->tracer(); tracer != nullptr)
        tracer->on_log(entry);
    frame.machine->state().add_log(std::move(entry));
    return Flow::Continue;
}

Flow finish_with(Frame& frame, Args args, Status status) {
    if (!reach(frame, *args[0], *args[1]))
        return kOutOfGas;
    frame.output = memory_view(frame, *args[0], *args[1]);
    return halt(status);
}

Flow return_operation(Frame& frame, Args args, u256&) {
    return finish_with(frame, args, Status::Success);
}

Flow revert_operation(Frame& frame, Args args, u256&) {
    return finish_with(frame, args, Status::Revert);
}

void set_common_operations(Revision revision, OperationTable& table) noexcept {
    const auto set = [&table](Op op, Operation operation) {
        table[static_cast<std::size_t>(op)] = operation;
    };
    set(Op::Exp, revision >= Revision::SpuriousDragon ? exp_spurious_dragon : exp_frontier);
    set(Op::Keccak256, keccak256);
    set(Op::Address, address);
    set(Op::Origin, origin);
    set(Op::Calldatacopy, calldatacopy);
    set(Op::Codecopy, codecopy);
    set(Op::Gasprice, gasprice);
    set(Op::Returndatasize, returndatasize);
    set(Op::Returndatacopy, returndatacopy);
    set(Op::Blockhash, blockhash);
    set(Op::Coinbase, coinbase);
    set(Op::Timestamp, timestamp);
    set(Op::Number, number);
    set(Op::Prevrandao, prevrandao);
    set(Op::Gaslimit, gaslimit);
    set(Op::Chainid, chainid);
    set(Op::Selfbalance, selfbalance);
    set(Op::Basefee, basefee);
    set(Op::Blobhash, blobhash);
    set(Op::Blobbasefee, blobbasefee);
    set(Op::Msize, msize);
    set(Op::Tload, tload);
    set(Op::Tstore, tstore);
    set(Op::Mcopy, mcopy);
    set(Op::Log0, log<0>);
    set(static_cast<Op>(0xa1), log<1>);
    set(static_cast<Op>(0xa2), log<2>);
    set(static_cast<Op>(0xa3), log<3>);
    set(Op::Log4, log<4>);
    set(Op::Return, return_operation);
    set(Op::Revert, revert_operation);
}

}  // namespace

const OperationTable& operations(Revision revision) noexcept {
    static const std::array<OperationTable, kRevisionCount> tables = [] {
        std::array<OperationTable, kRevisionCount> out{};
        for (std::size_t r = 0; r < kRevisionCount; ++r) {
            const auto each = static_cast<Revision>(r);
            set_common_operations(each, out[r]);
            detail::set_state_operations(each, out[r]);
            detail::set_call_operations(each, out[r]);
        }
        return out;
    }();
    return tables[static_cast<std::size_t>(revision)];
}

const StateChargeTable& state_charges(Revision revision) noexcept {
    static const std::array<StateChargeTable, kRevisionCount> tables = [] {
        std::array<StateChargeTable, kRevisionCount> out{};
        for (std::size_t r = 0; r < kRevisionCount; ++r) {
            detail::set_state_charges(static_cast<Revision>(r), out[r]);
            detail::set_call_charges(static_cast<Revision>(r), out[r]);
        }
        return out;
    }();
    return tables[static_cast<std::size_t>(revision)];
}

}  // namespace meridian::evm
