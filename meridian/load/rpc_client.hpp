// JSON-RPC over HTTP for what happens before and after the load: one connection, one request (or batch) at a
// time, waiting for the answer.
#pragma once

#include <meridian/base/bytes.hpp>
#include <meridian/base/u256.hpp>
#include <meridian/load/endpoint.hpp>
#include <meridian/load/failure.hpp>

#include <boost/json.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace meridian::load {

namespace json = boost::json;

struct RpcRequest {
    std::string method;
    json::array params;
};

// Either a result or an error.
struct RpcAnswer {
    json::value result;
    bool failed = false;
    std::int64_t error_code = 0;
    std::string error_message;
};

class RpcClient {
public:
    // Connects when first used, and again if the node has closed the connection.
    explicit RpcClient(const Endpoint& endpoint);
    ~RpcClient();
    RpcClient(const RpcClient&) = delete;
    RpcClient& operator=(const RpcClient&) = delete;

    const Endpoint& endpoint() const noexcept;
    // From now on, tries again for so many seconds when the node does not answer: only for what may be asked
    // twice.
    void be_patient(double seconds);

    // Throws RpcFailure if the node answers with an error, LoadFailure if it does not answer.
    json::value call(const std::string& method, json::array params = {});
    // All in as few JSON-RPC batches as fit the bounds that nodes have; answers in the order of the requests.
    // Throws LoadFailure if the node does not answer.
    std::vector<RpcAnswer> batch(const std::vector<RpcRequest>& requests);
    // As batch(), but an error among the answers is thrown as RpcFailure.
    std::vector<json::value> call_all(const std::vector<RpcRequest>& requests);

private:
    class Impl;
    std::unique_ptr<Impl> m_impl;
};

// From the texts of an answer; throw LoadFailure if they are not what they should be.
u256 quantity_of(const json::value& value);
std::uint64_t number_of(const json::value& value);
Hash hash_of(const json::value& value);

}  // namespace meridian::load
