// JSON from strangers: parsed within bounds on its depth and on how many values it makes.
//
// The second bound is what keeps memory near the text's size: an array of short items takes up to forty
// times its text, so that the body of a request, itself bounded, could else become hundreds of megabytes.
#pragma once

#include <meridian/rpc/error.hpp>

#include <expected>
#include <string_view>

namespace meridian::rpc {

struct JsonBounds {
    std::size_t depth_max;
    std::size_t values_max;  // arrays, objects, their items and members
};

// The error is what to answer. A request's identifier, of one request or in a batch, that is an integer
// beyond 64 bits becomes an array, which is no identifier: a number could not be given back as it came.
std::expected<boost::json::value, RpcError> parse_json(std::string_view text, const JsonBounds& bounds);

}  // namespace meridian::rpc
