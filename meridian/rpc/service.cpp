#include <meridian/rpc/block_reference.hpp>
#include <meridian/rpc/format.hpp>
#include <meridian/rpc/method.hpp>
#include <meridian/rpc/service.hpp>

#include <algorithm>

namespace meridian::rpc {
Service::Service(node::Chain& chain, ServiceOptions options, node::DevChain* development)
    : m_chain(chain),
      m_development(development),
      m_options(std::move(options)),
      m_methods(std::make_shared<MethodTable>(development != nullptr)),
      m_filter_shares(m_options.limits.filters_max),
      m_streams(chain, {.per_session_max = m_options.limits.subscriptions_per_session_max,
                        .total_max = m_options.limits.subscriptions_max,
                        .terms_bytes_max = m_options.limits.filter_terms_bytes_max,
                        .pending_first = m_options.pending_first}),
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
    if (m_options.readers.threads == 0 || chain.reader() == nullptr)
        return;
    m_readers = std::make_unique<ReadPool>(
        m_options.readers, [this] { return std::unique_ptr<Service>(new Service(m_chain.reader(), *this)); });
}

Service::Service(std::unique_ptr<node::Chain> view, const Service& whole)
    : m_view(std::move(view)),
      m_chain(*m_view),
      m_development(nullptr),
      m_options(whole.m_options),
      m_methods(whole.m_methods),
      m_filter_shares(0),
      m_streams(m_chain, {}),
      m_waiting(0) {}

Service::~Service() {
    m_readers = nullptr;
    if (m_view)
        return;
    m_chain.set_wakeup({});
    m_chain.set_listener(nullptr);
}

void Service::interrupt() {
    m_stopping = true;
    if (m_readers)
        m_readers->interrupt();
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

std::map<u256, Service::Filter>::iterator Service::erase_filter(std::map<u256, Filter>::iterator at) {
    m_filter_shares.give_back(at->second.client);
    m_streams.give_back_terms(at->second.client, size_of(at->second.logs.terms));
    return m_filters.erase(at);
}

// Once a second, however many ask.
void Service::drop_idle_filters() {
    const std::uint64_t now = clock();
    if (std::exchange(m_filters_looked_at, now) == now)
        return;
    for (auto at = m_filters.begin(); at != m_filters.end();)
        at = now > at->second.last_used + m_options.limits.filter_idle_s_max ? erase_filter(at)
                                                                             : std::next(at);
}

json::value Service::add_filter(FilterKind kind, LogFilter logs, ClientId client) {
    drop_idle_filters();
    const std::size_t terms = size_of(logs.terms);
    m_streams.take_terms(client, terms);
    if (!m_filter_shares.take(client)) {
        m_streams.give_back_terms(client, terms);
        throw RpcError(ErrorCode::LimitExceeded,
                       "too many filters (at most " + std::to_string(m_options.limits.filters_max) +
                           ", of one client as many as there is room left; rpc.filters_max)");
    }
    const u256 id = next_id();
    Filter& filter =
        m_filters[id] = {kind, std::move(logs),           client, m_chain.sealed_head()->number() + 1,
                         0,    m_streams.pending_count(), clock()};
    if (kind == FilterKind::Logs)
        new_logs(filter);  // what there is already is not new
    return quantity(id);
}

bool Service::remove_filter(const u256& id) {
    const auto found = m_filters.find(id);
    if (found == m_filters.end())
        return false;
    erase_filter(found);
    return true;
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
        const std::uint64_t first = m_streams.first_pending();
        const std::uint64_t from = std::exchange(filter.next_pending, m_streams.pending_count());
        if (from < first)
            refuse(std::to_string(first - from) +
                   " transactions since the last poll are not remembered any more; poll more often");
        for (std::uint64_t i = from; i < filter.next_pending; ++i)
            out.push_back(hex_data(m_streams.pending_hash(i)));
        return out;
    }
    const std::uint64_t head = m_chain.sealed_head()->number();
    for (; filter.next_block <= head; ++filter.next_block)
        out.push_back(hex_data(available(m_chain.block(filter.next_block))->hash));
    return out;
}

const LogFilter& Service::log_filter(const u256& id) {
    Filter& filter = find_filter(id);
    if (filter.kind != FilterKind::Logs)
        refuse("filter not found");
    return filter.logs;
}

// --- subscriptions --------------------------------------------------------------------------------------

json::value Service::subscribe(Session& session, StreamRequest request) {
    const u256 id = next_id();
    m_streams.subscribe(session, id, std::move(request));
    // What it begins with in the past comes behind the answer.
    schedule_pump();
    return quantity(id);
}

void Service::pump() {
    m_streams.on_news();
    go_on_pumping();
}

void Service::go_on_pumping() {
    while (m_streams.pump())
        if (schedule_pump())
            return;
}

// With turns between, so that many subscribers, or a long way back, do not keep others waiting. False: there
// is nobody who gives turns.
bool Service::schedule_pump() {
    if (std::exchange(m_pumping, true))
        return true;
    const bool sent = m_mailbox->post([this] {
        m_pumping = false;
        go_on_pumping();
    });
    if (!sent)
        m_pumping = false;
    return sent;
}

void Service::on_room(Session& session) {
    m_streams.on_room(session);
    go_on_pumping();
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
    m_streams.on_pending(txn);
    if (m_streams.size() > 0 && !std::exchange(m_pending_news, true)) {
        const bool sent = m_mailbox->post([this] {
            m_pending_news = false;
            pump();
        });
        if (!sent)
            m_pending_news = false;
    }
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
