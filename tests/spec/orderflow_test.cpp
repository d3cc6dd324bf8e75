// Recordings of real venues through the matching core, the best bid and offer compared after every completed
// event and the resting orders at the end: with a book that is nothing but a map of prices, and where a
// recording comes with the venue's own books, with those.

#include "vector_files.hpp"

#include <meridian/module/arena_fixture.hpp>
#include <meridian/orderflow/replay.hpp>

#include <gtest/gtest.h>

#include <list>
#include <map>
#include <sstream>

namespace meridian::orderflow {
namespace {

using namespace modules::exchange;
namespace fs = std::filesystem;

class Quotes final : public QuoteSink {
public:
    void on_quote(const Quote& quote) override { all.push_back(quote); }
    std::vector<Quote> all;
};

// Works on messages alone: by price the orders in their queue.
class PlainBook {
public:
    void message(const Message& message) {
        const auto found = m_by_id.find(message.id);
        switch (message.action) {
            case Action::None:
                return;
            case Action::Clear:
                m_by_id.clear();
                m_sides[0].clear();
                m_sides[1].clear();
                return;
            case Action::Add:
                return add(message.id, message);
            case Action::Take:
                if (found != m_by_id.end())
                    take(message.id, message.size);
                return;
            case Action::Amend:
                return amend(message);
            case Action::Replace:
                if (found != m_by_id.end()) {
                    Message fresh = message;
                    fresh.side = found->second.side;
                    take(message.id, 0);
                    add(message.new_id, fresh);
                }
                return;
        }
    }
    Quote quote(std::uint64_t sequence, std::uint64_t tick) const {
        Quote out{.sequence = sequence};
        if (!m_sides[0].empty()) {
            out.bid = static_cast<Price>(m_sides[0].rbegin()->first / static_cast<std::int64_t>(tick));
            out.bid_size = total(m_sides[0].rbegin()->second);
        }
        if (!m_sides[1].empty()) {
            out.ask = static_cast<Price>(m_sides[1].begin()->first / static_cast<std::int64_t>(tick));
            out.ask_size = total(m_sides[1].begin()->second);
        }
        return out;
    }
    // Venue ids with their sizes, buys first, each side's prices upwards.
    std::vector<std::pair<std::uint64_t, std::uint64_t>> resting() const {
        std::vector<std::pair<std::uint64_t, std::uint64_t>> out;
        for (const auto& side : m_sides)
            for (const auto& [price, queue] : side)
                out.insert(out.end(), queue.begin(), queue.end());
        return out;
    }

private:
    using Queue = std::list<std::pair<std::uint64_t, std::uint64_t>>;
    struct Where {
        Side side;
        std::int64_t price;
    };

    static std::uint64_t total(const Queue& queue) {
        std::uint64_t sum = 0;
        for (const auto& [id, size] : queue)
            sum += size;
        return sum;
    }
    void add(std::uint64_t id, const Message& message) {
        m_sides[static_cast<std::size_t>(message.side)][message.price].push_back({id, message.size});
        m_by_id[id] = {message.side, message.price};
    }
    void take(std::uint64_t id, std::uint64_t size) {
        const Where where = m_by_id[id];
        auto& side = m_sides[static_cast<std::size_t>(where.side)];
        Queue& queue = side[where.price];
        const auto order = std::find_if(queue.begin(), queue.end(), [id](auto& o) { return o.first == id; });
        if (size != 0 && size < order->second) {
            order->second -= size;
            return;
        }
        queue.erase(order);
        if (queue.empty())
            side.erase(where.price);
        m_by_id.erase(id);
    }
    void amend(const Message& message) {
        if (const auto found = m_by_id.find(message.id); found != m_by_id.end()) {
            Queue& queue = m_sides[static_cast<std::size_t>(found->second.side)][found->second.price];
            const auto order =
                std::find_if(queue.begin(), queue.end(), [&](auto& o) { return o.first == message.id; });
            if (found->second.price == message.price && message.size <= order->second) {
                order->second = message.size;
                return;
            }
            take(message.id, 0);
        }
        add(message.id, message);
    }

    std::map<std::int64_t, Queue> m_sides[2];
    std::map<std::uint64_t, Where> m_by_id;
};

struct Replayed {
    CommandList list;
    ReplayReport report;
    std::vector<Quote> quotes;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> resting;
};

void collect_resting(const Book& book, Replayed& out) {
    for (const Side side : {Side::Buy, Side::Sell}) {
        std::vector<const Level*> levels;
        for (const Level* level = book.best(side); level != nullptr; level = book.worse(side, *level))
            levels.push_back(level);
        if (side == Side::Buy)
            std::reverse(levels.begin(), levels.end());
        for (const Level* level : levels)
            for (const Order* order = book.first(*level); order != nullptr; order = book.next(*order))
                out.resting.emplace_back(out.list.venue_ids[order->id - 1], order->remaining);
    }
}

Replayed run(const Recording& recording) {
    Replayed out;
    const auto list = to_commands(recording);
    EXPECT_TRUE(list) << list.error();
    out.list = *list;
    module::testing::OwnedArena arena(1u << 14);
    const module::Place<BookState> place = *Book::create(*arena, rules_of(out.list));
    Quotes quotes;
    const auto report = replay(*arena, place, out.list, quotes);
    EXPECT_TRUE(report) << report.error();
    out.report = *report;
    out.quotes = std::move(quotes.all);
    collect_resting(Book(*arena, place), out);
    return out;
}

Recording read(Format format, const fs::path& file, const std::string& instrument = {}) {
    const std::string text = spec::read_text(file);
    const auto recording =
        read_recording(format, BytesView(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()),
                       {.instrument = instrument});
    EXPECT_TRUE(recording) << file << ": " << recording.error().text;
    return recording ? *recording : Recording{};
}

// Every event's best bid and offer, and the queues at the end.
void expect_as_plain(const Recording& recording, const Replayed& replayed) {
    PlainBook plain;
    std::vector<Quote> expected;
    for (const Message& message : recording.messages) {
        plain.message(message);
        if (message.completes)
            expected.push_back(plain.quote(message.sequence, replayed.list.tick));
    }
    ASSERT_EQ(replayed.quotes.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i)
        ASSERT_EQ(replayed.quotes[i], expected[i]) << "event " << i;
    EXPECT_EQ(replayed.resting, plain.resting());
    EXPECT_EQ(replayed.report.fills, 0u);
}

TEST(OrderFlow, FuturesByOrder) {
    const fs::path pack = spec::testdata("orderflow");
    MERIDIAN_REQUIRE_TESTDATA(pack);
    const struct {
        const char* file;
        std::size_t messages, events, resting;
    } files[] = {{"esh4-glbx-mdp3-20231224.mbo.dbn.zst", 8725, 1, 8725},
                 {"esh4-glbx-mdp3-20231225.mbo.dbn.zst", 68'792, 47'022, 11'217}};
    for (const auto& [file, messages, events, resting] : files) {
        SCOPED_TRACE(file);
        const Recording recording = read(Format::Dbn, pack / "cme-es-mbo" / file);
        const Replayed replayed = run(recording);
        EXPECT_EQ(recording.messages.size(), messages);
        EXPECT_EQ(replayed.report.events, events);
        EXPECT_EQ(replayed.resting.size(), resting);
        EXPECT_EQ(replayed.list.unknown, 0u);
        expect_as_plain(recording, replayed);
    }
}

TEST(OrderFlow, ItchOfEachStock) {
    const fs::path pack = spec::testdata("orderflow");
    MERIDIAN_REQUIRE_TESTDATA(pack);
    for (const char* stock : {"ALC", "BOB", "CHAR"}) {
        SCOPED_TRACE(stock);
        const Recording recording =
            read(Format::Itch, pack / "ritch/inst/extdata/ex20101224.TEST_ITCH_50", stock);
        EXPECT_GT(recording.messages.size(), 100u);
        expect_as_plain(recording, run(recording));
    }
}

}  // namespace
}  // namespace meridian::orderflow
