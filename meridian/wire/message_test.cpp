// The layout of every message, byte by byte where it matters, and what the decoder refuses.
#include <meridian/wire/message.hpp>

#include <meridian/base/hex.hpp>
#include <meridian/frames/codec.hpp>

#include <gtest/gtest.h>

namespace meridian::wire {
namespace {

using sequencer::SubmitError;

constexpr Protocol kFeed = Protocol::Feed, kTxns = Protocol::Transactions;

Bytes encoded(const Message& message) {
    Bytes out;
    encode(out, message);
    return out;
}

ChainIdentity chain() {
    ChainIdentity out;
    out.chain_id = 0x0102030405060708;
    out.genesis_hash.bytes.fill(0xab);
    return out;
}

void feed(MessageReader& reader, BytesView bytes) {
    const auto room = reader.prepare(bytes.size());
    std::ranges::copy(bytes, room.begin());
    reader.commit(bytes.size());
}

constexpr frames::FrameSignature signature() {
    frames::FrameSignature out;
    out.bytes.fill(0xcd);
    return out;
}

template <class T>
void expect_same(const T& message, Protocol protocol, Side receiver) {
    MessageReader reader(protocol, receiver);
    feed(reader, encoded(message));
    const auto read = reader.next();
    ASSERT_TRUE(read && *read);
    ASSERT_TRUE(std::holds_alternative<T>(**read));
    EXPECT_EQ(std::get<T>(**read), message);
    EXPECT_FALSE(reader.amid_message());
}

std::string refusal(std::uint8_t kind, BytesView payload) {
    const auto decoded = decode(kind, payload);
    return decoded ? "accepted" : decoded.error();
}

TEST(Message, GoesThroughBytesUnchanged) {
    expect_same(Hello{kTxns, 7, chain()}, kTxns, Side::Server);
    expect_same(Welcome{1, chain(), 30'000}, kFeed, Side::Client);
    expect_same(Error{ErrorCode::NotRetained, 17, "restore a snapshot"}, kFeed, Side::Client);
    expect_same(Ping{~0ull}, kFeed, Side::Client);
    expect_same(Pong{5}, kTxns, Side::Server);
    expect_same(FeedState{1, 0}, kFeed, Side::Client);
    expect_same(Follow{99}, kFeed, Side::Server);
    expect_same(Challenge{chain().genesis_hash}, kFeed, Side::Client);
    expect_same(Identify{signature()}, kFeed, Side::Server);
    expect_same(Acknowledge{7, chain().genesis_hash}, kFeed, Side::Server);
    expect_same(Release{8}, kFeed, Side::Client);
    expect_same(Fetch{9, 12}, kFeed, Side::Client);
    expect_same(TxnLimits{1, 2, 3}, kTxns, Side::Client);
    expect_same(Accepted{1, chain().genesis_hash, 0}, kTxns, Side::Client);
    expect_same(Accepted{2, chain().genesis_hash, std::nullopt}, kTxns, Side::Client);
    expect_same(Refused{3, SubmitError::NonceTooLow, "nonce too low"}, kTxns, Side::Client);
    expect_same(Included{4, 5, 6, 7, true, 21'000, 1'700'000'000'000'000}, kTxns, Side::Client);
    expect_same(Dropped{5, DropReason::Rejected, ""}, kTxns, Side::Client);
}

TEST(Message, HasTheDocumentedLayout) {
    EXPECT_EQ(to_hex(encoded(Hello{kFeed, 1, chain()})),
              "34000000"
              "01"
              "4d52444e57495245"
              "01"
              "0100"
              "0807060504030201" +
                  to_hex(chain().genesis_hash));
    EXPECT_EQ(to_hex(encoded(Error{ErrorCode::TooSlow, 258, "no"})),
              "0d000000"
              "03"
              "2200"
              "0201000000000000"
              "6e6f");
    EXPECT_EQ(to_hex(encoded(Submit{1, true, as_bytes("ab")})),
              "0c000000"
              "21"
              "0100000000000000"
              "01"
              "6162");
    EXPECT_EQ(to_hex(encoded(Included{1, 2, 3, 4, true, 5, 6})),
              "2e000000"
              "24"
              "0100000000000000"
              "0200000000000000"
              "03000000"
              "0400000000000000"
              "01"
              "0500000000000000"
              "0600000000000000");
    EXPECT_EQ(to_hex(record_head(Kind::Record, 295)),
              "28010000"
              "12");
    EXPECT_EQ(to_hex(record_head(Kind::Proposal, 295)),
              "28010000"
              "16");
    EXPECT_EQ(to_hex(encoded(Held{as_bytes("ab")})),
              "03000000"
              "19"
              "6162");
    EXPECT_EQ(to_hex(encoded(Acknowledge{258, chain().genesis_hash})),
              "29000000"
              "15"
              "0201000000000000" +
                  to_hex(chain().genesis_hash));
}

TEST(Message, BringsAServerARecordOnlyWhenItHasAskedForOne) {
    const auto kind = static_cast<std::uint8_t>(Kind::Held);
    EXPECT_FALSE(payload_size_max(kFeed, Side::Server, kind));
    EXPECT_FALSE(payload_size_max(kFeed, Side::Client, kind, Fetching::Yes));
    EXPECT_FALSE(payload_size_max(kTxns, Side::Server, kind, Fetching::Yes));
    EXPECT_EQ(payload_size_max(kFeed, Side::Server, kind, Fetching::Yes), frames::kRecordSizeMax);
    MessageReader reader(kFeed, Side::Server);
    feed(reader, encoded(Held{as_bytes("ab")}));
    EXPECT_FALSE(reader.next());
    MessageReader asked(kFeed, Side::Server);
    asked.set_fetching(Fetching::Yes);
    feed(asked, encoded(Held{as_bytes("ab")}));
    const auto message = asked.next();
    ASSERT_TRUE(message && *message);
    EXPECT_TRUE(equal(std::get<Held>(**message).record, as_bytes("ab")));
}

TEST(Message, NumbersRefusalsWithoutGapsAndOnce) {
    for (std::uint8_t code = 1; code <= code_of(SubmitError::Busy); ++code) {
        const auto error = submit_error_of(code);
        ASSERT_TRUE(error) << int{code};
        EXPECT_EQ(code_of(*error), code);
    }
    EXPECT_EQ(code_of(SubmitError::AlreadyKnown), 1);
    EXPECT_EQ(code_of(SubmitError::Busy), 19);
    EXPECT_FALSE(submit_error_of(0));
    EXPECT_FALSE(submit_error_of(20));
}

TEST(Message, CutsTextsAtTheirBound) {
    const Bytes bytes = encoded(Refused{1, SubmitError::Busy, std::string(5'000, 'x')});
    EXPECT_EQ(bytes.size(), kHeadSize + 9 + kTextSizeMax);
}

TEST(Message, RefusesWhatIsNotWhole) {
    const std::pair<Message, Protocol> all[] = {{Hello{kTxns, 1, chain()}, kTxns},
                                                {Welcome{1, chain(), 30'000}, kTxns},
                                                {Ping{1}, kTxns},
                                                {FeedState{1, 2}, kFeed},
                                                {Follow{1}, kFeed},
                                                {TxnLimits{1, 2, 3}, kTxns},
                                                {Accepted{1, Hash{}, 3}, kTxns},
                                                {Included{}, kTxns}};
    for (const auto& [message, protocol] : all) {
        const Bytes bytes = encoded(message);
        const BytesView payload = BytesView(bytes).subspan(kHeadSize);
        for (std::size_t size = 0; size < payload.size(); ++size)
            EXPECT_FALSE(decode(bytes[kLengthSize], payload.first(size))) << "size " << size;
        Bytes longer = to_bytes(payload);
        longer.push_back(0);
        EXPECT_FALSE(decode(bytes[kLengthSize], longer));
    }
}

TEST(Message, NamesMessageAndFieldOfWhatItRefuses) {
    Bytes hello = to_bytes(BytesView(encoded(Hello{kFeed, 1, chain()})).subspan(kHeadSize));
    hello[0] = 'X';
    EXPECT_EQ(refusal(1, hello), "hello: magic: not this protocol");
    hello[0] = 'M';
    hello[8] = 3;
    EXPECT_EQ(refusal(1, hello), "hello: protocol: neither 1 (feed) nor 2 (transactions)");
    const Bytes flags{1, 0, 0, 0, 0, 0, 0, 0, 2};
    EXPECT_EQ(refusal(33, flags), "submit: flags: a flag of no meaning");
    EXPECT_EQ(refusal(36, Bytes(20)), "included: frame number: the message ends before it");
    Bytes accepted(49);
    accepted[41] = 1;
    EXPECT_EQ(refusal(34, accepted), "accepted: missing nonce: not zero, though none is missing");
    EXPECT_EQ(refusal(35, Bytes(9)), "refused: code: unknown");
    EXPECT_EQ(refusal(37, Bytes(9)), "dropped: reason: unknown");
    EXPECT_EQ(refusal(99, {}), "message kind 99: unknown");
}

TEST(MessageReader, PutsMessagesTogetherFromAnyPieces) {
    Bytes stream = encoded(Hello{kTxns, 1, chain()});
    const Bytes envelope(1'000, 0x5a);
    for (std::uint64_t id = 0; id < 20; ++id)
        encode(stream, Submit{id, false, envelope});
    for (const std::size_t piece : {1, 7, 100, 4'096}) {
        MessageReader reader(kTxns, Side::Server);
        std::uint64_t submits = 0;
        for (std::size_t at = 0; at < stream.size(); at += piece) {
            feed(reader, BytesView(stream).subspan(at, std::min(piece, stream.size() - at)));
            for (auto message = reader.next(); message && *message; message = reader.next())
                if (const auto* submit = std::get_if<Submit>(&**message)) {
                    EXPECT_EQ(submit->id, submits++);
                    EXPECT_TRUE(equal(submit->envelope, envelope));
                }
        }
        EXPECT_EQ(submits, 20u);
        EXPECT_FALSE(reader.amid_message());
    }
}

TEST(MessageReader, RefusesALengthBeforeTakingMemoryForIt) {
    MessageReader reader(kFeed, Side::Client);
    // A gibibyte of record.
    feed(reader, Bytes{0x00, 0x00, 0x00, 0x40, 18});
    const auto message = reader.next();
    ASSERT_FALSE(message);
    EXPECT_EQ(message.error().code, ErrorCode::TooLarge);
    EXPECT_NE(message.error().text.find(std::to_string(frames::kRecordSizeMax)), std::string::npos);
}

TEST(MessageReader, RefusesZeroLengthAndKindsOfTheOtherSide) {
    MessageReader zero(kFeed, Side::Server);
    feed(zero, Bytes{0, 0, 0, 0, 1});
    EXPECT_EQ(zero.next().error().code, ErrorCode::BadMessage);
    MessageReader server(kFeed, Side::Server);
    feed(server, encoded(FeedState{1, 2}));
    EXPECT_EQ(server.next().error().code, ErrorCode::BadMessage);
    MessageReader other(kTxns, Side::Server);
    feed(other, encoded(Follow{1}));
    EXPECT_EQ(other.next().error().text,
              "message kind 17: not one that a server of the transactions protocol takes");
}

}  // namespace
}  // namespace meridian::wire
