// Collects the accounts and slots that an execution touches.
#pragma once

#include <meridian/chain/transaction.hpp>
#include <meridian/evm/tracer.hpp>

#include <map>
#include <set>

namespace meridian::rpc {

class AccessListTracer final : public evm::Tracer {
public:
    // Of an excluded address only slots are listed. `known` is in the list from the start.
    AccessListTracer(std::set<Address> excluded, const chain::AccessList& known);

    // By address and slot.
    chain::AccessList list() const;

    void on_enter(const evm::Message&, BytesView) override {}
    void on_exit(const evm::Message&, const evm::CallResult&) override {}
    void on_step(const evm::Step& step) override;
    void on_selfdestruct(const Address&, const Address&, const u256&) override {}
    void on_log(const state::Log&) override {}

private:
    void add_address(const Address& address);

    std::set<Address> m_excluded;
    std::map<Address, std::set<Hash>> m_touched;
};

}  // namespace meridian::rpc
