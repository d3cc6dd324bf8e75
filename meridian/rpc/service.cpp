#include <meridian/rpc/format.hpp>
#include <meridian/rpc/method.hpp>
#include <meridian/rpc/service.hpp>

#include <algorithm>

namespace meridian::rpc {
namespace {

constexpr std::size_t kPendingHashesMax = 100'000;

std::string notification(const u256& subscription, json::value result) {
    return json::serialize(json::object{
        {"jsonrpc", "2.0"},
        {"method", "eth_subscription"},
        {"params", json::object{{"subscription", quantity(subscription)}, {"result", std::move(result)}}}});
}

}  // namespace

Service::Service(node::DevChain& chain, ServiceOptions options)
    : m_chain(chain), m_options(std::move(options)), m_methods(std::make_unique<MethodTable>()) {
    m_chain.set_listener(this);
}

Service::~Service() {
    m_chain.set_listener(nullptr);
}

// Identifiers are not to be guessed from one another, as geth's, but the same in every run.
u256 Service::next_id() {
    const u256 count = ++m_ids;
    return from_hash(crypto::keccak256(to_hash(count))) >> 128;
}

// --- filters --------------------------------------------------------------------------------------------

void Service::drop_idle_filters() {
    const std::uint64_t now = m_chain.clock();
    std::erase_if(m_filters, [&](const auto& entry) {
        return now > entry.second.last_used + m_options.limits.filter_idle_s_max;
    });
}

json::value Service::add_filter(FilterKind kind, LogFilter logs) {
    drop_idle_filters();
    if (m_filters.size() >= m_options.limits.filters_max)
        throw RpcError(ErrorCode::LimitExceeded,
                       "too many filters (at most " + std::to_string(m_options.limits.filters_max) + ")");
    const u256 id = next_id();
    m_filters[id] = {kind, std::move(logs), m_chain.head()->number() + 1, {}, m_chain.clock()};
    return quantity(id);
}

bool Service::remove_filter(const u256& id) {
    return m_filters.erase(id) != 0;
}

Service::Filter& Service::find_filter(const u256& id) {
    drop_idle_filters();
    const auto found = m_filters.find(id);
    if (found == m_filters.end())
        refuse("filter not found");
    found->second.last_used = m_chain.clock();
    return found->second;
}

json::value Service::filter_changes(const u256& id) {
    Filter& filter = find_filter(id);
    json::array out;
    const std::uint64_t head = m_chain.head()->number();
    const std::uint64_t from = filter.next_block;
    switch (filter.kind) {
        case FilterKind::PendingTransactions:
            for (const Hash& hash : filter.pending)
                out.push_back(hex_data(hash));
            filter.pending.clear();
            return out;
        case FilterKind::Blocks:
            for (std::uint64_t number = from; number <= head; ++number)
                out.push_back(hex_data(m_chain.block(number)->hash));
            break;
        case FilterKind::Logs:
            for (std::uint64_t number = std::max(from, filter.logs.from_block.value_or(0));
                 number <= std::min(head, filter.logs.to_block.value_or(head)); ++number)
                append_matching_logs(out, *m_chain.block(number), filter.logs);
            break;
        case FilterKind::Syncing:
            break;
    }
    filter.next_block = head + 1;
    return out;
}

json::value Service::filter_logs(const u256& id) {
    Filter& filter = find_filter(id);
    if (filter.kind != FilterKind::Logs)
        refuse("filter not found");
    return search_logs(m_chain, filter.logs, m_options.limits.log_results_max);
}

// --- subscriptions --------------------------------------------------------------------------------------

json::value Service::subscribe(Session& session, FilterKind kind, LogFilter logs, bool full_transactions) {
    const auto count = std::count_if(m_subscriptions.begin(), m_subscriptions.end(),
                                     [&](const auto& entry) { return entry.second.session == &session; });
    if (static_cast<std::size_t>(count) >= m_options.limits.subscriptions_per_session_max)
        throw RpcError(ErrorCode::LimitExceeded, "too many subscriptions on this connection");
    const u256 id = next_id();
    m_subscriptions[id] = {&session, kind, std::move(logs), full_transactions};
    return quantity(id);
}

bool Service::unsubscribe(Session& session, const u256& id) {
    const auto found = m_subscriptions.find(id);
    if (found == m_subscriptions.end() || found->second.session != &session)
        return false;
    m_subscriptions.erase(found);
    return true;
}

void Service::forget(Session& session) {
    std::erase_if(m_subscriptions, [&](const auto& entry) { return entry.second.session == &session; });
}

void Service::on_block(const node::BlockPtr& block) {
    for (const auto& [id, subscription] : m_subscriptions) {
        if (subscription.kind == FilterKind::Blocks) {
            subscription.session->notify(notification(id, format_header(block->header(), block->hash)));
        } else if (subscription.kind == FilterKind::Logs) {
            json::array logs;
            append_matching_logs(logs, *block, subscription.logs);
            for (auto& log : logs)
                subscription.session->notify(notification(id, std::move(log)));
        }
    }
}

void Service::on_pending_transaction(const node::PoolTxn& txn) {
    for (auto& [id, filter] : m_filters)
        if (filter.kind == FilterKind::PendingTransactions && filter.pending.size() < kPendingHashesMax)
            filter.pending.push_back(txn.hash);
    for (const auto& [id, subscription] : m_subscriptions) {
        if (subscription.kind != FilterKind::PendingTransactions)
            continue;
        json::value result = subscription.full_transactions
                                 ? json::value(format_pending(txn.txn, txn.sender, txn.hash))
                                 : hex_data(txn.hash);
        subscription.session->notify(notification(id, std::move(result)));
    }
}

// Blocks that take the places of reported ones are to be reported again.
void Service::on_wound_back(std::uint64_t head) {
    for (auto& [id, filter] : m_filters)
        filter.next_block = std::min(filter.next_block, head + 1);
}

void Service::on_mining_mode() {
    if (m_on_mining_mode)
        m_on_mining_mode();
}

}  // namespace meridian::rpc
