// One WebSocket connection. Internal to gateway/.
#pragma once

#include <meridian/gateway/http_rules.hpp>
#include <meridian/gateway/hub.hpp>

namespace meridian::gateway {

// Takes the connection over after its upgrade request.
void serve_websocket(Hub& hub, Tcp::socket socket, Upgrade request);

}  // namespace meridian::gateway
