// Logs, polled filters and pushed subscriptions.
#include <meridian/rpc/method.hpp>
#include <meridian/rpc/read_pool.hpp>
#include <meridian/rpc/service.hpp>

namespace meridian::rpc {
namespace {

LogFilter filter_argument(const Call& call, std::size_t index) {
    return call.args.get(index,
                         [&](const json::value& v) { return read_log_filter(v, call.service.chain()); });
}

json::value get_logs(const Call& call) {
    return search_logs(call.service.chain(), filter_argument(call, 0), call.service.limits().log_results_max,
                       call.service.call_deadline());
}

json::value new_filter(const Call& call) {
    LogFilter logs = filter_argument(call, 0);
    if (logs.from_block && logs.to_block && *logs.from_block > *logs.to_block)
        invalid_params("invalid block range params");
    return call.service.add_filter(Service::FilterKind::Logs, std::move(logs), call.client);
}
json::value new_block_filter(const Call& call) {
    return call.service.add_filter(Service::FilterKind::Blocks, {}, call.client);
}
json::value new_pending_filter(const Call& call) {
    return call.service.add_filter(Service::FilterKind::PendingTransactions, {}, call.client);
}
json::value uninstall_filter(const Call& call) {
    return call.service.remove_filter(call.args.get(0, read_lenient_quantity));
}
json::value get_filter_changes(const Call& call) {
    return call.service.filter_changes(call.args.get(0, read_lenient_quantity));
}
LaterPtr get_filter_logs(const Call& call) {
    const LogFilter& filter = call.service.log_filter(call.args.get(0, read_lenient_quantity));
    return read_later(call.service, call.client, [filter](Service& reader) {
        return json::value(
            search_logs(reader.chain(), filter, reader.limits().log_results_max, reader.call_deadline()));
    });
}

Session& session_of(const Call& call) {
    if (call.session == nullptr)
        refuse("notifications not supported");
    return *call.session;
}

json::value subscribe(const Call& call) {
    const std::string_view kind =
        call.args.get(0, [](const json::value& v) { return read_text(v, "string"); });
    Session& session = session_of(call);
    const json::value options =
        call.args.has(1) ? call.args.get(1, [](const json::value& v) { return v; }) : json::value(nullptr);
    return call.service.subscribe(session, read_stream_request(kind, options, call.service.chain()));
}

json::value unsubscribe(const Call& call) {
    if (!call.service.unsubscribe(session_of(call), call.args.get(0, read_lenient_quantity)))
        refuse("subscription not found");
    return true;
}

}  // namespace

std::span<const Method> filter_methods() {
    static const Param kFilter{"filter", "Filter"};
    static const Param kId{"filterId", "Quantity"};
    static const Method kMethods[] = {
        {"eth_getLogs", "Logs that match a filter", {kFilter}, "Log[]", get_logs},
        {"eth_newFilter", "A filter of logs, to be polled", {kFilter}, "Quantity", new_filter},
        {"eth_newBlockFilter", "A filter of block hashes, to be polled", {}, "Quantity", new_block_filter},
        {"eth_newPendingTransactionFilter",
         "A filter of transactions that enter the pool, to be polled",
         {},
         "Quantity",
         new_pending_filter},
        {"eth_uninstallFilter", "Ends a filter", {kId}, "boolean", uninstall_filter},
        {"eth_getFilterChanges",
         "What is new since the last poll",
         {kId},
         "Log[]|Hash[]",
         get_filter_changes},
        {"eth_getFilterLogs", "All logs that match a filter", {kId}, "Log[]", nullptr, get_filter_logs},
        {"eth_subscribe",
         "Pushes newHeads, logs, newPendingTransactions, frames, miniBlocks, stateChanges, or syncing, of "
         "which "
         "there is never any (WebSocket)",
         {{"kind", "string"}, {"options", "StreamOptions|boolean", false}},
         "Quantity",
         subscribe},
        {"eth_unsubscribe", "Ends a subscription", {{"subscriptionId", "Quantity"}}, "boolean", unsubscribe},
    };
    return kMethods;
}

}  // namespace meridian::rpc
