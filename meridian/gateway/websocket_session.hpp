// One WebSocket connection. Internal to gateway/.
#pragma once

#include <meridian/gateway/hub.hpp>

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

namespace meridian::gateway {

using Upgrade = boost::beast::http::request<boost::beast::http::string_body>;

// Takes the connection over after its upgrade request.
void serve_websocket(Hub& hub, Tcp::socket socket, Upgrade request);

}  // namespace meridian::gateway
