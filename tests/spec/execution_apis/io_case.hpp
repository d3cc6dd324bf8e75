// The `.io` conversations of execution-apis: requests, each with the answer that a node must give.
//
// A line is "// comment", ">> request" or "<< response". A comment beginning "speconly:" says that only the
// shape of the answers counts.
#pragma once

#include <boost/json.hpp>

#include <string>
#include <vector>

namespace meridian::spec {

struct Exchange {
    std::string request;
    boost::json::value response;
};

struct IoCase {
    bool speconly = false;
    std::vector<Exchange> exchanges;
};

// Throws std::runtime_error for a file that is no such conversation.
IoCase parse_io(const std::string& text);

// How `got` differs from `want`, a line each: every member and element must be equal. Of an error only the
// code and the data count, as in the suite's own checker, as clients word their messages differently.
std::vector<std::string> differences(const boost::json::value& got, const boost::json::value& want);

// As differences(), but values only need to be of the same kind (null may stand for anything).
std::vector<std::string> shape_differences(const boost::json::value& got, const boost::json::value& want);

}  // namespace meridian::spec
