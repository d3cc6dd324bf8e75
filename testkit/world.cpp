#include "testkit/world.hpp"

#include <meridian/base/hex.hpp>
#include <meridian/crypto/secp256k1.hpp>

#include "testkit/borrowed_database.hpp"

namespace meridian::testkit {
namespace {

constexpr std::uint64_t kChainId = 1234321;
const u256 kBalance = u256{1'000'000'000'000'000'000};
const std::string kFolder = "/node/frames";

Hash secret(std::uint8_t number) {
    Hash out;
    out.bytes[31] = number;
    out.bytes[0] = 1;
    return out;
}

sequencer::QuorumOptions quorum_options(const WorldOptions& options) {
    sequencer::QuorumOptions out;
    out.replicas_min = options.replicas_min;
    for (std::size_t i = 0; i < options.replicas; ++i)
        out.replicas.push_back(Address{{static_cast<std::uint8_t>(i + 1)}});
    return out;
}

}  // namespace

World::World(const WorldOptions& options) : clock(options.start_us), m_options(options) {
    for (std::size_t i = 0; i < options.accounts; ++i) {
        const Hash key = secret(static_cast<std::uint8_t>(i + 1));
        m_keys.push_back({key, *crypto::secp256k1::address_of(key)});
    }
    std::vector<node::DevAccount> funded;
    for (const Key& key : m_keys)
        funded.push_back({.address = key.address, .private_key = key.secret});
    node::DevGenesisOptions genesis;
    genesis.chain_id = kChainId;
    genesis.timestamp = options.start_us / 1'000'000 - 10;
    genesis.balance = kBalance;
    m_genesis = node::dev_genesis(genesis, funded);
    m_genesis.config.modules = options.modules;
    m_signer = frames::LocalSigner::make(secret(200));
    m_database = std::make_shared<store::MemoryDatabase>(store::MemoryDatabase::Crashes::Possible);
    commit_genesis();
}

World::~World() {
    kill();
}

void World::commit_genesis() {
    const auto store =
        node::open_store(std::make_unique<BorrowedDatabase>(m_database), m_genesis, m_options.store);
    m_genesis_hash = (*store)->identity().genesis_hash;
}

std::string World::start() {
    auto opened =
        node::open_store(std::make_unique<BorrowedDatabase>(m_database), m_genesis, m_options.store);
    if (!opened)
        return opened.error().message;
    m_store = *std::move(opened);
    frames::LogOptions options;
    options.folder = kFolder;
    options.chain_id = kChainId;
    options.genesis_hash = m_genesis_hash;
    options.segment_size_max = m_options.segment_size_max;
    options.durability = m_options.durability;
    options.salt = 1;
    const auto view = m_store->view();
    if (const auto note = sequencer::decode_frame_note(view->note()))
        options.promised = note->last_frame;
    if (replicated()) {
        options = sequencer::follower_log(std::move(options), *view);
        m_quorum = std::make_unique<sequencer::ReplicaQuorum>(quorum_options(m_options), clock);
        options.released = [this] { return m_quorum->released(); };
        options.promised = 0;
        options.missing = frames::MissingFrames::Awaited;
    }
    auto log = frames::FrameLog::open(disk, options);
    if (!log)
        return log.error().message;
    m_log = *std::move(log);
    ++m_lives;
    if (replicated()) {
        sequencer::Adoption adoption(*m_log, m_signer->address());
        ask_replicas(adoption);
    }
    auto pipeline = sequencer::Pipeline::open(
        m_options.pipeline, {m_genesis.config, clock, *m_store, *m_log, *m_signer, this, m_quorum.get()});
    if (!pipeline)
        return pipeline.error();
    m_pipeline = *std::move(pipeline);
    m_just_started = true;
    return {};
}

void World::kill() {
    m_pipeline.reset();
    m_log.reset();
    m_quorum.reset();
    m_store.reset();
    disk.end_process();
}

void World::power_cut(std::mt19937_64& random) {
    kill();
    disk.crash(random);
    const std::size_t unsynced = m_database->unsynced_commits();
    m_database->crash(unsynced == 0 ? 0 : random() % (unsynced + 1));
}

bool World::step(std::size_t stage) {
    return m_pipeline->stages().at(stage)->step().progressed;
}

void World::settle() {
    const auto stages = m_pipeline->stages();
    for (bool progressed = true; progressed;) {
        progressed = false;
        for (sequencer::Stage* stage : stages)
            progressed |= stage->step().progressed;
    }
}

void World::run_for(std::uint64_t us, std::uint64_t tick_us) {
    for (std::uint64_t passed = 0; passed < us; passed += tick_us) {
        clock.advance(tick_us);
        settle();
    }
}

Bytes World::sign(chain::Transaction txn, std::size_t from) const {
    txn.chain_id = kChainId;
    const auto signature = crypto::secp256k1::sign(chain::signing_hash(txn), m_keys.at(from).secret);
    txn.v = signature->recovery_id;
    txn.r = from_hash(signature->r);
    txn.s = from_hash(signature->s);
    return chain::encode(txn);
}

Bytes World::transfer(std::size_t from, std::size_t to, std::uint64_t nonce, std::uint64_t tip) {
    chain::Transaction txn;
    txn.type = chain::TxnType::DynamicFee;
    txn.nonce = nonce;
    txn.gas_limit = 21'000;
    txn.max_fee_per_gas = 10'000'000'000 + tip;
    txn.max_priority_fee_per_gas = tip;
    txn.to = account(to);
    txn.value = 1;
    return sign(std::move(txn), from);
}

std::shared_ptr<std::optional<sequencer::SubmitResult>> World::submit(Bytes envelope) {
    auto out = std::make_shared<std::optional<sequencer::SubmitResult>>();
    m_pipeline->submit(std::move(envelope),
                       [out](sequencer::SubmitResult result) { out->emplace(std::move(result)); });
    return out;
}

state::Account World::account_now(const Address& address) {
    const auto head = m_pipeline->live().head();
    return m_pipeline->live().state_at(*head)->account(address).value_or(state::Account{});
}

// --- what the node promises -------------------------------------------------------------------------------

void World::note_shown(std::uint64_t number, const Hash& hash) {
    const auto [at, fresh] = promises.shown.emplace(number, hash);
    if (!fresh && at->second != hash)
        m_broken_promise = "two frames of number " + std::to_string(number) + " were shown";
}

void World::on_frame(const sequencer::PublishedFramePtr& frame) {
    const std::uint64_t number = frame->content->number;
    note_shown(number, frame->head.hash);
    if (m_quorum && m_quorum->released() < number)
        m_broken_promise = "frame " + std::to_string(number) + " was shown before it was released";
    // A frame may have become durable just before the node went down: nobody was told of it then.
    const bool first = std::exchange(m_just_started, false);
    if (!first && promises.frames.rbegin()->first + 1 != number)
        m_broken_promise = "frame " + std::to_string(number) + " follows frame " +
                           std::to_string(promises.frames.rbegin()->first);
    if (!promises.frames.emplace(number, frame->head.hash).second)
        m_broken_promise = "frame " + std::to_string(number) + " was published twice";
    for (const auto& txn : frame->content->txns)
        if (!promises.txns.emplace(txn->hash, number).second)
            m_broken_promise = "transaction " + to_hex0x(txn->hash) + " was published twice";
}

void World::on_block(const sequencer::ExecutedBlockPtr& block) {
    const auto [at, fresh] = promises.blocks.emplace(block->number(), block->hash);
    if (!fresh && at->second != block->hash)
        m_broken_promise = "block " + std::to_string(block->number()) + " has changed its hash";
}

std::string World::check() {
    if (!m_broken_promise.empty())
        return m_broken_promise;
    for (std::string wrong : {check_log(), check_blocks(), check_supply()})
        if (!wrong.empty())
            return wrong;
    return {};
}

std::string World::check_log() {
    for (const auto& [number, hash] : promises.shown) {
        const auto record = m_log->read(number);
        if (!record)
            return "published frame " + std::to_string(number) + " cannot be read: " + record.error().message;
        const auto view = frames::peek(*record);
        if (!view || view->head.hash != hash)
            return "published frame " + std::to_string(number) + " has changed";
    }
    return {};
}

// Every block consists of the transactions of its frames, in their order.
std::string World::check_blocks() {
    const auto& live = m_pipeline->live();
    const auto head = live.head();
    std::map<std::uint64_t, std::vector<Hash>> of_frames;
    for (std::uint64_t number = m_log->first(); number <= head->version; ++number) {
        const auto frame = frames::decode_record(*m_log->read(number));
        auto& txns = of_frames[frame->head.header.block_number];
        for (const auto& segment : frame->content.segments)
            for (const Bytes& envelope : segment.transactions)
                txns.push_back(crypto::keccak256(envelope));
    }
    for (const auto& [number, hashes] : of_frames) {
        const auto block = live.block(*head, number);
        if (!block || !*block)
            return "block " + std::to_string(number) + " of published frames is missing";
        if ((*block)->txn_hashes != hashes)
            return "block " + std::to_string(number) + " is not what its frames were";
        const auto promised = promises.blocks.find(number);
        if (promised != promises.blocks.end() && (*block)->hash != promised->second)
            return "block " + std::to_string(number) + " has another hash than promised";
    }
    return {};
}

// Wei leave the accounts only as burnt base fees; tips go to the coinbase.
std::string World::check_supply() {
    const auto& live = m_pipeline->live();
    const auto head = live.head();
    const auto state = live.state_at(*head);
    u256 held = state->account(m_options.pipeline.executor.coinbase).value_or(state::Account{}).balance;
    for (const Key& key : m_keys)
        held += state->account(key.address).value_or(state::Account{}).balance;
    u256 burnt;
    for (std::uint64_t number = 1; number <= head->block_number(); ++number) {
        const auto block = live.block(*head, number);
        if (!block || !*block)
            return "block " + std::to_string(number) + " cannot be read";
        std::uint64_t paid = (*block)->header().gas_used;
        for (std::size_t i = 0; i < (*block)->receipts.size(); ++i)
            if ((*block)->block.transactions[i].type == chain::TxnType::Module)
                paid -= (*block)->receipts[i].gas_used;  // these cost nothing
        burnt += (*block)->header().base_fee.value_or(u256{}) * paid;
    }
    const u256 minted = kBalance * m_keys.size();
    if (held + burnt != minted)
        return "supply: " + to_decimal(held) + " held and " + to_decimal(burnt) + " burnt are not the " +
               to_decimal(minted) + " that were minted";
    return {};
}

}  // namespace meridian::testkit
