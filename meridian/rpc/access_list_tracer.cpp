#include <meridian/rpc/access_list_tracer.hpp>
#include <meridian/rpc/opcode.hpp>

namespace meridian::rpc {

AccessListTracer::AccessListTracer(std::set<Address> excluded, const chain::AccessList& known)
    : m_excluded(std::move(excluded)) {
    for (const auto& entry : known) {
        auto& slots = m_touched[entry.address];
        slots.insert(entry.storage_keys.begin(), entry.storage_keys.end());
    }
}

void AccessListTracer::add_address(const Address& address) {
    if (!m_excluded.contains(address))
        m_touched.try_emplace(address);
}

void AccessListTracer::on_step(const evm::Step& step) {
    const auto top = [&](std::size_t depth) { return step.stack[step.stack.size() - 1 - depth]; };
    switch (step.opcode) {
        case op::kSload:
        case op::kSstore:
            if (!step.stack.empty())
                m_touched[step.contract].insert(to_hash(top(0)));
            break;
        case op::kBalance:
        case op::kExtcodesize:
        case op::kExtcodecopy:
        case op::kExtcodehash:
        case op::kSelfdestruct:
            if (!step.stack.empty())
                add_address(to_address(top(0)));
            break;
        case op::kCall:
        case op::kCallcode:
        case op::kDelegatecall:
        case op::kStaticcall:
            if (step.stack.size() >= 5)
                add_address(to_address(top(1)));
            break;
        default:
            break;
    }
}

chain::AccessList AccessListTracer::list() const {
    chain::AccessList out;
    for (const auto& [address, slots] : m_touched)
        out.push_back({address, {slots.begin(), slots.end()}});
    return out;
}

}  // namespace meridian::rpc
