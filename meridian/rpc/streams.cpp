#include <meridian/rpc/error.hpp>
#include <meridian/rpc/format.hpp>
#include <meridian/rpc/log_filter.hpp>
#include <meridian/rpc/streams.hpp>
#include <meridian/store/log_index.hpp>

#include <algorithm>

namespace meridian::rpc {
namespace {

// Of a log's sequence, the number of the log in its frame.
constexpr unsigned kLogBits = 20;
constexpr std::uint64_t kLogMask = (std::uint64_t{1} << kLogBits) - 1;

std::uint32_t cache_key(StreamKind kind, const FrameFields& fields) {
    return static_cast<std::uint32_t>(kind) << 3 | (fields.full_transactions ? 4u : 0u) |
           (fields.receipts ? 2u : 0u) | (fields.state_changes ? 1u : 0u);
}

const json::object& options_object(const json::value& options) {
    static const json::object kNone;
    return options.is_null() ? kNone : read_object(options, "subscription options");
}

void check_keys(const json::object& options, std::span<const std::string_view> known) {
    for (const auto& [key, value] : options)
        if (std::ranges::find(known, std::string_view(key)) == known.end()) {
            std::string text = "unknown subscription option \"" + excerpt(key) + "\"; there are:";
            for (const std::string_view name : known)
                text.append(" ").append(name);
            invalid_params(text);
        }
}

bool flag(const json::object& options, std::string_view name) {
    const auto* value = options.if_contains(name);
    return value != nullptr && read_within(std::string(name), read_bool, *value);
}

std::optional<std::uint64_t> read_from(const json::object& options) {
    const auto* value = options.if_contains("from");
    if (value == nullptr || value->is_null())
        return std::nullopt;
    return read_within("from", read_lenient_uint64, *value);
}

StreamRequest read_frames(const json::object& options, node::Chain& chain) {
    static constexpr std::string_view kKnown[] = {"fullTransactions", "receipts", "stateChanges",
                                                  "address",          "topics",   "from"};
    check_keys(options, kKnown);
    StreamRequest out;
    out.kind = StreamKind::Frames;
    out.fields = {.full_transactions = flag(options, "fullTransactions"),
                  .receipts = flag(options, "receipts"),
                  .state_changes = flag(options, "stateChanges"),
                  .terms = {}};
    if (options.contains("address") || options.contains("topics"))
        out.fields.terms = read_log_filter(options, chain).terms;
    return out;
}

}  // namespace

StreamRequest read_stream_request(std::string_view kind, const json::value& options, node::Chain& chain) {
    static constexpr std::string_view kFrom[] = {"from"};
    StreamRequest out;
    if (kind == "stateChanges") {
        out.kind = StreamKind::StateChanges;
        const json::value* addresses = &options;
        if (const json::object* object = options.if_object()) {
            static constexpr std::string_view kKnown[] = {"addresses", "from"};
            check_keys(*object, kKnown);
            out.from = read_from(*object);
            addresses = object->if_contains("addresses");
        }
        if (addresses == nullptr || addresses->is_null())
            invalid_params("stateChanges wants a list of addresses");
        out.addresses = read_list(*addresses, "[]common.Address", read_address);
        if (out.addresses.size() > kFilterAddressesMax)
            invalid_params("at most " + std::to_string(kFilterAddressesMax) + " addresses");
        return out;
    }
    if (kind == "newPendingTransactions" && options.is_bool()) {
        out.kind = StreamKind::PendingTransactions;
        out.full_transactions = options.get_bool();
        return out;
    }
    const json::object& object = options_object(options);
    if (kind == "frames") {
        out = read_frames(object, chain);
    } else if (kind == "logs") {
        out.kind = StreamKind::Logs;
        out.terms = read_log_filter(object, chain).terms;
    } else if (kind == "newPendingTransactions") {
        static constexpr std::string_view kKnown[] = {"fullTransactions", "from"};
        check_keys(object, kKnown);
        out.kind = StreamKind::PendingTransactions;
        out.full_transactions = flag(object, "fullTransactions");
    } else if (kind == "newHeads" || kind == "miniBlocks" || kind == "syncing") {
        check_keys(object, kFrom);
        out.kind = kind == "newHeads"     ? StreamKind::NewHeads
                   : kind == "miniBlocks" ? StreamKind::MiniBlocks
                                          : StreamKind::Syncing;
    } else {
        throw RpcError(ErrorCode::MethodNotFound,
                       "no \"" + excerpt(kind) + "\" subscription in eth namespace");
    }
    out.from = read_from(object);
    return out;
}

// --- who is subscribed ----------------------------------------------------------------------------------

std::uint64_t Streams::last_moment() const {
    return has_frames() ? m_chain.last_frame() : m_chain.sealed_head()->number();
}

void Streams::begin(Stream& stream) {
    const auto& from = stream.request.from;
    switch (stream.request.kind) {
        case StreamKind::NewHeads:
            stream.next = from.value_or(m_chain.sealed_head()->number() + 1);
            return;
        case StreamKind::Logs:
            stream.next = from ? *from >> kLogBits : last_moment() + 1;
            stream.next_log = from ? *from & kLogMask : 0;
            // The first frame has the number 1.
            if (has_frames() && stream.next == 0)
                stream = {stream.session, stream.request, 1, 0};
            return;
        case StreamKind::PendingTransactions:
            stream.next = from.value_or(m_pending_count);
            if (stream.next < first_pending())
                refuse("pending transactions before " + std::to_string(first_pending()) +
                       " are not remembered");
            return;
        case StreamKind::Frames:
        case StreamKind::MiniBlocks:
        case StreamKind::StateChanges:
            if (!has_frames())
                refuse("this chain has no frames; run a sequencer (meridian node)");
            stream.next = std::max<std::uint64_t>(1, from.value_or(m_chain.last_frame() + 1));
            if (stream.next < m_chain.first_frame())
                refuse("the log begins with frame " + std::to_string(m_chain.first_frame()));
            return;
        case StreamKind::Syncing:
            return;
    }
}

void Streams::subscribe(Session& session, const u256& id, StreamRequest request) {
    const auto of_session =
        std::ranges::count_if(m_streams, [&](const auto& entry) { return entry.second.session == &session; });
    if (static_cast<std::size_t>(of_session) >= m_limits.per_session_max)
        throw RpcError(ErrorCode::LimitExceeded, "too many subscriptions on this connection (at most " +
                                                     std::to_string(m_limits.per_session_max) + ")");
    if (m_streams.size() >= m_limits.total_max)
        throw RpcError(ErrorCode::LimitExceeded, "too many subscriptions on this node (at most " +
                                                     std::to_string(m_limits.total_max) + ")");
    Stream stream{&session, std::move(request)};
    begin(stream);
    m_pending_streams += stream.request.kind == StreamKind::PendingTransactions;
    m_streams.emplace(id, std::move(stream));
}

void Streams::erase(Place at) {
    m_pending_streams -= at->second.request.kind == StreamKind::PendingTransactions;
    m_streams.erase(at);
}

bool Streams::unsubscribe(Session& session, const u256& id) {
    const auto found = m_streams.find(id);
    if (found == m_streams.end() || found->second.session != &session)
        return false;
    erase(found);
    return true;
}

void Streams::forget(Session& session) {
    for (auto at = m_streams.begin(); at != m_streams.end();) {
        const Place now = at++;
        if (now->second.session == &session)
            erase(now);
    }
}

// --- what changes ---------------------------------------------------------------------------------------

void Streams::on_pending(const sequencer::PooledTxn& txn) {
    m_pending.push_back({txn.hash, std::make_shared<const sequencer::PooledTxn>(txn)});
    ++m_pending_count;
    if (m_pending.size() > m_limits.pending_kept)
        m_pending.pop_front();
    std::size_t budget = m_limits.turn_max;
    for (auto at = m_streams.begin(); m_pending_streams > 0 && at != m_streams.end();) {
        const Place now = at++;
        if (now->second.request.kind == StreamKind::PendingTransactions && pump(now, budget))
            return;
    }
}

void Streams::on_wound_back(std::uint64_t head) {
    for (auto& [id, stream] : m_streams)
        if ((stream.request.kind == StreamKind::NewHeads || stream.request.kind == StreamKind::Logs) &&
            stream.next > head + 1) {
            stream.told_before = stream.next;
            stream.next = head + 1;
            stream.next_log = 0;
        }
}

void Streams::on_removed(std::span<const node::BlockPtr> blocks) {
    for (const node::BlockPtr& block : blocks)
        for (auto& [id, stream] : m_streams) {
            if (stream.request.kind != StreamKind::Logs ||
                block->number() >= std::max(stream.next, stream.told_before))
                continue;
            std::uint64_t index = 0;
            for (std::size_t i = 0; i < block->receipts.size(); ++i)
                for (const state::Log& log : block->receipts[i].logs) {
                    if (store::matches(stream.request.terms, log))
                        send(id, stream, block->number() << kLogBits | index,
                             format_log(log, *block, i, index, true));
                    ++index;
                }
        }
}

// --- going on -------------------------------------------------------------------------------------------

bool Streams::pump() {
    std::size_t budget = m_limits.turn_max;
    for (auto at = m_streams.begin(); at != m_streams.end();) {
        const Place now = at++;
        if (pump(now, budget))
            return true;
    }
    return false;
}

bool Streams::pump(Session& session) {
    std::size_t budget = m_limits.turn_max;
    for (auto at = m_streams.begin(); at != m_streams.end();) {
        const Place now = at++;
        if (now->second.session == &session && pump(now, budget))
            return true;
    }
    return false;
}

// True: the budget is used up.
bool Streams::pump(Place at, std::size_t& budget) {
    auto& [id, stream] = *at;
    while (stream.session->has_room()) {
        switch (step(id, stream)) {
            case Moved::CaughtUp:
                return false;
            case Moved::CutOff:
                erase(at);
                return false;
            case Moved::On:
                stream.told_before = 0;
                break;
        }
        if (--budget == 0)
            return true;
    }
    return false;
}

Streams::Moved Streams::step(const u256& id, Stream& stream) {
    switch (stream.request.kind) {
        case StreamKind::NewHeads:
            return step_heads(id, stream);
        case StreamKind::Logs:
            return step_logs(id, stream);
        case StreamKind::PendingTransactions:
            return step_pending(id, stream);
        case StreamKind::Frames:
        case StreamKind::MiniBlocks:
        case StreamKind::StateChanges:
            return step_frames(id, stream);
        case StreamKind::Syncing:
            break;
    }
    return Moved::CaughtUp;
}

Streams::Moved Streams::step_heads(const u256& id, Stream& stream) {
    if (stream.next > m_chain.sealed_head()->number())
        return Moved::CaughtUp;
    const auto block = m_chain.block(stream.next);
    if (!block || !*block)
        return cut_off(id, stream, block ? "the block is not available" : block.error().message);
    send(id, stream, stream.next, format_header((*block)->header(), (*block)->hash));
    ++stream.next;
    return Moved::On;
}

Streams::Moved Streams::step_logs(const u256& id, Stream& stream) {
    if (stream.next > last_moment())
        return Moved::CaughtUp;
    node::FramePtr frame;
    std::uint64_t number = stream.next;
    if (has_frames()) {
        auto read = m_chain.frame(stream.next);
        if (!read || !*read)
            return cut_off(id, stream, read ? "the frame is not available" : read.error().message);
        frame = *std::move(read);
        number = frame->content->block_number;
    }
    if (frame && frame->content->receipts.empty()) {
        ++stream.next;
        stream.next_log = 0;
        return Moved::On;
    }
    const auto block = m_chain.block(number);
    if (!block || !*block)
        return cut_off(id, stream, block ? "the block is not available" : block.error().message);
    const std::span receipts(frame ? frame->content->receipts : (*block)->receipts);
    std::uint64_t index = 0;
    for (std::size_t i = 0; i < receipts.size(); ++i)
        for (const state::Log& log : receipts[i].logs) {
            const std::uint64_t here = index++;
            if (here < stream.next_log || !store::matches(stream.request.terms, log))
                continue;
            if (!stream.session->has_room()) {
                stream.next_log = here;
                return Moved::On;
            }
            send(id, stream, stream.next << kLogBits | here,
                 format_log(log, **block, i + (frame ? frame->first_txn : 0),
                            here + (frame ? frame->first_log : 0)));
        }
    ++stream.next;
    stream.next_log = 0;
    return Moved::On;
}

Streams::Moved Streams::step_pending(const u256& id, Stream& stream) {
    if (stream.next >= m_pending_count)
        return Moved::CaughtUp;
    if (stream.next < first_pending())
        return cut_off(id, stream, "pending transactions are not remembered for so long");
    const Pending& pending = m_pending[stream.next - first_pending()];
    send(id, stream, stream.next,
         stream.request.full_transactions
             ? json::value(format_pending(pending.txn->txn, pending.txn->sender, pending.hash))
             : hex_data(pending.hash));
    ++stream.next;
    return Moved::On;
}

Streams::Moved Streams::step_frames(const u256& id, Stream& stream) {
    if (stream.next > m_chain.last_frame())
        return Moved::CaughtUp;
    const StreamKind kind = stream.request.kind;
    const bool shared = kind != StreamKind::StateChanges && !stream.request.fields.terms;
    const std::uint32_t key = cache_key(kind, stream.request.fields);
    if (const auto known = m_rendered.find(key);
        shared && known != m_rendered.end() && known->second.frame == stream.next) {
        send_text(id, stream, stream.next, known->second.text);
        ++stream.next;
        return Moved::On;
    }
    const auto frame = m_chain.frame(stream.next);
    if (!frame || !*frame)
        return cut_off(id, stream, frame ? "the frame is not available" : frame.error().message);
    try {
        if (kind == StreamKind::StateChanges) {
            for (const auto& [address, change] : (*frame)->content->changes.accounts)
                if (std::ranges::find(stream.request.addresses, address) != stream.request.addresses.end())
                    send(id, stream, stream.next, format_account_change(address, change));
        } else if (kind == StreamKind::MiniBlocks) {
            m_rendered[key] = {stream.next, json::serialize(format_mini_block(m_chain, **frame))};
            send_text(id, stream, stream.next, m_rendered[key].text);
        } else if (auto formatted = format_frame(m_chain, **frame, stream.request.fields)) {
            std::string text = json::serialize(*formatted);
            send_text(id, stream, stream.next, text);
            if (shared)
                m_rendered[key] = {stream.next, std::move(text)};
        }
    } catch (const RpcError& error) {
        return cut_off(id, stream, error.what());
    }
    ++stream.next;
    return Moved::On;
}

Streams::Moved Streams::cut_off(const u256& id, Stream& stream, const std::string& why) {
    stream.session->cut_off("subscription " + std::string(quantity(id).as_string()) + " cannot go on with " +
                            std::to_string(stream.next) + ": " + why);
    return Moved::CutOff;
}

void Streams::send(const u256& id, const Stream& stream, std::uint64_t sequence, const json::value& result) {
    send_text(id, stream, sequence, json::serialize(result));
}

void Streams::send_text(const u256& id, const Stream& stream, std::uint64_t sequence,
                        std::string_view result) {
    std::string text = R"({"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":")";
    text += quantity(id).as_string();
    text += R"(","sequence":")";
    text += quantity(sequence).as_string();
    text += R"(","result":)";
    text += result;
    text += "}}";
    stream.session->notify(std::move(text));
}

}  // namespace meridian::rpc
