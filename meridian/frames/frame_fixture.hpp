// Frames for tests: random content, and chains of signed records.
#pragma once

#include <meridian/crypto/keccak.hpp>
#include <meridian/frames/codec.hpp>

#include <bit>
#include <random>

namespace meridian::frames::testing {

using namespace literals;

inline constexpr Hash kGenesisHash = "0x6765"_hash;
inline constexpr std::uint64_t kChainId = 1234321;

// The same numbers from every standard library, unlike its distributions.
class Random {
public:
    explicit Random(std::uint64_t seed) : m_engine(seed) {}
    std::uint64_t below(std::uint64_t bound) { return m_engine() % bound; }
    bool chance(unsigned percent) { return below(100) < percent; }
    std::uint64_t word() { return m_engine(); }
    Bytes bytes(std::size_t size) {
        Bytes out(size);
        for (std::uint8_t& byte : out)
            byte = static_cast<std::uint8_t>(m_engine());
        return out;
    }
    template <std::size_t N>
    FixedBytes<N> fixed() {
        return first_bytes<N>(bytes(N));
    }
    // Small ones as often as large ones.
    u256 number() { return from_hash(fixed<32>()) >> below(256); }

private:
    std::mt19937_64 m_engine;
};

inline LocalSigner signer(std::uint8_t key = 1) {
    Hash private_key;
    private_key[31] = key;
    return *LocalSigner::make(private_key);
}

inline state::StateChanges random_changes(Random& random, std::size_t accounts) {
    state::StateChanges changes;
    for (std::size_t i = 0; i < accounts; ++i) {
        state::AccountChange change;
        if (random.chance(90))
            change.account = state::Account{random.below(1000), random.number(), crypto::kEmptyKeccak};
        if (change.account && random.chance(30)) {
            const Bytes code = random.bytes(random.below(200));
            change.account->code_hash = crypto::keccak256(code);
            changes.code.emplace(change.account->code_hash, code);
        }
        change.storage_cleared = random.chance(10);
        for (std::size_t slots = random.below(4); slots > 0; --slots)
            change.storage[random.number()] = random.number();
        changes.accounts.emplace(random.fixed<20>(), std::move(change));
    }
    for (std::size_t i = random.below(3); i > 0; --i) {
        state::ArenaPatch& arena = changes.arenas[random.fixed<20>()];
        for (std::size_t page = 1 + random.below(3); page > 0; --page) {
            const std::uint64_t lines = std::uint64_t{1} << random.below(64) | std::uint64_t{1}
                                                                                   << random.below(64);
            state::PagePatch patch{.lines = lines, .contents = {}};
            for (int line = std::popcount(lines); line > 0; --line)
                patch.contents.push_back(random.fixed<64>());
            arena[static_cast<std::uint32_t>(random.below(1 << 30))] = std::move(patch);
        }
    }
    return changes;
}

inline BlockBase random_base(Random& random) {
    BlockBase base;
    base.parent_hash = random.fixed<32>();
    base.coinbase = random.fixed<20>();
    base.prev_randao = random.fixed<32>();
    base.timestamp = random.word();
    base.gas_limit = random.word();
    base.extra_data = random.bytes(random.below(33));
    base.base_fee = random.number();
    base.withdrawals.emplace();
    if (random.chance(20))
        base.withdrawals->push_back({random.word(), random.word(), random.fixed<20>(), random.word()});
    base.excess_blob_gas = random.word();
    base.parent_beacon_block_root = random.fixed<32>();
    base.parent_closing = random_changes(random, random.below(3));
    return base;
}

inline FrameReceipt random_receipt(Random& random) {
    constexpr chain::TxnType kTypes[] = {chain::TxnType::Legacy,     chain::TxnType::AccessList,
                                         chain::TxnType::DynamicFee, chain::TxnType::Blob,
                                         chain::TxnType::SetCode,    chain::TxnType::Deposit};
    FrameReceipt receipt;
    receipt.type = kTypes[random.below(std::size(kTypes))];
    receipt.success = random.chance(80);
    receipt.gas_used = random.word() >> random.below(64);
    for (std::size_t logs = random.below(3); logs > 0; --logs) {
        state::Log log{random.fixed<20>(), {}, random.bytes(random.below(100))};
        for (std::size_t topics = random.below(5); topics > 0; --topics)
            log.topics.push_back(random.fixed<32>());
        receipt.logs.push_back(std::move(log));
    }
    if (receipt.type == chain::TxnType::Deposit) {
        receipt.deposit_nonce = random.below(1000);
        if (random.chance(50))
            receipt.deposit_receipt_version = 1;
    }
    return receipt;
}

inline FrameContent random_content(Random& random, bool opens_block, std::size_t transactions) {
    FrameContent content;
    if (opens_block)
        content.base = random_base(random);
    content.segments.emplace_back();
    for (std::size_t i = 0; i < transactions; ++i) {
        content.segments.back().transactions.push_back(random.bytes(1 + random.below(200)));
        content.receipts.push_back(random_receipt(random));
    }
    content.changes = random_changes(random, transactions);
    return content;
}

// Makes one frame after another, each signed and linked to the one before.
class FrameMaker {
public:
    explicit FrameMaker(std::uint64_t seed, const FrameTip& tip = genesis_tip(kChainId, kGenesisHash))
        : m_random(seed), m_tip(tip) {}

    const FrameTip& tip() const { return m_tip; }
    // Goes on from there.
    void rewind(const FrameTip& tip) { m_tip = tip; }

    Bytes next(std::size_t transactions = 2) {
        const bool opens_block = m_tip.number == 0 || m_random.chance(20);
        FrameHeader header;
        header.chain_id = m_tip.chain_id;
        header.term = m_tip.term;
        header.number = m_tip.number + 1;
        header.parent_hash = m_tip.hash;
        header.block_number = m_tip.block_number + (opens_block ? 1 : 0);
        header.index = opens_block ? 0 : m_tip.index + 1;
        header.timestamp_us = m_tip.timestamp_us + m_random.below(20'000);
        const Sections sections = *encode_sections(random_content(m_random, opens_block, transactions));
        commit_sections(header, sections);
        m_head = *sign_header(header, signer());
        m_tip = tip_of(m_head);
        return encode_record(m_head, sections);
    }
    // Of the frame made last.
    const SignedHeader& head() const { return m_head; }

private:
    Random m_random;
    FrameTip m_tip;
    SignedHeader m_head;
};

}  // namespace meridian::frames::testing
