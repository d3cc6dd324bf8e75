#include "simulation.hpp"

#include "testkit/world.hpp"

namespace meridian::sim {
namespace {

class Simulation {
public:
    explicit Simulation(const SimulationOptions& options)
        : m_options(options), m_random(options.seed), m_world(world_options(m_random)) {}

    SimulationResult run() {
        start();
        for (std::uint64_t i = 0; i < m_options.steps && m_out.failure.empty(); ++i)
            turn();
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
        return out;
    }

    bool one_in(std::uint64_t count) { return m_random() % count == 0; }

    void start() {
        for (;;) {
            try {
                if (const std::string error = m_world.start(); !error.empty())
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
        m_world.run_for(4'000'000, 20'000);
        check();
        if (m_out.failure.empty() && !m_world.node().status().fault.empty())
            m_out.failure = "a fault does not pass: " + m_world.node().status().fault;
        m_world.kill();
        start();
        check();
    }

    SimulationOptions m_options;
    std::mt19937_64 m_random;
    testkit::World m_world;
    SimulationResult m_out;
    std::optional<std::uint64_t> m_free_at;  // turns until there is room on the disk again
};

}  // namespace

SimulationResult simulate(const SimulationOptions& options) {
    return Simulation(options).run();
}

}  // namespace meridian::sim
