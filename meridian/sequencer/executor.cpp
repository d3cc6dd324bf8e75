#include <meridian/sequencer/executor.hpp>

#include <meridian/base/hex.hpp>

#include <optional>

namespace meridian::sequencer {
namespace {

constexpr std::uint64_t kSecond = 1'000'000;
// Transactions taken from the pool at once: few enough that little is given back at a frame's end.
constexpr std::size_t kTakeCount = 64;

}  // namespace

struct Executor::OpenBlock {
    OpenBlock(const chain::ChainConfig& config, chain::Header opening, const Parts& parts, BaseStatePtr from,
              Version version)
        : header(std::move(opening)),
          base(std::move(from)),
          base_reader(base->reader()),
          reader(parts.recent, *base_reader, version),
          state(reader),
          executor(config, header, state,
                   chain::ExecutionEnvironment{.code_cache = parts.code_cache,
                                               .block_hashes = parts.block_hashes,
                                               .keep_receipts = false}) {}

    chain::Header header;
    BaseStatePtr base;
    std::unique_ptr<state::StateReader> base_reader;
    RecentReader reader;
    state::State state;
    chain::BlockExecutor executor;
    std::uint32_t next_index = 0;
    bool gas_exhausted = false;
    // Of the frame that is being filled; null between frames.
    std::shared_ptr<SealedFrame> frame;
    std::uint64_t frame_begin_us = 0;
    std::uint64_t frame_gas_before = 0;
    std::size_t frame_bytes = 0;
};

Executor::Executor(const chain::ChainConfig& config, const ExecutorOptions& options, const Parts& parts,
                   const ChainTip& tip)
    : m_config(config),
      m_options(options),
      m_parts(parts),
      m_time(parts.clock, tip.last_frame_us),
      m_tip(tip) {}

Executor::~Executor() = default;

void Executor::on_sealed(const chain::Header& header, const Hash& hash) {
    m_tip.header = header;
    m_tip.hash = hash;
    m_parent_sealed = true;
}

void Executor::fail_with(std::string why) {
    m_fault = std::move(why);
}

std::uint64_t Executor::block_end_us() const noexcept {
    return (m_block->header.timestamp + m_options.block_time_s) * kSecond;
}

Step Executor::step() {
    if (!m_fault.empty() || !m_parts.sink.has_room())
        return {};
    const std::uint64_t now = m_time.now_us();
    const auto until = [&](std::uint64_t time_us) { return time_us > now ? time_us - now : 0; };
    if (!m_block) {
        if (m_stopping || !m_parent_sealed)
            return {};
        return open_block(now) ? Step{true, 0} : Step{false, until(earliest_timestamp() * kSecond)};
    }
    if (now >= block_end_us()) {
        close_block();
        return {true, 0};
    }
    const std::size_t executed = m_stopping ? 0 : execute_batch(now);
    if (!m_fault.empty())
        return {};
    if (!m_block->frame)
        return {executed != 0, until(block_end_us())};
    // Sealed when there is no more work, but not too soon after the last one.
    const std::uint64_t after = m_time.now_us();
    const std::uint64_t earliest = m_last_seal_us + m_options.frame_time_min_us;
    const std::uint64_t latest = m_block->frame_begin_us + m_options.frame_time_max_us;
    if (frame_full() || after >= latest || (executed == 0 && after >= earliest) || m_stopping) {
        if (auto frame = seal_frame())
            m_parts.sink.on_frame(std::move(frame));
        return {true, 0};
    }
    return {executed != 0, until(std::min({std::max(earliest, now + 1), latest, block_end_us()}))};
}

std::uint64_t Executor::earliest_timestamp() const noexcept {
    return m_tip.header.timestamp + m_options.block_time_s;
}

bool Executor::open_block(std::uint64_t now_us) {
    if (now_us < earliest_timestamp() * kSecond)
        return false;
    chain::BlockAttributes attributes;
    attributes.timestamp = now_us / kSecond;
    attributes.coinbase = m_options.coinbase;
    attributes.gas_limit = chain::next_gas_limit(m_config, m_tip.header.gas_limit, m_options.block_gas_max);
    attributes.extra_data = m_options.extra_data;
    // There is no beacon chain whose randomness could be used: deterministic, and known to the sequencer.
    attributes.prev_randao = crypto::keccak256(m_tip.hash);
    const auto header = chain::next_header(m_config, m_tip.header, m_tip.hash, attributes);
    if (auto started = start_block(header); !started) {
        fail_with(std::move(started.error()));
        return false;
    }
    m_block->frame = make_frame(m_time.now_us());
    return begin_frame();
}

Result<void, std::string> Executor::start_block(const chain::Header& header) {
    m_parts.pool.unpark(header.base_fee.value_or(u256{}));
    m_parts.pool.drop_expired(m_parts.clock.wall_us());
    // What closed the block before becomes visible with the first frame of this one.
    const Version first_frame = m_tip.last_frame + 1;
    if (!m_closing_changes.empty())
        m_parts.recent.apply(first_frame, m_closing_changes);
    m_block = std::make_unique<OpenBlock>(m_config, header, m_parts, m_parts.newest_base(), first_frame);
    if (auto started = m_block->executor.start(); !started)
        return fail("block " + std::to_string(header.number) +
                    " cannot be opened: " + started.error().message);
    return {};
}

std::shared_ptr<SealedFrame> Executor::make_frame(std::uint64_t now_us) {
    auto frame = std::make_shared<SealedFrame>();
    frame->number = m_tip.last_frame + 1;
    frame->block_number = m_block->header.number;
    frame->index = m_block->next_index;
    frame->timestamp_us = now_us;
    if (frame->index == 0)
        frame->opening = Opening{m_block->header, std::exchange(m_closing_changes, {})};
    return frame;
}

// What the system contract says of the frame is part of the frame's changes.
bool Executor::begin_frame() {
    OpenBlock& block = *m_block;
    block.frame_begin_us = block.frame->timestamp_us;
    block.frame_gas_before = block.executor.gas_used();
    block.frame_bytes = 0;
    const auto begun =
        block.executor.begin_frame({block.frame->number, block.frame->index, block.frame->timestamp_us});
    if (!begun)
        fail_with("frame " + std::to_string(block.frame->number) + ": " + begun.error().message);
    return begun.has_value();
}

bool Executor::frame_full() const noexcept {
    const OpenBlock& block = *m_block;
    return block.frame->txns.size() >= m_options.frame_txns_max ||
           block.frame_bytes >= m_options.frame_bytes_max ||
           block.executor.gas_used() - block.frame_gas_before >= m_options.frame_gas_max;
}

// Until the pool has no more, the frame is full or its time is over. Gives the transactions executed.
std::size_t Executor::execute_batch(std::uint64_t now_us) {
    OpenBlock& block = *m_block;
    if (block.gas_exhausted)
        return 0;
    const auto txns = m_parts.pool.take(kTakeCount, block.header.base_fee.value_or(u256{}));
    if (txns.empty())
        return 0;
    const bool begun_here = !block.frame;
    if (begun_here) {
        block.frame = make_frame(now_us);
        if (!begin_frame()) {
            m_parts.pool.give_back(txns);
            return 0;
        }
    }
    const std::uint64_t deadline = block.frame_begin_us + m_options.frame_time_max_us;
    std::size_t executed = 0;
    std::size_t i = 0;
    for (; i < txns.size() && !block.gas_exhausted; ++i) {
        executed += execute_one(txns[i]) ? 1 : 0;
        if (block.gas_exhausted)
            break;
        if (frame_full() || m_time.now_us() >= deadline) {
            ++i;
            break;
        }
    }
    m_parts.pool.give_back(std::span(txns).subspan(i));
    if (begun_here && executed == 0) {
        // Nothing came of it: as if the frame had not begun.
        block.state.rebase();
        block.frame.reset();
    }
    return executed;
}

bool Executor::execute_one(const PooledTxnPtr& txn) {
    OpenBlock& block = *m_block;
    auto outcome = block.executor.execute(txn->txn, txn->sender);
    if (outcome) {
        block.frame->receipts.push_back(std::move(outcome->receipt));
        block.frame->txns.push_back(txn);
        block.frame_bytes += txn->envelope.size();
        return true;
    }
    if (outcome.error() == chain::TxnError::GasAllowanceExceeded) {
        block.gas_exhausted = true;  // the caller gives the transaction back
        return false;
    }
    const std::uint64_t nonce = block.state.nonce(txn->sender);
    if (outcome.error() == chain::TxnError::NonceMismatchTooHigh) {
        // What stood before it has been refused: it waits behind a gap now.
        m_parts.pool.give_back(std::span(&txn, 1));
        return false;
    }
    m_parts.pool.reject(txn, nonce);
    m_parts.sink.on_rejected(txn, outcome.error());
    return false;
}

// Null if the state could not be read.
SealedFramePtr Executor::seal_frame() {
    OpenBlock& block = *m_block;
    if (block.state.error() != state::StateError::None) {
        fail_with("the stored state cannot be read: a node or code that it refers to is missing");
        return nullptr;
    }
    const std::shared_ptr<SealedFrame> frame = std::exchange(block.frame, nullptr);
    frame->changes = block.state.changes();
    m_parts.recent.apply(frame->number, frame->changes);
    block.reader.set_version(frame->number);
    block.state.rebase();
    ++block.next_index;
    m_tip.last_frame = frame->number;
    m_tip.last_frame_us = frame->timestamp_us;
    m_time.not_before(frame->timestamp_us);
    m_last_seal_us = m_time.now_us();
    return frame;
}

void Executor::close_block() {
    OpenBlock& block = *m_block;
    if (block.frame) {
        auto frame = seal_frame();
        if (!frame)
            return;
        m_parts.sink.on_frame(std::move(frame));
    }
    auto outcome = block.executor.finish({}, std::vector<chain::Withdrawal>{});
    if (!outcome)
        return fail_with("block " + std::to_string(block.header.number) +
                         " cannot be closed: " + outcome.error().message);
    ClosedBlock closed{
        .header = block.header, .last_frame = m_tip.last_frame, .closing = std::move(outcome->changes)};
    m_closing_changes = closed.closing;
    m_closed_block = true;
    closed.header.gas_used = outcome->gas_used;
    closed.header.bloom = outcome->bloom;
    closed.header.requests_hash = outcome->requests_hash;
    if (closed.header.blob_gas_used)
        closed.header.blob_gas_used = outcome->blob_gas_used;
    m_parent_sealed = false;
    m_parts.sink.on_block_closed(std::move(closed));
    m_block.reset();
}

void Executor::finish_block() {
    if (m_block)
        close_block();
}

Result<SealedFramePtr, std::string> Executor::follow(SealedFrame frame) {
    const auto describe = [&, number = frame.number](std::string_view why) {
        return fail("frame " + std::to_string(number) + " cannot be followed: " + std::string(why));
    };
    if (frame.opening) {
        if (m_block || !m_parent_sealed || frame.opening->header.parent_hash != m_tip.hash)
            return describe("it does not build on the block before");
        if (auto started = start_block(frame.opening->header); !started)
            return fail(std::move(started.error()));
    }
    if (!m_block || frame.number != m_tip.last_frame + 1 || frame.block_number != m_block->header.number ||
        frame.index != m_block->next_index)
        return describe("it is not the next one");
    m_block->frame = make_frame(frame.timestamp_us);
    // What closed the block that the store ends with is in the state, but was forgotten as such.
    if (frame.opening && !m_closed_block)
        m_block->frame->opening->parent_closing = std::move(frame.opening->parent_closing);
    if (!begin_frame())
        return fail(m_fault);
    for (const PooledTxnPtr& txn : frame.txns) {
        auto outcome = m_block->executor.execute(txn->txn, txn->sender);
        if (!outcome)
            return describe("transaction " + to_hex0x(txn->hash) +
                            " is refused: " + std::string(chain::name(outcome.error())));
        m_block->frame->receipts.push_back(std::move(outcome->receipt));
    }
    m_block->frame->txns = std::move(frame.txns);
    auto sealed = seal_frame();
    if (!sealed)
        return fail(m_fault);
    return sealed;
}

}  // namespace meridian::sequencer
