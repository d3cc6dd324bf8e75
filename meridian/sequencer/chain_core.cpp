#include <meridian/sequencer/chain_core.hpp>

#include <meridian/base/hex.hpp>

namespace meridian::sequencer {
namespace {

constexpr std::uint64_t kBlockHashes = 256;

// In what two headers differ that should be the same before the first transaction.
std::string differing_fields(const chain::Header& stated, const chain::Header& expected) {
    std::string out;
    const auto hold = [&out](bool same, const char* field) {
        if (!same)
            out += (out.empty() ? "" : ", ") + std::string(field);
    };
    hold(stated.number == expected.number, "number");
    hold(stated.difficulty == expected.difficulty, "difficulty");
    hold(stated.base_fee == expected.base_fee, "base fee");
    hold(stated.excess_blob_gas == expected.excess_blob_gas, "excess blob gas");
    hold(stated.withdrawals_root == expected.withdrawals_root, "withdrawals");
    if (out.empty() && chain::header_hash(stated) != chain::header_hash(expected))
        out = "the fields that its revision has";
    return out;
}

}  // namespace

Result<std::unique_ptr<ChainCore>, std::string> ChainCore::open(const ChainCoreOptions& options,
                                                                const Parts& parts) {
    std::unique_ptr<ChainCore> out(new ChainCore(options, parts));
    if (auto built = out->build(); !built)
        return fail(std::move(built.error()));
    return out;
}

Result<void, std::string> ChainCore::build() {
    auto live = LiveChain::open(m_parts.store, m_recent);
    if (!live)
        return fail(std::move(live.error().message));
    m_live = *std::move(live);
    const HeadPtr head = m_live->head();
    const store::ChainView& view = head->base->view;
    const std::uint64_t number = view.head()->number;
    const auto header = view.header(number);
    if (!header)
        return fail(header.error().message);
    const std::uint64_t oldest =
        std::max(view.oldest_header(), number >= kBlockHashes ? number - kBlockHashes + 1 : 0);
    for (std::uint64_t n = oldest; n <= number; ++n) {
        const auto hash = view.hash_of(n);
        if (!hash)
            return fail(hash.error().message);
        m_hashes[n] = *hash;
    }
    auto trie = m_parts.store.open_trie(m_options.trie);
    if (!trie)
        return fail(std::move(trie.error().message));
    m_tip = {header->header, header->hash, head->version, head->version_us};
    m_parent = {header->header, header->hash};
    m_committer = std::make_unique<Committer>(
        header->total_difficulty, m_options.block_time_s, m_options.committer_frames_max, &m_committer_bell,
        Committer::Parts{*m_live, *std::move(trie),
                         [this](const chain::Header& sealed, const Hash& hash) { on_sealed(sealed, hash); },
                         [this] { m_store_bell.ring(); }});
    const bool safe = m_parts.log.options().durability != frames::Durability::None;
    m_store_writer = std::make_unique<StoreWriter>(
        m_parts.store, *m_live, safe ? store::Durability::Sync : store::Durability::Buffered);
    m_store_writer->set_on_stored([this] {
        if (m_on_change)
            m_on_change();
    });
    return {};
}

// --- between the stages -----------------------------------------------------------------------------------

void ChainCore::on_sealed(const chain::Header& header, const Hash& hash) {
    {
        const std::unique_lock lock(m_hashes_mutex);
        m_hashes[header.number] = hash;
        m_hashes.erase(m_hashes.begin(),
                       m_hashes.lower_bound(header.number - std::min(header.number, kBlockHashes)));
    }
    {
        const std::unique_lock lock(m_sealed_mutex);
        m_sealed = SealedParent{header, hash};
    }
    if (m_on_change)
        m_on_change();
}

std::optional<SealedParent> ChainCore::take_sealed() {
    std::optional<SealedParent> out;
    {
        const std::unique_lock lock(m_sealed_mutex);
        out = std::exchange(m_sealed, std::nullopt);
    }
    if (out)
        m_parent = *out;
    return out;
}

bool ChainCore::has_room() const {
    return m_committer->queue().size() + 2 <= m_options.committer_frames_max &&
           m_live->sealed_count(m_options.hidden_blocks_count) < m_options.unstored_blocks_max;
}

void ChainCore::add(SealedFramePtr frame) {
    m_committer->queue().try_push(std::move(frame));
}

void ChainCore::add(ClosedBlock block) {
    m_committer->queue().try_push(std::move(block));
}

Hash ChainCore::block_hash(std::uint64_t number) {
    const std::unique_lock lock(m_hashes_mutex);
    const auto found = m_hashes.find(number);
    return found != m_hashes.end() ? found->second : Hash{};
}

std::string ChainCore::fault() const {
    const std::string fault = m_committer->fault();
    return fault.empty() ? m_store_writer->fault() : fault;
}

// --- frames that exist already ----------------------------------------------------------------------------

Result<void, std::string> ChainCore::check_opening(const SealedFrame& frame) const {
    const chain::Header& header = frame.opening->header;
    const chain::Header& parent = m_parent.header;
    if (header.parent_hash != m_parent.hash)
        return fail("block " + std::to_string(parent.number) + " has hash " + to_hex0x(m_parent.hash) +
                    " here (state root " + to_hex0x(parent.state_root) + ", receipts root " +
                    to_hex0x(parent.receipts_root) + "), but frame " + std::to_string(frame.number) +
                    " of the sequencer builds on " + to_hex0x(header.parent_hash));
    const auto refuse = [&](const std::string& why) {
        return fail("block " + std::to_string(header.number) + ", which frame " +
                    std::to_string(frame.number) + " opens, breaks the rules of the chain in: " + why);
    };
    if (header.timestamp <= parent.timestamp)
        return refuse("timestamp");
    chain::BlockAttributes attributes;
    attributes.timestamp = header.timestamp;
    attributes.coinbase = header.coinbase;
    attributes.prev_randao = header.mix_hash;
    attributes.parent_beacon_block_root = header.parent_beacon_block_root.value_or(Hash{});
    attributes.gas_limit = header.gas_limit;
    attributes.extra_data = header.extra_data;
    const auto expected = chain::next_header(m_parts.config, parent, m_parent.hash, attributes);
    if (const std::string differs = differing_fields(header, expected); !differs.empty())
        return refuse(differs);
    return {};
}

Result<frames::FrameTip, std::string> ChainCore::recover(FrameRunner& runner) {
    const std::uint64_t stored = m_live->head()->version;
    frames::FrameLog& log = m_parts.log;
    if (log.last() < stored)
        return fail("the frame log ends with frame " + std::to_string(log.last()) +
                    ", but the store holds frames up to " + std::to_string(stored) +
                    ": restore the log, or begin a new one from a snapshot");
    if (log.last() > stored && log.first() > stored + 1)
        return fail("the frame log begins with frame " + std::to_string(log.first()) +
                    ", but the store ends with frame " + std::to_string(stored) +
                    ": restore a newer snapshot of the store");
    auto cursor = log.from(stored + 1);
    while (cursor.number() <= log.last_durable()) {
        auto record = cursor.next();
        if (!record)
            return fail(std::move(record.error().message));
        if (!*record)
            break;
        if (auto done = recover_frame(runner, **record); !done)
            return fail(std::move(done.error()));
    }
    return last_frame();
}

Result<frames::FrameTip, std::string> ChainCore::last_frame() const {
    const HeadPtr head = m_live->head();
    frames::FrameTip tip = frames::genesis_tip(m_parts.config.chain_id, m_parts.log.options().genesis_hash);
    const frames::FrameLog& log = m_parts.log;
    if (log.last_durable() >= log.first()) {
        const auto last = log.header(log.last_durable());
        if (!last)
            return fail(last.error().message);
        tip = frames::tip_of(*last);
    } else if (const auto note = decode_frame_note(head->base->view.note())) {
        // The log begins behind a snapshot. Which term the frame was of is not known: any may follow.
        tip.number = note->last_frame;
        tip.hash = note->frame_hash;
        tip.block_number = head->base->view.head()->number;
        tip.index = static_cast<std::uint32_t>(note->last_frame - note->first_frame_of_block);
        tip.timestamp_us = note->timestamp_us;
    }
    if (tip.number != head->version || (tip.number != 0 && tip.hash != head->frame_hash))
        return fail("frame log and store disagree on the last frame: " + std::to_string(tip.number) +
                    " and " + std::to_string(head->version));
    return tip;
}

// A frame of the log must come to what was signed.
Result<void, std::string> ChainCore::recover_frame(FrameRunner& runner, BytesView record) {
    auto decoded = decode_followed(record);
    if (!decoded)
        return fail(std::move(decoded.error()));
    if (decoded->frame.opening) {
        if (auto finished = runner.finish_block(); !finished)
            return finished;
        while (m_committer->step().progressed) {
        }
        if (const auto sealed = take_sealed())
            runner.on_sealed(sealed->header, sealed->hash);
        if (auto follows = check_opening(decoded->frame); !follows)
            return follows;
    }
    const frames::SignedHeader head = decoded->head;
    auto frame = runner.run(*std::move(decoded));
    if (!frame)
        return fail(std::move(frame.error()));
    add(*frame);
    m_live->publish(std::make_shared<const PublishedFrame>(
        *frame, head, std::make_shared<const Bytes>(record.begin(), record.end())));
    while (m_committer->step().progressed || m_store_writer->step().progressed) {
    }
    if (const std::string wrong = fault(); !wrong.empty())
        return fail(wrong);
    return {};
}

}  // namespace meridian::sequencer
