#include <meridian/load/channel.hpp>

#include <meridian/load/http_channel.hpp>
#include <meridian/load/websocket_channel.hpp>
#include <meridian/load/wire_channel.hpp>

namespace meridian::load {

std::unique_ptr<Channel> make_channel(boost::asio::io_context& io, const ChannelOptions& options,
                                      ChannelListener& listener) {
    switch (options.endpoint.kind) {
        case Endpoint::Kind::Http:
            return make_http_channel(io, options.endpoint, options.method, listener);
        case Endpoint::Kind::WebSocket:
            return make_websocket_channel(io, options.endpoint, options.method, listener);
        case Endpoint::Kind::Binary:
            return make_wire_channel(io, options, listener);
    }
    return nullptr;
}

}  // namespace meridian::load
