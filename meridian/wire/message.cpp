#include <meridian/wire/message.hpp>

#include <meridian/frames/codec.hpp>

namespace meridian::wire {
namespace {

using sequencer::SubmitError;

constexpr std::string_view kMagic = "MRDNWIRE";
constexpr std::size_t kIdentitySize = 8 + 32;

// --- writing ----------------------------------------------------------------------------------------------

template <class T>
void put(Bytes& out, T value) {
    for (std::size_t i = 0; i < sizeof(T); ++i)
        out.push_back(static_cast<std::uint8_t>(value >> 8 * i));
}

void put(Bytes& out, const ChainIdentity& chain) {
    put(out, chain.chain_id);
    append(out, chain.genesis_hash);
}

void put_text(Bytes& out, std::string_view text) {
    append(out, as_bytes(text.substr(0, kTextSizeMax)));
}

struct Writer {
    Bytes& out;

    Kind operator()(const Hello& m) const {
        append(out, as_bytes(kMagic));
        put(out, static_cast<std::uint8_t>(m.protocol));
        put(out, m.version);
        put(out, m.chain);
        return Kind::Hello;
    }
    Kind operator()(const Welcome& m) const {
        put(out, m.version);
        put(out, m.chain);
        put(out, m.idle_ms_max);
        return Kind::Welcome;
    }
    Kind operator()(const Error& m) const {
        put(out, static_cast<std::uint16_t>(m.code));
        put(out, m.number);
        put_text(out, m.text);
        return Kind::Error;
    }
    Kind operator()(const Ping& m) const {
        put(out, m.token);
        return Kind::Ping;
    }
    Kind operator()(const Pong& m) const {
        put(out, m.token);
        return Kind::Pong;
    }
    Kind operator()(const FeedState& m) const {
        put(out, m.first);
        put(out, m.last);
        return Kind::FeedState;
    }
    Kind operator()(const Follow& m) const {
        put(out, m.from);
        return Kind::Follow;
    }
    Kind operator()(const Record& m) const {
        append(out, m.record);
        return Kind::Record;
    }
    Kind operator()(const Challenge& m) const {
        append(out, m.nonce);
        return Kind::Challenge;
    }
    Kind operator()(const Identify& m) const {
        append(out, m.signature);
        return Kind::Identify;
    }
    Kind operator()(const Acknowledge& m) const {
        put(out, m.number);
        append(out, m.hash);
        return Kind::Acknowledge;
    }
    Kind operator()(const Proposal& m) const {
        append(out, m.record);
        return Kind::Proposal;
    }
    Kind operator()(const Release& m) const {
        put(out, m.number);
        return Kind::Release;
    }
    Kind operator()(const Fetch& m) const {
        put(out, m.first);
        put(out, m.last);
        return Kind::Fetch;
    }
    Kind operator()(const Held& m) const {
        append(out, m.record);
        return Kind::Held;
    }
    Kind operator()(const TxnLimits& m) const {
        put(out, m.in_flight_max);
        put(out, m.envelope_size_max);
        put(out, m.wait_ms_max);
        return Kind::TxnLimits;
    }
    Kind operator()(const Submit& m) const {
        put(out, m.id);
        put(out, static_cast<std::uint8_t>(m.wait));
        append(out, m.envelope);
        return Kind::Submit;
    }
    Kind operator()(const Accepted& m) const {
        put(out, m.id);
        append(out, m.hash);
        put(out, static_cast<std::uint8_t>(m.missing_nonce.has_value()));
        put(out, m.missing_nonce.value_or(0));
        return Kind::Accepted;
    }
    Kind operator()(const Refused& m) const {
        put(out, m.id);
        put(out, code_of(m.error));
        put_text(out, m.text);
        return Kind::Refused;
    }
    Kind operator()(const Included& m) const {
        put(out, m.id);
        put(out, m.block_number);
        put(out, m.index);
        put(out, m.frame_number);
        put(out, static_cast<std::uint8_t>(m.success));
        put(out, m.gas_used);
        put(out, m.timestamp_us);
        return Kind::Included;
    }
    Kind operator()(const Dropped& m) const {
        put(out, m.id);
        put(out, static_cast<std::uint8_t>(m.reason));
        put_text(out, m.text);
        return Kind::Dropped;
    }
};

// --- reading ----------------------------------------------------------------------------------------------

// Reads fields from the front. What is missing or wrong is remembered, and what it gives then is of no use.
class Fields {
public:
    Fields(const char* message, BytesView payload) : m_message(message), m_left(payload) {}

    template <class T>
    T number(const char* field) {
        if (!has(sizeof(T), field))
            return {};
        T value{};
        for (std::size_t i = 0; i < sizeof(T); ++i)
            value = static_cast<T>(value | static_cast<T>(T{m_left[i]} << 8 * i));
        m_left = m_left.subspan(sizeof(T));
        return value;
    }
    bool flag(const char* field) {
        const auto value = number<std::uint8_t>(field);
        if (value > 1)
            refuse(field, "neither 0 nor 1");
        return value == 1;
    }
    template <std::size_t N>
    FixedBytes<N> bytes(const char* field) {
        if (!has(N, field))
            return {};
        const FixedBytes<N> out = first_bytes<N>(m_left);
        m_left = m_left.subspan(N);
        return out;
    }
    Hash hash(const char* field) { return bytes<Hash::kSize>(field); }
    ChainIdentity chain() {
        ChainIdentity out;
        out.chain_id = number<std::uint64_t>("chain id");
        out.genesis_hash = hash("genesis hash");
        return out;
    }
    std::string text() {
        if (m_left.size() > kTextSizeMax)
            refuse("text", "too long");
        const BytesView bytes = std::exchange(m_left, {});
        return {bytes.begin(), bytes.end()};
    }
    BytesView rest() { return std::exchange(m_left, {}); }
    void magic() {
        if (!has(kMagic.size(), "magic"))
            return;
        if (!equal(m_left.first(kMagic.size()), as_bytes(kMagic)))
            refuse("magic", "not this protocol");
        m_left = m_left.subspan(kMagic.size());
    }
    void refuse(const char* field, const char* why) {
        if (m_wrong.empty())
            m_wrong = std::string(m_message) + ": " + field + ": " + why;
    }
    Result<Message, std::string> done(Message message) {
        if (m_wrong.empty() && !m_left.empty())
            refuse("end", "bytes are left over");
        if (!m_wrong.empty())
            return fail(std::move(m_wrong));
        return message;
    }

private:
    bool has(std::size_t size, const char* field) {
        if (m_wrong.empty() && m_left.size() < size)
            refuse(field, "the message ends before it");
        return m_wrong.empty();
    }

    const char* m_message;
    BytesView m_left;
    std::string m_wrong;
};

Result<Message, std::string> decode_hello(BytesView payload) {
    Fields in("hello", payload);
    Hello out;
    in.magic();
    const auto protocol = in.number<std::uint8_t>("protocol");
    if (protocol != 1 && protocol != 2)
        in.refuse("protocol", "neither 1 (feed) nor 2 (transactions)");
    out.protocol = static_cast<Protocol>(protocol);
    out.version = in.number<std::uint16_t>("version");
    out.chain = in.chain();
    return in.done(out);
}

Result<Message, std::string> decode_welcome(BytesView payload) {
    Fields in("welcome", payload);
    Welcome out;
    out.version = in.number<std::uint16_t>("version");
    out.chain = in.chain();
    out.idle_ms_max = in.number<std::uint32_t>("idle time");
    return in.done(out);
}

Result<Message, std::string> decode_error(BytesView payload) {
    Fields in("error", payload);
    Error out;
    // A code that is not known here is one from a later version: its text still says something.
    out.code = static_cast<ErrorCode>(in.number<std::uint16_t>("code"));
    out.number = in.number<std::uint64_t>("number");
    out.text = in.text();
    return in.done(std::move(out));
}

Result<Message, std::string> decode_submit(BytesView payload) {
    Fields in("submit", payload);
    Submit out;
    out.id = in.number<std::uint64_t>("id");
    const auto flags = in.number<std::uint8_t>("flags");
    if (flags > 1)
        in.refuse("flags", "a flag of no meaning");
    out.wait = flags == 1;
    out.envelope = in.rest();
    return in.done(out);
}

Result<Message, std::string> decode_accepted(BytesView payload) {
    Fields in("accepted", payload);
    Accepted out;
    out.id = in.number<std::uint64_t>("id");
    out.hash = in.hash("hash");
    const bool missing = in.flag("whether a nonce is missing");
    const auto nonce = in.number<std::uint64_t>("missing nonce");
    if (missing)
        out.missing_nonce = nonce;
    else if (nonce != 0)
        in.refuse("missing nonce", "not zero, though none is missing");
    return in.done(out);
}

Result<Message, std::string> decode_refused(BytesView payload) {
    Fields in("refused", payload);
    Refused out;
    out.id = in.number<std::uint64_t>("id");
    if (const auto error = submit_error_of(in.number<std::uint8_t>("code")))
        out.error = *error;
    else
        in.refuse("code", "unknown");
    out.text = in.text();
    return in.done(std::move(out));
}

Result<Message, std::string> decode_included(BytesView payload) {
    Fields in("included", payload);
    Included out;
    out.id = in.number<std::uint64_t>("id");
    out.block_number = in.number<std::uint64_t>("block number");
    out.index = in.number<std::uint32_t>("index");
    out.frame_number = in.number<std::uint64_t>("frame number");
    out.success = in.flag("status");
    out.gas_used = in.number<std::uint64_t>("gas used");
    out.timestamp_us = in.number<std::uint64_t>("timestamp");
    return in.done(out);
}

Result<Message, std::string> decode_dropped(BytesView payload) {
    Fields in("dropped", payload);
    Dropped out;
    out.id = in.number<std::uint64_t>("id");
    const auto reason = in.number<std::uint8_t>("reason");
    if (reason != 1 && reason != 2)
        in.refuse("reason", "unknown");
    out.reason = static_cast<DropReason>(reason);
    out.text = in.text();
    return in.done(std::move(out));
}

// The messages between a sequencer and the replicas that acknowledge its frames.
Result<Message, std::string> decode_replication(Kind kind, BytesView payload) {
    switch (kind) {
        case Kind::Challenge: {
            Fields in("challenge", payload);
            return in.done(Challenge{in.hash("nonce")});
        }
        case Kind::Identify: {
            Fields in("identify", payload);
            return in.done(Identify{in.bytes<frames::FrameSignature::kSize>("signature")});
        }
        case Kind::Acknowledge: {
            Fields in("acknowledge", payload);
            Acknowledge out;
            out.number = in.number<std::uint64_t>("number");
            out.hash = in.hash("hash");
            return in.done(out);
        }
        case Kind::Release: {
            Fields in("release", payload);
            return in.done(Release{in.number<std::uint64_t>("number")});
        }
        default: {
            Fields in("fetch", payload);
            Fetch out;
            out.first = in.number<std::uint64_t>("first");
            out.last = in.number<std::uint64_t>("last");
            return in.done(out);
        }
    }
}

// The messages that are a few numbers each.
Result<Message, std::string> decode_small(Kind kind, BytesView payload) {
    switch (kind) {
        case Kind::Ping: {
            Fields in("ping", payload);
            return in.done(Ping{in.number<std::uint64_t>("token")});
        }
        case Kind::Pong: {
            Fields in("pong", payload);
            return in.done(Pong{in.number<std::uint64_t>("token")});
        }
        case Kind::Follow: {
            Fields in("follow", payload);
            return in.done(Follow{in.number<std::uint64_t>("from")});
        }
        case Kind::FeedState: {
            Fields in("feed state", payload);
            FeedState out;
            out.first = in.number<std::uint64_t>("first");
            out.last = in.number<std::uint64_t>("last");
            return in.done(out);
        }
        default: {
            Fields in("transaction limits", payload);
            TxnLimits out;
            out.in_flight_max = in.number<std::uint32_t>("in flight");
            out.envelope_size_max = in.number<std::uint32_t>("envelope size");
            out.wait_ms_max = in.number<std::uint32_t>("waiting time");
            return in.done(out);
        }
    }
}

// Numbers on the wire do not change with the order of the enumeration.
constexpr std::pair<SubmitError, std::uint8_t> kSubmitCodes[] = {
    {SubmitError::AlreadyKnown, 1},
    {SubmitError::ReplacementUnderpriced, 2},
    {SubmitError::PoolFull, 3},
    {SubmitError::SenderFull, 4},
    {SubmitError::NonceTooLow, 5},
    {SubmitError::NonceTooHigh, 6},
    {SubmitError::InsufficientFunds, 7},
    {SubmitError::IntrinsicGas, 8},
    {SubmitError::FloorGas, 9},
    {SubmitError::ExceedsBlockGasLimit, 10},
    {SubmitError::GasLimitMaximum, 11},
    {SubmitError::TipAboveFeeCap, 12},
    {SubmitError::Underpriced, 13},
    {SubmitError::InitCodeTooLarge, 14},
    {SubmitError::WrongChainId, 15},
    {SubmitError::InvalidSignature, 16},
    {SubmitError::TypeNotSupported, 17},
    {SubmitError::Malformed, 18},
    {SubmitError::Busy, 19},
};

}  // namespace

std::string_view to_string(Protocol protocol) noexcept {
    return protocol == Protocol::Feed ? "feed" : "transactions";
}

std::string_view to_string(ErrorCode code) noexcept {
    switch (code) {
        case ErrorCode::BadMessage:
            return "bad message";
        case ErrorCode::TooLarge:
            return "too large";
        case ErrorCode::Unexpected:
            return "unexpected message";
        case ErrorCode::WrongProtocol:
            return "wrong protocol";
        case ErrorCode::WrongVersion:
            return "wrong version";
        case ErrorCode::WrongChain:
            return "wrong chain";
        case ErrorCode::TooManyConnections:
            return "too many connections";
        case ErrorCode::TimedOut:
            return "timed out";
        case ErrorCode::ShuttingDown:
            return "shutting down";
        case ErrorCode::NotRetained:
            return "not retained";
        case ErrorCode::NotYet:
            return "not yet";
        case ErrorCode::TooSlow:
            return "too slow";
        case ErrorCode::LogUnreadable:
            return "log unreadable";
        case ErrorCode::NotTrusted:
            return "not trusted";
        case ErrorCode::Diverged:
            return "diverged";
    }
    return "unknown";
}

std::uint8_t code_of(SubmitError error) noexcept {
    for (const auto& [known, code] : kSubmitCodes)
        if (known == error)
            return code;
    return 0;
}

std::optional<SubmitError> submit_error_of(std::uint8_t code) noexcept {
    for (const auto& [error, known] : kSubmitCodes)
        if (known == code)
            return error;
    return std::nullopt;
}

void encode(Bytes& out, const Message& message) {
    const std::size_t begin = out.size();
    out.resize(begin + kHeadSize);
    const Kind kind = std::visit(Writer{out}, message);
    const auto length = static_cast<std::uint32_t>(out.size() - begin - kLengthSize);
    for (std::size_t i = 0; i < kLengthSize; ++i)
        out[begin + i] = static_cast<std::uint8_t>(length >> 8 * i);
    out[begin + kLengthSize] = static_cast<std::uint8_t>(kind);
}

FixedBytes<kHeadSize> record_head(Kind kind, std::size_t record_size) noexcept {
    FixedBytes<kHeadSize> out;
    const auto length = static_cast<std::uint32_t>(record_size + 1);
    for (std::size_t i = 0; i < kLengthSize; ++i)
        out[i] = static_cast<std::uint8_t>(length >> 8 * i);
    out[kLengthSize] = static_cast<std::uint8_t>(kind);
    return out;
}

std::optional<std::size_t> payload_size_max(Protocol protocol, Side receiver, std::uint8_t kind,
                                            Fetching fetching) noexcept {
    const bool server = receiver == Side::Server, feed = protocol == Protocol::Feed;
    const auto only = [](bool accepted, std::size_t size) {
        return accepted ? std::optional(size) : std::nullopt;
    };
    switch (static_cast<Kind>(kind)) {
        case Kind::Hello:
            return only(server, kMagic.size() + 1 + 2 + kIdentitySize);
        case Kind::Welcome:
            return only(!server, 2 + kIdentitySize + 4);
        case Kind::Error:
            return 2 + 8 + kTextSizeMax;
        case Kind::Ping:
        case Kind::Pong:
            return 8;
        case Kind::FeedState:
            return only(!server && feed, 16);
        case Kind::Follow:
            return only(server && feed, 8);
        case Kind::Record:
        case Kind::Proposal:
            return only(!server && feed, frames::kRecordSizeMax);
        case Kind::Challenge:
            return only(!server && feed, Hash::kSize);
        case Kind::Identify:
            return only(server && feed, frames::FrameSignature::kSize);
        case Kind::Acknowledge:
            return only(server && feed, 8 + Hash::kSize);
        case Kind::Release:
            return only(!server && feed, 8);
        case Kind::Fetch:
            return only(!server && feed, 16);
        case Kind::Held:
            return only(server && feed && fetching == Fetching::Yes, frames::kRecordSizeMax);
        case Kind::TxnLimits:
            return only(!server && !feed, 12);
        case Kind::Submit:
            return only(server && !feed, 9 + kEnvelopeSizeMax);
        case Kind::Accepted:
            return only(!server && !feed, 8 + 32 + 1 + 8);
        case Kind::Refused:
        case Kind::Dropped:
            return only(!server && !feed, 9 + kTextSizeMax);
        case Kind::Included:
            return only(!server && !feed, 8 + 8 + 4 + 8 + 1 + 8 + 8);
    }
    return std::nullopt;
}

Result<Message, std::string> decode(std::uint8_t kind, BytesView payload) {
    switch (static_cast<Kind>(kind)) {
        case Kind::Hello:
            return decode_hello(payload);
        case Kind::Welcome:
            return decode_welcome(payload);
        case Kind::Error:
            return decode_error(payload);
        case Kind::Record:
            return Record{payload};
        case Kind::Proposal:
            return Proposal{payload};
        case Kind::Held:
            return Held{payload};
        case Kind::Submit:
            return decode_submit(payload);
        case Kind::Accepted:
            return decode_accepted(payload);
        case Kind::Refused:
            return decode_refused(payload);
        case Kind::Included:
            return decode_included(payload);
        case Kind::Dropped:
            return decode_dropped(payload);
        case Kind::Ping:
        case Kind::Pong:
        case Kind::FeedState:
        case Kind::Follow:
        case Kind::TxnLimits:
            return decode_small(static_cast<Kind>(kind), payload);
        case Kind::Challenge:
        case Kind::Identify:
        case Kind::Acknowledge:
        case Kind::Release:
        case Kind::Fetch:
            return decode_replication(static_cast<Kind>(kind), payload);
    }
    return fail("message kind " + std::to_string(kind) + ": unknown");
}

// --- streams ----------------------------------------------------------------------------------------------

std::span<std::uint8_t> MessageReader::prepare(std::size_t size) {
    if (m_begin == m_end)
        m_begin = m_end = 0;
    if (m_buffer.size() < m_end + size && m_begin != 0) {
        std::copy(m_buffer.begin() + static_cast<std::ptrdiff_t>(m_begin),
                  m_buffer.begin() + static_cast<std::ptrdiff_t>(m_end), m_buffer.begin());
        m_end -= std::exchange(m_begin, 0);
    }
    if (m_buffer.size() < m_end + size)
        m_buffer.resize(m_end + size);
    return std::span(m_buffer).subspan(m_end, size);
}

Result<std::optional<Message>, Error> MessageReader::next() {
    const BytesView left = BytesView(m_buffer).subspan(m_begin, m_end - m_begin);
    if (left.size() < kHeadSize)
        return std::nullopt;
    std::uint32_t length = 0;
    for (std::size_t i = 0; i < kLengthSize; ++i)
        length |= std::uint32_t{left[i]} << 8 * i;
    const std::uint8_t kind = left[kLengthSize];
    if (length == 0)
        return fail(Error{ErrorCode::BadMessage, 0, "length: zero, without room for a message's kind"});
    const auto size_max = payload_size_max(m_protocol, m_receiver, kind, m_fetching);
    if (!size_max)
        return fail(Error{ErrorCode::BadMessage, 0,
                          "message kind " + std::to_string(kind) + ": not one that a " +
                              (m_receiver == Side::Server ? "server" : "client") + " of the " +
                              std::string(to_string(m_protocol)) + " protocol takes"});
    if (length - 1 > *size_max)
        return fail(Error{ErrorCode::TooLarge, 0,
                          "length: " + std::to_string(length - 1) + " bytes in a message of kind " +
                              std::to_string(kind) + ", at most " + std::to_string(*size_max)});
    if (left.size() < kLengthSize + length)
        return std::nullopt;
    auto decoded = decode(kind, left.subspan(kHeadSize, length - 1));
    if (!decoded)
        return fail(Error{ErrorCode::BadMessage, 0, std::move(decoded.error())});
    m_begin += kLengthSize + length;
    return *std::move(decoded);
}

}  // namespace meridian::wire
