#include <meridian/evm/analysis.hpp>

#include <meridian/evm/instructions.hpp>
#include <meridian/evm/translator.hpp>

#include <bit>

namespace meridian::evm {

Code::Code(BytesView bytes, Revision revision, bool stepped, Translator& translator)
    : m_bytes(to_bytes(bytes)), m_revision(revision), m_stepped(stepped), m_translator(translator) {
    hold(sizeof(Code) + bytes.size());
}

Code::~Code() {
    m_translator.m_bytes_held -= m_bytes_held;
}

void Code::hold(std::size_t bytes) {
    m_bytes_held += bytes;
    m_translator.m_bytes_held += bytes;
}

const IrInstr* Code::entry() {
    if (m_entry == nullptr)
        m_entry = m_translator.translate(*this, 0);
    return m_entry;
}

bool Code::is_jumpdest(std::uint64_t pc) {
    if (!m_jumpdests_found)
        find_jumpdests();
    return pc < m_bytes.size() && (m_jumpdests[pc / 64] >> (pc % 64) & 1) != 0;
}

const IrInstr* Code::jump_target(std::uint64_t pc) {
    if (!is_jumpdest(pc))
        return nullptr;
    const std::uint64_t below = m_jumpdests[pc / 64] & ((std::uint64_t{1} << (pc % 64)) - 1);
    const std::size_t rank = m_ranks[pc / 64] + static_cast<std::size_t>(std::popcount(below));
    if (m_blocks[rank] == nullptr)
        m_blocks[rank] = m_translator.translate(*this, static_cast<std::uint32_t>(pc));
    return m_blocks[rank];
}

const IrInstr* Code::follow(const IrEdge& edge) {
    if (edge.target != nullptr)
        return edge.target;
    const bool to_jumpdest =
        edge.falls_through == 0 ||
        (edge.pc < m_bytes.size() && m_bytes[edge.pc] == static_cast<std::uint8_t>(Op::Jumpdest));
    const IrInstr* target = to_jumpdest ? jump_target(edge.pc) : m_translator.translate(*this, edge.pc);
    // Blocks are ours and not really constant; only the interpreter must not write to them.
    const_cast<IrEdge&>(edge).target = target;
    return target;
}

void Code::find_jumpdests() {
    const std::size_t words = m_bytes.size() / 64 + 1;
    m_jumpdests.assign(words, 0);
    m_ranks.assign(words, 0);
    const std::uint8_t* const code = m_bytes.data();
    for (std::size_t pc = 0; pc < m_bytes.size(); ++pc) {
        const std::uint8_t op = code[pc];
        if (op == static_cast<std::uint8_t>(Op::Jumpdest))
            m_jumpdests[pc / 64] |= std::uint64_t{1} << (pc % 64);
        else if (op >= static_cast<std::uint8_t>(Op::Push1) && op <= static_cast<std::uint8_t>(Op::Push32))
            pc += op - static_cast<std::size_t>(Op::Push1) + 1;
    }
    std::uint32_t rank = 0;
    for (std::size_t i = 0; i < words; ++i) {
        m_ranks[i] = rank;
        rank += static_cast<std::uint32_t>(std::popcount(m_jumpdests[i]));
    }
    m_blocks.assign(rank, nullptr);
    m_jumpdests_found = true;
    hold(words * 12 + rank * sizeof(void*));
}

IrInstr* Code::allocate(std::size_t count) {
    constexpr std::size_t kChunk = 512;
    if (m_chunk_left < count) {
        const std::size_t size =
            m_chunks.empty() ? std::max<std::size_t>(64, count) : std::max(kChunk, count);
        m_chunks.push_back(std::make_unique_for_overwrite<IrInstr[]>(size));
        m_chunk_left = size;
        hold(size * sizeof(IrInstr));
        m_chunk_end = m_chunks.back().get() + size;
    }
    IrInstr* const out = m_chunk_end - m_chunk_left;
    m_chunk_left -= count;
    return out;
}

}  // namespace meridian::evm
