// NASDAQ TotalView-ITCH 5.0, as it lies in files: each message behind its length, two bytes big-endian. Some
// writers leave the length zero; the type decides then.
#include <meridian/orderflow/recording.hpp>

namespace meridian::orderflow {

namespace {

using modules::exchange::Side;

// Bytes of a message by its type; 0: there is none.
constexpr std::size_t size_of(std::uint8_t type) {
    switch (type) {
        case 'S':
            return 12;
        case 'R':
            return 39;
        case 'H':
            return 25;
        case 'Y':
        case 'N':
            return 20;
        case 'L':
            return 26;
        case 'V':
        case 'J':
        case 'U':
            return 35;
        case 'W':
            return 12;
        case 'K':
            return 28;
        case 'h':
            return 21;
        case 'A':
        case 'C':
            return 36;
        case 'F':
        case 'Q':
            return 40;
        case 'E':
            return 31;
        case 'X':
            return 23;
        case 'D':
        case 'B':
            return 19;
        case 'P':
            return 44;
        case 'I':
            return 50;
        case 'O':
            return 48;
        default:
            return 0;
    }
}

std::uint64_t number(BytesView message, std::size_t offset, std::size_t size) {
    std::uint64_t out = 0;
    for (std::size_t i = 0; i < size; ++i)
        out = out << 8 | message[offset + i];
    return out;
}

std::string symbol(BytesView message, std::size_t offset) {
    std::string out(reinterpret_cast<const char*>(message.data()) + offset, 8);
    out.erase(out.find_last_not_of(' ') + 1);
    return out;
}

// Whether the message concerns orders. Precondition: it has its type's size.
bool translate(BytesView message, Message& out) {
    constexpr std::size_t kShortest = 19;
    if (message.size() < kShortest)
        return false;
    out.id = number(message, 11, 8);
    switch (message[0]) {
        case 'A':
        case 'F':
            out.action = Action::Add;
            out.side = message[19] == 'B' ? Side::Buy : Side::Sell;
            out.size = number(message, 20, 4);
            out.price = static_cast<std::int64_t>(number(message, 32, 4));
            return true;
        case 'E':
        case 'C':
        case 'X':
            out.size = number(message, 19, 4);
            out.action = out.size == 0 ? Action::None : Action::Take;
            return true;
        case 'D':
            out.action = Action::Take;
            return true;
        case 'U':
            out.action = Action::Replace;
            out.new_id = number(message, 19, 8);
            out.size = number(message, 27, 4);
            out.price = static_cast<std::int64_t>(number(message, 31, 4));
            return true;
        default:
            return false;
    }
}

// Which of the day's stocks is read: known by its number once its symbol has been seen.
class Selection {
public:
    explicit Selection(std::string wanted) : m_wanted(std::move(wanted)) {}

    void see(BytesView message) {
        const std::uint8_t type = message[0];
        if (m_wanted.empty() || (type != 'R' && type != 'A' && type != 'F'))
            return;
        if (symbol(message, type == 'R' ? 11 : 24) == m_wanted)
            m_number = number(message, 1, 2);
    }
    // Nothing said, and this order is of another stock than those before.
    bool ambiguous(BytesView message) {
        const std::uint64_t of = number(message, 1, 2);
        if (m_wanted.empty() && !m_number)
            m_number = of;
        return m_wanted.empty() && m_number != of;
    }
    bool takes(BytesView message) const { return m_number == number(message, 1, 2); }

private:
    std::string m_wanted;
    std::optional<std::uint64_t> m_number;
};

// The next message, without its length.
Result<BytesView, ReadError> next_message(BytesView content, std::size_t at) {
    if (content.size() - at < 3)
        return fail(ReadError{at, "the file ends within a message's length"});
    const std::uint8_t type = content[at + 2];
    const std::size_t size = size_of(type);
    if (size == 0)
        return fail(ReadError{at + 2, "unknown message type " + std::to_string(type)});
    const std::uint64_t length = number(content, at, 2);
    if (length != 0 && length != size)
        return fail(ReadError{at, std::string("a message of type ") + static_cast<char>(type) + " has " +
                                      std::to_string(size) + " bytes, not " + std::to_string(length)});
    if (size > content.size() - at - 2)
        return fail(ReadError{at, "the file ends within a message"});
    return content.subspan(at + 2, size);
}

}  // namespace

Result<Recording, ReadError> read_itch(BytesView content, const ReadOptions& options) {
    Recording out;
    out.price_decimals = 4;
    Selection selection(options.instrument);
    std::uint64_t sequence = 0;
    for (std::size_t at = 0; at < content.size();) {
        const Result<BytesView, ReadError> message = next_message(content, at);
        if (!message)
            return fail(message.error());
        ++sequence;
        selection.see(*message);
        Message translated;
        if (translate(*message, translated)) {
            if (selection.ambiguous(*message))
                return fail(ReadError{at, "orders of several stocks: name the one that is meant"});
            if (translated.action == Action::Add && (*message)[19] != 'B' && (*message)[19] != 'S')
                return fail(ReadError{at, "an order that is neither B nor S"});
            if (selection.takes(*message)) {
                translated.completes = true;
                translated.sequence = sequence;
                out.messages.push_back(translated);
            }
        }
        at += 2 + message->size();
    }
    return out;
}

}  // namespace meridian::orderflow
