// A stream of messages from a stranger, for either side of either protocol, in pieces of any size: what is
// accepted encodes to the bytes that came, and memory stays within its bound.
#include <meridian/base/assert.hpp>
#include <meridian/wire/message.hpp>

namespace {

using namespace meridian;
using namespace meridian::wire;

// The messages of the whole stream, encoded again; `refused` if it ends with an error.
Bytes read_all(BytesView stream, Protocol protocol, Side side, Fetching fetching, std::size_t piece,
               bool& refused) {
    MessageReader reader(protocol, side);
    reader.set_fetching(fetching);
    Bytes out;
    refused = false;
    for (std::size_t at = 0; at < stream.size() && !refused; at += piece) {
        const BytesView part = stream.subspan(at, std::min(piece, stream.size() - at));
        const auto room = reader.prepare(part.size());
        std::ranges::copy(part, room.begin());
        reader.commit(part.size());
        for (;;) {
            const auto message = reader.next();
            refused = !message.has_value();
            if (refused || !*message)
                break;
            encode(out, **message);
        }
    }
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2)
        return 0;
    const Protocol protocol = (data[0] & 1) != 0 ? Protocol::Feed : Protocol::Transactions;
    const Side side = (data[0] & 2) != 0 ? Side::Server : Side::Client;
    const Fetching fetching = (data[0] & 4) != 0 ? Fetching::Yes : Fetching::No;
    const BytesView stream(data + 2, size - 2);
    bool whole_refused = false, pieces_refused = false;
    const Bytes whole =
        read_all(stream, protocol, side, fetching, std::max<std::size_t>(stream.size(), 1), whole_refused);
    MERIDIAN_ASSERT(whole.size() <= stream.size());
    MERIDIAN_ASSERT(equal(whole, stream.first(whole.size())));
    const Bytes pieces = read_all(stream, protocol, side, fetching, std::size_t{data[1]} + 1, pieces_refused);
    MERIDIAN_ASSERT(pieces == whole && pieces_refused == whole_refused);
    return 0;
}
