// LOBSTER message files: lines of time, type, order, size, price, direction, separated by commas. Prices are
// in ten-thousandths of a dollar.
#include <meridian/orderflow/recording.hpp>

#include <charconv>

namespace meridian::orderflow {

namespace {

using modules::exchange::Side;

constexpr std::size_t kFields = 6;

struct Line {
    std::uint64_t offset;
    std::string_view text;
};

// The fields behind the time, as numbers.
Result<std::array<std::int64_t, kFields>, ReadError> split(const Line& line) {
    std::array<std::int64_t, kFields> out{};
    std::size_t at = 0;
    for (std::size_t field = 0; field < kFields; ++field) {
        const std::size_t end = std::min(line.text.find(',', at), line.text.size());
        if ((end == line.text.size()) != (field + 1 == kFields))
            return fail(ReadError{line.offset,
                                  "a line of six fields was expected: time, type, order, size, "
                                  "price, direction"});
        if (field > 0) {
            const char* last = line.text.data() + end;
            const auto [stop, error] = std::from_chars(line.text.data() + at, last, out[field]);
            if (error != std::errc{} || stop != last)
                return fail(ReadError{line.offset + at,
                                      "a whole number was expected in field " + std::to_string(field + 1)});
        }
        at = end + 1;
    }
    return out;
}

Result<Message, ReadError> translate(const Line& line, std::uint64_t sequence) {
    const auto fields = split(line);
    if (!fields)
        return fail(fields.error());
    const auto [time, type, id, size, price, direction] = *fields;
    if (direction != 1 && direction != -1)
        return fail(ReadError{line.offset, "the direction is neither 1 nor -1"});
    Message out;
    out.completes = true;
    out.sequence = sequence;
    // Messages without an order carry 0, halts a price of -1, 0 or 1; neither says anything of the book.
    if (type < 1 || type > 7)
        return fail(ReadError{line.offset, "message type " + std::to_string(type) + "; known are 1 to 7"});
    if (type > 4)
        return out;
    if (id <= 0 || size <= 0)
        return fail(ReadError{line.offset, "an order's number and size have to be above zero"});
    out.id = static_cast<std::uint64_t>(id);
    out.side = direction == 1 ? Side::Buy : Side::Sell;
    out.price = price;
    out.size = type == 3 ? 0 : static_cast<std::uint64_t>(size);
    out.action = type == 1 ? Action::Add : Action::Take;
    return out;
}

}  // namespace

Result<Recording, ReadError> read_lobster(BytesView content) {
    Recording out;
    out.price_decimals = 4;
    const std::string_view text(reinterpret_cast<const char*>(content.data()), content.size());
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        std::string_view line = text.substr(at, end - at);
        if (line.ends_with('\r'))
            line.remove_suffix(1);
        if (!line.empty()) {
            const auto message = translate({at, line}, out.messages.size() + 1);
            if (!message)
                return fail(message.error());
            out.messages.push_back(*message);
        }
        at = end + 1;
    }
    return out;
}

}  // namespace meridian::orderflow
