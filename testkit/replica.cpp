#include "testkit/replica.hpp"

#include <meridian/base/hex.hpp>
#include <meridian/store/snapshot.hpp>

#include "testkit/borrowed_database.hpp"

namespace meridian::testkit {
namespace {

const std::string kFolder = "/replica/frames";

}  // namespace

Replica::Replica(World& world, const ReplicaOptions& options) : m_world(world), m_options(options) {
    m_options.follower.sequencers.push_back(world.signer().address());
    m_database = std::make_shared<store::MemoryDatabase>(store::MemoryDatabase::Crashes::Possible);
}

Replica::~Replica() {
    kill();
}

std::string Replica::start() {
    auto opened = node::open_store(std::make_unique<BorrowedDatabase>(m_database), m_world.genesis());
    if (!opened)
        return opened.error().message;
    m_store = *std::move(opened);
    frames::LogOptions options;
    options.folder = kFolder;
    options.chain_id = m_store->identity().chain_id;
    options.genesis_hash = m_store->identity().genesis_hash;
    options.segment_size_max = m_options.segment_size_max;
    options.salt = 2;
    m_release = m_options.acknowledges ? std::make_unique<sequencer::ReleaseMark>() : nullptr;
    if (m_release)
        options.released = [this] { return m_release->number(); };
    const auto view = m_store->view();
    auto log = frames::FrameLog::open(disk, sequencer::follower_log(options, *view));
    if (!log)
        return log.error().message;
    m_log = *std::move(log);
    auto follower = sequencer::Follower::open(m_options.follower, {m_world.genesis().config, m_world.clock,
                                                                   *m_store, *m_log, this, m_release.get()});
    if (!follower)
        return follower.error();
    m_follower = *std::move(follower);
    m_just_started = true;
    cut();
    return {};
}

void Replica::kill() {
    if (m_follower)
        cut();
    m_follower.reset();
    m_log.reset();
    m_store.reset();
    m_in_flight.clear();
    disk.end_process();
}

void Replica::power_cut(std::mt19937_64& random) {
    kill();
    disk.crash(random);
    const std::size_t unsynced = m_database->unsynced_commits();
    m_database->crash(unsynced == 0 ? 0 : random() % (unsynced + 1));
}

// --- the connection ---------------------------------------------------------------------------------------

void Replica::cut() {
    m_in_flight.clear();
    m_next = m_follower->wanted();
    if (std::exchange(m_connected, false) && m_world.serving() && m_life == m_world.lives())
        m_world.quorum()->disconnect(*m_options.acknowledges);
}

// As the feed's two sides do: what it took before is in its log, and the last frame there is the sequencer's.
bool Replica::connect() {
    if (m_connected && m_life == m_world.lives())
        return true;
    m_in_flight.clear();
    m_connected = false;
    const auto held = m_follower->held();
    if (held.number + 1 != m_follower->wanted())
        return false;
    m_diverged = m_diverged || !is_ours();
    if (m_diverged)
        return false;
    m_next = m_follower->wanted();
    m_told_release = 0;
    m_life = m_world.lives();
    m_connected = true;
    m_world.quorum()->connect(*m_options.acknowledges);
    m_world.quorum()->acknowledge(*m_options.acknowledges, held.number);
    return true;
}

bool Replica::is_ours() const {
    const auto held = m_follower->held();
    const frames::FrameLog& log = m_world.log();
    if (held.number > log.last_written())
        return false;
    return held.number == 0 || log.header(held.number)->hash == held.hash;
}

void Replica::acknowledge() {
    if (m_connected && m_world.serving() && m_life == m_world.lives())
        m_world.quorum()->acknowledge(*m_options.acknowledges, m_follower->held().number);
}

bool Replica::give_back(sequencer::Adoption& adoption) {
    for (std::uint64_t number = m_world.log().last() + 1; number <= m_log->last(); ++number)
        if (!adoption.offer(**m_log->from(number, frames::Reach::Written).next()))
            m_diverged = true;
    m_diverged = m_diverged || !is_ours();
    return !m_diverged;
}

void Replica::push(Bytes record, std::uint64_t release, std::uint64_t delay_us) {
    const std::uint64_t arrival = m_world.clock.steady_us() + delay_us;
    const std::uint64_t after = m_in_flight.empty() ? 0 : m_in_flight.back().arrival_us;
    m_in_flight.push_back({std::move(record), std::max(arrival, after), false, release});
}

void Replica::push_release(std::uint64_t delay_us) {
    const std::uint64_t released = std::min(m_world.log().last_durable(), m_next - 1);
    if (!m_options.acknowledges || released <= m_told_release)
        return;
    m_told_release = released;
    push({}, released, delay_us);
}

void Replica::send(std::size_t records, std::uint64_t delay_us) {
    if (!m_world.serving() || (m_options.acknowledges && !connect()))
        return;
    const frames::FrameLog& log = m_world.log();
    const std::uint64_t last = m_options.acknowledges ? log.last_written() : log.last_durable();
    for (; records != 0 && m_in_flight.size() < m_options.in_flight_max && m_next <= last; --records) {
        const bool released = m_next <= log.last_durable();
        if (!released)
            push_release(delay_us);
        push(**log.from(m_next, frames::Reach::Written).next(), released ? m_next : 0, delay_us);
        m_told_release = released ? m_next : m_told_release;
        ++m_next;
    }
    push_release(delay_us);
}

void Replica::deliver() {
    while (!m_in_flight.empty() && m_in_flight.front().arrival_us <= m_world.clock.steady_us()) {
        InFlight& next = m_in_flight.front();
        const auto taken = next.record.empty() && !next.spoilt ? Result<bool, std::string>(true)
                                                               : m_follower->offer(next.record);
        if (taken && !*taken) {
            ++refused;
            return;
        }
        if (taken && next.spoilt)
            m_broken = "a spoilt record was taken";
        if (!taken && !next.spoilt && m_broken.empty())
            m_broken = "a record of the sequencer's was refused: " + taken.error();
        if (!taken) {
            spoilt += next.spoilt ? 1 : 0;
            return cut();
        }
        if (next.release != 0)
            m_follower->release(next.release);
        m_in_flight.pop_front();
    }
}

bool Replica::spoil(std::mt19937_64& random) {
    if (m_in_flight.empty() || m_in_flight.front().record.empty())
        return false;
    InFlight& next = m_in_flight.front();
    next.spoilt = true;
    const std::size_t at = random() % next.record.size();
    switch (random() % 3) {
        case 0:
            next.record[at] ^= static_cast<std::uint8_t>(1 + random() % 255);
            break;
        case 1:
            next.record.resize(at);
            break;
        default:
            next.record.push_back(static_cast<std::uint8_t>(random()));
    }
    return true;
}

// --- its work ---------------------------------------------------------------------------------------------

bool Replica::step(std::size_t stage) {
    return m_follower->stages().at(stage)->step().progressed;
}

void Replica::settle() {
    const auto stages = m_follower->stages();
    for (bool progressed = true; progressed;) {
        progressed = false;
        for (sequencer::Stage* stage : stages)
            progressed |= stage->step().progressed;
    }
}

void Replica::catch_up() {
    for (std::uint64_t before = ~0ull; before != m_follower->wanted() || !m_in_flight.empty();) {
        before = m_follower->wanted();
        send(m_options.in_flight_max, 0);
        for (InFlight& one : m_in_flight)
            one.arrival_us = 0;
        deliver();
        settle();
        if (m_options.acknowledges && m_world.running()) {
            acknowledge();
            m_world.settle();
        }
        if (!m_follower->status().fault.empty())
            return;
    }
}

std::string Replica::restore(const std::filesystem::path& folder) {
    const auto restored = store::restore_snapshot(folder, *m_database, m_world.identity(), {});
    return restored ? "" : restored.error().message;
}

// --- what it promises -------------------------------------------------------------------------------------

void Replica::on_frame(const sequencer::PublishedFramePtr& frame) {
    const std::uint64_t number = frame->content->number;
    m_world.note_shown(number, frame->head.hash);
    // Nobody is told of what the log brought back after a restart.
    if (!std::exchange(m_just_started, false) && number != m_last_shown + 1)
        m_broken = "frame " + std::to_string(number) + " follows frame " + std::to_string(m_last_shown);
    m_last_shown = number;
    const auto [at, fresh] = m_shown.emplace(number, frame->head.hash);
    // One that acknowledges has to hear again after a restart what it may show.
    if (!fresh && (!m_options.acknowledges || at->second != frame->head.hash))
        m_broken = "frame " + std::to_string(number) + " was shown twice";
}

void Replica::on_block(const sequencer::ExecutedBlockPtr& block) {
    const auto [at, fresh] = m_blocks.emplace(block->number(), block->hash);
    if (!fresh && at->second != block->hash)
        m_broken = "block " + std::to_string(block->number()) + " has changed its hash";
}

std::string Replica::check() {
    if (!m_broken.empty())
        return "replica: " + m_broken;
    const auto& live = m_follower->live();
    const auto head = live.head();
    for (const auto& [number, hash] : m_shown) {
        const auto own = m_log->from(number, frames::Reach::Written).next();
        if (!own || !*own || frames::peek(**own)->head.hash != hash)
            return "replica: frame " + std::to_string(number) + ", which was shown, is gone or has changed";
        if (m_world.running() && number <= m_world.log().last_durable() &&
            **own != *m_world.log().read(number))
            return "replica: frame " + std::to_string(number) + " is not the sequencer's";
    }
    if (!m_options.acknowledges && !m_shown.empty() && head->version < m_shown.rbegin()->first)
        return "replica: it shows frame " + std::to_string(head->version) + " after frame " +
               std::to_string(m_shown.rbegin()->first);
    for (const auto& [number, promised] : m_world.promises.blocks) {
        if (number > head->sealed_number() || number < head->base->view.oldest_body())
            continue;
        const auto block = live.block(*head, number);
        if (!block || !*block)
            return "replica: block " + std::to_string(number) + " cannot be read";
        if ((*block)->hash != promised)
            return "replica: block " + std::to_string(number) + " has another hash than the sequencer's";
    }
    return {};
}

std::string Replica::check_equal() {
    if (const std::string wrong = check(); !wrong.empty())
        return wrong;
    const auto theirs = m_world.node().live().head();
    const auto ours = m_follower->live().head();
    if (ours->version != theirs->version || ours->frame_hash != theirs->frame_hash)
        return "replica: its head is frame " + std::to_string(ours->version) + ", the sequencer's " +
               std::to_string(theirs->version) + "; " + m_follower->status().fault;
    if (ours->block_number() != theirs->block_number())
        return "replica: it is in another block";
    const auto state = m_follower->live().state_at(*ours);
    for (std::size_t i = 0; i < m_world.accounts(); ++i) {
        const Address& address = m_world.account(i);
        if (state->account(address).value_or(state::Account{}) != m_world.account_now(address))
            return "replica: account " + to_hex0x(address) + " differs";
    }
    return {};
}

}  // namespace meridian::testkit
