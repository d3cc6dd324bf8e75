#include <meridian/module/page_tree.hpp>

#include <meridian/base/hex.hpp>
#include <meridian/crypto/keccak.hpp>
#include <meridian/module/arena_fixture.hpp>
#include <meridian/module/changes.hpp>
#include <meridian/module/page_proof.hpp>
#include <meridian/module/restore.hpp>
#include <meridian/module/witness.hpp>

#include <gtest/gtest.h>

namespace meridian::module {
namespace {

using testing::bytes_of;
using testing::HeapRegion;
using testing::OwnedArena;
using testing::Random;

Hash keccak_of_four(const Hash& child) {
    Bytes children;
    for (int i = 0; i < 4; ++i)
        append(children, child);
    return crypto::keccak256(children);
}

// The tree by its definition, from the top: recursion depth 13.
Hash naive_node(const Arena& arena, std::uint32_t level, std::uint64_t index) {
    if (index << 2 * level >= arena.page_count()) {
        Hash empty = crypto::keccak256(Bytes(kPageSize));
        for (std::uint32_t i = 0; i < level; ++i)
            empty = keccak_of_four(empty);
        return empty;
    }
    if (level == 0)
        return crypto::keccak256(arena.page(static_cast<PageNumber>(index)));
    Bytes children;
    for (std::uint64_t child = 4 * index; child < 4 * index + 4; ++child)
        append(children, naive_node(arena, level - 1, child));
    return crypto::keccak256(children);
}

Hash naive_commitment(const Arena& arena) {
    Bytes words = to_bytes(crypto::keccak256(as_bytes("Meridian arena 1")));
    Bytes count(32);
    for (std::size_t i = 0; i < 4; ++i)
        count[31 - i] = static_cast<std::uint8_t>(arena.page_count() >> 8 * i);
    append(words, count);
    append(words, naive_node(arena, kTreeDepth, 0));
    return crypto::keccak256(words);
}

// Writes here and there, adds pages, reverts some of it. The same for the same seed and content.
void run(Arena& arena, std::uint64_t seed) {
    Random random(seed);
    for (int step = 0; step < 30; ++step) {
        const auto checkpoint = arena.checkpoint();
        for (int i = 0; i < 5; ++i) {
            const std::uint32_t offset =
                random.below((arena.page_count() - kPageCountMin) * kPageSize) / 16 * 16;
            const Place<std::uint64_t> place(offset_of_page(kPageCountMin) + offset);
            if (arena.at(place) % 3 != 2)
                arena.edit(place) = arena.at(place) + random.next();
        }
        // A page more, unless there is none left.
        const bool grown = random.below(4) != 0 || arena.allocate_pages(1).has_value();
        if (!grown || random.below(3) == 0 || !arena.commit(checkpoint))
            arena.revert(checkpoint);
    }
}

OwnedArena random_arena(std::uint32_t page_limit, std::uint32_t pages, std::uint64_t seed) {
    OwnedArena arena(page_limit);
    for (std::uint32_t i = 0; i < pages; ++i)
        EXPECT_TRUE(arena->allocate_pages(1));
    run(*arena, seed);
    return arena;
}

TEST(PageTree, KnownHashes) {
    // Of 4096 zero bytes, and of twelve levels above it.
    EXPECT_EQ(to_hex(empty_subtree(0)), "a8bae11751799de4dbe638406c5c9642c0e791f2a65e852a05ba4fdf0d88e3e6");
    Hash expected = crypto::keccak256(Bytes(kPageSize));
    for (std::uint32_t level = 0; level <= kTreeDepth; ++level) {
        EXPECT_EQ(empty_subtree(level), expected);
        expected = keccak_of_four(expected);
    }
    EXPECT_EQ(PageTree().root(), empty_subtree(kTreeDepth));
}

TEST(PageTree, UpdatesGiveWhatTheDefinitionGives) {
    OwnedArena arena = random_arena(600, 300, 1);
    OwnedArena shadow(600);
    PageTree tree;
    for (std::uint64_t seed = 2; seed < 8; ++seed) {
        const Changes changes = arena->take_changes();
        ASSERT_TRUE(shadow->apply(changes));
        tree.mark(changes);
        tree.mark(changes);
        const Hash commitment = tree.update(*shadow);
        EXPECT_EQ(commitment, naive_commitment(*arena));
        EXPECT_EQ(PageTree(*arena).root(), tree.root());
        EXPECT_EQ(tree.update(*shadow), commitment);
        run(*arena, seed);
    }
}

TEST(PageProof, EveryPageHasOneAndNothingElseDoes) {
    OwnedArena arena = random_arena(200, 20, 3);
    PageTree tree(*arena);
    const Hash commitment = tree.update(*arena);
    const std::uint32_t count = arena->page_count();
    for (PageNumber page = 0; page < count; ++page) {
        const std::vector<Hash> proof = tree.prove(std::span(&page, 1));
        ASSERT_EQ(proof.size(), kPageSiblings);
        EXPECT_TRUE(verify_page(commitment, count, page, arena->page(page), proof));
        EXPECT_FALSE(verify_page(commitment, count + 1, page, arena->page(page), proof));
        EXPECT_FALSE(verify_page(commitment, count, page ^ 1, arena->page(page), proof));
        EXPECT_FALSE(verify_page(commitment, count, page + count, arena->page(page), proof));
        EXPECT_FALSE(verify_page(commitment, count, page, arena->page(page).first(4095), proof));
        EXPECT_FALSE(verify_page(commitment, count, page, arena->page(page), std::span(proof).first(35)));
        Bytes content = to_bytes(arena->page(page));
        content[page * 97 % kPageSize] ^= 1;
        EXPECT_FALSE(verify_page(commitment, count, page, content, proof));
        std::vector<Hash> wrong = proof;
        wrong[page % kPageSiblings][7] ^= 0x80;
        EXPECT_FALSE(verify_page(commitment, count, page, arena->page(page), wrong));
    }
    // The tree has a way to pages that there are not, but they are none of the arena's.
    const std::vector<Hash> beyond = tree.prove(std::span(&count, 1));
    EXPECT_FALSE(verify_page(commitment, count, count, Bytes(kPageSize), beyond));
}

TEST(PagePaths, ManyPagesInOneProof) {
    OwnedArena arena = random_arena(400, 150, 4);
    const PageTree tree(*arena);
    Random random(5);
    for (int round = 0; round < 40; ++round) {
        std::vector<PageNumber> pages;
        for (PageNumber page = 0; page < arena->page_count() + 20; ++page) {
            if (random.below(8) == 0)
                pages.push_back(page);
        }
        pages.push_back(kPagesMax - 1);
        std::vector<Hash> leaves;
        leaves.reserve(pages.size());
        for (const PageNumber page : pages)
            leaves.push_back(page < arena->page_count() ? crypto::keccak256(arena->page(page))
                                                        : empty_subtree(0));
        std::vector<Hash> siblings = tree.prove(pages);
        const auto paths = PagePaths::make(pages, leaves, siblings);
        ASSERT_TRUE(paths);
        EXPECT_EQ(paths->root(), tree.root());
        const auto short_one = std::span(siblings).first(siblings.size() - 1);
        EXPECT_EQ(PagePaths::make(pages, leaves, short_one).error(), Error::BadProof);
        siblings[random.below(static_cast<std::uint32_t>(siblings.size()))][0] ^= 1;
        EXPECT_NE(PagePaths::make(pages, leaves, siblings)->root(), tree.root());
        siblings.emplace_back();
        EXPECT_EQ(PagePaths::make(pages, leaves, siblings).error(), Error::BadProof);
    }
    const PageNumber twice[] = {3, 3};
    EXPECT_EQ(PagePaths::make(twice, std::vector<Hash>(2), {}).error(), Error::BadProof);
    EXPECT_EQ(PagePaths::make({}, {}, {}).error(), Error::BadProof);
    const PageNumber beyond[] = {kPagesMax};
    EXPECT_EQ(PagePaths::make(beyond, std::vector<Hash>(1), std::vector<Hash>(36)).error(), Error::BadProof);
}

// What a run needs, and what came of it.
struct Recorded {
    Hash before;
    Bytes witness;
    Hash after;
};

Recorded record(OwnedArena& arena, std::uint64_t seed) {
    arena->take_changes();
    PageTree tree(*arena);
    Recorded out;
    out.before = tree.update(*arena);
    HeapRegion memory(arena.arena.header().page_limit);
    RecordingSource source(*arena);
    Arena recording = *Arena::open(memory.region(), &source);
    run(recording, seed);
    std::vector<PageNumber> touched = source.fetched();
    for (const PageChange& change : recording.take_changes().pages)
        touched.push_back(change.page);
    out.witness = encode(make_witness(*arena, tree, touched));
    run(*arena, seed);
    tree.mark(arena->take_changes());
    out.after = tree.update(*arena);
    return out;
}

// The same run on an arena that has nothing but the witness.
Result<Hash, Error> repeat(const Witness& witness, const Hash& before, std::uint32_t page_limit,
                           std::uint64_t seed) {
    auto source = WitnessSource::make(witness, before);
    if (!source)
        return fail(source.error());
    HeapRegion memory(page_limit);
    Result<Arena, Error> arena = Arena::open(memory.region(), &*source);
    if (!arena)
        return fail(arena.error());
    run(*arena, seed);
    return source->commitment_of(*arena);
}

TEST(Witness, ARunOnPagesOnDemandHasTheSameRoot) {
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
        OwnedArena arena = random_arena(500, 400, seed);
        const Recorded recorded = record(arena, seed + 100);
        const auto witness = decode_witness(recorded.witness);
        ASSERT_TRUE(witness);
        EXPECT_LT(witness->pages.size(), 300u);
        EXPECT_EQ(encode(*witness), recorded.witness);
        const auto after = repeat(*witness, recorded.before, 500, seed + 100);
        ASSERT_TRUE(after) << describe(after.error());
        EXPECT_EQ(*after, recorded.after);
        EXPECT_EQ(repeat(*witness, recorded.after, 500, seed + 100).error(), Error::WrongRoot);
    }
}

TEST(Witness, APageThatIsMissingIsAnError) {
    OwnedArena arena = random_arena(120, 60, 9);
    OwnedArena copy(120);
    PageRestore restore(copy.memory.region());
    ASSERT_TRUE(restore.append(bytes_of(*arena)));
    const Recorded recorded = record(arena, 10);
    const Witness witness = *decode_witness(recorded.witness);
    copy.arena = *Arena::open(copy.memory.region());
    const PageTree tree(*copy);
    ASSERT_GT(witness.pages.size(), 20u);
    for (const PageNumber page : witness.pages) {
        std::vector<PageNumber> others = witness.pages;
        std::erase(others, page);
        const auto after = repeat(make_witness(*copy, tree, others), recorded.before, 120, 10);
        // A new page needs no content; the way to it may be known from those beside it.
        if (page >= witness.page_count && after)
            EXPECT_EQ(*after, recorded.after);
        else
            EXPECT_EQ(after.error(), Error::MissingPage) << "without page " << page;
    }
}

TEST(Witness, DamagedOnesAreRefused) {
    OwnedArena arena = random_arena(60, 30, 11);
    const Recorded recorded = record(arena, 12);
    Random random(13);
    for (int i = 0; i < 300; ++i) {
        Bytes damaged = recorded.witness;
        damaged[random.below(static_cast<std::uint32_t>(damaged.size()))] ^=
            static_cast<std::uint8_t>(1 + random.below(255));
        const auto witness = decode_witness(damaged);
        EXPECT_TRUE(!witness || !WitnessSource::make(*witness, recorded.before));
    }
    for (std::size_t size = 0; size < recorded.witness.size(); size += 1 + size / 50)
        EXPECT_EQ(decode_witness(BytesView(recorded.witness).first(size)).error(), Error::BadWitness);
    Witness swapped = *decode_witness(recorded.witness);
    swapped.contents.pop_back();
    EXPECT_EQ(WitnessSource::make(swapped, recorded.before).error(), Error::BadWitness);
    swapped.contents.push_back({});
    EXPECT_EQ(WitnessSource::make(swapped, recorded.before).error(), Error::BadWitness);
}

TEST(PageRestore, GivesTheSameArenaOrNone) {
    OwnedArena arena = random_arena(100, 50, 14);
    PageTree tree(*arena);
    const Hash commitment = tree.update(*arena);
    const Bytes pages = bytes_of(*arena);
    const auto restore = [&](const Bytes& from, std::uint32_t capacity) -> Result<Bytes, Error> {
        HeapRegion memory(capacity);
        PageRestore restoring(memory.region());
        // In pieces of several pages, as a snapshot's chunks are.
        for (std::size_t at = 0; at < from.size(); at += 7 * kPageSize) {
            const auto piece =
                BytesView(from).subspan(at, std::min<std::size_t>(7 * kPageSize, from.size() - at));
            if (const auto done = restoring.append(piece); !done)
                return fail(done.error());
        }
        auto restored = restoring.finish(commitment);
        if (!restored)
            return fail(restored.error());
        EXPECT_EQ(restored->tree.root(), tree.root());
        run(restored->arena, 15);
        return bytes_of(restored->arena);
    };
    const auto same = restore(pages, 100);
    run(*arena, 15);
    EXPECT_EQ(*same, bytes_of(*arena));
    EXPECT_EQ(restore(pages, 99).error(), Error::RegionTooSmall);
    EXPECT_EQ(restore(pages, 20).error(), Error::RegionTooSmall);
    Bytes other = pages;
    other.back() ^= 1;
    EXPECT_EQ(restore(other, 100).error(), Error::WrongRoot);
    other.pop_back();
    EXPECT_EQ(restore(other, 100).error(), Error::BadHeader);
    other.resize(pages.size() - kPageSize);
    EXPECT_EQ(restore(other, 100).error(), Error::BadHeader);
}

}  // namespace
}  // namespace meridian::module
