#include <meridian/rpc/completion.hpp>

#include <meridian/rpc/call_runner.hpp>
#include <meridian/rpc/fees.hpp>

namespace meridian::rpc {

chain::Transaction complete_transaction(Service& service, CallArgs args, const BlockReference& after) {
    node::Chain& chain = service.chain();
    const node::BlockPtr head = chain.head();
    const evm::Revision revision = chain.config().revision(head->number() + 1, head->header().timestamp + 1);
    if (revision < evm::Revision::London && !args.gas_price)
        args.gas_price = suggested_gas_price(chain);
    if (!args.gas_price) {
        if (!args.max_priority_fee_per_gas)
            args.max_priority_fee_per_gas = args.max_fee_per_gas && *args.max_fee_per_gas < suggested_tip()
                                                ? *args.max_fee_per_gas
                                                : suggested_tip();
        if (!args.max_fee_per_gas)
            args.max_fee_per_gas = next_base_fee(chain) * 2 + *args.max_priority_fee_per_gas;
    }
    if (args.blob_hashes && !args.max_fee_per_blob_gas)
        args.max_fee_per_blob_gas = next_blob_base_fee(chain) * 2;
    if (!args.gas) {
        CallRunner runner(service, args, after);
        args.gas = runner.estimate_gas();
    }
    return make_call(args, chain.config(), revision, 0);
}

}  // namespace meridian::rpc
