// Submissions over a node's binary transaction port (docs/wire.md).
#pragma once

#include <meridian/load/channel.hpp>

namespace meridian::load {

std::unique_ptr<Channel> make_wire_channel(boost::asio::io_context& io, const ChannelOptions& options,
                                           ChannelListener& listener);

}  // namespace meridian::load
