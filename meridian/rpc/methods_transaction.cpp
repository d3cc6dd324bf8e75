// Sending and signing transactions and messages.
#include <meridian/rpc/call_runner.hpp>
#include <meridian/rpc/fees.hpp>
#include <meridian/rpc/format.hpp>
#include <meridian/rpc/method.hpp>
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
    if (!txn) {
        const auto& failure = txn.error();
        if (failure.error == chain::TxnError::RlpInvalidEncoding)
            refuse("rlp: " + failure.reason + (failure.field.empty() ? "" : " for " + failure.field));
        refuse(failure.reason.empty() ? std::string(chain::name(failure.error)) : failure.reason);
    }
    return *std::move(txn);
}

json::value send_raw_transaction(const Call& call) {
    return hex_data(submitted(call.service.chain().submit(decode_raw(call))));
}

json::value send_raw_transaction_sync(const Call& call) {
    node::DevChain& chain = call.service.chain();
    const Hash hash = submitted(chain.submit(decode_raw(call)));
    const auto place = chain.find_transaction(hash);
    if (!place)
        throw RpcError(ErrorCode::Default, "the transaction waits for a block", hex_data(hash));
    return format_receipt(*place->block, place->index, chain.config());
}

// Fills what the caller left out: fees, nonce and gas.
chain::Transaction complete(const Call& call, CallArgs args) {
    node::DevChain& chain = call.service.chain();
    const evm::Revision revision =
        chain.config().revision(chain.head()->number() + 1, chain.head()->header().timestamp + 1);
    const u256 base_fee = next_base_fee(chain);
    if (revision < evm::Revision::London && !args.gas_price)
        args.gas_price = suggested_gas_price(chain);
    if (!args.gas_price) {
        if (!args.max_priority_fee_per_gas)
            args.max_priority_fee_per_gas = args.max_fee_per_gas && *args.max_fee_per_gas < suggested_tip()
                                                ? *args.max_fee_per_gas
                                                : suggested_tip();
        if (!args.max_fee_per_gas)
            args.max_fee_per_gas = base_fee * 2 + *args.max_priority_fee_per_gas;
    }
    const auto account = chain.head_state().account(args.sender()).value_or(state::Account{});
    if (!args.nonce)
        args.nonce = chain.pool().next_nonce(args.sender(), account.nonce);
    if (args.blob_hashes && !args.max_fee_per_blob_gas)
        args.max_fee_per_blob_gas = next_blob_base_fee(chain) * 2;
    if (!args.gas) {
        CallRunner runner(call.service, args, kPendingBlock);
        args.gas = runner.estimate_gas();
    }
    return make_call(args, chain.config(), revision, 0);
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

json::value send_transaction(const Call& call) {
    const CallArgs args = sender_args(call);
    node::DevChain& chain = call.service.chain();
    const Hash* key = chain.key_of(args.sender());
    if (key == nullptr && !chain.is_impersonated(args.sender()))
        refuse("unknown account " + node::checksum_address(args.sender()));
    chain::Transaction txn = complete(call, args);
    if (key == nullptr)
        return hex_data(submitted(chain.submit_as(std::move(txn), args.sender())));
    sign(txn, *key, chain.config().chain_id);
    return hex_data(submitted(chain.submit(txn)));
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
    json::parse_options options;
    options.max_depth = call.service.limits().json_depth_max;
    boost::system::error_code ec;
    const json::value parsed =
        json::parse({raw.get_string().data(), raw.get_string().size()}, ec, {}, options);
    if (ec)
        invalid_params("invalid argument 1: not JSON: " + ec.message());
    return hex_data(sign_digest(typed_data_digest(parsed), key));
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
        {"eth_signTypedData_v4",
         "Signs typed data (EIP-712)",
         {kAddress, {"typedData", "TypedData"}},
         "Data65",
         sign_typed_data},
    };
    return kMethods;
}

}  // namespace meridian::rpc
