// Sending and signing transactions and messages.
#include <meridian/rpc/completion.hpp>
#include <meridian/rpc/development.hpp>
#include <meridian/rpc/format.hpp>
#include <meridian/rpc/json_text.hpp>
#include <meridian/rpc/method.hpp>
#include <meridian/rpc/service.hpp>
#include <meridian/rpc/signing.hpp>
#include <meridian/rpc/submission.hpp>
#include <meridian/sequencer/txn_words.hpp>

namespace meridian::rpc {
namespace {

Hash submitted(const Result<Hash, node::SubmitFailure>& result) {
    if (!result)
        refuse(result.error().message);
    return *result;
}

LaterPtr send_raw_transaction(const Call& call) {
    return submit(call, call.args.get(0, read_data),
                  [](const node::Submitted& done) { return hex_data(done.hash); });
}

// On top of the pending block. A contract is made from its code: without any, a recipient was forgotten.
chain::Transaction complete(const Call& call, CallArgs args) {
    if (!args.to && args.data.empty())
        refuse("contract creation without any data provided");
    if (!args.nonce)
        args.nonce = call.service.chain().next_nonce(args.sender());
    return complete_transaction(call.service, std::move(args), kPendingBlock);
}

CallArgs sender_args(const Call& call) {
    CallArgs args = call.args.get(0, read_call_args);
    if (!args.from) {
        const node::DevChain* development = call.service.development();
        if (development == nullptr || development->accounts().empty())
            refuse("unknown account");
        args.from = development->accounts().front().address;
    }
    return args;
}

Hash send(const Call& call) {
    const CallArgs args = sender_args(call);
    node::DevChain& chain = development_chain(call);
    const Hash* key = chain.key_of(args.sender());
    if (key == nullptr && !chain.is_impersonated(args.sender()))
        refuse("unknown account " + sequencer::checksum_address(args.sender()));
    chain::Transaction txn = complete(call, args);
    if (key == nullptr)
        return submitted(chain.submit_as(std::move(txn), args.sender()));
    sign(txn, *key, chain.config().chain_id);
    return submitted(chain.submit(txn));
}

json::value send_transaction(const Call& call) {
    return hex_data(send(call));
}
LaterPtr send_transaction_sync(const Call& call) {
    return await_receipt(call, send(call));
}

json::value send_unsigned_transaction(const Call& call) {
    const CallArgs args = sender_args(call);
    return hex_data(submitted(development_chain(call).submit_as(complete(call, args), args.sender())));
}

const Hash& key_for(const Call& call, const Address& address) {
    const Hash* key = development_chain(call).key_of(address);
    if (key == nullptr)
        refuse("unknown account " + sequencer::checksum_address(address));
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
    static const Method kMethods[] = {
        {"eth_sendRawTransaction",
         "Takes a signed transaction into the pool",
         {{"transaction", "Data"}},
         "Hash",
         nullptr,
         send_raw_transaction},
        {"eth_fillTransaction",
         "Completes nonce, gas and fees",
         {{"transaction", "Transaction"}},
         "{raw, tx}",
         fill_transaction},
    };
    return kMethods;
}

std::span<const Method> signing_methods() {
    static const Param kTransaction{"transaction", "Transaction"};
    static const Param kAddress{"address", "Address"};
    static const Method kMethods[] = {
        {"eth_sendTransaction",
         "Signs and sends for an account of the node or an impersonated one",
         {kTransaction},
         "Hash",
         send_transaction},
        {"eth_sendTransactionSync",
         "The same, and waits for the receipt",
         {kTransaction},
         "Receipt",
         nullptr,
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
