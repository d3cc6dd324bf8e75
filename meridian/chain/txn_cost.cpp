#include <meridian/chain/txn_cost.hpp>

namespace meridian::chain {

namespace {

std::optional<u256> product(const u256& a, std::uint64_t b) {
    if (b != 0 && a > u256::max() / b)
        return std::nullopt;
    return a * b;
}

}  // namespace

std::optional<u256> upfront_cost(const Transaction& txn) {
    const auto gas = product(txn.max_fee_per_gas, txn.gas_limit);
    const auto blobs = product(txn.max_fee_per_blob_gas, txn.blob_hashes.size() * kGasPerBlob);
    if (!gas || !blobs)
        return std::nullopt;
    u256 sum = *gas;
    for (const u256& part : {*blobs, txn.value}) {
        if (sum > u256::max() - part)
            return std::nullopt;
        sum += part;
    }
    return sum;
}

}  // namespace meridian::chain
