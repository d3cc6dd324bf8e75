#include <meridian/rpc/block_reference.hpp>
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

Service::Service(node::Chain& chain, ServiceOptions options, node::DevChain* development)
    : m_chain(chain),
      m_development(development),
      m_options(std::move(options)),
      m_methods(std::make_unique<MethodTable>(development != nullptr)),
      m_waiting(m_options.limits.waiting_max) {
    m_chain.set_listener(this);
    // However often it is called, one refresh() waits for its turn.
    auto posted = std::make_shared<std::atomic<bool>>(false);
    m_chain.set_wakeup([this, posted, mailbox = m_mailbox] {
        if (posted->exchange(true))
            return;
        const bool sent = mailbox->post([this, posted] {
            *posted = false;
            refresh();
        });
        if (!sent)
            *posted = false;
    });
}

Service::~Service() {
    m_chain.set_wakeup({});
    m_chain.set_listener(nullptr);
}

std::uint64_t Service::clock() const {
    if (m_options.clock)
        return m_options.clock();
    const auto since = std::chrono::steady_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(since).count());
}

// Identifiers are not to be guessed from one another, as geth's, but the same in every run.
u256 Service::next_id() {
    const u256 count = ++m_ids;
    return from_hash(crypto::keccak256(to_hash(count))) >> 128;
}

// --- filters --------------------------------------------------------------------------------------------

void Service::drop_idle_filters() {
    const std::uint64_t now = clock();
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
    Filter& filter =
        m_filters[id] = {kind, std::move(logs), m_chain.sealed_head()->number() + 1, 0, {}, clock()};
    if (kind == FilterKind::Logs)
        new_logs(filter);  // what there is already is not new
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
    found->second.last_used = clock();
    return found->second;
}

// As of the last frame: an open block's logs are told as they come, and not again when it is sealed.
json::array Service::new_logs(Filter& filter) {
    json::array out;
    const node::BlockPtr head = m_chain.head();
    const std::uint64_t last = std::min(head->number(), filter.logs.to_block.value_or(head->number()));
    const std::uint64_t from = std::max(filter.next_block, filter.logs.from_block.value_or(0));
    for (std::uint64_t number = from; number <= last; ++number)
        append_matching_logs(out, *find_block(m_chain, {{BlockTag::Number, number}, {}}), filter.logs,
                             number == filter.next_block ? filter.next_log : 0);
    filter.next_block = head->sealed() ? head->number() + 1 : head->number();
    filter.next_log = 0;
    if (!head->sealed())
        for (const chain::Receipt& receipt : head->receipts)
            filter.next_log += receipt.logs.size();
    return out;
}

json::value Service::filter_changes(const u256& id) {
    Filter& filter = find_filter(id);
    if (filter.kind == FilterKind::Logs)
        return new_logs(filter);
    json::array out;
    if (filter.kind == FilterKind::PendingTransactions) {
        for (const Hash& hash : filter.pending)
            out.push_back(hex_data(hash));
        filter.pending.clear();
        return out;
    }
    const std::uint64_t head = m_chain.sealed_head()->number();
    for (; filter.next_block <= head; ++filter.next_block)
        out.push_back(hex_data(available(m_chain.block(filter.next_block))->hash));
    return out;
}

json::value Service::filter_logs(const u256& id) {
    Filter& filter = find_filter(id);
    if (filter.kind != FilterKind::Logs)
        refuse("filter not found");
    return search_logs(m_chain, filter.logs, m_options.limits.log_results_max, call_deadline());
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
    for (const auto& [id, subscription] : m_subscriptions)
        if (subscription.kind == FilterKind::Blocks)
            subscription.session->notify(notification(id, format_header(block->header(), block->hash)));
    push_logs(*block, false);
}

void Service::push_logs(const sequencer::ExecutedBlock& block, bool removed) {
    for (const auto& [id, subscription] : m_subscriptions) {
        if (subscription.kind != FilterKind::Logs)
            continue;
        json::array logs;
        append_matching_logs(logs, block, subscription.logs, 0, removed);
        for (auto& log : logs)
            subscription.session->notify(notification(id, std::move(log)));
    }
}

void Service::on_removed(std::span<const node::BlockPtr> blocks) {
    for (const node::BlockPtr& block : blocks)
        push_logs(*block, true);
}

void Service::on_head(std::span<const Hash> txns) {
    m_waiting.on_head(m_chain, txns);
}

void Service::on_pending_transaction(const sequencer::PooledTxn& txn) {
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
        if (filter.next_block > head + 1) {
            filter.next_block = head + 1;
            filter.next_log = 0;
        }
}

void Service::on_mining_mode() {
    if (m_on_mining_mode)
        m_on_mining_mode();
}

}  // namespace meridian::rpc
