// Submissions over HTTP/1.1: one connection kept alive, requests pipelined, answers in order (RFC 9112).
#pragma once

#include <meridian/load/channel.hpp>

namespace meridian::load {

std::unique_ptr<Channel> make_http_channel(boost::asio::io_context& io, const Endpoint& endpoint,
                                           SubmitMethod method, ChannelListener& listener);

}  // namespace meridian::load
