// The JSON-RPC of submissions: written and read often, so without more work than needed.
#pragma once

#include <meridian/load/channel.hpp>

#include <string>

namespace meridian::load {

// Appends {"jsonrpc":"2.0","id":ID,"method":...,"params":["0x..."]}.
void append_submission(std::string& out, SubmitMethod method, std::uint32_t id, BytesView envelope);
// The size of what append_submission() appends.
std::size_t submission_size(SubmitMethod method, std::uint32_t id, BytesView envelope);

// Tells the listener the answer in `text`, whose id is the transaction's number. False if it is no answer.
bool read_submit_answer(std::string_view text, ChannelListener& listener);

}  // namespace meridian::load
