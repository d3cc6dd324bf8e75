// A replica of a world's sequencer, with a disk and a store of its own that survive its crashes, and between
// both a connection that is slow, cut, or brings what nobody sent.
#pragma once

#include <meridian/sequencer/follower.hpp>

#include "testkit/world.hpp"

#include <deque>
#include <filesystem>

namespace meridian::testkit {

struct ReplicaOptions {
    sequencer::FollowerOptions follower;  // the sequencer's address is added
    std::uint64_t segment_size_max = 16u << 10;
    std::size_t in_flight_max = 16;  // records
    // Its place among those who acknowledge the frames of a world that replicates them.
    std::optional<std::size_t> acknowledges = {};
};

class Replica final : private sequencer::LiveListener {
public:
    Replica(World& world, const ReplicaOptions& options);
    ~Replica() override;

    // Empty if it starts, else the error's sentence.
    std::string start();
    bool running() const noexcept { return m_follower != nullptr; }
    sequencer::Follower& node() { return *m_follower; }
    void kill();
    void power_cut(std::mt19937_64& random);
    // Begins with a snapshot (store/snapshot.hpp) in place of the genesis. Before the first start().
    std::string restore(const std::filesystem::path& folder);

    // The connection: records leave the sequencer's log, and arrive `delay_us` later, in order.
    void send(std::size_t records, std::uint64_t delay_us);
    // Hands over what has arrived, as far as there is room.
    void deliver();
    // What is in flight is lost; the next records are those that the replica wants.
    void cut();
    // What it holds now is told to the sequencer.
    void acknowledge();
    // To a sequencer that starts: the frames that its log lacks. False if they are none of its own.
    bool give_back(sequencer::Adoption& adoption);
    // Its log holds frames that are none of the sequencer's any more: nobody was shown them, and it is of no
    // use.
    bool diverged() const noexcept { return m_diverged; }
    bool has_caught_up() const { return m_follower->held().number >= m_world.log().last_durable(); }
    // Spoils the record that arrives next. False if none is in flight.
    bool spoil(std::mt19937_64& random);
    bool step(std::size_t stage);
    void settle();
    // Until the replica has all that is durable in the sequencer's log, or cannot go on.
    void catch_up();

    // Empty if all is well: what was shown is what the sequencer's log holds, and stays; blocks are those
    // that the sequencer promised.
    std::string check();
    // And with equal heads, the same state.
    std::string check_equal();

    SimDisk disk;
    std::uint64_t spoilt = 0;   // records that were refused, as they had been spoilt
    std::uint64_t refused = 0;  // offers without room

private:
    void on_frame(const sequencer::PublishedFramePtr& frame) override;
    void on_block(const sequencer::ExecutedBlockPtr& block) override;

    struct InFlight {
        Bytes record;  // empty: a release
        std::uint64_t arrival_us = 0;
        bool spoilt = false;
        std::uint64_t release = 0;  // with it, or after it; zero: none
    };
    bool connect();
    bool is_ours() const;
    void push(Bytes record, std::uint64_t release, std::uint64_t delay_us);
    void push_release(std::uint64_t delay_us);

    World& m_world;
    ReplicaOptions m_options;
    std::shared_ptr<store::MemoryDatabase> m_database;
    std::unique_ptr<store::ChainStore> m_store;
    std::unique_ptr<frames::FrameLog> m_log;
    std::unique_ptr<sequencer::Follower> m_follower;
    std::deque<InFlight> m_in_flight;
    std::uint64_t m_next = 0;  // that the sequencer sends
    // Of one that acknowledges.
    std::unique_ptr<sequencer::ReleaseMark> m_release;
    bool m_connected = false;
    bool m_diverged = false;
    std::uint64_t m_life = 0;  // of the sequencer, that it is connected to
    std::uint64_t m_told_release = 0;
    std::map<std::uint64_t, Hash> m_shown;   // frames
    std::uint64_t m_last_shown = 0;          // in this life
    std::map<std::uint64_t, Hash> m_blocks;  // shown as sealed
    std::string m_broken;
    bool m_just_started = true;
};

}  // namespace meridian::testkit
