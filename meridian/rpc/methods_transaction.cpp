// Sending and signing transactions and messages.
#include <meridian/rpc/completion.hpp>
#include <meridian/rpc/format.hpp>
#include <meridian/rpc/json_text.hpp>
#include <meridian/rpc/method.hpp>
#include <meridian/rpc/raw_transaction.hpp>
#include <meridian/rpc/service.hpp>
#include <meridian/rpc/signing.hpp>

namespace meridian::rpc {
namespace {

Hash submitted(const Result<Hash, node::SubmitFailure>& result) {
    if (!result)
        refuse(result.error().message);
    return *result;
}

chain::Transaction decode_raw(const Call& call) {
    const Bytes raw = call.args.get(0, read_data);
    auto txn = chain::decode_pooled_transaction(raw);
    if (!txn)
        refuse(describe_raw_failure(raw, txn.error()));
    return *std::move(txn);
}

json::value send_raw_transaction(const Call& call) {
    return hex_data(submitted(call.service.chain().submit(decode_raw(call))));
}

json::value receipt_of(node::DevChain& chain, const Hash& hash) {
    const auto place = chain.find_transaction(hash);
    if (!place)
        throw RpcError(ErrorCode::Default, "the transaction waits for a block", hex_data(hash));
    return format_receipt(*place->block, place->index, chain.config());
}

json::value send_raw_transaction_sync(const Call& call) {
    node::DevChain& chain = call.service.chain();
    return receipt_of(chain, submitted(chain.submit(decode_raw(call))));
}

// On top of the pending block.
chain::Transaction complete(const Call& call, CallArgs args) {
    node::DevChain& chain = call.service.chain();
    const auto account = chain.head_state().account(args.sender()).value_or(state::Account{});
    if (!args.nonce)
        args.nonce = chain.pool().next_nonce(args.sender(), account.nonce);
    return complete_transaction(call.service, std::move(args), kPendingBlock);
}

CallArgs sender_args(const Call& call) {
    CallArgs args = call.args.get(0, read_call_args);
    if (!args.from) {
        const auto& accounts = call.service.chain().accounts();
        if (accounts.empty())
            refuse("unknown account");
        args.from = accounts.front().address;
    }
    return args;
}

Hash send(const Call& call) {
    const CallArgs args = sender_args(call);
    node::DevChain& chain = call.service.chain();
    const Hash* key = chain.key_of(args.sender());
    if (key == nullptr && !chain.is_impersonated(args.sender()))
        refuse("unknown account " + node::checksum_address(args.sender()));
    chain::Transaction txn = complete(call, args);
    if (key == nullptr)
        return submitted(chain.submit_as(std::move(txn), args.sender()));
    sign(txn, *key, chain.config().chain_id);
    return submitted(chain.submit(txn));
}

json::value send_transaction(const Call& call) {
    return hex_data(send(call));
}
json::value send_transaction_sync(const Call& call) {
    return receipt_of(call.service.chain(), send(call));
}

json::value send_unsigned_transaction(const Call& call) {
    if (!call.service.options().development)
        throw RpcError(ErrorCode::MethodNotFound, "development methods are off");
    const CallArgs args = sender_args(call);
    return hex_data(submitted(call.service.chain().submit_as(complete(call, args), args.sender())));
}

const Hash& key_for(const Call& call, const Address& address) {
    const Hash* key = call.service.chain().key_of(address);
    if (key == nullptr)
        refuse("unknown account " + node::checksum_address(address));
    return *key;
}

json::value sign_transaction(const Call& call) {
    const CallArgs args = sender_args(call);
    const Hash& key = key_for(call, args.sender());
    chain::Transaction txn = complete(call, args);
    sign(txn, key, call.service.chain().config().chain_id);
    return json::object{{"raw", hex_data(chain::encode(txn))},
                        {"tx", format_pending(txn, args.sender(), chain::transaction_hash(txn))}};
}

json::value sign_message(const Call& call) {
    const Hash& key = key_for(call, call.args.get(0, read_address));
    return hex_data(sign_digest(message_digest(call.args.get(1, read_data)), key));
}

// The same with the parameters the other way round.
json::value personal_sign(const Call& call) {
    const Hash& key = key_for(call, call.args.get(1, read_address));
    return hex_data(sign_digest(message_digest(call.args.get(0, read_data)), key));
}

json::value sign_typed_data(const Call& call) {
    const Hash& key = key_for(call, call.args.get(0, read_address));
    const json::value& raw = call.args.raw(1);
    if (!raw.is_string())
        return hex_data(sign_digest(call.args.get(1, typed_data_digest), key));
    // ethers sends the object as text.
    const Limits& limits = call.service.limits();
    const auto parsed =
        parse_json(text_of(raw.get_string()), {limits.json_depth_max, limits.json_values_max});
    if (!parsed)
        invalid_params("invalid argument 1: " + parsed.error().message());
    return hex_data(sign_digest(typed_data_digest(*parsed), key));
}

json::value fill_transaction(const Call& call) {
    const CallArgs args = sender_args(call);
    const chain::Transaction txn = complete(call, args);
    return json::object{{"raw", hex_data(chain::encode(txn))},
                        {"tx", format_pending(txn, args.sender(), chain::transaction_hash(txn))}};
}

}  // namespace

std::span<const Method> transaction_methods() {
    static const Param kTransaction{"transaction", "Transaction"};
    static const Param kAddress{"address", "Address"};
    static const Param kRaw{"transaction", "Data"};
    static const Method kMethods[] = {
        {"eth_sendRawTransaction",
         "Takes a signed transaction into the pool",
         {kRaw},
         "Hash",
         send_raw_transaction},
        {"eth_sendRawTransactionSync",
         "The same, and waits for the receipt",
         {kRaw, {"timeout", "Quantity", false}},
         "Receipt",
         send_raw_transaction_sync},
        {"eth_sendTransaction",
         "Signs and sends for an account of the node or an impersonated one",
         {kTransaction},
         "Hash",
         send_transaction},
        {"eth_sendTransactionSync",
         "The same, and waits for the receipt",
         {kTransaction},
         "Receipt",
         send_transaction_sync},
        {"eth_sendUnsignedTransaction",
         "Sends for any account (development)",
         {kTransaction},
         "Hash",
         send_unsigned_transaction},
        {"eth_signTransaction",
         "Signs for an account of the node",
         {kTransaction},
         "{raw, tx}",
         sign_transaction},
        {"eth_fillTransaction",
         "Completes nonce, gas and fees",
         {kTransaction},
         "{raw, tx}",
         fill_transaction},
        {"eth_sign", "Signs a message (EIP-191)", {kAddress, {"message", "Data"}}, "Data65", sign_message},
        {"personal_sign",
         "Signs a message (EIP-191)",
         {{"message", "Data"}, kAddress},
         "Data65",
         personal_sign},
        {"eth_signTypedData",
         "Signs typed data (EIP-712)",
         {kAddress, {"typedData", "TypedData"}},
         "Data65",
         sign_typed_data},
        {"eth_signTypedData_v3",
         "Signs typed data (EIP-712)",
         {kAddress, {"typedData", "TypedData"}},
         "Data65",
         sign_typed_data},
        {"eth_signTypedData_v4",
         "Signs typed data (EIP-712)",
         {kAddress, {"typedData", "TypedData"}},
         "Data65",
         sign_typed_data},
    };
    return kMethods;
}

}  // namespace meridian::rpc
