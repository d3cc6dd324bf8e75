#include <meridian/rpc/block_reference.hpp>
#include <meridian/rpc/service.hpp>

namespace meridian::rpc {
namespace {

std::optional<BlockTag> tag_of(std::string_view text) {
    if (text == "latest")
        return BlockTag::Latest;
    if (text == "pending")
        return BlockTag::Pending;
    if (text == "earliest")
        return BlockTag::Earliest;
    if (text == "safe")
        return BlockTag::Safe;
    if (text == "finalized")
        return BlockTag::Finalized;
    return std::nullopt;
}

// geth reads block numbers outside its usual decoder, hence the bare complaint.
std::uint64_t read_number_text(std::string_view text) {
    if (text.empty())
        throw ValueError("empty hex string");
    if (!text.starts_with("0x") && !text.starts_with("0X"))
        throw ValueError("hex string without 0x prefix");
    if (text.size() == 2)
        throw ValueError("hex string \"0x\"");
    if (text.size() > 3 && text[2] == '0')
        throw ValueError("hex number with leading zero digits");
    const auto number = parse_u256(text);
    if (!number && number.error() == NumberError::InvalidDigit)
        throw ValueError("invalid hex string");
    if (!number || !fits_u64(*number))
        throw ValueError("hex number > 64 bits");
    if ((*number)[0] > INT64_MAX)
        throw ValueError("block number larger than int64");
    return (*number)[0];
}

}  // namespace

BlockNumber read_block_number(const json::value& value) {
    // Some development tools send plain numbers.
    if (const auto* number = value.if_int64(); number != nullptr && *number >= 0)
        return {BlockTag::Number, static_cast<std::uint64_t>(*number)};
    const std::string_view text = read_text(value, "rpc.BlockNumber");
    if (const auto tag = tag_of(text))
        return {*tag, 0};
    return {BlockTag::Number, read_number_text(text)};
}

BlockReference read_block_reference(const json::value& value) {
    if (const auto* object = value.if_object()) {
        const auto* hash = member(*object, "blockHash");
        const auto* number = member(*object, "blockNumber");
        if (hash != nullptr && number != nullptr)
            throw ValueError("cannot specify both BlockHash and BlockNumber, choose one or the other");
        if (hash != nullptr)
            return {{}, read_within("blockHash", read_hash, *hash)};
        if (number != nullptr)
            return {read_within("blockNumber", read_block_number, *number), {}};
        throw ValueError("invalid arguments; neither block nor hash specified");
    }
    if (const auto* text = value.if_string(); text != nullptr && text->size() == 66)
        return {{}, read_hash(value)};
    return {read_block_number(value), {}};
}

std::uint64_t resolve_number(node::Chain& chain, const BlockNumber& number, Latest latest) {
    switch (number.tag) {
        case BlockTag::Number:
            return number.number;
        case BlockTag::Earliest:
            return 0;
        case BlockTag::Pending:
            return chain.head()->number();
        case BlockTag::Latest:
            return latest == Latest::Head ? chain.head()->number() : chain.sealed_head()->number();
        case BlockTag::Safe:
        case BlockTag::Finalized:
            break;
    }
    return chain.sealed_head()->number();
}

node::BlockPtr find_block(node::Chain& chain, const BlockReference& reference, Latest latest) {
    if (reference.hash)
        return available(chain.block(*reference.hash));
    const std::uint64_t number = resolve_number(chain, reference.number, latest);
    if (const node::BlockPtr head = chain.head(); number == head->number())
        return latest == Latest::Head || head->sealed() ? head : nullptr;
    return available(chain.block(number));
}

node::BlockPtr block_argument(const Call& call, std::size_t index, Latest latest) {
    const BlockReference reference = call.args.get_or(index, read_block_reference, BlockReference{});
    auto block = find_block(call.service.chain(), reference, latest);
    if (!block)
        refuse(reference.hash ? "header for hash not found" : "header not found");
    return block;
}

}  // namespace meridian::rpc
