// The messages of the binary ports, as values and as bytes. docs/wire.md specifies them.
//
// Decoding takes hostile bytes: sizes are checked before memory is taken, and what is accepted encodes to the
// same bytes again. Pure functions.
#pragma once

#include <meridian/base/bytes.hpp>
#include <meridian/base/result.hpp>
#include <meridian/frames/frame.hpp>
#include <meridian/sequencer/admission.hpp>
#include <meridian/store/chain_store.hpp>

#include <optional>
#include <string>
#include <variant>

namespace meridian::wire {

using store::ChainIdentity;

enum class Protocol : std::uint8_t { Feed = 1, Transactions = 2 };
std::string_view to_string(Protocol protocol) noexcept;
inline constexpr std::uint16_t kVersion = 1;

// Who receives: each side accepts only what is meant for it.
enum class Side : std::uint8_t { Server, Client };

enum class Kind : std::uint8_t {
    Hello = 1,
    Welcome = 2,
    Error = 3,
    Ping = 4,
    Pong = 5,
    FeedState = 16,
    Follow = 17,
    Record = 18,
    Challenge = 19,
    Identify = 20,
    Acknowledge = 21,
    Proposal = 22,
    Release = 23,
    Fetch = 24,
    Held = 25,
    TxnLimits = 32,
    Submit = 33,
    Accepted = 34,
    Refused = 35,
    Included = 36,
    Dropped = 37,
};

// --- both protocols ---------------------------------------------------------------------------------------

// The client's first message.
struct Hello {
    Protocol protocol = Protocol::Feed;
    std::uint16_t version = kVersion;
    ChainIdentity chain;
    friend bool operator==(const Hello&, const Hello&) = default;
};
// The server's answer.
struct Welcome {
    std::uint16_t version = kVersion;
    ChainIdentity chain;
    std::uint32_t idle_ms_max = 0;  // without a sign of life, after which the server closes
    friend bool operator==(const Welcome&, const Welcome&) = default;
};

enum class ErrorCode : std::uint16_t {
    BadMessage = 1,  // does not decode
    TooLarge,        // a length beyond what the receiver takes
    Unexpected,      // a message that has no place here
    WrongProtocol,   // the other port
    WrongVersion,    // `number`: the newest that the server speaks
    WrongChain,
    TooManyConnections,
    TimedOut,  // no sign of life, or a message that does not come to its end
    ShuttingDown,
    NotRetained = 32,  // `number`: the first frame that can be had
    NotYet,            // `number`: the last frame that there is
    TooSlow,           // `number`: the last frame that was sent
    LogUnreadable,     // the server's log cannot be read
    NotTrusted,        // an identity that the server's configuration does not name
    Diverged,          // `number`: a frame of which both sides hold another, or that the server never had
};
std::string_view to_string(ErrorCode code) noexcept;

// Before a side closes: why. The text is for people.
struct Error {
    ErrorCode code = ErrorCode::BadMessage;
    std::uint64_t number = 0;
    std::string text;  // at most kTextSizeMax bytes
    friend bool operator==(const Error&, const Error&) = default;
};

struct Ping {
    std::uint64_t token = 0;
    friend bool operator==(const Ping&, const Ping&) = default;
};
struct Pong {
    std::uint64_t token = 0;
    friend bool operator==(const Pong&, const Pong&) = default;
};

// --- feed -------------------------------------------------------------------------------------------------

// What the server has: after Welcome, and again whenever it pings.
struct FeedState {
    std::uint64_t first = 0;
    std::uint64_t last = 0;  // first - 1: nothing
    friend bool operator==(const FeedState&, const FeedState&) = default;
};
// Frames from this number on, please. Once a connection.
struct Follow {
    std::uint64_t from = 0;
    friend bool operator==(const Follow&, const Follow&) = default;
};
// One frame, as it is in the log (docs/frames.md). Anybody may see it, and all before it.
struct Record {
    BytesView record;
};

// From a server whose frames replicas acknowledge, behind Welcome: who has a key that it trusts may say so.
struct Challenge {
    Hash nonce;  // drawn for this connection
    friend bool operator==(const Challenge&, const Challenge&) = default;
};
// Over identity_hash() (identity.hpp): r, s, and the parity of the nonce point's y. Before Follow.
struct Identify {
    frames::FrameSignature signature;
    friend bool operator==(const Identify&, const Identify&) = default;
};
// The client's log holds this frame durably, and all before it: behind Identify, and whenever there are more.
struct Acknowledge {
    std::uint64_t number = 0;  // zero: none; the hash is block 0's then
    Hash hash;
    friend bool operator==(const Acknowledge&, const Acknowledge&) = default;
};
// One frame that nobody may be shown yet, to those who acknowledge.
struct Proposal {
    BytesView record;
};
// The frames up to this one may be shown, of those that were acknowledged, proposed or recorded.
struct Release {
    std::uint64_t number = 0;
    friend bool operator==(const Release&, const Release&) = default;
};
// The server lacks frames that the client has acknowledged, from `first` to `last`.
struct Fetch {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    friend bool operator==(const Fetch&, const Fetch&) = default;
};
// One of them.
struct Held {
    BytesView record;
};

// --- transactions -----------------------------------------------------------------------------------------

// After Welcome.
struct TxnLimits {
    std::uint32_t in_flight_max = 0;  // more are not read before others are answered
    std::uint32_t envelope_size_max = 0;
    std::uint32_t wait_ms_max = 0;  // until a transaction that is waited for counts as expired
    friend bool operator==(const TxnLimits&, const TxnLimits&) = default;
};
struct Submit {
    std::uint64_t id = 0;     // the client's own; comes back with the answers
    bool wait = false;        // for the frame that includes it
    BytesView envelope = {};  // EIP-2718
};
// It is in the pool.
struct Accepted {
    std::uint64_t id = 0;
    Hash hash;
    // The nonce that must come before this one can be executed.
    std::optional<std::uint64_t> missing_nonce;
    friend bool operator==(const Accepted&, const Accepted&) = default;
};
struct Refused {
    std::uint64_t id = 0;
    sequencer::SubmitError error = sequencer::SubmitError::Busy;
    std::string text;
    friend bool operator==(const Refused&, const Refused&) = default;
};
// It is in a durable frame. After Accepted, where that was asked for.
struct Included {
    std::uint64_t id = 0;
    std::uint64_t block_number = 0;
    std::uint32_t index = 0;  // in the block
    std::uint64_t frame_number = 0;
    bool success = false;
    std::uint64_t gas_used = 0;
    std::uint64_t timestamp_us = 0;  // the frame's
    friend bool operator==(const Included&, const Included&) = default;
};
enum class DropReason : std::uint8_t {
    Expired = 1,  // not included in time; it may be yet
    Rejected,     // cannot be executed
};
// In place of Included.
struct Dropped {
    std::uint64_t id = 0;
    DropReason reason = DropReason::Expired;
    std::string text;
    friend bool operator==(const Dropped&, const Dropped&) = default;
};

// --- bytes ------------------------------------------------------------------------------------------------

// Views in it are of the bytes that were decoded.
using Message = std::variant<Hello, Welcome, Error, Ping, Pong, FeedState, Follow, Record, Challenge,
                             Identify, Acknowledge, Proposal, Release, Fetch, Held, TxnLimits, Submit,
                             Accepted, Refused, Included, Dropped>;

inline constexpr std::size_t kLengthSize = 4;
inline constexpr std::size_t kHeadSize = kLengthSize + 1;  // length and kind
inline constexpr std::size_t kTextSizeMax = 1024;
// The largest envelope that can be sent at all; a server may take less (TxnLimits).
inline constexpr std::size_t kEnvelopeSizeMax = std::size_t{1} << 20;

// The stable number of a refusal on the wire.
std::uint8_t code_of(sequencer::SubmitError error) noexcept;
std::optional<sequencer::SubmitError> submit_error_of(std::uint8_t code) noexcept;

// Appends the whole message, length and kind included. Texts are cut at kTextSizeMax.
void encode(Bytes& out, const Message& message);
// Length and kind of a Record, Proposal or Held message of that many bytes; the record follows as it is.
FixedBytes<kHeadSize> record_head(Kind kind, std::size_t record_size) noexcept;

// Whether a server has asked its client for frames.
enum class Fetching : std::uint8_t { No, Yes };

// The largest payload (without length and kind) of a message that `receiver` accepts under that protocol;
// empty for a kind that it does not accept.
std::optional<std::size_t> payload_size_max(Protocol protocol, Side receiver, std::uint8_t kind,
                                            Fetching fetching = Fetching::No) noexcept;

// The error is a sentence that names message and field.
Result<Message, std::string> decode(std::uint8_t kind, BytesView payload);

// Cuts what a connection brings into messages. Takes memory only as bytes arrive, at most the largest message
// and one read.
class MessageReader {
public:
    MessageReader(Protocol protocol, Side receiver) : m_protocol(protocol), m_receiver(receiver) {}

    // Room for that many bytes, valid until the next call; then how many of them came.
    std::span<std::uint8_t> prepare(std::size_t size);
    void commit(std::size_t size) noexcept { m_end += size; }

    // The next whole message; empty if there is none yet. Views in it are valid until prepare(). After an
    // error nothing more comes.
    Result<std::optional<Message>, Error> next();
    // Whether Held is accepted, which is much larger than what else comes to a server.
    void set_fetching(Fetching fetching) noexcept { m_fetching = fetching; }
    // A message has begun and is not whole.
    bool amid_message() const noexcept { return m_begin != m_end; }

private:
    Protocol m_protocol;
    Side m_receiver;
    Fetching m_fetching = Fetching::No;
    Bytes m_buffer;
    std::size_t m_begin = 0;  // of what is not cut yet
    std::size_t m_end = 0;    // of what came
};

}  // namespace meridian::wire
