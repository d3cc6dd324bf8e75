#include <meridian/frames/crc32c.hpp>
#include <meridian/frames/frame_fixture.hpp>
#include <meridian/rlp/decode.hpp>
#include <meridian/rlp/encode.hpp>

#include <gtest/gtest.h>
#include <zstd.h>
#include <boost/crc.hpp>

#include <functional>

namespace meridian::frames {
namespace {

using namespace testing;

bool same_changes(const state::StateChanges& a, const state::StateChanges& b) {
    return a.code == b.code && std::equal(a.accounts.begin(), a.accounts.end(), b.accounts.begin(),
                                          b.accounts.end(), [](const auto& x, const auto& y) {
                                              return x.first == y.first &&
                                                     x.second.account == y.second.account &&
                                                     x.second.storage_cleared == y.second.storage_cleared &&
                                                     x.second.storage == y.second.storage;
                                          });
}

bool same_base(const BlockBase& a, const BlockBase& b) {
    return header_of(a, 1) == header_of(b, 1) && a.withdrawals == b.withdrawals &&
           same_changes(a.parent_closing, b.parent_closing);
}

// --- CRC-32C
// -------------------------------------------------------------------------------------------------

TEST(crc32c, published_values) {
    // RFC 3720, appendix B.4.
    EXPECT_EQ(crc32c(Bytes(32, 0x00)), 0x8a9136aau);
    EXPECT_EQ(crc32c(Bytes(32, 0xff)), 0x62a8ab43u);
    EXPECT_EQ(crc32c(as_bytes("123456789")), 0xe3069283u);
    EXPECT_EQ(crc32c({}), 0u);
}

TEST(crc32c, equals_the_table_of_boost_and_goes_on) {
    Random random(2);
    for (std::size_t size = 0; size < 100; ++size) {
        const Bytes bytes = random.bytes(size);
        boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> table;
        table.process_bytes(bytes.data(), bytes.size());
        EXPECT_EQ(crc32c(bytes), table.checksum());
        const std::size_t split = random.below(size + 1);
        EXPECT_EQ(crc32c(BytesView(bytes).subspan(split), crc32c(BytesView(bytes).first(split))),
                  crc32c(bytes));
    }
}

// --- sections
// ------------------------------------------------------------------------------------------------

TEST(sections, random_content_comes_back) {
    Random random(3);
    for (int i = 0; i < 300; ++i) {
        const FrameContent content = random_content(random, random.chance(30), random.below(20));
        const auto sections = encode_sections(content);
        ASSERT_TRUE(sections);
        const auto decoded = decode_content(*sections);
        ASSERT_TRUE(decoded) << decoded.error().message;
        ASSERT_EQ(decoded->base.has_value(), content.base.has_value());
        EXPECT_TRUE(!content.base || same_base(*decoded->base, *content.base));
        EXPECT_EQ(decoded->segments, content.segments);
        EXPECT_EQ(decoded->receipts, content.receipts);
        EXPECT_TRUE(same_changes(decoded->changes, content.changes));
        EXPECT_EQ(encode_sections(*decoded)->bytes, sections->bytes);
    }
}

TEST(sections, the_executors_structures_encode_to_the_same_bytes) {
    Random random(4);
    const FrameContent content = random_content(random, true, 20);
    std::vector<BytesView> envelopes(content.segments[0].transactions.begin(),
                                     content.segments[0].transactions.end());
    const SegmentView segment{kEvmLane, envelopes};
    std::vector<chain::Receipt> receipts;
    for (const FrameReceipt& receipt : content.receipts) {
        chain::Receipt full;
        full.type = receipt.type;
        full.success = receipt.success;
        full.gas_used = receipt.gas_used;
        full.cumulative_gas_used = 77;  // not encoded
        full.logs = receipt.logs;
        full.deposit_nonce = receipt.deposit_nonce;
        full.deposit_receipt_version = receipt.deposit_receipt_version;
        receipts.push_back(full);
    }
    const auto views = encode_sections(ContentView{&*content.base, {&segment, 1}, receipts, content.changes});
    ASSERT_TRUE(views);
    EXPECT_EQ(views->bytes, encode_sections(content)->bytes);
    EXPECT_EQ(views->sizes, encode_sections(content)->sizes);
}

TEST(sections, every_optional_field_may_be_the_last) {
    Random random(5);
    FrameContent content = random_content(random, true, 0);
    BlockBase& base = *content.base;
    const auto comes_back = [&] {
        const auto decoded = decode_content(*encode_sections(content));
        return decoded && decoded->base && same_base(*decoded->base, base);
    };
    EXPECT_TRUE(comes_back());
    base.parent_beacon_block_root.reset();
    EXPECT_TRUE(comes_back());
    base.excess_blob_gas.reset();
    EXPECT_TRUE(comes_back());
    base.withdrawals.reset();
    EXPECT_TRUE(comes_back());
    base.base_fee.reset();
    EXPECT_TRUE(comes_back());
    base.withdrawals.emplace();
    EXPECT_EQ(encode_sections(content).error(), EncodeError::FieldOrder);
}

TEST(sections, a_receipt_from_before_byzantium_keeps_its_root) {
    FrameContent content;
    content.segments.push_back({kEvmLane, {Bytes{1}}});
    content.receipts.emplace_back();
    content.receipts[0].state_root = "0x1234"_hash;
    const auto decoded = decode_content(*encode_sections(content));
    ASSERT_TRUE(decoded);
    EXPECT_EQ(decoded->receipts, content.receipts);
}

TEST(sections, bounds_hold_when_encoding) {
    FrameContent content;
    content.segments.resize(kSegmentsMax + 1);
    EXPECT_EQ(encode_sections(content).error(), EncodeError::TooManySegments);
    content.segments.resize(1);
    content.segments[0].transactions.resize(kTransactionsMax + 1);
    EXPECT_EQ(encode_sections(content).error(), EncodeError::TooManyTransactions);
    content.segments[0].transactions.resize(1);
    EXPECT_EQ(encode_sections(content).error(), EncodeError::ReceiptCount);
    content.receipts.resize(1);
    content.receipts[0].deposit_receipt_version = 1;
    EXPECT_EQ(encode_sections(content).error(), EncodeError::FieldOrder);
    content.receipts[0].deposit_receipt_version.reset();
    content.receipts[0].logs.resize(1);
    content.receipts[0].logs[0].topics.resize(kTopicsMax + 1);
    EXPECT_EQ(encode_sections(content).error(), EncodeError::TooManyTopics);
    content.receipts[0].logs.clear();
    content.receipts[0].logs.resize(kLogsMax + 1);
    EXPECT_EQ(encode_sections(content).error(), EncodeError::TooManyLogs);
    content.receipts[0].logs.clear();
    content.segments[0].transactions[0].resize(kSectionsSizeMax);
    EXPECT_EQ(encode_sections(content).error(), EncodeError::SectionsTooLarge);
    content.segments[0].transactions[0].clear();
    content.base.emplace().extra_data.resize(kExtraDataSizeMax + 1);
    EXPECT_EQ(encode_sections(content).error(), EncodeError::ExtraDataTooLarge);
    content.base->extra_data.clear();
    content.base->base_fee = 1;
    content.base->withdrawals.emplace(kWithdrawalsMax + 1);
    EXPECT_EQ(encode_sections(content).error(), EncodeError::TooManyWithdrawals);
    content.base->withdrawals->clear();
    std::map<u256, u256>& storage = content.changes.accounts[Address{}].storage;
    for (std::uint64_t i = 0; i < kStateEntriesMax; ++i)
        storage.emplace_hint(storage.end(), i, 0);
    EXPECT_EQ(encode_sections(content).error(), EncodeError::TooManyStateEntries);
    storage.erase(0);
    EXPECT_TRUE(encode_sections(content));
}

// Sections put together by hand, to be wrong in one place.
struct RawSections {
    Bytes base;
    Bytes transactions = rlp::ListBuilder{}.build();
    Bytes receipts = rlp::ListBuilder{}.build();
    Bytes changes = rlp::ListBuilder{}.list(rlp::ListBuilder{}).list(rlp::ListBuilder{}).build();

    std::string error() const {
        Sections sections;
        const Bytes* const parts[] = {&base, &transactions, &receipts, &changes};
        for (std::size_t i = 0; i < kSectionCount; ++i) {
            sections.sizes[i] = static_cast<std::uint32_t>(parts[i]->size());
            append(sections.bytes, *parts[i]);
        }
        const auto decoded = decode_content(sections);
        return decoded ? "" : decoded.error().message;
    }
};

rlp::ListBuilder list() {
    return {};
}

TEST(sections, errors_name_section_and_field) {
    EXPECT_EQ(RawSections{}.error(), "");
    RawSections raw;
    raw.transactions = list().list(list().uint(256).list(list())).build();
    EXPECT_EQ(raw.error(), "the transactions section: segment 0: lane: " +
                               std::string(to_string(rlp::DecodeError::Overflow)));
    raw = {};
    raw.transactions = list().list(list().uint(0).list(list().bytes({}).list(list()))).build();
    EXPECT_EQ(raw.error(), "the transactions section: segment 0: transaction 1: " +
                               std::string(to_string(rlp::DecodeError::UnexpectedList)));
    raw = {};
    raw.receipts = list().list(list().uint(5).uint(1).uint(0).list(list())).build();
    EXPECT_EQ(raw.error(), "the receipts section: receipt 0: type: 5 is no transaction type");
    raw.receipts = list().list(list().uint(0).uint(2).uint(0).list(list())).build();
    EXPECT_EQ(raw.error(), "the receipts section: receipt 0: status: " +
                               std::string(to_string(rlp::DecodeError::InvalidValue)));
    raw.receipts = list().list(list().uint(0).uint(1).uint(0).list(list())).build();
    EXPECT_EQ(raw.error(), "the receipts section: 1 receipts for 0 transactions");
    const auto log = list().bytes(Address{}).list(list().bytes(Address{})).bytes({});
    raw.receipts = list().list(list().uint(0).uint(1).uint(0).list(list().list(log))).build();
    EXPECT_EQ(raw.error(), "the receipts section: receipt 0: logs: log 0: topic 0: " +
                               std::string(to_string(rlp::DecodeError::StringTooShort)));
    raw = {};
    raw.base = list().build();
    EXPECT_EQ(raw.error(),
              "the base section: parent hash: " + std::string(to_string(rlp::DecodeError::TooFewItems)));
    raw = {};
    raw.changes = Bytes{rlp::kEmptyString};
    EXPECT_EQ(raw.error(),
              "the changes section: " + std::string(to_string(rlp::DecodeError::UnexpectedString)));
    raw.changes = {};
    EXPECT_EQ(raw.error(), "the changes section: " + std::string(to_string(rlp::DecodeError::InputTooShort)));
}

rlp::ListBuilder account_item(const Address& address, const rlp::ListBuilder& account,
                              const rlp::ListBuilder& storage) {
    return list().bytes(address).list(account).uint(0).list(storage);
}

TEST(sections, changes_have_one_order_and_one_form) {
    RawSections raw;
    const auto with_accounts = [&](const rlp::ListBuilder& accounts) {
        raw.changes = list().list(accounts).list(list()).build();
        return raw.error();
    };
    const auto account = [&](std::uint8_t last) {
        Address address;
        address[19] = last;
        return account_item(address, list(), list());
    };
    EXPECT_EQ(with_accounts(list().list(account(1)).list(account(2))), "");
    EXPECT_EQ(with_accounts(list().list(account(2)).list(account(1))),
              "the changes section: accounts: account 1: addresses do not ascend");
    EXPECT_EQ(with_accounts(list().list(account(1)).list(account(1))),
              "the changes section: accounts: account 1: addresses do not ascend");
    EXPECT_EQ(with_accounts(list().list(account_item({}, list(), list().uint(1).uint(1).uint(1).uint(2)))),
              "the changes section: accounts: account 0: storage: slot 1: keys do not ascend");
    EXPECT_EQ(with_accounts(list().list(account_item({}, list(), list().uint(1)))),
              "the changes section: accounts: account 0: storage: slot 0: " +
                  std::string(to_string(rlp::DecodeError::TooFewItems)));
    EXPECT_EQ(
        with_accounts(
            list().list(account_item({}, list().uint(1).uint(2).bytes(crypto::kEmptyKeccak), list()))),
        "the changes section: accounts: account 0: account: code hash: stated though it is that of no code");
    raw.changes = list().list(list()).list(list().bytes({}).bytes({})).build();
    EXPECT_EQ(raw.error(), "the changes section: codes: code 1: hashes do not ascend");
}

TEST(sections, counts_beyond_the_bounds_do_not_decode) {
    const auto repeated = [](const Bytes& item, std::size_t count) {
        Bytes payload;
        for (std::size_t i = 0; i < count; ++i)
            append(payload, item);
        return rlp::wrap_list(payload);
    };
    RawSections raw;
    raw.transactions = repeated(list().uint(0).list(list()).build(), kSegmentsMax + 1);
    EXPECT_EQ(raw.error(), "the transactions section: more than 256 segments");
    raw.transactions =
        rlp::wrap_list(list().uint(0).encoded(repeated(Bytes{1}, kTransactionsMax + 1)).build());
    EXPECT_EQ(raw.error(), "the transactions section: segment 0: more than 100000 transactions");
    raw = {};
    raw.receipts = repeated(list().uint(0).uint(1).uint(0).list(list()).build(), kTransactionsMax + 1);
    EXPECT_EQ(raw.error(), "the receipts section: more than 100000 receipts");
    const Bytes log = list().bytes(Address{}).list(list()).bytes({}).build();
    raw.receipts =
        rlp::wrap_list(list().uint(0).uint(1).uint(0).encoded(repeated(log, kLogsMax + 1)).build());
    EXPECT_EQ(raw.error(), "the receipts section: receipt 0: logs: more than 1000000 logs");
    raw.receipts = rlp::wrap_list(
        list()
            .uint(0)
            .uint(1)
            .uint(0)
            .list(
                list().list(list().bytes(Address{}).encoded(repeated(rlp::wrap_bytes(Hash{}), 5)).bytes({})))
            .build());
    EXPECT_EQ(raw.error(), "the receipts section: receipt 0: logs: log 0: more than 4 topics");
    Bytes storage;
    for (std::uint64_t i = 0; i < kStateEntriesMax; ++i) {
        rlp::encode_uint(storage, i);
        rlp::encode_uint(storage, 1);
    }
    raw = {};
    raw.changes =
        list()
            .list(list().list(list().bytes(Address{}).list(list()).uint(0).encoded(rlp::wrap_list(storage))))
            .list(list())
            .build();
    EXPECT_EQ(raw.error(),
              "the changes section: accounts: account 0: storage: more than 1000000 accounts, slots, codes "
              "and lines");
}

// --- record
// --------------------------------------------------------------------------------------------------

TEST(record, comes_back_compressed_or_not) {
    FrameMaker maker(6);
    for (const std::size_t transactions : {0, 1, 5, 200}) {
        const Bytes record = maker.next(transactions);
        EXPECT_EQ(*record_size(record), std::optional(record.size()));
        const auto view = peek(record);
        ASSERT_TRUE(view) << view.error().message;
        EXPECT_EQ(view->head, maker.head());
        const auto frame = decode_record(record);
        ASSERT_TRUE(frame) << frame.error().message;
        EXPECT_EQ(frame->head, maker.head());
        EXPECT_EQ(encode_record(*frame), record);
    }
}

TEST(record, is_compressed_where_that_helps) {
    SignedHeader head;
    Sections sections;
    sections.bytes.assign(10'000, 7);
    sections.sizes[1] = 10'000;
    const Bytes small = encode_record(head, sections);
    EXPECT_LT(small.size(), 1000u);
    EXPECT_TRUE(peek(small)->compressed);
    EXPECT_EQ(open_sections(*peek(small))->bytes, sections.bytes);
    sections.bytes = Random(7).bytes(10'000);
    const Bytes large = encode_record(head, sections);
    EXPECT_EQ(large.size(), kRecordHeadSize + 10'000);
    EXPECT_FALSE(peek(large)->compressed);
    sections.bytes.assign(kCompressionThreshold - 1, 7);
    sections.sizes[1] = kCompressionThreshold - 1;
    EXPECT_FALSE(peek(encode_record(head, sections))->compressed);
}

TEST(record, every_flipped_bit_and_every_cut_is_noticed) {
    FrameMaker maker(8);
    const Bytes record = maker.next(3);
    for (std::size_t i = 0; i < record.size(); ++i) {
        EXPECT_FALSE(peek(BytesView(record).first(i)));
        Bytes changed = record;
        changed[i] ^= static_cast<std::uint8_t>(1u << i % 8);
        EXPECT_FALSE(peek(changed)) << i;
    }
    Bytes longer = record;
    longer.push_back(0);
    EXPECT_EQ(peek(longer).error().error, CodecError::TrailingBytes);
}

TEST(record, size_is_known_from_four_bytes) {
    EXPECT_EQ(*record_size(Bytes{1, 2, 3}), std::nullopt);
    EXPECT_EQ(record_size(Bytes{0, 0, 0, 0}).error(), CodecError::TooShort);
    EXPECT_EQ(record_size(Bytes{0xff, 0xff, 0xff, 0xff}).error(), CodecError::TooLong);
    EXPECT_EQ(*record_size(Bytes{0, 2, 0, 0}), std::optional<std::size_t>(512 + 8));
}

// Sets a byte or a word and mends the checksum.
Bytes tampered(Bytes record, std::size_t offset, std::initializer_list<std::uint8_t> bytes) {
    std::copy(bytes.begin(), bytes.end(), record.begin() + static_cast<std::ptrdiff_t>(offset));
    const std::uint32_t crc = crc32c(BytesView(record).subspan(8));
    for (std::size_t i = 0; i < 4; ++i)
        record[4 + i] = static_cast<std::uint8_t>(crc >> 8 * i);
    return record;
}

TEST(record, what_is_wrong_has_a_name) {
    FrameContent content;
    content.segments.push_back({kEvmLane, {Bytes(5000)}});
    content.receipts.resize(1);
    const Bytes record = encode_record(SignedHeader{}, *encode_sections(content));
    ASSERT_TRUE(peek(record)->compressed);
    ASSERT_TRUE(decode_record(record));
    const auto error_of = [](const Bytes& bytes) { return decode_record(bytes).error().error; };
    EXPECT_EQ(error_of(tampered(record, 8, {2})), CodecError::Version);
    EXPECT_EQ(error_of(tampered(record, 9, {3})), CodecError::Flags);
    EXPECT_EQ(error_of(tampered(record, 9, {0})), CodecError::SizeMismatch);
    EXPECT_EQ(error_of(tampered(record, 279, {0, 0, 0, 2})), CodecError::SectionsTooLarge);
    EXPECT_EQ(error_of(tampered(record, 279, {0, 0, 0, 1})), CodecError::Compression);
    EXPECT_EQ(error_of(tampered(record, kRecordHeadSize, {0, 0, 0, 0})), CodecError::Compression);
    EXPECT_EQ(error_of(Bytes(10)), CodecError::TooShort);
}

// A zstd frame that says one size and holds another.
TEST(record, bombs_are_refused_before_memory_is_taken) {
    SignedHeader head;
    Sections sections;
    sections.bytes.assign(600, 1);
    sections.sizes[1] = 600;
    Bytes record = encode_record(head, sections);
    const Bytes zeros(std::size_t{256} << 20);
    Bytes bomb(ZSTD_compressBound(zeros.size()));
    bomb.resize(ZSTD_compress(bomb.data(), bomb.size(), zeros.data(), zeros.size(), 1));
    record.resize(kRecordHeadSize);
    append(record, bomb);
    const std::uint32_t length = static_cast<std::uint32_t>(record.size() - 8);
    for (std::size_t i = 0; i < 4; ++i)
        record[i] = static_cast<std::uint8_t>(length >> 8 * i);
    record = tampered(record, 279, {0, 0, 0, 0});
    EXPECT_EQ(decode_record(record).error().error, CodecError::Compression);
}

// --- verification
// --------------------------------------------------------------------------------------------

class Verified : public ::testing::Test {
protected:
    Verified() : m_maker(10) {
        for (int i = 0; i < 5; ++i)
            m_maker.next();
        m_tip = m_maker.tip();
        do {  // one within a block
            m_tip = m_maker.tip();
            m_record = m_maker.next();
        } while (m_maker.head().header.index == 0);
        m_sections = *open_sections(*peek(m_record));
    }
    // The frame with a changed header, signed anew.
    VerifyError error_with(const std::function<void(FrameHeader&)>& change, std::uint8_t key = 1) {
        FrameHeader header = m_maker.head().header;
        change(header);
        const auto verified =
            verify(encode_record(*sign_header(header, signer(key)), m_sections), m_tip, signer().address());
        EXPECT_FALSE(verified);
        EXPECT_FALSE(verified.error().message.empty());
        return verified.error().error;
    }

    FrameMaker m_maker;
    FrameTip m_tip;
    Bytes m_record;
    Sections m_sections;
};

TEST_F(Verified, a_chain_of_frames_does) {
    FrameMaker maker(11);
    for (int i = 0; i < 50; ++i) {
        const FrameTip tip = maker.tip();
        const auto verified = verify(maker.next(), tip, signer().address());
        ASSERT_TRUE(verified) << verified.error().message;
        EXPECT_EQ(verified->head, maker.head());
    }
}

TEST_F(Verified, each_rule_has_its_error) {
    EXPECT_EQ(error_with([](FrameHeader& h) { ++h.chain_id; }), VerifyError::WrongChain);
    EXPECT_EQ(error_with([](FrameHeader& h) { ++h.number; }), VerifyError::WrongNumber);
    EXPECT_EQ(error_with([](FrameHeader& h) { h.parent_hash[0] ^= 1; }), VerifyError::WrongParent);
    EXPECT_EQ(error_with([](FrameHeader& h) { h.block_number += 2; }), VerifyError::WrongBlockNumber);
    EXPECT_EQ(error_with([](FrameHeader& h) { --h.block_number; }), VerifyError::WrongBlockNumber);
    EXPECT_EQ(error_with([](FrameHeader& h) { ++h.block_number; }), VerifyError::WrongIndex);
    EXPECT_EQ(error_with([](FrameHeader& h) { ++h.index; }), VerifyError::WrongIndex);
    EXPECT_EQ(error_with([](FrameHeader& h) { h.index = 0; }), VerifyError::WrongIndex);
    EXPECT_EQ(error_with([&](FrameHeader& h) { h.timestamp_us = m_tip.timestamp_us - 1; }),
              VerifyError::TimestampDecreased);
    EXPECT_EQ(error_with([](FrameHeader& h) { h.base_hash[0] = 1; }), VerifyError::UnexpectedBase);
    EXPECT_EQ(error_with([](FrameHeader& h) { h.transactions_hash[0] ^= 1; }),
              VerifyError::WrongTransactionsHash);
    EXPECT_EQ(error_with([](FrameHeader& h) { h.receipts_hash[0] ^= 1; }), VerifyError::WrongReceiptsHash);
    EXPECT_EQ(error_with([](FrameHeader& h) { h.changes_hash[0] ^= 1; }), VerifyError::WrongChangesHash);
    EXPECT_EQ(error_with([](FrameHeader&) {}, 2), VerifyError::WrongSigner);
    EXPECT_EQ(error_with([](FrameHeader& h) {
                  ++h.block_number;
                  h.index = 0;
              }),
              VerifyError::MissingBase);
    m_tip.term = 1;
    EXPECT_EQ(error_with([](FrameHeader&) {}), VerifyError::TermDecreased);
}

TEST_F(Verified, a_base_belongs_to_a_blocks_first_frame_only) {
    Random random(12);
    m_sections = *encode_sections(random_content(random, true, 1));
    EXPECT_EQ(error_with([&](FrameHeader& h) {
                  commit_sections(h, m_sections);
                  h.base_hash = {};
              }),
              VerifyError::UnexpectedBase);
    EXPECT_EQ(error_with([&](FrameHeader& h) {
                  commit_sections(h, m_sections);
                  ++h.block_number;
                  h.index = 0;
                  h.base_hash[0] ^= 1;
              }),
              VerifyError::WrongBaseHash);
}

TEST_F(Verified, a_terms_successor_follows) {
    FrameHeader header = m_maker.head().header;
    header.term = 7;
    const SignedHeader head = *sign_header(header, signer(2));
    EXPECT_TRUE(verify_head(head, m_tip, signer(2).address()));
    EXPECT_EQ(tip_of(head).term, 7u);
}

TEST_F(Verified, before_frame_1_there_is_only_block_0) {
    const FrameTip tip = genesis_tip(kChainId, kGenesisHash);
    FrameHeader header;
    header.chain_id = kChainId;
    header.number = 1;
    header.parent_hash = kGenesisHash;
    header.block_number = 1;
    EXPECT_TRUE(verify_link(header, tip));
    header.index = 1;
    EXPECT_EQ(verify_link(header, tip).error().error, VerifyError::WrongIndex);
    header.block_number = 0;
    EXPECT_EQ(verify_link(header, tip).error().error, VerifyError::WrongBlockNumber);
}

TEST_F(Verified, signatures_have_one_form) {
    SignedHeader head = m_maker.head();
    ASSERT_TRUE(verify_head(head, m_tip, signer().address()));
    head.signature[64] ^= 1;
    EXPECT_FALSE(verify_head(head, m_tip, signer().address()));
    head.signature[64] = 27;
    EXPECT_EQ(verify_head(head, m_tip, signer().address()).error().error, VerifyError::InvalidSignature);
    // The twin of a signature: the group order less s, and the other parity. It recovers, but is refused.
    head = m_maker.head();
    const u256 order = from_hash("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"_hash);
    const Hash twin = to_hash(order - from_hash(first_bytes<32>(BytesView(head.signature).subspan(32))));
    std::copy(twin.begin(), twin.end(), head.signature.begin() + 32);
    head.signature[64] ^= 1;
    EXPECT_EQ(recover_signer(head), signer().address());
    EXPECT_EQ(verify_head(head, m_tip, signer().address()).error().error, VerifyError::InvalidSignature);
}

TEST_F(Verified, an_unusable_record_is_malformed) {
    EXPECT_EQ(verify(Bytes(5), m_tip, signer().address()).error().error, VerifyError::Malformed);
}

TEST(signer, refuses_keys_that_are_none) {
    EXPECT_FALSE(LocalSigner::make(Hash{}));
    Hash large;
    std::fill(large.begin(), large.end(), 0xff);
    EXPECT_FALSE(LocalSigner::make(large));
    // The address of private key 1 is widely published.
    EXPECT_EQ(signer(1).address(), "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"_address);
}

}  // namespace
}  // namespace meridian::frames
