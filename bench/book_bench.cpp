// The exchange's matching core on one processor: recorded flow of a venue, and a generated mix over thousands
// of books, each message a transaction of the arena; beside a plain book of std::map and std::list.
#include "arguments.hpp"
#include "interleaved.hpp"

#include <meridian/module/changes.hpp>
#include <meridian/orderflow/generator.hpp>
#include <meridian/store/arena_region.hpp>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>

namespace meridian::bench {
namespace {

using namespace modules::exchange;
using orderflow::Command;
using orderflow::CommandKind;

// Messages of a frame, after which replicas are told what changed.
constexpr std::size_t kFrame = 10'000;

void check(bool condition) {
    if (!condition)
        std::abort();
}

class QuietVenue final : public Venue {
public:
    void on_event(const Event& event) noexcept override { m_sum += event.size; }

private:
    std::uint64_t m_sum = 0;
};

enum class Mode { WithUndo, WithoutUndo };

// Books in one arena.
class ArenaBooks {
public:
    ArenaBooks(std::uint32_t books, std::uint32_t pages, const MarketRules& rules, Mode mode)
        : m_memory(*store::ArenaRegion::reserve(pages)),
          m_arena(*module::Arena::create(m_memory.region(), pages)),
          m_mode(mode) {
        constexpr std::uint32_t kPerPage = module::kPageSize / sizeof(BookState);
        const module::Place<BooksState> shared(module::offset_of_page(*m_arena.allocate_pages(1)));
        for (std::uint32_t i = 0; i < books; ++i) {
            if (i % kPerPage == 0)
                m_page = *m_arena.allocate_pages(1);
            m_places.emplace_back(module::offset_of_page(m_page) + i % kPerPage * sizeof(BookState));
            check(Book::create(m_arena, shared, m_places.back(), rules).has_value());
        }
    }
    void message(std::uint32_t number, const Command& command) {
        Book book(m_arena, m_places[number]);
        if (m_mode == Mode::WithoutUndo)
            return act(book, command);
        const module::Arena::Checkpoint checkpoint = m_arena.checkpoint();
        act(book, command);
        check(m_arena.commit(checkpoint).has_value());
        if (++m_count % kFrame == 0)
            m_lines += m_arena.take_changes().lines.size();
    }
    std::size_t lines() const { return m_lines; }

private:
    void act(Book& book, const Command& command) {
        check(orderflow::apply(book, command, m_venue).has_value());
        if (command.completes && book.collecting())
            (void)book.set_collecting(false);
    }

    store::ArenaRegion m_memory;
    module::Arena m_arena;
    Mode m_mode;
    QuietVenue m_venue;
    module::PageNumber m_page = 0;
    std::vector<module::Place<BookState>> m_places;
    std::size_t m_count = 0;
    std::size_t m_lines = 0;
};

// What one would write first: no state to commit to, no undo, no owners.
class PlainBooks {
public:
    explicit PlainBooks(std::uint32_t books) : m_books(books) {}
    void message(std::uint32_t number, const Command& command) {
        PlainBook& book = m_books[number];
        if (command.kind == CommandKind::Add)
            return add(book, command.side, command.price, ++m_last_id, command.size);
        if (command.kind != CommandKind::Take && command.kind != CommandKind::Amend)
            return;
        const auto found = book.by_id.find(command.id);
        check(found != book.by_id.end());
        const Where where = found->second;
        if (command.kind == CommandKind::Take) {
            if ((where.order->left -= command.size) == 0)
                erase(book, found);
        } else if (where.price == command.price && command.size <= where.order->left) {
            where.order->left = command.size;
        } else {
            erase(book, found);
            add(book, where.side, command.price, command.id, command.size);
        }
    }

private:
    struct PlainOrder {
        OrderId id;
        Size left;
    };
    struct Where {
        Side side;
        Price price;
        std::list<PlainOrder>::iterator order;
    };
    struct PlainBook {
        std::map<Price, std::list<PlainOrder>> sides[2];
        std::unordered_map<OrderId, Where> by_id;
    };

    static void add(PlainBook& book, Side side, Price price, OrderId id, Size size) {
        auto& queue = book.sides[static_cast<std::size_t>(side)][price];
        queue.push_back({id, size});
        book.by_id[id] = {side, price, std::prev(queue.end())};
    }
    static void erase(PlainBook& book, std::unordered_map<OrderId, Where>::iterator found) {
        auto& levels = book.sides[static_cast<std::size_t>(found->second.side)];
        const auto level = levels.find(found->second.price);
        level->second.erase(found->second.order);
        if (level->second.empty())
            levels.erase(level);
        book.by_id.erase(found);
    }

    std::vector<PlainBook> m_books;
    OrderId m_last_id = 0;
};

void print_rate(const char* name, const Comparison& result, const char* peer) {
    print(name, result, peer);
    std::printf("%-28s %10.2f M messages/s\n", "", 1e3 / result.ours_ns);
}

// The whole recording with a new book each time, its snapshot included.
void measure_recording(const std::string& path) {
    std::ifstream stream(path, std::ios::binary);
    const Bytes file{std::istreambuf_iterator<char>(stream), {}};
    const auto recording = orderflow::read_recording(orderflow::Format::Dbn, file);
    if (!recording) {
        std::printf("recorded flow: %s: %s\n", path.c_str(), recording.error().text.c_str());
        return;
    }
    auto list = *orderflow::to_commands(*recording);
    std::erase_if(list.commands, [](const Command& c) { return c.kind == CommandKind::None; });
    const auto ours = [&](Mode mode) {
        return [&list, mode] {
            ArenaBooks books(1, 4096, orderflow::rules_of(list), mode);
            for (const Command& command : list.commands)
                books.message(0, command);
            keep(books);
        };
    };
    const auto plain = [&] {
        PlainBooks books(1);
        for (const Command& command : list.commands)
            books.message(0, command);
        keep(books);
    };
    const auto count = static_cast<double>(list.commands.size());
    print_rate("recorded flow", compare(ours(Mode::WithUndo), plain, count, count), "std::map");
    print("recorded flow", compare(ours(Mode::WithUndo), ours(Mode::WithoutUndo), count, count),
          "without undo");
}

void measure_mix(const char* name, std::uint32_t books) {
    constexpr std::size_t kMessages = 2'500'000;
    constexpr std::size_t kWarm = 500'000;
    constexpr std::size_t kPart = 20'000;
    if (!wants(name))
        return;
    const auto flow = orderflow::generate_itch_mix(1, books, kMessages);
    const MarketRules rules{
        .tick = 1, .lot = 1, .size_min = 1, .size_max = kSizeMax, .price_max = kPriceMax, .fills_max = 1000};
    ArenaBooks with_undo(books, 1u << 17, rules, Mode::WithUndo);
    ArenaBooks without(books, 1u << 17, rules, Mode::WithoutUndo);
    PlainBooks plain(books);
    // Each goes through the flow by itself.
    const auto runner = [&flow](auto& target, std::size_t& at, std::size_t count) {
        for (std::size_t i = 0; i < count; ++i, ++at) {
            check(at < flow.size());
            target.message(flow[at].book, flow[at].command);
        }
    };
    std::size_t positions[3] = {0, 0, 0};
    runner(with_undo, positions[0], kWarm);
    runner(without, positions[1], kWarm);
    runner(plain, positions[2], kWarm);
    const auto part = [&](auto& target, std::size_t& at) { return [&] { runner(target, at, kPart); }; };
    print_rate(name, compare(part(with_undo, positions[0]), part(plain, positions[2]), kPart, kPart),
               "std::map");
    print(name, compare(part(with_undo, positions[0]), part(without, positions[1]), kPart, kPart),
          "without undo");
}

}  // namespace
}  // namespace meridian::bench

int main(int argc, char** argv) {
    using namespace meridian::bench;
    std::string file;
    if (const char* data = std::getenv("MERIDIAN_TESTDATA"))
        file = std::string(data) + "/orderflow/cme-es-mbo/esh4-glbx-mdp3-20231225.mbo.dbn.zst";
    read_arguments(
        argc, argv,
        [&](std::string_view option, const char* value) {
            if (option != "--recording")
                return false;
            file = value;
            return true;
        },
        "  --recording FILE  DBN market-by-order file (default: that of the test data)\n");
    std::printf("ns: of one message; ratio: ours to the other\n");
    if (wants("recorded flow") && !file.empty())
        measure_recording(file);
    measure_mix("ITCH mix, 1 book", 1);
    measure_mix("ITCH mix, 8000 books", 8000);
    return 0;
}
