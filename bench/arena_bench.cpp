// Arenas of native modules: the write barrier beside plain writes and beside copies of whole pages,
// containers beside the standard library's, and the commitment beside hashing the same pages alone.
#include "arguments.hpp"
#include "interleaved.hpp"

#include <meridian/crypto/keccak.hpp>
#include <meridian/module/arena_fixture.hpp>
#include <meridian/module/changes.hpp>
#include <meridian/module/hash_map.hpp>
#include <meridian/module/heap.hpp>
#include <meridian/module/list.hpp>
#include <meridian/module/ordered_map.hpp>
#include <meridian/module/page_tree.hpp>

#include <list>
#include <map>
#include <queue>
#include <string>
#include <unordered_map>

namespace meridian::bench {
namespace {

using namespace module;
using module::testing::OwnedArena;
using module::testing::Random;

struct Order {
    std::uint64_t id;
    std::uint64_t amount;
    ListLink<Order> queue;
    std::uint64_t rest[5];
};
static_assert(sizeof(Order) == 64);

constexpr std::uint32_t kEdits = 10;
constexpr std::uint32_t kMessages = 4096;

void check(bool condition) {
    if (!condition)
        std::abort();
}

// Where each message writes: objects of a line, at random or neighbours on few pages.
std::vector<std::uint32_t> places(std::uint32_t pages, std::uint32_t spread) {
    Random random(1);
    std::vector<std::uint32_t> out;
    for (std::uint32_t i = 0; i < kMessages; ++i) {
        const std::uint32_t base = random.below(pages * kLinesPerPage - spread);
        for (std::uint32_t k = 0; k < kEdits; ++k)
            out.push_back(base + random.below(spread));
    }
    return out;
}

// Undo by copies of whole pages, otherwise as an arena does it.
class PageUndo {
public:
    PageUndo(std::uint8_t* base, std::uint32_t pages)
        : m_base(base),
          m_epochs(pages),
          m_log(std::make_unique_for_overwrite<std::uint8_t[]>(kEdits * kPageSize)) {}
    void checkpoint() {
        ++m_epoch;
        m_saved = 0;
    }
    std::uint8_t* edit(std::uint32_t line) {
        const std::uint32_t page = line / kLinesPerPage;
        if (m_epochs[page] != m_epoch) {
            m_epochs[page] = m_epoch;
            std::memcpy(m_log.get() + m_saved++ * kPageSize, m_base + std::size_t{page} * kPageSize,
                        kPageSize);
        }
        return m_base + std::size_t{line} * kLineSize;
    }

private:
    std::uint8_t* m_base;
    std::vector<std::uint64_t> m_epochs;
    std::unique_ptr<std::uint8_t[]> m_log;
    std::uint64_t m_epoch = 1;
    std::size_t m_saved = 0;
};

// A message is a checkpoint, ten edits and a commit.
void measure_barrier(const char* name, std::uint32_t pages, std::uint32_t spread) {
    if (!wants(name))
        return;
    OwnedArena arena(2 * pages + 8192);
    std::uint32_t first = 0;
    // Nothing else is done with this arena: what lies between the runs may be written to as well.
    for (std::uint32_t run = 0; run < pages; run += kRunPagesMax / 2) {
        const PageNumber page = *arena->allocate_pages(kRunPagesMax / 2);
        first = run == 0 ? page : first;
    }
    const std::vector<std::uint32_t> lines = places(pages / 2, spread);
    std::uint8_t* base = arena.memory.region().base + offset_of_page(first);
    PageUndo page_undo(base, pages);
    const auto messages = [&](auto&& begin, auto&& edit, auto&& end) {
        for (std::uint32_t i = 0; i < kMessages; ++i) {
            begin();
            for (std::uint32_t k = 0; k < kEdits; ++k)
                ++*reinterpret_cast<std::uint64_t*>(edit(lines[i * kEdits + k]));
            end();
        }
    };
    Arena::Checkpoint checkpoint{};
    const auto by_lines = [&] {
        messages([&] { checkpoint = arena->checkpoint(); },
                 [&](std::uint32_t line) {
                     return arena->edit_bytes(offset_of_page(first) + Offset{line} * kLineSize, kLineSize);
                 },
                 [&] { check(arena->commit(checkpoint).has_value()); });
    };
    const auto by_pages = [&] {
        messages([&] { page_undo.checkpoint(); }, [&](std::uint32_t line) { return page_undo.edit(line); },
                 [] {});
    };
    const auto plain = [&] {
        messages([] {}, [&](std::uint32_t line) { return base + std::size_t{line} * kLineSize; }, [] {});
        keep(*base);
    };
    print(name, compare(by_lines, plain, kMessages, kMessages), "plain writes");
    print(name, compare(by_lines, by_pages, kMessages, kMessages), "copies of pages");
}

struct Book {
    PoolState orders;
    HashMapState by_id;
    ListState<Order> queue;
    std::uint64_t reserved;
};

// A message adds an order (pool, table, queue) and cancels the one that was added kResting messages ago.
constexpr std::uint64_t kResting = 100'000;

class ArenaBook {
public:
    explicit ArenaBook(bool with_undo) : m_arena(1u << 16), m_with_undo(with_undo) {
        m_book = Place<Book>(offset_of_page(*m_arena->allocate_pages(1)));
    }
    void message() {
        Arena::Checkpoint checkpoint{};
        if (m_with_undo)
            checkpoint = m_arena->checkpoint();
        add(m_next);
        if (m_next >= kResting)
            cancel(m_next - kResting);
        ++m_next;
        if (m_with_undo)
            check(m_arena->commit(checkpoint).has_value());
    }
    Arena& arena() { return *m_arena; }

private:
    Pool<Order> orders() { return {*m_arena, m_arena->place(m_book, &Book::orders)}; }
    HashMap<std::uint64_t, Ptr<Order>> by_id() { return {*m_arena, m_arena->place(m_book, &Book::by_id)}; }
    List<Order, &Order::queue> queue() { return {*m_arena, m_arena->place(m_book, &Book::queue)}; }

    void add(std::uint64_t id) {
        const Ptr<Order> order = *orders().allocate();
        Order& content = m_arena->edit(order);
        content.id = id;
        content.amount = id * 3;
        check(by_id().put(id, order).has_value());
        queue().push_back(order);
    }
    void cancel(std::uint64_t id) {
        const Ptr<Order> order = *by_id().get(id);
        check(m_arena->at(order).id == id);
        queue().remove(order);
        by_id().erase(id);
        orders().free(order);
    }

    OwnedArena m_arena;
    bool m_with_undo;
    Place<Book> m_book;
    std::uint64_t m_next = 0;
};

class StandardBook {
public:
    void message() {
        m_queue.push_back({m_next, m_next * 3, {}, {}});
        m_by_id.emplace(m_next, std::prev(m_queue.end()));
        if (m_next >= kResting) {
            const auto entry = m_by_id.find(m_next - kResting);
            check(entry->second->id == m_next - kResting);
            m_queue.erase(entry->second);
            m_by_id.erase(entry);
        }
        ++m_next;
    }

private:
    std::list<Order> m_queue;
    std::unordered_map<std::uint64_t, std::list<Order>::iterator> m_by_id;
    std::uint64_t m_next = 0;
};

void measure_book() {
    constexpr int kBatch = 1000;
    const auto many = [](auto& book) {
        return [&book] {
            for (int i = 0; i < kBatch; ++i)
                book.message();
        };
    };
    if (!wants("order in and out"))
        return;
    ArenaBook with_undo(true);
    ArenaBook without(false);
    StandardBook standard;
    for (std::uint64_t i = 0; i < 2 * kResting; ++i) {
        with_undo.message();
        without.message();
        standard.message();
    }
    print("order in and out", compare(many(with_undo), many(standard), kBatch, kBatch), "std::");
    print("order in and out, no undo", compare(many(without), many(standard), kBatch, kBatch), "std::");
}

// A message adds a random key and erases another, in a map of 2,000 price levels.
void measure_levels() {
    if (!wants("level in and out"))
        return;
    constexpr std::uint32_t kLevels = 2000;
    OwnedArena arena(4096);
    OrderedMap<std::uint64_t, std::uint32_t> ours(
        *arena, Place<OrderedMapState>(offset_of_page(*arena->allocate_pages(1))));
    std::map<std::uint64_t, std::uint32_t> standard;
    std::vector<std::uint64_t> keys;
    keys.reserve(kMessages);
    Random random(2);
    for (std::uint32_t i = 0; i < kMessages; ++i)
        keys.push_back(random.next());
    std::size_t next = 0;
    const auto step = [&](auto&& put, auto&& erase) {
        for (std::uint32_t i = 0; i < kMessages; ++i, ++next) {
            put(keys[next % kMessages], i);
            if (next >= kLevels)
                erase(keys[(next - kLevels) % kMessages]);
        }
    };
    const auto fill = [&](auto&& map_step) {
        next = 0;
        map_step();
    };
    const auto of_arena = [&] {
        step(
            [&](std::uint64_t key, std::uint32_t value) {
                const auto checkpoint = arena->checkpoint();
                check(ours.put(key, value).has_value());
                check(arena->commit(checkpoint).has_value());
            },
            [&](std::uint64_t key) {
                const auto checkpoint = arena->checkpoint();
                ours.erase(key);
                check(arena->commit(checkpoint).has_value());
            });
    };
    const auto of_standard = [&] {
        step([&](std::uint64_t key, std::uint32_t value) { standard[key] = value; },
             [&](std::uint64_t key) { standard.erase(key); });
    };
    fill(of_arena);
    fill(of_standard);
    // Both go on from the same place: what one adds, it erases itself later.
    next = kMessages;
    print("level in and out", compare(of_arena, of_standard, kMessages, kMessages), "std::map");
    print("level look-up",
          compare(
              [&] {
                  for (const std::uint64_t key : keys)
                      keep(ours.lower_bound(key));
              },
              [&] {
                  for (const std::uint64_t key : keys)
                      keep(standard.lower_bound(key));
              },
              kMessages, kMessages),
          "std::map");
}

// Timers: the least leaves, a new one comes.
void measure_heap() {
    if (!wants("timer in and out"))
        return;
    constexpr std::uint32_t kTimers = 10'000;
    OwnedArena arena(4096);
    Heap<std::uint64_t> ours(*arena, Place<HeapState>(offset_of_page(*arena->allocate_pages(1))));
    std::priority_queue<std::uint64_t, std::vector<std::uint64_t>, std::greater<>> standard;
    Random random(3);
    for (std::uint32_t i = 0; i < kTimers; ++i) {
        const std::uint64_t due = random.next() >> 8;
        check(ours.push(due).has_value());
        standard.push(due);
    }
    std::uint64_t state = 1;
    const auto of_arena = [&] {
        for (std::uint32_t i = 0; i < kMessages; ++i) {
            const auto checkpoint = arena->checkpoint();
            const std::uint64_t due = ours.value(ours.top()) + (mix_bits(++state) >> 20);
            ours.update(ours.top(), due);
            check(arena->commit(checkpoint).has_value());
        }
    };
    const auto of_standard = [&] {
        for (std::uint32_t i = 0; i < kMessages; ++i) {
            const std::uint64_t due = standard.top() + (mix_bits(++state) >> 20);
            standard.pop();
            standard.push(due);
        }
    };
    print("timer in and out", compare(of_arena, of_standard, kMessages, kMessages), "priority_queue");
}

// `dirty` random pages of an arena of 32,768: the new commitment, and hashing those pages alone.
void measure_commitment() {
    constexpr std::uint32_t kPages = 1u << 15;
    if (!wants("commitment"))
        return;
    OwnedArena arena(2 * kPages);
    for (std::uint32_t run = 0; run < kPages; run += 1024)
        check(arena->allocate_pages(1024).has_value());
    PageTree tree(*arena);
    Random random(4);
    for (const std::uint32_t dirty : {1u, 16u, 256u, 4096u}) {
        std::vector<PageNumber> pages(dirty);
        for (PageNumber& page : pages)
            page = 1 + random.below(kPages);
        std::vector<BytesView> contents;
        for (const PageNumber page : pages) {
            arena->edit(Place<std::uint64_t>(offset_of_page(page))) = random.next();
            contents.push_back(arena->page(page));
        }
        std::vector<Hash> hashes(dirty);
        const std::string name = "commitment, " + std::to_string(dirty) + " pages";
        const auto ours = [&] {
            for (const PageNumber page : pages)
                tree.mark(page);
            keep(tree.update(*arena));
        };
        print(name.c_str(),
              compare(ours, [&] { crypto::keccak256_batch(contents, hashes); }, dirty, dirty), "hashing");
    }
}

// What a frame of 10 ms takes along: the changed lines of 1,000 messages, taken and applied to a copy.
void measure_changes() {
    if (!wants("changes taken and applied"))
        return;
    ArenaBook book(true);
    OwnedArena copy(1u << 16);
    for (std::uint64_t i = 0; i < 2 * kResting; ++i)
        book.message();
    check(copy->apply(book.arena().take_changes()).has_value());
    constexpr int kFrame = 1000;
    const auto frame = [&] {
        for (int i = 0; i < kFrame; ++i)
            book.message();
    };
    std::size_t lines = 0;
    const auto with_changes = [&] {
        frame();
        const Changes changes = book.arena().take_changes();
        lines = changes.lines.size();
        check(copy->apply(changes).has_value());
    };
    const auto alone = [&] { frame(); };
    const Comparison result = compare(with_changes, alone, kFrame, kFrame);
    print("changes taken and applied", result, "messages alone");
    std::printf("%-28s %10.2f lines a message\n", "", static_cast<double>(lines) / kFrame);
}

}  // namespace
}  // namespace meridian::bench

int main(int argc, char** argv) {
    using namespace meridian::bench;
    read_arguments(argc, argv);
    std::printf("ns: of one message, page or look-up; ratio: ours to the other\n");
    measure_barrier("10 edits in 16 lines", 1024, 16);
    measure_barrier("10 edits in 8 pages", 1024, 512);
    measure_barrier("10 edits anywhere in 4 MiB", 2048, 1024 * 64 - 1);
    measure_barrier("10 edits anywhere in 128 MiB", 65536, 32768 * 64 - 1);
    measure_book();
    measure_levels();
    measure_heap();
    measure_commitment();
    measure_changes();
    return 0;
}
