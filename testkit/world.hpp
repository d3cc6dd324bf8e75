// A sequencer in a world of our making: time, disk and store are simulated and survive its crashes;
// everything else is what a node runs. The stages are stepped one at a time, so that a seed decides what
// happens when.
#pragma once

#include <meridian/node/genesis_store.hpp>
#include <meridian/sequencer/adoption.hpp>
#include <meridian/sequencer/follower.hpp>
#include <meridian/sequencer/pipeline.hpp>
#include <meridian/sequencer/replica_quorum.hpp>
#include <meridian/store/memory_database.hpp>

#include "testkit/sim_clock.hpp"
#include "testkit/sim_disk.hpp"

namespace meridian::testkit {

// What observers of the node were told, in all of its lives: a published frame must never change or vanish.
struct Promises {
    std::map<std::uint64_t, Hash> frames;  // by number
    std::map<Hash, std::uint64_t> txns;    // by hash: the frame
    std::map<std::uint64_t, Hash> blocks;  // by number
    // Shown by the node or any of its replicas.
    std::map<std::uint64_t, Hash> shown;
};

struct WorldOptions {
    std::size_t accounts = 8;
    std::uint64_t start_us = 1'700'000'000'000'000;
    sequencer::PipelineOptions pipeline;
    frames::Durability durability = frames::Durability::Fsync;
    // Of Durability::Replicated.
    std::size_t replicas = 2;
    std::size_t replicas_min = 1;
    std::uint64_t segment_size_max = 16u << 10;  // bytes: many segments in a short run
    store::ChainStoreOptions store;
    std::shared_ptr<const module::ModuleSet> modules;  // null: none
};

class World final : private sequencer::PipelineListener {
public:
    explicit World(const WorldOptions& options = {});
    ~World() override;

    // Starts the node: empty if it starts, else the error's sentence.
    std::string start();
    bool running() const noexcept { return m_pipeline != nullptr; }
    // Its log is open: before it runs, too, while it asks its replicas.
    bool serving() const noexcept { return m_log != nullptr; }
    bool replicated() const noexcept { return m_options.durability == frames::Durability::Replicated; }
    std::uint64_t lives() const noexcept { return m_lives; }
    sequencer::Pipeline& node() { return *m_pipeline; }
    // The process is gone, the machine goes on; or the machine stops, and its disk keeps what disks keep.
    void kill();
    void power_cut(std::mt19937_64& random);

    // One step of one stage, by its place in Pipeline::stages().
    bool step(std::size_t stage);
    // Every stage in turn until none has work.
    void settle();
    // Lets time pass, settling every `tick_us`.
    void run_for(std::uint64_t us, std::uint64_t tick_us = 1'000);

    // A transfer of 1 wei between two of the accounts, signed.
    Bytes transfer(std::size_t from, std::size_t to, std::uint64_t nonce, std::uint64_t tip = 0);
    Bytes sign(chain::Transaction txn, std::size_t from) const;
    const Address& account(std::size_t index) const { return m_keys.at(index).address; }
    std::size_t accounts() const noexcept { return m_keys.size(); }
    // Gives what became of it once the ingress has had its turn.
    std::shared_ptr<std::optional<sequencer::SubmitResult>> submit(Bytes envelope);

    state::Account account_now(const Address& address);

    // Empty if all is well: what readers see now agrees with what was promised, blocks with their frames, and
    // no wei has come or gone.
    std::string check();

    // What a replica of this node needs.
    const node::Genesis& genesis() const noexcept { return m_genesis; }
    const frames::FrameSigner& signer() const noexcept { return *m_signer; }
    const store::ChainIdentity& identity() const { return m_store->identity(); }
    const frames::FrameLog& log() const { return *m_log; }
    store::ChainStore& store() { return *m_store; }
    // Null unless frames are replicated.
    sequencer::ReplicaQuorum* quorum() { return m_quorum.get(); }
    // Where frames are replicated: has to bring log and replicas together, at each start.
    std::function<void(sequencer::Adoption&)> ask_replicas;
    // Somebody sees the frame: it has to be the same for all, for ever.
    void note_shown(std::uint64_t number, const Hash& hash);

    SimClock clock;
    SimDisk disk;
    Promises promises;
    std::uint64_t rejected = 0;

private:
    struct Key {
        Hash secret;
        Address address;
    };

    void on_frame(const sequencer::PublishedFramePtr& frame) override;
    void on_block(const sequencer::ExecutedBlockPtr& block) override;
    void on_pending(const sequencer::PooledTxnPtr&) override {}
    void on_rejected(const sequencer::PooledTxnPtr&, chain::TxnError) override { ++rejected; }
    void commit_genesis();
    std::string check_log();
    std::string check_blocks();
    std::string check_supply();

    WorldOptions m_options;
    std::vector<Key> m_keys;
    node::Genesis m_genesis;
    Hash m_genesis_hash;
    std::optional<frames::LocalSigner> m_signer;
    std::shared_ptr<store::MemoryDatabase> m_database;
    std::unique_ptr<store::ChainStore> m_store;
    std::unique_ptr<sequencer::ReplicaQuorum> m_quorum;
    std::unique_ptr<frames::FrameLog> m_log;
    std::unique_ptr<sequencer::Pipeline> m_pipeline;
    std::string m_broken_promise;
    bool m_just_started = true;
    std::uint64_t m_lives = 0;
};

}  // namespace meridian::testkit
