#include <meridian/sequencer/follower.hpp>

#include <meridian/sequencer/txn_words.hpp>

#include <algorithm>

namespace meridian::sequencer {
namespace {

// How far the stages give way to the runner (setpriority).
constexpr int kCommitterNice = 2;
constexpr int kStoreNice = 4;

}  // namespace

class Follower::RunnerStage final : public Stage {
public:
    explicit RunnerStage(Follower& follower) : m_follower(follower) {}
    std::string_view name() const noexcept override { return "runner"; }
    Step step() override { return m_follower.step_runner(); }

private:
    Follower& m_follower;
};

frames::LogOptions follower_log(frames::LogOptions options, const store::ChainView& view) {
    if (const auto note = decode_frame_note(view.note())) {
        options.first_number = note->last_frame + 1;
        options.first_parent_hash = note->frame_hash;
        options.promised = note->last_frame;
        // A snapshot brings the last block alone.
        options.begun = view.oldest_body() < view.head()->number;
    }
    return options;
}

Follower::Follower(const FollowerOptions& options, const Parts& parts) : m_options(options), m_parts(parts) {}

Follower::~Follower() {
    stop();
}

Result<std::unique_ptr<Follower>, std::string> Follower::open(const FollowerOptions& options,
                                                              const Parts& parts) {
    if (options.sequencers.empty())
        return fail(std::string("no sequencer is named: a replica has to know whose signature counts"));
    std::unique_ptr<Follower> out(new Follower(options, parts));
    if (auto built = out->build(); !built)
        return fail(std::move(built.error()));
    return out;
}

Result<void, std::string> Follower::build() {
    // A frame that was taken has to come to the log, whatever is released: the sequencer waits for that.
    m_options.core.hidden_blocks_count = m_parts.release == nullptr;
    auto core = ChainCore::open(m_options.core, {m_parts.config, m_parts.store, m_parts.log});
    if (!core)
        return fail(std::move(core.error()));
    m_core = *std::move(core);
    const auto newest_base = [this] { return m_core->live().newest_base(); };
    if (m_options.trust_diffs) {
        m_runner = std::make_unique<ApplyingRunner>(
            ApplyingRunner::Parts{m_parts.config, m_core->recent(), m_core->code_cache(), *m_core,
                                  [this](ClosedBlock block) { m_core->add(std::move(block)); }, newest_base},
            m_core->tip().last_frame);
    } else {
        m_executor =
            std::make_unique<Executor>(m_parts.config, ExecutorOptions{},
                                       Executor::Parts{m_parts.clock, m_pool, m_core->recent(),
                                                       m_core->code_cache(), *m_core, *this, newest_base},
                                       m_core->tip());
        m_runner = std::make_unique<ExecutingRunner>(*m_executor);
    }
    const auto tip = m_core->recover(*m_runner);
    if (!tip)
        return fail(tip.error());
    const HeadPtr head = m_core->live().head();
    m_open_block = head->open.empty() ? 0 : head->block_number();
    m_offered = *tip;
    frames::FrameLog& log = m_parts.log;
    if (log.last() > tip->number) {
        m_backlog.emplace(log.from(tip->number + 1, frames::Reach::Written));
        m_backlog_last = log.last();
        m_offered = frames::tip_of(*log.last_header());
    }
    m_offered_number = m_offered.number;
    m_held = {m_offered.number, m_offered.hash};
    m_core->set_on_change([this] { m_runner_bell.ring(); });
    m_runner_stage = std::make_unique<RunnerStage>(*this);
    m_queue = std::make_unique<BoundedQueue<Verified>>(m_options.frames_max, &m_runner_bell);
    build_publisher(*tip);
    m_core->live().set_listener(this);
    return {};
}

void Follower::build_publisher(const frames::FrameTip& tip) {
    // As large as all that waits can be.
    const std::size_t frames_max = m_backlog ? 2 * m_options.frames_max : m_options.frames_max;
    m_publisher =
        std::make_unique<Publisher>(m_parts.config.chain_id, tip.term, tip, frames_max, &m_publisher_bell,
                                    Publisher::Parts{m_parts.log, nullptr, m_core->live(), nullptr,
                                                     m_parts.release != nullptr ? this : nullptr});
}

// --- from the source --------------------------------------------------------------------------------------

Result<bool, std::string> Follower::offer(BytesView record) {
    if (m_stopping)
        return fail(std::string("this node is shutting down"));
    {
        const std::unique_lock lock(m_fault_mutex);
        if (!m_fault.empty())
            return fail("this node has stopped following: " + m_fault);
    }
    if (m_waiting_frames >= m_options.frames_max || m_waiting_bytes >= m_options.bytes_max) {
        m_refused_room = true;
        // Room that was made meanwhile is seen here; room made from now on is told.
        if (m_waiting_frames >= m_options.frames_max || m_waiting_bytes >= m_options.bytes_max)
            return false;
    }
    auto verified = verify(record);
    if (!verified) {
        ++m_refused;
        const std::unique_lock lock(m_fault_mutex);
        m_refusal = verified.error();
        return fail(std::move(verified.error()));
    }
    m_offered = frames::tip_of(verified->frame.head);
    m_offered_number = m_offered.number;
    ++m_waiting_frames;
    m_waiting_bytes += record.size();
    m_queue->try_push(*std::move(verified));
    return true;
}

Result<Follower::Verified, std::string> Follower::verify(BytesView record) {
    std::string why;
    for (const Address& sequencer : m_options.sequencers) {
        auto verified = frames::verify(record, m_offered, sequencer);
        if (verified) {
            auto decoded = decode_followed(verified->head, verified->sections);
            if (!decoded) {
                // No other source has a better one: this is what the sequencer signed.
                stop_with(decoded.error());
                return fail(std::move(decoded.error()));
            }
            const std::unique_lock lock(m_fault_mutex);
            m_contradiction.clear();
            return Verified{*std::move(decoded), std::make_shared<const Bytes>(to_bytes(record))};
        }
        if (verified.error().error == frames::VerifyError::WrongParent)
            if (auto contradiction = find_contradiction(record, verified.error().message);
                !contradiction.empty()) {
                const std::unique_lock lock(m_fault_mutex);
                m_contradiction = contradiction;
                return fail(std::move(contradiction));
            }
        why = "frame " + std::to_string(wanted()) + ": " + verified.error().message;
        if (verified.error().error != frames::VerifyError::WrongSigner)
            break;
    }
    return fail(std::move(why));
}

// A frame that a sequencer did sign and that does not follow this node's: then this node's own are others,
// and no source has better ones. Empty: anybody may have made it up.
std::string Follower::find_contradiction(BytesView record, const std::string& why) const {
    const auto view = frames::peek(record);
    const auto signer = view ? frames::recover_signer(view->head) : std::nullopt;
    const auto& known = m_options.sequencers;
    if (!signer || std::find(known.begin(), known.end(), *signer) == known.end())
        return {};
    const std::string frame = std::to_string(wanted());
    return "frame " + frame + ", which the sequencer " + checksum_address(*signer) +
           " signed, does not follow this node's frame " + std::to_string(m_offered.number) + " (" + why +
           "): this node's frames are not the sequencer's. Was it a sequencer itself, or has the sequencer "
           "lost frames? `meridian evidence extract` takes out what it holds; to follow again it needs an "
           "empty data folder, or a snapshot of the sequencer's chain";
}

// --- the runner -------------------------------------------------------------------------------------------

Step Follower::step_runner() {
    const auto sealed = m_core->take_sealed();
    if (sealed) {
        m_runner->on_sealed(sealed->header, sealed->hash);
        m_closing = false;
    }
    if (m_stopping || !own_fault().empty())
        return {sealed.has_value(), kNever};
    if (!m_next) {
        const auto taken = take_next();
        if (!taken)
            stop_with(taken.error());
        if (!taken || !*taken)
            return {sealed.has_value(), kNever};
    }
    if (m_closing || !m_core->has_room())
        return {sealed.has_value(), kNever};
    if (auto done = run_next(); !done)
        stop_with(std::move(done.error()));
    return {true, kNever};
}

// False: there is none.
Result<bool, std::string> Follower::take_next() {
    if (m_backlog) {
        auto next = next_of_backlog();
        if (!next)
            return fail(std::move(next.error()));
        m_next = *std::move(next);
        return m_next.has_value();
    }
    auto items = m_queue->pop(1);
    if (items.empty())
        return false;
    m_next = std::move(items.front());
    return true;
}

// Empty while too many of them wait for their release.
Result<std::optional<Follower::Verified>, std::string> Follower::next_of_backlog() {
    if (m_backlog_waiting >= m_options.frames_max)
        return std::nullopt;
    auto record = m_backlog->next();
    if (!record)
        return fail(std::move(record.error().message));
    if (!*record)
        return fail("frame " + std::to_string(m_backlog->number()) + " is not in the log any more");
    auto decoded = decode_followed(**record);
    if (!decoded)
        return fail(std::move(decoded.error()));
    ++m_backlog_waiting;
    if (m_backlog->number() > m_backlog_last)
        m_backlog.reset();
    return Verified{*std::move(decoded), std::make_shared<const Bytes>(**std::move(record))};
}

Result<void, std::string> Follower::run_next() {
    if (m_next->frame.frame.opening) {
        const auto opened = open_block(m_next->frame.frame);
        if (!opened)
            return fail(opened.error());
        if (!*opened)
            return {};
    }
    return run_frame(*std::exchange(m_next, std::nullopt));
}

void Follower::stop_with(std::string fault) {
    {
        const std::unique_lock lock(m_fault_mutex);
        m_fault = std::move(fault);
    }
    // Whoever waits for room learns that there will be none.
    if (m_refused_room.exchange(false) && m_on_room)
        m_on_room();
}

// False: the block before is closed now, and has no hash yet.
Result<bool, std::string> Follower::open_block(const SealedFrame& frame) {
    if (m_open_block != 0 && m_open_block != frame.block_number) {
        if (auto finished = m_runner->finish_block(); !finished)
            return fail(std::move(finished.error()));
        m_open_block = 0;
        m_closing = true;
        return false;
    }
    if (auto follows = m_core->check_opening(frame); !follows)
        return fail(std::move(follows.error()));
    return true;
}

Result<void, std::string> Follower::run_frame(Verified verified) {
    const frames::SignedHeader head = verified.frame.head;
    auto frame = m_runner->run(std::move(verified.frame));
    if (!frame)
        return fail(std::move(frame.error()));
    m_open_block = head.header.block_number;
    m_core->add(*frame);
    m_publisher->queue().try_push(
        {*frame, std::make_shared<const PublishedFrame>(*frame, head, std::move(verified.record))});
    return {};
}

// --- what readers see -------------------------------------------------------------------------------------

void Follower::on_frame(const PublishedFramePtr& frame) {
    if (m_parts.listener != nullptr)
        m_parts.listener->on_frame(frame);
    if (frame->content->number <= m_backlog_last) {
        --m_backlog_waiting;
        m_runner_bell.ring();
        return;
    }
    --m_waiting_frames;
    m_waiting_bytes -= frame->record->size();
    if (m_refused_room.exchange(false) && m_on_room)
        m_on_room();
}

// --- a replica that acknowledges --------------------------------------------------------------------------

void Follower::on_logged(const PublishedFramePtr& frame) {
    {
        const std::unique_lock lock(m_held_mutex);
        m_held = {frame->content->number, frame->head.hash};
    }
    if (m_on_held)
        m_on_held();
}

HeldFrame Follower::held() const {
    const std::unique_lock lock(m_held_mutex);
    return m_held;
}

void Follower::release(std::uint64_t number) {
    if (m_parts.release != nullptr && m_parts.release->raise(number))
        m_publisher_bell.ring();
}

void Follower::on_block(const ExecutedBlockPtr& block) {
    if (m_parts.listener != nullptr)
        m_parts.listener->on_block(block);
}

std::string Follower::own_fault() const {
    {
        const std::unique_lock lock(m_fault_mutex);
        if (!m_fault.empty())
            return m_fault;
    }
    return m_core->committer().fault();
}

FollowerStatus Follower::status() const {
    FollowerStatus out;
    const HeadPtr head = m_core->live().head();
    out.frame = head->version;
    out.timestamp_us = head->version_us;
    out.block = head->block_number();
    out.sealed_block = head->sealed_number();
    out.stored_block = head->base->view.head()->number;
    out.offered_frame = m_offered_number;
    out.waiting_frames = m_waiting_frames;
    out.waiting_bytes = m_waiting_bytes;
    out.committer_waiting = m_core->committer().queue().size();
    out.recent_accounts = m_core->recent().size();
    out.refused = m_refused;
    out.fault = own_fault();
    out.stopped = !out.fault.empty() || m_publisher->broken();
    if (out.fault.empty())
        out.fault = m_publisher->fault();
    if (out.fault.empty())
        out.fault = m_core->fault();
    const std::unique_lock lock(m_fault_mutex);
    if (out.fault.empty())
        out.fault = m_contradiction;
    out.refusal = m_refusal;
    return out;
}

// --- threads ----------------------------------------------------------------------------------------------

std::vector<Stage*> Follower::stages() {
    return {m_runner_stage.get(), m_publisher.get(), &m_core->committer(), &m_core->store_writer()};
}

void Follower::run() {
    m_threads.start(*m_runner_stage, m_runner_bell, 0);
    m_threads.start(*m_publisher, m_publisher_bell, 0);
    m_threads.start(m_core->committer(), m_core->committer_bell(), kCommitterNice);
    m_threads.start(m_core->store_writer(), m_core->store_bell(), kStoreNice);
}

void Follower::stop() {
    m_stopping = true;
    m_threads.stop();
}

}  // namespace meridian::sequencer
