#include <meridian/node/import.hpp>
#include <meridian/rlp/decode.hpp>

namespace meridian::node {
namespace {

std::string reason_of(const chain::BlockDecodeFailure& failure) {
    std::string out = failure.txn_error ? std::string(chain::name(*failure.txn_error))
                                        : std::string(chain::name(failure.error));
    if (!failure.field.empty())
        out += " in " + failure.field;
    return failure.reason.empty() ? out : out + ": " + failure.reason;
}

std::string reason_of(const chain::BlockFailure& failure) {
    std::string out(failure.txn_error ? chain::name(*failure.txn_error) : chain::name(failure.error));
    // The message may be no more than the name and the place.
    if (failure.message.ends_with(out))
        return failure.message;
    if (failure.txn_index)
        out += " at transaction " + std::to_string(*failure.txn_index);
    return failure.message.empty() ? out : out + ": " + failure.message;
}

std::string reason_of(rlp::DecodeError error, std::size_t offset) {
    const std::string place = " at byte " + std::to_string(offset);
    if (error == rlp::DecodeError::InputTooShort)
        return "truncated: the file ends within the block" + place;
    return "not RLP" + place + ": " + std::string(rlp::to_string(error));
}

}  // namespace

std::string ImportFailure::message() const {
    return (number ? "block " + std::to_string(*number) : "block at position " + std::to_string(position)) +
           ": " + reason;
}

Result<ImportProgress, ImportFailure> import_blocks(DevChain& chain, BytesView rlp,
                                                    const ImportCallback& progress) {
    const std::size_t size = rlp.size();
    ImportProgress done;
    std::uint64_t position = 0;
    while (!rlp.empty()) {
        ++position;
        const std::size_t offset = size - rlp.size();
        const auto item = rlp::next(rlp);
        if (!item)
            return fail(ImportFailure{{}, position, reason_of(item.error(), offset)});
        auto block = chain::decode_block(item->raw);
        if (!block)
            return fail(ImportFailure{{}, position, reason_of(block.error())});
        const std::uint64_t number = block->header.number;
        const Hash hash = chain::header_hash(block->header);
        if (*chain.block(hash) != nullptr)
            continue;
        if (number == 0)
            return fail(ImportFailure{number, position,
                                      "its hash " + to_hex0x(hash) + " is not that of the genesis file, " +
                                          to_hex0x((*chain.block(std::uint64_t{0}))->hash)});
        const std::size_t transactions = block->transactions.size();
        const auto imported = chain.import(*std::move(block));
        if (!imported)
            return fail(ImportFailure{number, position, reason_of(imported.error())});
        done.blocks += 1;
        done.transactions += transactions;
        done.gas += (*imported)->header().gas_used;
        done.last_number = number;
        if (progress)
            progress(done);
    }
    return done;
}

}  // namespace meridian::node
