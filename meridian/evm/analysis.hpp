// Code, translated block by block into the form that the interpreter executes, when a block is first
// reached: what is never executed costs nothing, so that large contracts are no way to slow a node down.
//
// Two modes of one translator: fused, in which a block is a basic block; and stepped, for tracers, in
// which every instruction is a block of its own that begins with a Step and leaves the stack as the
// instruction defines it.
#pragma once

#include <meridian/base/modulus.hpp>
#include <meridian/evm/ir.hpp>
#include <meridian/evm/revision.hpp>

#include <memory>
#include <vector>

namespace meridian::evm {

class Translator;

class Code {
public:
    // `translator` outlives the Code; it may be shared. The bytes are copied.
    Code(BytesView bytes, Revision revision, bool stepped, Translator& translator);
    ~Code();
    Code(const Code&) = delete;
    Code& operator=(const Code&) = delete;

    BytesView bytes() const noexcept { return m_bytes; }
    Revision revision() const noexcept { return m_revision; }
    bool stepped() const noexcept { return m_stepped; }

    // The block at which execution begins.
    const IrInstr* entry();
    // The block at a jump destination; null if pc is none.
    const IrInstr* jump_target(std::uint64_t pc);
    // Where an edge leads; null for a jump to no destination. Remembers it in the edge.
    const IrInstr* follow(const IrEdge& edge);
    bool is_jumpdest(std::uint64_t pc);
    // For the code's MULMOD: what computes on a curve multiplies modulo the same prime.
    MulmodCache& mulmod_cache() noexcept { return m_mulmod_cache; }

private:
    friend class Translator;

    void hold(std::size_t bytes);
    void find_jumpdests();
    // Room that is never moved for a block of `count` entries.
    IrInstr* allocate(std::size_t count);

    Bytes m_bytes;
    Revision m_revision;
    bool m_stepped;
    Translator& m_translator;
    const IrInstr* m_entry = nullptr;

    // Jump destinations as a bit set with ranks; blocks by rank.
    bool m_jumpdests_found = false;
    std::vector<std::uint64_t> m_jumpdests;
    std::vector<std::uint32_t> m_ranks;
    std::vector<const IrInstr*> m_blocks;

    std::vector<std::unique_ptr<IrInstr[]>> m_chunks;
    IrInstr* m_chunk_end = nullptr;
    std::size_t m_chunk_left = 0;
    std::size_t m_bytes_held = 0;
    MulmodCache m_mulmod_cache;
};

}  // namespace meridian::evm
