// Databento Binary Encoding: a header of "DBN", a version and a length, then records that say their own
// length in words of four bytes. Only market-by-order records (56 bytes) are looked into.
#include <meridian/orderflow/recording.hpp>

#include <cstring>
#include <limits>

namespace meridian::orderflow {

namespace {

using modules::exchange::Side;

constexpr std::size_t kPrefixSize = 8;
constexpr std::uint8_t kVersionMax = 3;
constexpr std::size_t kRecordHeadSize = 16;
constexpr std::uint8_t kMarketByOrder = 0xa0;
constexpr std::uint8_t kLastOfEvent = 0x80;
constexpr std::int64_t kNoPrice = std::numeric_limits<std::int64_t>::max();

// As it lies in the file, little-endian.
struct Record {
    std::uint8_t words;
    std::uint8_t type;
    std::uint16_t publisher;
    std::uint32_t instrument;
    std::uint64_t event_ns;
    std::uint64_t order;
    std::int64_t price;
    std::uint32_t size;
    std::uint8_t flags;
    std::uint8_t channel;
    char action;
    char side;
    std::uint64_t received_ns;
    std::int32_t in_delta_ns;
    std::uint32_t sequence;
};
static_assert(sizeof(Record) == 56);

Result<std::size_t, ReadError> skip_header(BytesView content) {
    if (content.size() < kPrefixSize || std::memcmp(content.data(), "DBN", 3) != 0)
        return fail(ReadError{0, "not a DBN file: it does not begin with 'DBN'"});
    if (content[3] == 0 || content[3] > kVersionMax)
        return fail(ReadError{3, "DBN version " + std::to_string(content[3]) + "; known are 1 to 3"});
    std::uint32_t length;
    std::memcpy(&length, content.data() + 4, sizeof(length));
    if (length > content.size() - kPrefixSize)
        return fail(ReadError{4, "the header's length leads behind the end of the file"});
    return kPrefixSize + length;
}

// The text is empty if all is well.
std::string translate(const Record& record, Message& out) {
    out.completes = (record.flags & kLastOfEvent) != 0;
    out.sequence = record.sequence;
    out.id = record.order;
    out.size = record.size;
    switch (record.action) {
        case 'A':
        case 'M':
            out.action = record.action == 'A' ? Action::Add : Action::Amend;
            break;
        case 'C':
            out.action = Action::Take;
            // None of it: nothing happens to the book.
            if (record.size == 0)
                out.action = Action::None;
            return {};
        case 'R':
            out.action = Action::Clear;
            return {};
        case 'T':
        case 'F':
        case 'N':
            return {};
        default:
            return std::string("unknown action '") + record.action + "'";
    }
    if (record.side != 'B' && record.side != 'A')
        return std::string("an order of side '") + record.side + "'; want B or A";
    if (record.price == kNoPrice)
        return "an order without a price";
    out.side = record.side == 'B' ? Side::Buy : Side::Sell;
    out.price = record.price;
    return {};
}

}  // namespace

Result<Recording, ReadError> read_dbn(BytesView content, const ReadOptions& options) {
    const Result<std::size_t, ReadError> start = skip_header(content);
    if (!start)
        return fail(start.error());
    Recording out;
    out.price_decimals = 9;
    std::string instrument = options.instrument;
    std::size_t size = 0;
    for (std::size_t at = *start; at < content.size(); at += size) {
        size = std::size_t{content[at]} * 4;
        if (size < kRecordHeadSize)
            return fail(ReadError{at, "a record of " + std::to_string(size) + " bytes; want 16 at least"});
        if (size > content.size() - at)
            return fail(ReadError{at, "the file ends within a record"});
        if (content[at + 1] != kMarketByOrder)
            continue;
        if (size != sizeof(Record))
            return fail(ReadError{at, "a market-by-order record has 56 bytes, not " + std::to_string(size)});
        Record record;
        std::memcpy(&record, content.data() + at, sizeof(record));
        const std::string of = std::to_string(record.instrument);
        if (instrument.empty())
            instrument = of;
        if (instrument != of) {
            if (options.instrument.empty())
                return fail(ReadError{
                    at, "several instruments (" + instrument + ", " + of + "): name the one that is meant"});
            continue;
        }
        Message message;
        if (std::string wrong = translate(record, message); !wrong.empty())
            return fail(ReadError{at, std::move(wrong)});
        out.messages.push_back(message);
    }
    return out;
}

}  // namespace meridian::orderflow
