// An arena: the state of a native module as pages of memory, with a write barrier, undo and page changes.
//
// Invariants:
// - Whoever writes does so through a reference from edit(), and before the next checkpoint(), commit(),
//   revert() or take_changes(); a reference kept longer would write past the barrier. Reading is direct.
// - Bytes never written, bytes of freed pages, and pages from page_count() on are zero.
// - Pages do not move: references from at() are good as long as the arena, their content until it changes.
//
// Failing: an arena that needs a page it cannot get, or room in its undo log that is not there, has failed.
// It then reads as zeros, and writes go nowhere, so that code on the way out of a transaction needs no
// checks of its own; whoever began the transaction asks failure() and reverts. The state is what it was.
//
// Pages on demand: with a page source, a page is fetched when it is first touched. Without one all pages are
// there, and the one comparison that finds out guards against pointers behind the last page as well.
#pragma once

#include <meridian/base/assert.hpp>
#include <meridian/module/error.hpp>
#include <meridian/module/region.hpp>

#include <memory>
#include <optional>
#include <span>

namespace meridian::module {

struct Changes;

// Where an arena without its pages gets them from. Whoever implements it answers for the content: it is
// verified before it is handed out (witness.hpp).
class PageSource {
public:
    virtual ~PageSource() = default;
    // Writes the page, or returns false if there is none. Asked at most once for a page.
    virtual bool fetch(PageNumber page, std::span<std::uint8_t, kPageSize> out) noexcept = 0;
};

// How many lines may be saved for undo between the first open checkpoint and its end: 16 MiB of them. It
// decides which transactions fail, so every node of a chain uses the same.
inline constexpr std::uint32_t kUndoLinesMax = 1u << 18;

class Arena {
public:
    // Makes an empty arena of at most `page_limit` pages. Precondition: the region is zero and its base
    // aligned.
    static Result<Arena, Error> create(Region region, std::uint32_t page_limit,
                                       std::uint32_t undo_lines_max = kUndoLinesMax);
    // Takes up an arena whose pages are in the region, or come from `source` (then the region is zero).
    // The source has to outlive the arena.
    static Result<Arena, Error> open(Region region, PageSource* source = nullptr,
                                     std::uint32_t undo_lines_max = kUndoLinesMax);
    Arena(Arena&&) noexcept = default;
    Arena& operator=(Arena&&) noexcept = default;

    // The object at a place. Precondition: the place is of this arena, and a T was put there.
    template <Storable T>
    const T& at(Place<T> place) const noexcept {
        return *reinterpret_cast<const T*>(read(place.offset));
    }
    template <Storable T>
    const T& at(Ptr<T> ptr) const noexcept {
        return at(Place<T>(ptr));
    }
    // The same to write to: the whole object counts as changed.
    template <Storable T>
    T& edit(Place<T> place) noexcept {
        return *reinterpret_cast<T*>(write(place.offset, sizeof(T)));
    }
    template <Storable T>
    T& edit(Ptr<T> ptr) noexcept {
        return edit(Place<T>(ptr));
    }
    // One member to write to: only its lines count as changed.
    template <Storable T, Storable M>
    M& edit(Ptr<T> ptr, M T::* member) noexcept {
        return edit(place(ptr, member));
    }
    template <Storable T, Storable M>
    Place<M> place(Place<T> object, M T::* member) const noexcept {
        // The offset is a constant; any aligned memory serves to compute it.
        const T* sample = reinterpret_cast<const T*>(m_region.base);
        const auto* bytes = reinterpret_cast<const std::uint8_t*>(&(sample->*member));
        return Place<M>(object.offset + static_cast<Offset>(bytes - m_region.base));
    }
    template <Storable T, Storable M>
    Place<M> place(Ptr<T> object, M T::* member) const noexcept {
        return place(Place<T>(object), member);
    }
    // Bytes to read, or to write to; for containers that lay out memory themselves. Precondition: they do not
    // reach into the next page.
    const std::uint8_t* bytes(Offset offset) const noexcept { return read(offset); }
    std::uint8_t* edit_bytes(Offset offset, std::uint32_t size) noexcept { return write(offset, size); }
    // Zeroes bytes; lines that are zero already do not count as changed.
    void zero(Offset offset, std::uint64_t size) noexcept;

    // The module's own object.
    template <Storable T>
    Ptr<T> root() const noexcept {
        return {header().root};
    }
    template <Storable T>
    void set_root(Ptr<T> root) noexcept {
        edit(Place<ArenaHeader>()).root = root.granule;
    }

    // A run of zeroed pages, aligned to its size, which is `count` rounded up to a power of two. Work: at
    // most 2 kOrders blocks. Errors: OutOfPages, RunTooLong, or what the arena has failed with.
    Result<PageNumber, Error> allocate_pages(std::uint32_t count);
    // Gives back a run from allocate_pages(count). Work: zeroing it, and at most kOrders blocks.
    void free_pages(PageNumber first, std::uint32_t count);

    // Checkpoints nest; the last one opened is the first to end. Between two, each line is saved once.
    struct Checkpoint {
        std::uint32_t log_size;
        std::uint32_t depth;
    };
    [[nodiscard]] Checkpoint checkpoint() noexcept;
    // Keeps what was written since; the enclosing checkpoint can still undo it. An arena that has failed
    // refuses, and the checkpoint stays open: revert it.
    Result<void, Error> commit(Checkpoint checkpoint) noexcept;
    // Undoes what was written since, and ends the checkpoints within.
    void revert(Checkpoint checkpoint) noexcept;
    std::uint32_t open_checkpoints() const noexcept { return m_depth; }
    std::uint32_t undo_lines() const noexcept { return m_log_size; }

    // Error::UndoFull ends with the revert of a checkpoint; the others stay.
    std::optional<Error> failure() const noexcept { return m_failure; }

    std::uint32_t page_count() const noexcept { return header().page_count; }
    const ArenaHeader& header() const noexcept {
        return *reinterpret_cast<const ArenaHeader*>(m_region.base);
    }
    // A page's content. Precondition: page < page_count().
    BytesView page(PageNumber page) const noexcept { return {read(offset_of_page(page)), kPageSize}; }

    // Lines written to since changes were last taken, ascending. Precondition: no checkpoint is open.
    Changes changes() const;
    Changes take_changes();
    // Takes over the changes of another arena that was byte for byte like this one. They count as changes of
    // this one. All or nothing. Error: BadChanges. Precondition: no checkpoint is open; no page source.
    Result<void, Error> apply(const Changes& changes);

private:
    // The number of a line in the arena; kWasChanged says that it was among the changes before it was saved.
    using LoggedLine = std::uint32_t;
    static constexpr LoggedLine kWasChanged = 1u << 31;
    static_assert(std::uint64_t{kPagesMax} * kLinesPerPage <= kWasChanged);
    struct alignas(kLineSize) LineContent {
        std::uint8_t bytes[kLineSize];
    };
    Arena(Region region, PageSource* source, std::uint32_t undo_lines_max);

    const std::uint8_t* read(Offset offset) const noexcept {
        if (page_of(offset) < m_resident_pages) [[likely]]
            return m_region.base + offset;
        return read_absent(offset);
    }
    // Size: at most to the end of the page.
    std::uint8_t* write(Offset offset, std::uint32_t size) noexcept {
        const std::uint64_t lines = lines_of(offset_in_page(offset), size);
        if (page_of(offset) < m_resident_pages) [[likely]] {
            const PageMarks& marks = m_marks[page_of(offset)];
            if (marks.epoch == m_epoch && (lines & ~marks.saved) == 0)
                return m_region.base + offset;
        }
        return write_first(offset, lines);
    }
    const std::uint8_t* read_absent(Offset offset) const noexcept;
    std::uint8_t* write_first(Offset offset, std::uint64_t lines) noexcept;
    bool save_lines(PageNumber page, std::uint64_t lines) noexcept;
    void list_page(PageNumber page) noexcept;
    bool make_present(PageNumber page) const noexcept;
    void fail_with(Error error) const noexcept;
    void refresh_resident() noexcept;
    std::uint32_t pages_here() const noexcept;
    std::uint8_t* scratch() noexcept;
    Result<void, Error> check_header() const noexcept;

    Result<PageNumber, Error> extend(std::uint32_t order);
    void push_block(PageNumber first, std::uint32_t order) noexcept;
    void unlink_block(PageNumber first, std::uint32_t order) noexcept;

    Region m_region;
    PageMarks* m_marks;
    // Pages that can be touched without asking: all, or none with a page source or after a failure.
    mutable std::uint32_t m_resident_pages = 0;
    std::uint32_t m_depth = 0;
    std::uint64_t m_epoch = 1;
    std::uint32_t m_log_size = 0;
    std::uint32_t m_log_capacity;
    std::unique_ptr<LoggedLine[]> m_log;
    std::unique_ptr<LineContent[]> m_log_contents;
    std::vector<PageNumber> m_listed;
    mutable std::optional<Error> m_failure;
    PageSource* m_source;
    // Pages that the source may have; those above are new.
    std::uint32_t m_source_pages = 0;
    struct alignas(64) Scratch {
        std::uint8_t bytes[kPageSize];
    };
    std::unique_ptr<Scratch> m_scratch;
};

// Opens a checkpoint and reverts it unless it was committed.
class Transaction {
public:
    explicit Transaction(Arena& arena) noexcept : m_arena(arena), m_checkpoint(arena.checkpoint()) {}
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    ~Transaction() {
        if (m_open)
            m_arena.revert(m_checkpoint);
    }
    Result<void, Error> commit() noexcept {
        const Result<void, Error> done = m_arena.commit(m_checkpoint);
        m_open = !done;
        return done;
    }

private:
    Arena& m_arena;
    Arena::Checkpoint m_checkpoint;
    bool m_open = true;
};

}  // namespace meridian::module
