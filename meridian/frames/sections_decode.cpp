// Sections from RLP: canonical forms only, every count held against its bound, and errors that say where.

#include <meridian/crypto/keccak.hpp>
#include <meridian/frames/codec.hpp>
#include <meridian/rlp/decode.hpp>

#include <bit>
#include <limits>

namespace meridian::frames {

namespace {

// A failure is a sentence's tail, to which each level prepends where it is.
template <class T>
using Decoded = Result<T, std::string>;

std::unexpected<std::string> inside(std::string_view place, std::size_t index, std::string_view what) {
    return fail(std::string(place) + " " + std::to_string(index) + ": " + std::string(what));
}

std::unexpected<std::string> field_failure(const rlp::FieldError& error,
                                           std::span<const std::string_view> names) {
    const std::string name =
        error.field < names.size() ? std::string(names[error.field]) : "field " + std::to_string(error.field);
    return fail(name + ": " + std::string(rlp::to_string(error.error)));
}

std::unexpected<std::string> too_many(std::string_view what, std::size_t max) {
    return fail("more than " + std::to_string(max) + " " + std::string(what));
}

// --- state changes -----------------------------------------------------------------------------------------

constexpr std::string_view kAccountFields[] = {"nonce", "balance", "code hash"};
constexpr std::string_view kChangeFields[] = {"address", "account", "storage cleared", "storage"};

Decoded<std::optional<state::Account>> decode_account(BytesView payload) {
    if (payload.empty())
        return std::nullopt;
    rlp::ListReader reader(payload);
    state::Account account;
    account.nonce = reader.uint64();
    account.balance = reader.number();
    const bool with_code = !reader.at_end();
    if (with_code)
        account.code_hash = reader.fixed<32>();
    if (const auto done = reader.finish(); !done)
        return field_failure(done.error(), kAccountFields);
    if (with_code && !account.has_code())
        return fail(std::string("code hash: stated though it is that of no code"));
    return account;
}

// Counts state entries of one list of changes.
class EntryCount {
public:
    bool add(std::size_t count) { return (m_count += count) <= kStateEntriesMax; }
    static std::unexpected<std::string> failure() {
        return too_many("accounts, slots, codes and lines", kStateEntriesMax);
    }

private:
    std::size_t m_count = 0;
};

Decoded<std::map<u256, u256>> decode_storage(BytesView payload, EntryCount& entries) {
    std::map<u256, u256> storage;
    rlp::ListReader reader(payload);
    while (!reader.at_end()) {
        const u256 key = reader.number();
        const u256 value = reader.number();
        if (!reader.ok())
            break;
        if (!storage.empty() && !(storage.rbegin()->first < key))
            return inside("slot", storage.size(), "keys do not ascend");
        if (!entries.add(1))
            return EntryCount::failure();
        storage.emplace_hint(storage.end(), key, value);
    }
    if (const auto done = reader.finish(); !done)
        return inside("slot", done.error().field / 2, rlp::to_string(done.error().error));
    return storage;
}

Decoded<Address> decode_change(rlp::ListReader& list, state::AccountChange& change, EntryCount& entries) {
    BytesView item = list.item().raw;
    rlp::ListReader reader = rlp::ListReader::open(item);
    const Address address = reader.fixed<20>();
    const BytesView account = reader.list();
    const std::uint64_t cleared = reader.uint64();
    if (cleared > 1)
        reader.reject(rlp::DecodeError::Overflow);
    const BytesView storage = reader.list();
    if (const auto done = reader.finish(); !done)
        return field_failure(done.error(), kChangeFields);
    auto decoded_account = decode_account(account);
    if (!decoded_account)
        return fail("account: " + decoded_account.error());
    auto decoded_storage = decode_storage(storage, entries);
    if (!decoded_storage)
        return fail("storage: " + decoded_storage.error());
    change.account = *decoded_account;
    change.storage_cleared = cleared == 1;
    change.storage = *std::move(decoded_storage);
    return address;
}

Decoded<void> decode_accounts(BytesView payload, state::StateChanges& out, EntryCount& entries) {
    rlp::ListReader list(payload);
    while (!list.at_end()) {
        if (!entries.add(1))
            return EntryCount::failure();
        state::AccountChange change;
        const auto address = decode_change(list, change, entries);
        if (!list.ok())
            break;
        if (!address)
            return inside("account", out.accounts.size(), address.error());
        if (!out.accounts.empty() && !(out.accounts.rbegin()->first < *address))
            return inside("account", out.accounts.size(), "addresses do not ascend");
        out.accounts.emplace_hint(out.accounts.end(), *address, std::move(change));
    }
    if (const auto done = list.finish(); !done)
        return inside("account", done.error().field, rlp::to_string(done.error().error));
    return {};
}

Decoded<void> decode_codes(BytesView payload, state::StateChanges& out, EntryCount& entries) {
    rlp::ListReader list(payload);
    while (!list.at_end()) {
        if (!entries.add(1))
            return EntryCount::failure();
        const BytesView code = list.bytes();
        if (!list.ok())
            break;
        const Hash hash = crypto::keccak256(code);
        if (!out.code.empty() && !(out.code.rbegin()->first < hash))
            return inside("code", out.code.size(), "hashes do not ascend");
        out.code.emplace_hint(out.code.end(), hash, to_bytes(code));
    }
    if (const auto done = list.finish(); !done)
        return inside("code", done.error().field, rlp::to_string(done.error().error));
    return {};
}

constexpr std::string_view kPatchFields[] = {"page", "lines", "contents"};

Decoded<void> decode_patch(BytesView item, state::ArenaPatch& out, EntryCount& entries) {
    rlp::ListReader reader = rlp::ListReader::open(item);
    const std::uint64_t page = reader.uint64();
    if (page > std::numeric_limits<std::uint32_t>::max())
        reader.reject(rlp::DecodeError::Overflow);
    state::PagePatch patch{.lines = reader.uint64(), .contents = {}};
    const BytesView contents = reader.bytes();
    if (const auto done = reader.finish(); !done)
        return field_failure(done.error(), kPatchFields);
    const auto count = static_cast<std::size_t>(std::popcount(patch.lines));
    if (count == 0 || contents.size() != count * state::kArenaLineSize)
        return fail(std::string("contents: not 64 bytes for each line of a mask that names some"));
    if (!out.empty() && out.rbegin()->first >= page)
        return fail(std::string("pages do not ascend"));
    if (!entries.add(count))
        return EntryCount::failure();
    patch.contents.resize(count);
    std::memcpy(patch.contents.data(), contents.data(), contents.size());
    out.emplace_hint(out.end(), static_cast<std::uint32_t>(page), std::move(patch));
    return {};
}

Decoded<void> decode_arena(BytesView item, state::StateChanges& out, EntryCount& entries) {
    constexpr std::string_view kFields[] = {"module", "pages"};
    rlp::ListReader reader = rlp::ListReader::open(item);
    const Address module = reader.fixed<20>();
    rlp::ListReader pages(reader.list());
    if (const auto done = reader.finish(); !done)
        return field_failure(done.error(), kFields);
    if (!out.arenas.empty() && !(out.arenas.rbegin()->first < module))
        return fail(std::string("addresses do not ascend"));
    state::ArenaPatch patch;
    while (!pages.at_end()) {
        const rlp::Item page = pages.item();
        if (!pages.ok())
            break;
        if (auto decoded = decode_patch(page.raw, patch, entries); !decoded)
            return inside("page", patch.size(), decoded.error());
    }
    if (const auto done = pages.finish(); !done)
        return inside("page", done.error().field, rlp::to_string(done.error().error));
    if (patch.empty())
        return fail(std::string("pages: none"));
    out.arenas.emplace_hint(out.arenas.end(), module, std::move(patch));
    return {};
}

Decoded<void> decode_arenas(BytesView payload, state::StateChanges& out, EntryCount& entries) {
    rlp::ListReader list(payload);
    while (!list.at_end()) {
        const rlp::Item item = list.item();
        if (!list.ok())
            break;
        if (auto decoded = decode_arena(item.raw, out, entries); !decoded)
            return inside("arena", out.arenas.size(), decoded.error());
    }
    if (const auto done = list.finish(); !done)
        return inside("arena", done.error().field, rlp::to_string(done.error().error));
    if (out.arenas.empty())
        return fail(std::string("an empty list is left out"));
    return {};
}

Decoded<state::StateChanges> decode_changes(BytesView payload) {
    constexpr std::string_view kFields[] = {"accounts", "codes", "arenas"};
    rlp::ListReader reader(payload);
    const BytesView accounts = reader.list();
    const BytesView codes = reader.list();
    const bool has_arenas = !reader.at_end();
    const BytesView arenas = has_arenas ? reader.list() : BytesView{};
    if (const auto done = reader.finish(); !done)
        return field_failure(done.error(), kFields);
    state::StateChanges out;
    EntryCount entries;
    if (auto decoded = decode_accounts(accounts, out, entries); !decoded)
        return fail("accounts: " + decoded.error());
    if (auto decoded = decode_codes(codes, out, entries); !decoded)
        return fail("codes: " + decoded.error());
    if (has_arenas)
        if (auto decoded = decode_arenas(arenas, out, entries); !decoded)
            return fail("arenas: " + decoded.error());
    return out;
}

// --- base --------------------------------------------------------------------------------------------------

constexpr std::string_view kBaseFields[] = {"parent hash", "coinbase",        "difficulty",
                                            "prev randao", "timestamp",       "gas limit",
                                            "extra data",  "parent closing",  "base fee",
                                            "withdrawals", "excess blob gas", "parent beacon block root"};
constexpr std::string_view kWithdrawalFields[] = {"index", "validator index", "address", "amount"};

Decoded<std::vector<chain::Withdrawal>> decode_withdrawals(BytesView payload) {
    std::vector<chain::Withdrawal> out;
    rlp::ListReader list(payload);
    while (!list.at_end()) {
        BytesView item = list.item().raw;
        if (!list.ok())
            break;
        if (out.size() == kWithdrawalsMax)
            return too_many("withdrawals", kWithdrawalsMax);
        rlp::ListReader reader = rlp::ListReader::open(item);
        chain::Withdrawal withdrawal;
        withdrawal.index = reader.uint64();
        withdrawal.validator_index = reader.uint64();
        withdrawal.address = reader.fixed<20>();
        withdrawal.amount = reader.uint64();
        if (const auto done = reader.finish(); !done)
            return inside("withdrawal", out.size(), field_failure(done.error(), kWithdrawalFields).error());
        out.push_back(withdrawal);
    }
    if (const auto done = list.finish(); !done)
        return inside("withdrawal", out.size(), rlp::to_string(done.error().error));
    return out;
}

Decoded<BlockBase> decode_base(BytesView payload) {
    rlp::ListReader reader(payload);
    BlockBase base;
    base.parent_hash = reader.fixed<32>();
    base.coinbase = reader.fixed<20>();
    base.difficulty = reader.number();
    base.prev_randao = reader.fixed<32>();
    base.timestamp = reader.uint64();
    base.gas_limit = reader.uint64();
    const BytesView extra_data = reader.bytes();
    const BytesView parent_closing = reader.list();
    if (!reader.at_end())
        base.base_fee = reader.number();
    std::optional<BytesView> withdrawals;
    if (!reader.at_end())
        withdrawals = reader.list();
    if (!reader.at_end())
        base.excess_blob_gas = reader.uint64();
    if (!reader.at_end())
        base.parent_beacon_block_root = reader.fixed<32>();
    if (const auto done = reader.finish(); !done)
        return field_failure(done.error(), kBaseFields);
    if (extra_data.size() > kExtraDataSizeMax)
        return fail("extra data: more than " + std::to_string(kExtraDataSizeMax) + " bytes");
    base.extra_data = to_bytes(extra_data);
    auto closing = decode_changes(parent_closing);
    if (!closing)
        return fail("parent closing: " + closing.error());
    base.parent_closing = *std::move(closing);
    if (withdrawals) {
        auto decoded = decode_withdrawals(*withdrawals);
        if (!decoded)
            return fail("withdrawals: " + decoded.error());
        base.withdrawals = *std::move(decoded);
    }
    return base;
}

// --- transactions ------------------------------------------------------------------------------------------

Decoded<Segment> decode_segment(BytesView item, std::size_t& transactions) {
    constexpr std::string_view kFields[] = {"lane", "transactions"};
    rlp::ListReader reader = rlp::ListReader::open(item);
    const std::uint64_t lane = reader.uint64();
    if (lane > 0xff)
        reader.reject(rlp::DecodeError::Overflow);
    const BytesView envelopes = reader.list();
    if (const auto done = reader.finish(); !done)
        return field_failure(done.error(), kFields);
    Segment segment;
    segment.lane = static_cast<std::uint8_t>(lane);
    rlp::ListReader list(envelopes);
    while (!list.at_end()) {
        const BytesView envelope = list.bytes();
        if (!list.ok())
            break;
        if (++transactions > kTransactionsMax)
            return too_many("transactions", kTransactionsMax);
        segment.transactions.push_back(to_bytes(envelope));
    }
    if (const auto done = list.finish(); !done)
        return inside("transaction", done.error().field, rlp::to_string(done.error().error));
    return segment;
}

Decoded<std::vector<Segment>> decode_segments(BytesView payload) {
    std::vector<Segment> out;
    std::size_t transactions = 0;
    rlp::ListReader list(payload);
    while (!list.at_end()) {
        const rlp::Item item = list.item();
        if (!list.ok())
            break;
        if (out.size() == kSegmentsMax)
            return too_many("segments", kSegmentsMax);
        auto segment = decode_segment(item.raw, transactions);
        if (!segment)
            return inside("segment", out.size(), segment.error());
        out.push_back(*std::move(segment));
    }
    if (const auto done = list.finish(); !done)
        return inside("segment", done.error().field, rlp::to_string(done.error().error));
    return out;
}

// --- receipts ----------------------------------------------------------------------------------------------

constexpr std::string_view kLogFields[] = {"address", "topics", "data"};
constexpr std::string_view kReceiptFields[] = {"type", "status",        "gas used",
                                               "logs", "deposit nonce", "deposit receipt version"};

Decoded<state::Log> decode_log(BytesView item) {
    rlp::ListReader reader = rlp::ListReader::open(item);
    state::Log log;
    log.address = reader.fixed<20>();
    const BytesView topics = reader.list();
    const BytesView data = reader.bytes();
    if (const auto done = reader.finish(); !done)
        return field_failure(done.error(), kLogFields);
    rlp::ListReader list(topics);
    while (!list.at_end() && log.topics.size() <= kTopicsMax)
        log.topics.push_back(list.fixed<32>());
    if (log.topics.size() > kTopicsMax)
        return too_many("topics", kTopicsMax);
    if (const auto done = list.finish(); !done)
        return inside("topic", done.error().field, rlp::to_string(done.error().error));
    log.data = to_bytes(data);
    return log;
}

Decoded<std::vector<state::Log>> decode_logs(BytesView payload, std::size_t& count) {
    std::vector<state::Log> out;
    rlp::ListReader list(payload);
    while (!list.at_end()) {
        const rlp::Item item = list.item();
        if (!list.ok())
            break;
        if (++count > kLogsMax)
            return too_many("logs", kLogsMax);
        auto log = decode_log(item.raw);
        if (!log)
            return inside("log", out.size(), log.error());
        out.push_back(*std::move(log));
    }
    if (const auto done = list.finish(); !done)
        return inside("log", done.error().field, rlp::to_string(done.error().error));
    return out;
}

bool is_known_type(std::uint64_t type) {
    return type <= static_cast<std::uint64_t>(chain::TxnType::SetCode) ||
           type == static_cast<std::uint64_t>(chain::TxnType::Module) ||
           type == static_cast<std::uint64_t>(chain::TxnType::Deposit);
}

// A status of 0 or 1, or the state root before Byzantium.
void read_status(rlp::ListReader& reader, FrameReceipt& receipt) {
    const BytesView status = reader.bytes();
    if (status.size() == 32)
        receipt.state_root = first_bytes<32>(status);
    else if (status.size() > 1 || (status.size() == 1 && status[0] != 1))
        reader.reject(rlp::DecodeError::InvalidValue);
    else
        receipt.success = !status.empty();
}

Decoded<FrameReceipt> decode_receipt(BytesView item, std::size_t& log_count) {
    rlp::ListReader reader = rlp::ListReader::open(item);
    FrameReceipt receipt;
    const std::uint64_t type = reader.uint64();
    read_status(reader, receipt);
    receipt.gas_used = reader.uint64();
    const BytesView logs = reader.list();
    if (!reader.at_end())
        receipt.deposit_nonce = reader.uint64();
    if (!reader.at_end())
        receipt.deposit_receipt_version = reader.uint64();
    if (const auto done = reader.finish(); !done)
        return field_failure(done.error(), kReceiptFields);
    if (!is_known_type(type))
        return fail("type: " + std::to_string(type) + " is no transaction type");
    receipt.type = static_cast<chain::TxnType>(type);
    auto decoded = decode_logs(logs, log_count);
    if (!decoded)
        return fail("logs: " + decoded.error());
    receipt.logs = *std::move(decoded);
    return receipt;
}

Decoded<std::vector<FrameReceipt>> decode_receipts(BytesView payload) {
    std::vector<FrameReceipt> out;
    std::size_t log_count = 0;
    rlp::ListReader list(payload);
    while (!list.at_end()) {
        const rlp::Item item = list.item();
        if (!list.ok())
            break;
        if (out.size() == kTransactionsMax)
            return too_many("receipts", kTransactionsMax);
        auto receipt = decode_receipt(item.raw, log_count);
        if (!receipt)
            return inside("receipt", out.size(), receipt.error());
        out.push_back(*std::move(receipt));
    }
    if (const auto done = list.finish(); !done)
        return inside("receipt", done.error().field, rlp::to_string(done.error().error));
    return out;
}

// --- all four ----------------------------------------------------------------------------------------------

CodecFailure section_failure(Section section, std::string_view what) {
    return {CodecError::Content, "the " + std::string(to_string(section)) + " section: " + std::string(what)};
}

// A section is one list.
template <class T>
Result<T, CodecFailure> decode_section(const Sections& sections, Section section,
                                       Decoded<T> (*decode)(BytesView)) {
    const auto item = rlp::decode_exact(sections[section]);
    if (!item)
        return fail(section_failure(section, rlp::to_string(item.error())));
    if (!item->is_list)
        return fail(section_failure(section, rlp::to_string(rlp::DecodeError::UnexpectedString)));
    auto decoded = decode(item->payload);
    if (!decoded)
        return fail(section_failure(section, decoded.error()));
    return *std::move(decoded);
}

}  // namespace

Result<FrameContent, CodecFailure> decode_content(const Sections& sections) {
    FrameContent content;
    if (sections.sizes[0] != 0) {
        auto base = decode_section(sections, Section::Base, decode_base);
        if (!base)
            return fail(std::move(base.error()));
        content.base = *std::move(base);
    }
    auto segments = decode_section(sections, Section::Transactions, decode_segments);
    if (!segments)
        return fail(std::move(segments.error()));
    content.segments = *std::move(segments);
    auto receipts = decode_section(sections, Section::Receipts, decode_receipts);
    if (!receipts)
        return fail(std::move(receipts.error()));
    content.receipts = *std::move(receipts);
    if (content.receipts.size() != content.transaction_count())
        return fail(section_failure(Section::Receipts,
                                    std::to_string(content.receipts.size()) + " receipts for " +
                                        std::to_string(content.transaction_count()) + " transactions"));
    auto changes = decode_section(sections, Section::Changes, decode_changes);
    if (!changes)
        return fail(std::move(changes.error()));
    content.changes = *std::move(changes);
    return content;
}

}  // namespace meridian::frames
