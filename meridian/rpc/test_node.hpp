// A development chain with its dispatcher, for tests: a fixed clock, ten accounts, automine.
#pragma once

#include <meridian/node/dev_chain.hpp>
#include <meridian/rpc/dispatcher.hpp>

#include <stdexcept>

namespace meridian::rpc {

class TestNode {
public:
    TestNode()
        : chain(genesis(), options()), service(chain, service_options(), &chain), dispatcher(service) {}

    // The result; throws with the error's text if there is none.
    json::value call(std::string_view method, json::array params = {}) {
        const json::value answer = ask(method, std::move(params));
        if (answer.as_object().contains("error"))
            throw std::runtime_error(json::serialize(answer.at("error")));
        return answer.at("result");
    }
    // The error object; throws if there is a result.
    json::value error(std::string_view method, json::array params = {}) {
        return ask(method, std::move(params)).at("error");
    }

    json::string account(std::size_t index) const {
        return json::string(node::checksum_address(chain.accounts()[index].address));
    }

private:
    json::value ask(std::string_view method, json::array params) {
        return json::parse(dispatcher.handle(json::serialize(json::object{{"jsonrpc", "2.0"},
                                                                          {"id", 1},
                                                                          {"method", json::string(method)},
                                                                          {"params", std::move(params)}})));
    }
    static std::vector<node::DevAccount> accounts() {
        return *node::dev_accounts(node::kDefaultMnemonic, 10);
    }
    static node::Genesis genesis() {
        node::DevGenesisOptions out;
        out.timestamp = 1'700'000'000;
        out.balance = u256{1'000'000'000'000'000'000} * 10'000;
        return node::dev_genesis(out, accounts());
    }
    static node::ChainOptions options() {
        node::ChainOptions out;
        out.clock = [] { return std::uint64_t{1'700'000'000}; };
        out.accounts = accounts();
        return out;
    }
    static ServiceOptions service_options() {
        ServiceOptions out;
        out.client_version = "anvil/Meridian/test";
        out.limits.mine_blocks_max = 1'000;
        return out;
    }

public:
    node::DevChain chain;
    Service service;
    Dispatcher dispatcher;
};

}  // namespace meridian::rpc
