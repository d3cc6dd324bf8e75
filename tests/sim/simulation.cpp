#include "simulation.hpp"

#include "testkit/replica.hpp"

#include <algorithm>

namespace meridian::sim {
namespace {

class Simulation {
public:
    explicit Simulation(const SimulationOptions& options)
        : m_options(options), m_random(options.seed), m_world(world_options(m_random)) {
        m_out.replicated = m_world.replicated();
        for (const bool trust_diffs : {false, true}) {
            auto replica = replica_options(m_random, trust_diffs);
            if (m_world.replicated())
                replica = acknowledging(std::move(replica), m_replicas.size());
            m_replicas.push_back({.options = replica,
                                  .replica = std::make_unique<testkit::Replica>(m_world, replica),
                                  .free_at = {}});
        }
        m_world.ask_replicas = [this](sequencer::Adoption& adoption) { ask_replicas(adoption); };
    }

    SimulationResult run() {
        start();
        for (Node& node : m_replicas)
            if (!node.replica->running())
                start(node);
        for (std::uint64_t i = 0; i < m_options.steps && m_out.failure.empty(); ++i) {
            turn();
            for (Node& node : m_replicas)
                turn(node);
        }
        if (m_out.failure.empty())
            finish();
        m_out.frames = m_world.promises.frames.size();
        m_out.blocks = m_world.promises.blocks.size();
        m_out.txns = m_world.promises.txns.size();
        return m_out;
    }

private:
    static testkit::WorldOptions world_options(std::mt19937_64& random) {
        testkit::WorldOptions out;
        out.accounts = 2 + random() % 8;
        out.segment_size_max = 2'000 + random() % 60'000;
        out.pipeline.publisher_frames_max = 1 + random() % 32;
        out.pipeline.unstored_blocks_max = 1 + random() % 4;
        out.pipeline.executor.frame_txns_max = 1 + random() % 20;
        out.pipeline.executor.frame_time_min_us = random() % 2'000;
        out.pipeline.ingress.batch = 1 + random() % 8;
        out.pipeline.pool.total = 20 + random() % 200;
        if (random() % 2 == 0)
            out.durability = frames::Durability::Replicated;
        out.replicas_min = 1 + random() % out.replicas;
        return out;
    }

    struct Node {
        testkit::ReplicaOptions options;
        std::unique_ptr<testkit::Replica> replica;
        bool anew = false;                     // it has nothing yet of what one in its place has acknowledged
        std::optional<std::uint64_t> free_at;  // turns until there is room on its disk again
    };

    static testkit::ReplicaOptions replica_options(std::mt19937_64& random, bool trust_diffs) {
        testkit::ReplicaOptions out;
        out.follower.trust_diffs = trust_diffs;
        out.follower.frames_max = 1 + random() % 16;
        out.follower.bytes_max = 500 + random() % 20'000;
        out.follower.core.unstored_blocks_max = 1 + random() % 4;
        out.segment_size_max = 2'000 + random() % 60'000;
        out.in_flight_max = 1 + random() % 32;
        return out;
    }

    // With room for what may wait for its release.
    static testkit::ReplicaOptions acknowledging(testkit::ReplicaOptions options, std::size_t place) {
        options.follower.frames_max += sequencer::Publisher::kUnreleasedFrames;
        options.follower.bytes_max = 64u << 20;
        options.acknowledges = place;
        return options;
    }

    bool one_in(std::uint64_t count) { return m_random() % count == 0; }

    void start() {
        for (;;) {
            try {
                if (const std::string error = m_world.start(); !error.empty() && m_out.failure.empty())
                    m_out.failure = "the node does not start: " + error;
                return;
            } catch (const testkit::SimDisk::SimCrash&) {
                crash_amid_write();
            }
        }
    }

    void crash_amid_write() {
        ++m_out.crashes_amid_write;
        m_world.power_cut(m_random);
    }

    void check() {
        if (m_out.failure.empty())
            m_out.failure = m_world.check();
    }

    void turn() {
        try {
            if (one_in(3))
                submit();
            if (one_in(4))
                m_world.clock.advance(m_random() % (one_in(20) ? 700'000 : 3'000));
            m_world.step(m_random() % m_world.node().stages().size());
            disturb();
        } catch (const testkit::SimDisk::SimCrash&) {
            crash_amid_write();
            start();
            check();
        }
    }

    void disturb() {
        if (one_in(400)) {
            ++m_out.kills;
            m_world.kill();
            start();
            check();
        } else if (one_in(500)) {
            ++m_out.power_cuts;
            m_world.power_cut(m_random);
            start();
            check();
        } else if (one_in(300)) {
            m_world.disk.set_crash_at(m_world.disk.operations() + m_random() % 20);
        } else if (one_in(400)) {
            ++m_out.full_disks;
            m_world.disk.set_free_bytes(m_random() % 4'000);
            m_free_at = m_random() % 200;
        } else if (one_in(500)) {
            ++m_out.clock_jumps;
            m_world.clock.jump(static_cast<std::int64_t>(m_random() % 20'000'000) - 10'000'000);
        }
        if (m_free_at && (*m_free_at)-- == 0) {
            m_world.disk.set_free_bytes(std::nullopt);
            m_free_at.reset();
        }
    }

    // --- replicas -------------------------------------------------------------------------------------

    void start(Node& node) {
        for (;;) {
            try {
                if (const std::string error = node.replica->start(); !error.empty())
                    m_out.failure = "a replica does not start: " + error;
                return;
            } catch (const testkit::SimDisk::SimCrash&) {
                ++m_out.replica_crashes;
                node.replica->power_cut(m_random);
            }
        }
    }

    // --- replicas that hold the sequencer's frames ---------------------------------------------------------

    void heal(Node& node) {
        node.replica->disk.set_free_bytes(std::nullopt);
        node.replica->disk.set_crash_at(std::nullopt);
        node.free_at.reset();
    }

    // An operator does that, who has read what both sides say.
    void begin_anew(Node& node) {
        ++m_out.replicas_anew;
        node.replica.reset();
        node.replica = std::make_unique<testkit::Replica>(m_world, node.options);
        node.anew = true;
        start(node);
    }

    // As many as it has to, any of them; all while one has lost its data.
    void ask_replicas(sequencer::Adoption& adoption) {
        const std::size_t needed =
            std::max(m_world.quorum()->replicas_to_ask(), m_world.quorum()->options().replicas_min);
        m_world.disk.set_free_bytes(std::nullopt);
        std::vector<Node*> order;
        for (Node& node : m_replicas)
            order.push_back(&node);
        std::ranges::shuffle(order, m_random);
        const bool all = std::ranges::any_of(m_replicas, &Node::anew);
        std::size_t asked = 0;
        for (Node* node : order) {
            if (asked >= needed && !all)
                break;
            heal(*node);
            if (!node->replica->running())
                start(*node);
            settle(*node);
            asked += node->replica->give_back(adoption) ? 1 : 0;
        }
        for (Node* node : order)
            if (node->replica->running() && node->replica->diverged())
                begin_anew(*node);
        m_out.frames_adopted += adoption.adopted();
        bring_tail(adoption, order);
    }

    void settle(Node& node) {
        node.replica->settle();
        m_world.clock.advance(200'000);  // what failed for want of room is tried again
        node.replica->settle();
    }

    // What only the sequencer holds, replicas hold before it goes on.
    void bring_tail(sequencer::Adoption& adoption, const std::vector<Node*>& order) {
        const frames::FrameLog& log = m_world.log();
        for (int round = 0; log.last_durable() != log.last() && m_out.failure.empty(); ++round) {
            if (round == 10'000)
                m_out.failure = "replicas do not come to hold the sequencer's log";
            for (Node* node : order) {
                if (!node->replica->running())
                    start(*node);
                heal(*node);
                node->replica->send(16, 0);
                node->replica->deliver();
                settle(*node);
                node->replica->acknowledge();
            }
            if (const auto shown = adoption.show_released(); !shown)
                m_out.failure = shown.error();
        }
    }

    void restart(Node& node, bool machine) {
        ++m_out.replica_crashes;
        machine ? node.replica->power_cut(m_random) : node.replica->kill();
        start(node);
        check(node);
    }

    void check(Node& node) {
        if (m_out.failure.empty())
            m_out.failure = node.replica->check();
    }

    void turn(Node& node) {
        if (!m_out.failure.empty())
            return;
        if (node.replica->diverged())
            begin_anew(node);
        testkit::Replica& replica = *node.replica;
        try {
            if (m_world.replicated() && one_in(2))
                replica.acknowledge();
            node.anew = node.anew && !replica.has_caught_up();
            if (one_in(3))
                replica.send(1 + m_random() % 4, m_random() % (one_in(10) ? 300'000 : 5'000));
            if (one_in(2))
                replica.deliver();
            replica.step(m_random() % replica.node().stages().size());
            disturb(node);
        } catch (const testkit::SimDisk::SimCrash&) {
            restart(node, true);
        }
    }

    void disturb(Node& node) {
        testkit::Replica& replica = *node.replica;
        if (one_in(200)) {
            ++m_out.connections_cut;
            replica.cut();
        } else if (one_in(300)) {
            m_out.records_spoilt += replica.spoil(m_random) ? 1 : 0;
        } else if (one_in(700)) {
            restart(node, one_in(2));
        } else if (one_in(400)) {
            replica.disk.set_crash_at(replica.disk.operations() + m_random() % 20);
        } else if (one_in(500)) {
            replica.disk.set_free_bytes(m_random() % 4'000);
            node.free_at = m_random() % 300;
        }
        if (node.free_at && (*node.free_at)-- == 0) {
            replica.disk.set_free_bytes(std::nullopt);
            node.free_at.reset();
        }
    }

    void follow(Node& node) {
        if (node.replica->diverged())
            begin_anew(node);
        heal(node);
        node.replica->send(16, 0);
        node.replica->deliver();
        node.replica->settle();
        node.replica->acknowledge();
    }

    // With time and room it comes to hold what the sequencer holds, and can be started once more.
    void finish(Node& node) {
        testkit::Replica& replica = *node.replica;
        replica.disk.set_free_bytes(std::nullopt);
        replica.disk.set_crash_at(std::nullopt);
        for (int life = 0; life < 2 && m_out.failure.empty(); ++life) {
            replica.cut();
            replica.catch_up();
            m_world.clock.advance(200'000);  // what failed for want of room is tried again
            replica.catch_up();
            m_out.failure = replica.check_equal();
            replica.kill();
            start(node);
        }
    }

    // Mostly the next nonce; sometimes a gap, a repetition, or nonsense.
    void submit() {
        const std::size_t from = m_random() % m_world.accounts();
        const std::size_t to = m_random() % m_world.accounts();
        if (one_in(30)) {
            Bytes garbage(m_random() % 200);
            for (auto& byte : garbage)
                byte = static_cast<std::uint8_t>(m_random());
            (void)m_world.submit(std::move(garbage));
            return;
        }
        const std::uint64_t state_nonce = m_world.account_now(m_world.account(from)).nonce;
        std::uint64_t nonce = m_world.node().pool().next_nonce(m_world.account(from), state_nonce);
        if (one_in(10))
            nonce += m_random() % 4;
        else if (one_in(20) && nonce != 0)
            --nonce;
        (void)m_world.submit(m_world.transfer(from, to, nonce, m_random() % 1'000'000));
    }

    // With time and room the node gets done with what it has, and can be started once more.
    void finish() {
        m_world.disk.set_free_bytes(std::nullopt);
        m_world.disk.set_crash_at(std::nullopt);
        for (int i = 0; i < 200; ++i) {
            m_world.run_for(20'000, 20'000);
            for (Node& node : m_replicas)
                if (m_world.replicated())
                    follow(node);
        }
        check();
        if (m_out.failure.empty() && !m_world.node().status().fault.empty())
            m_out.failure = "a fault does not pass: " + m_world.node().status().fault;
        m_world.kill();
        start();
        check();
        for (int i = 0; i < 2; ++i)  // either waits for the other, where both hold frames
            for (Node& node : m_replicas)
                if (m_world.replicated())
                    node.replica->catch_up();
        for (Node& node : m_replicas)
            if (m_out.failure.empty())
                finish(node);
    }

    SimulationOptions m_options;
    std::mt19937_64 m_random;
    testkit::World m_world;
    std::vector<Node> m_replicas;
    SimulationResult m_out;
    std::optional<std::uint64_t> m_free_at;  // turns until there is room on the disk again
};

}  // namespace

SimulationResult simulate(const SimulationOptions& options) {
    return Simulation(options).run();
}

}  // namespace meridian::sim
