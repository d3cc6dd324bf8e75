// Submissions over a WebSocket, one JSON-RPC request a message.
#pragma once

#include <meridian/load/channel.hpp>

namespace meridian::load {

std::unique_ptr<Channel> make_websocket_channel(boost::asio::io_context& io, const Endpoint& endpoint,
                                                SubmitMethod method, ChannelListener& listener);

}  // namespace meridian::load
