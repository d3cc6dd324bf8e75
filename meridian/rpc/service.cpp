#include <meridian/rpc/block_reference.hpp>
#include <meridian/rpc/format.hpp>
#include <meridian/rpc/method.hpp>
#include <meridian/rpc/service.hpp>

#include <algorithm>

namespace meridian::rpc {
namespace {

constexpr std::size_t kPendingHashesMax = 100'000;

}  // namespace

Service::Service(node::Chain& chain, ServiceOptions options, node::DevChain* development)
    : m_chain(chain),
      m_development(development),
      m_options(std::move(options)),
      m_methods(std::make_unique<MethodTable>(development != nullptr)),
      m_streams(chain, {.per_session_max = m_options.limits.subscriptions_per_session_max,
                        .total_max = m_options.limits.subscriptions_max}),
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

json::value Service::subscribe(Session& session, StreamRequest request) {
    const u256 id = next_id();
    m_streams.subscribe(session, id, std::move(request));
    // What it begins with in the past comes behind the answer.
    m_mailbox->post([this] { pump(); });
    return quantity(id);
}

// With turns between, so that a long way back does not keep others waiting.
void Service::pump() {
    if (m_streams.pump() && !std::exchange(m_pumping, true))
        m_mailbox->post([this] {
            m_pumping = false;
            pump();
        });
}

void Service::on_room(Session& session) {
    if (m_streams.pump(session))
        m_mailbox->post([this] { pump(); });
}

void Service::on_block(const node::BlockPtr&) {
    pump();
}

void Service::on_removed(std::span<const node::BlockPtr> blocks) {
    m_streams.on_removed(blocks);
}

void Service::on_head(std::span<const Hash> txns) {
    m_waiting.on_head(m_chain, txns);
    pump();
}

void Service::on_pending_transaction(const sequencer::PooledTxn& txn) {
    for (auto& [id, filter] : m_filters)
        if (filter.kind == FilterKind::PendingTransactions && filter.pending.size() < kPendingHashesMax)
            filter.pending.push_back(txn.hash);
    m_streams.on_pending(txn);
}

// Blocks that take the places of reported ones are to be reported again.
void Service::on_wound_back(std::uint64_t head) {
    for (auto& [id, filter] : m_filters)
        if (filter.next_block > head + 1) {
            filter.next_block = head + 1;
            filter.next_log = 0;
        }
    m_streams.on_wound_back(head);
}

void Service::on_mining_mode() {
    if (m_on_mining_mode)
        m_on_mining_mode();
}

}  // namespace meridian::rpc
