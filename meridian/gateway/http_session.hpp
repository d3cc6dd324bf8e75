// One HTTP connection, until it ends or becomes a WebSocket. Internal to gateway/.
#pragma once

#include <meridian/gateway/hub.hpp>

namespace meridian::gateway {

// Takes the connection over; it lives as long as it has something to do.
void serve_http(Hub& hub, Tcp::socket socket);

}  // namespace meridian::gateway
