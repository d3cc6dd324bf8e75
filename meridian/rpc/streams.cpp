#include <meridian/rpc/error.hpp>
#include <meridian/rpc/format.hpp>
#include <meridian/rpc/log_filter.hpp>
#include <meridian/rpc/streams.hpp>
#include <meridian/store/log_index.hpp>

#include <algorithm>
#include <chrono>

namespace meridian::rpc {
namespace {

// Of a log's sequence, the number of the log in its frame.
constexpr unsigned kLogBits = 20;
constexpr std::uint64_t kLogMask = (std::uint64_t{1} << kLogBits) - 1;

// Text that is kept for the next one who is told the same, of each kind and choice of fields.
constexpr std::size_t kRenderedBytesMax = 4 << 20;

std::uint32_t cache_key(StreamKind kind, const FrameFields& fields = {}) {
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
        static constexpr std::string_view kKnown[] = {"address", "topics",    "fromBlock",
                                                      "toBlock", "blockHash", "from"};
        check_keys(object, kKnown);
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

std::size_t size_of(const store::LogQuery& terms) {
    std::size_t out = terms.addresses.size() * sizeof(Address);
    for (const auto& alternatives : terms.topics)
        out += alternatives.size() * sizeof(Hash);
    return out;
}

namespace {

std::size_t terms_size(const StreamRequest& request) {
    return size_of(request.terms) + (request.fields.terms ? size_of(*request.fields.terms) : 0) +
           request.addresses.size() * sizeof(Address);
}

std::shared_ptr<const std::string> body_of(std::string text) {
    text += "}}";
    return std::make_shared<const std::string>(std::move(text));
}
std::shared_ptr<const std::string> body_of(const json::value& result) {
    return body_of(json::serialize(result));
}

}  // namespace

// --- who is subscribed ----------------------------------------------------------------------------------

Streams::Streams(node::Chain& chain, const StreamLimits& limits)
    : m_chain(chain),
      m_limits(limits),
      m_shares(limits.total_max),
      m_terms_bytes(limits.terms_bytes_max),
      m_pending_count(limits.pending_first) {}

void Streams::take_terms(ClientId client, std::size_t bytes) {
    if (bytes > 0 && !m_terms_bytes.take(client, bytes))
        throw RpcError(ErrorCode::LimitExceeded,
                       "filters and subscriptions look for too many addresses and topics (at most " +
                           std::to_string(m_limits.terms_bytes_max) +
                           " bytes, of one client as much as there is room left; rpc.filter_terms_mib_max)");
}

void Streams::give_back_terms(ClientId client, std::size_t bytes) {
    if (bytes > 0)
        m_terms_bytes.give_back(client, bytes);
}

std::uint64_t Streams::last_moment() const {
    return has_frames() ? m_chain.last_frame() : m_chain.sealed_head()->number();
}

namespace {

// `shift`: of a sequence, what the log's number in its frame takes.
void check_kept(std::string_view what, std::uint64_t number, std::uint64_t first, unsigned shift = 0) {
    if (number < first)
        refuse(std::string(what) + " " + std::to_string(number) +
               " is not kept; the first that can be had is " + std::to_string(first) + ", \"from\": \"" +
               std::string(quantity(first << shift).as_string()) + "\"");
}

}  // namespace

void Streams::begin(Stream& stream) {
    const auto& from = stream.request.from;
    switch (stream.request.kind) {
        case StreamKind::NewHeads:
            stream.next = from.value_or(m_chain.sealed_head()->number() + 1);
            check_kept("block", stream.next, m_chain.oldest_block());
            return;
        case StreamKind::Logs:
            stream.next = from ? *from >> kLogBits : last_moment() + 1;
            stream.next_log = from ? *from & kLogMask : 0;
            // The first frame has the number 1.
            if (has_frames() && stream.next == 0)
                stream.next = 1, stream.next_log = 0;
            if (from && stream.next <= last_moment())
                check_kept(has_frames() ? "frame" : "block", stream.next,
                           has_frames() ? m_chain.oldest_whole_frame() : m_chain.oldest_block(), kLogBits);
            return;
        case StreamKind::PendingTransactions:
            stream.next = from.value_or(m_pending_count);
            if (stream.next < first_pending() || stream.next > m_pending_count)
                refuse("pending transactions are remembered from " + std::to_string(first_pending()) +
                       " on, the next one is " + std::to_string(m_pending_count) +
                       "; none of before a restart is");
            return;
        case StreamKind::Frames:
        case StreamKind::MiniBlocks:
        case StreamKind::StateChanges:
            if (!has_frames())
                refuse("this chain has no frames; run a sequencer (meridian node)");
            stream.next = std::max<std::uint64_t>(1, from.value_or(m_chain.last_frame() + 1));
            if (from && stream.next <= m_chain.last_frame())
                check_kept("frame", stream.next, m_chain.oldest_whole_frame());
            return;
        case StreamKind::Syncing:
            return;
    }
}

void Streams::subscribe(Session& session, const u256& id, StreamRequest request) {
    const auto known = m_readers.find(&session);
    const ClientId client = session.client();
    if (known != m_readers.end() && known->second->streams.size() >= m_limits.per_session_max)
        throw RpcError(ErrorCode::LimitExceeded, "too many subscriptions on this connection (at most " +
                                                     std::to_string(m_limits.per_session_max) +
                                                     ", ws.subscriptions_max)");
    Stream stream{std::move(request)};
    begin(stream);
    const std::size_t terms = terms_size(stream.request);
    take_terms(client, terms);
    if (!m_shares.take(client)) {
        give_back_terms(client, terms);
        throw RpcError(ErrorCode::LimitExceeded,
                       "too many subscriptions on this node (at most " + std::to_string(m_limits.total_max) +
                           ", of one client as many as there is room left; ws.subscriptions_total_max)");
    }
    const ReaderPtr reader = known != m_readers.end()
                                 ? known->second
                                 : m_readers.emplace(&session, std::make_shared<Reader>()).first->second;
    reader->session = &session;
    reader->client = client;
    reader->streams.emplace(id, std::move(stream));
    m_count = m_shares.total();
    queue(reader);
}

void Streams::forget_stream(Reader& reader, std::map<u256, Stream>::iterator at) {
    give_back_terms(reader.client, terms_size(at->second.request));
    m_shares.give_back(reader.client);
    reader.streams.erase(at);
    m_count = m_shares.total();
}

bool Streams::unsubscribe(Session& session, const u256& id) {
    const auto known = m_readers.find(&session);
    if (known == m_readers.end())
        return false;
    const auto found = known->second->streams.find(id);
    if (found == known->second->streams.end())
        return false;
    forget_stream(*known->second, found);
    return true;
}

void Streams::forget(Session& session) {
    const auto known = m_readers.find(&session);
    if (known == m_readers.end())
        return;
    const ReaderPtr reader = known->second;
    while (!reader->streams.empty())
        forget_stream(*reader, reader->streams.begin());
    reader->session = nullptr;
    m_readers.erase(known);
}

// --- what changes ---------------------------------------------------------------------------------------

void Streams::on_pending(const sequencer::PooledTxn& txn) {
    m_pending.push_back({txn.hash, std::make_shared<const sequencer::PooledTxn>(txn)});
    m_pending_bytes += txn.envelope.size();
    ++m_pending_count;
    while (m_pending.size() > m_limits.pending_kept ||
           (m_pending_bytes > m_limits.pending_bytes_max && m_pending.size() > 1)) {
        m_pending_bytes -= m_pending.front().txn->envelope.size();
        m_pending.pop_front();
    }
}

void Streams::on_wound_back(std::uint64_t head) {
    m_rendered.clear();
    for (auto& [session, reader] : m_readers)
        for (auto& [id, stream] : reader->streams)
            if ((stream.request.kind == StreamKind::NewHeads || stream.request.kind == StreamKind::Logs) &&
                stream.next > head + 1) {
                stream.told_before = stream.next;
                stream.next = head + 1;
                stream.next_log = 0;
            }
}

void Streams::on_removed(std::span<const node::BlockPtr> blocks) {
    for (const node::BlockPtr& block : blocks)
        for (auto& [session, reader] : m_readers)
            for (auto& [id, stream] : reader->streams) {
                if (stream.request.kind != StreamKind::Logs ||
                    block->number() >= std::max(stream.next, stream.told_before))
                    continue;
                std::uint64_t index = 0;
                for (std::size_t i = 0; i < block->receipts.size(); ++i)
                    for (const state::Log& log : block->receipts[i].logs) {
                        if (store::matches(stream.request.terms, log))
                            send(*reader, id, block->number() << kLogBits | index,
                                 body_of(format_log(log, *block, i, index, true)));
                        ++index;
                    }
            }
}

// --- going on -------------------------------------------------------------------------------------------

// Once in the line, however often there is news: then all of its streams are looked at once more.
void Streams::queue(const ReaderPtr& reader) {
    reader->left = reader->streams.size();
    if (!std::exchange(reader->waits_in_line, true))
        m_line.push(reader->client, reader);
}

void Streams::on_news() {
    for (const auto& [session, reader] : m_readers)
        if (session->has_room())
            queue(reader);
}

void Streams::on_room(Session& session) {
    if (const auto known = m_readers.find(&session); known != m_readers.end())
        queue(known->second);
}

struct Streams::Slice {
    using Clock = std::chrono::steady_clock;
    explicit Slice(const StreamLimits& limits)
        : left(limits.slice_max), end(Clock::now() + std::chrono::microseconds(limits.slice_us_max)) {}
    // One step has been made. False: it was the last.
    bool go_on() {
        left -= left > 0;
        return left > 0 && Clock::now() < end;
    }

    std::size_t left;
    Clock::time_point end;
};

bool Streams::pump() {
    // Of a connection before the next one's turn.
    constexpr std::size_t kStepsOfATurn = 64;
    Slice slice(m_limits);
    while (auto next = m_line.pop()) {
        const ReaderPtr reader = *std::move(next);
        reader->waits_in_line = false;
        if (reader->session == nullptr)
            continue;
        Slice turn = slice;
        turn.left = std::min(turn.left, kStepsOfATurn);
        const std::size_t had = turn.left;
        if (!pump(*reader, turn) && !std::exchange(reader->waits_in_line, true))
            m_line.push(reader->client, reader);
        slice.left -= had - turn.left;
        if (slice.left == 0 || Slice::Clock::now() >= slice.end)
            return !m_line.empty();
    }
    return false;
}

// Each of its streams in turn, from where the last turn ended.
bool Streams::pump(Reader& reader, Slice& slice) {
    while (reader.left > 0 && !reader.streams.empty() && reader.session->has_room()) {
        auto at = reader.streams.lower_bound(reader.next_stream);
        if (at == reader.streams.end())
            at = reader.streams.begin();
        const u256 id = at->first;
        const bool whole = pump(reader, id, at->second, slice);
        if (!whole || !reader.session->has_room()) {
            reader.next_stream = id;
            return whole;
        }
        reader.next_stream = id + u256{1};
        --reader.left;
        if (!slice.go_on()) {
            slice.left = 0;
            return reader.left == 0;
        }
    }
    return true;
}

// False: there is more for it, and the slice is used up.
bool Streams::pump(Reader& reader, const u256& id, Stream& stream, Slice& slice) {
    while (reader.session->has_room()) {
        switch (step(reader, id, stream)) {
            case Moved::CaughtUp:
                return true;
            case Moved::CutOff:
                forget_stream(reader, reader.streams.find(id));
                return true;
            case Moved::On:
                stream.told_before = 0;
                break;
        }
        if (!slice.go_on()) {
            slice.left = 0;
            return false;
        }
    }
    return true;
}

Streams::Moved Streams::step(Reader& reader, const u256& id, Stream& stream) {
    m_failed_reads = m_chain.failed_reads();
    switch (stream.request.kind) {
        case StreamKind::NewHeads:
            return step_heads(reader, id, stream);
        case StreamKind::Logs:
            return step_logs(reader, id, stream);
        case StreamKind::PendingTransactions:
            return step_pending(reader, id, stream);
        case StreamKind::Frames:
        case StreamKind::MiniBlocks:
        case StreamKind::StateChanges:
            return step_frames(reader, id, stream);
        case StreamKind::Syncing:
            break;
    }
    return Moved::CaughtUp;
}

Streams::Moved Streams::step_heads(Reader& reader, const u256& id, Stream& stream) {
    if (stream.next > m_chain.sealed_head()->number())
        return Moved::CaughtUp;
    const auto block = m_chain.block(stream.next);
    if (!block || !*block)
        return cut_off(reader, id, stream, block ? "the block is not available" : block.error().message);
    send(reader, id, stream.next, shared(cache_key(StreamKind::NewHeads), stream.next, [&] {
             return json::serialize(format_header((*block)->header(), (*block)->hash));
         }));
    ++stream.next;
    return Moved::On;
}

Streams::Moved Streams::step_logs(Reader& reader, const u256& id, Stream& stream) {
    if (stream.next > last_moment())
        return Moved::CaughtUp;
    node::FramePtr frame;
    std::uint64_t number = stream.next;
    if (has_frames()) {
        auto read = m_chain.frame(stream.next);
        if (!read || !*read)
            return cut_off(reader, id, stream, read ? "the frame is not available" : read.error().message);
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
        return cut_off(reader, id, stream, block ? "the block is not available" : block.error().message);
    // A log is told with its block's hash once there is one.
    const std::uint32_t key = cache_key(StreamKind::Logs) | ((*block)->sealed() ? 1u : 0u);
    const std::span receipts(frame ? frame->content->receipts : (*block)->receipts);
    std::uint64_t index = 0;
    for (std::size_t i = 0; i < receipts.size(); ++i)
        for (const state::Log& log : receipts[i].logs) {
            const std::uint64_t here = index++;
            if (here < stream.next_log || !store::matches(stream.request.terms, log))
                continue;
            if (!reader.session->has_room()) {
                stream.next_log = here;
                return Moved::On;
            }
            const std::uint64_t sequence = stream.next << kLogBits | here;
            send(reader, id, sequence, shared(key, sequence, [&] {
                     return json::serialize(
                         json::value(format_log(log, **block, i + (frame ? frame->first_txn : 0),
                                                here + (frame ? frame->first_log : 0))));
                 }));
        }
    ++stream.next;
    stream.next_log = 0;
    return Moved::On;
}

Streams::Moved Streams::step_pending(Reader& reader, const u256& id, Stream& stream) {
    if (stream.next >= m_pending_count)
        return Moved::CaughtUp;
    if (stream.next < first_pending())
        return cut_off(reader, id, stream, "pending transactions are not remembered for so long");
    const Pending& pending = m_pending[stream.next - first_pending()];
    const bool full = stream.request.full_transactions;
    const std::uint32_t key = cache_key(StreamKind::PendingTransactions) | (full ? 1u : 0u);
    send(reader, id, stream.next, shared(key, stream.next, [&] {
             return json::serialize(
                 full ? json::value(format_pending(pending.txn->txn, pending.txn->sender, pending.hash))
                      : hex_data(pending.hash));
         }));
    ++stream.next;
    return Moved::On;
}

Streams::Moved Streams::step_frames(Reader& reader, const u256& id, Stream& stream) {
    if (stream.next > m_chain.last_frame())
        return Moved::CaughtUp;
    try {
        if (!send_frame(reader, id, stream))
            return Moved::CutOff;
    } catch (const RpcError& error) {
        return cut_off(reader, id, stream, error.what());
    }
    ++stream.next;
    return Moved::On;
}

// False: the stream is cut off, as the frame cannot be had.
bool Streams::send_frame(Reader& reader, const u256& id, Stream& stream) {
    const StreamKind kind = stream.request.kind;
    const FrameFields& fields = stream.request.fields;
    if (kind != StreamKind::StateChanges && !fields.terms)
        if (const Body known = m_rendered.try_emplace(cache_key(kind, fields), kRenderedBytesMax)
                                   .first->second.find(stream.next)) {
            send(reader, id, stream.next, known);
            return true;
        }
    const auto frame = m_chain.frame(stream.next);
    if (!frame || !*frame) {
        static_cast<void>(
            cut_off(reader, id, stream, frame ? "the frame is not available" : frame.error().message));
        return false;
    }
    if (kind == StreamKind::StateChanges) {
        for (const auto& [address, change] : (*frame)->content->changes.accounts)
            if (std::ranges::find(stream.request.addresses, address) != stream.request.addresses.end())
                send(reader, id, stream.next, body_of(format_account_change(address, change)));
    } else if (fields.terms) {
        if (const auto formatted = format_frame(m_chain, **frame, fields))
            send(reader, id, stream.next, body_of(*formatted));
    } else {
        send(reader, id, stream.next, shared(cache_key(kind, fields), stream.next, [&] {
                 return json::serialize(kind == StreamKind::MiniBlocks
                                            ? json::value(format_mini_block(m_chain, **frame))
                                            : json::value(*format_frame(m_chain, **frame, fields)));
             }));
    }
    return true;
}

Streams::Moved Streams::cut_off(Reader& reader, const u256& id, const Stream& stream,
                                const std::string& why) {
    // The words of a failed read name files.
    const bool unreadable = m_chain.failed_reads() != m_failed_reads;
    reader.session->cut_off((unreadable ? std::string(kUnreadable) : why) + " (at " +
                            std::to_string(stream.next) + " of subscription " +
                            std::string(quantity(id).as_string()) + ")");
    return Moved::CutOff;
}

template <class Make>
Streams::Body Streams::shared(std::uint32_t key, std::uint64_t sequence, Make make) {
    auto& kept = m_rendered.try_emplace(key, kRenderedBytesMax).first->second;
    if (Body known = kept.find(sequence))
        return known;
    Body out = body_of(std::string(make()));
    kept.add(sequence, out, out->size());
    return out;
}

void Streams::send(Reader& reader, const u256& id, std::uint64_t sequence, Body body) {
    std::string head = R"({"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":")";
    head += quantity(id).as_string();
    head += R"(","sequence":")";
    head += quantity(sequence).as_string();
    head += R"(","result":)";
    reader.session->notify({std::move(head), std::move(body)});
}

}  // namespace meridian::rpc
