#include <meridian/load/load.hpp>

#include <meridian/crypto/secp256k1.hpp>
#include <meridian/load/artifacts.hpp>
#include <meridian/load/signed_load.hpp>
#include <meridian/load/verify.hpp>
#include <meridian/node/mnemonic.hpp>

#include <cstdio>
#include <thread>

namespace meridian::load {
namespace {

const u256 kGwei = u256{1'000'000'000};

// A run in its steps; what a step makes, the later ones use.
class Run {
public:
    explicit Run(const LoadOptions& options) : m_options(options), m_rpc(options.rpc) {}

    LoadReport operator()(RecoveryRate* recovery) {
        read_chain();
        prepare();
        sign();
        if (recovery != nullptr)
            *recovery = measure_recovery_rate(m_load.envelopes);
        drive();
        std::fprintf(stderr, "checking the chain\n");
        m_report.checks = verify_load(m_rpc, *m_workload, m_cast, *m_state, m_before);
        summarise();
        return std::move(m_report);
    }

private:
    void read_chain() {
        m_chain = read_chain_facts(m_rpc);
        m_fees.max_fee_per_gas = m_options.max_fee ? *m_options.max_fee : m_chain.base_fee * u256{20} + kGwei;
        m_fees.max_priority_fee_per_gas = std::min(kGwei, m_fees.max_fee_per_gas);
        m_report.url = m_options.endpoint.text();
        m_report.client = m_chain.client;
        m_report.workload = m_options.workload;
        m_report.rate_wanted = m_options.drive.rate;
        m_report.prepared = m_options.transactions;
    }

    Account payer() {
        Account out;
        if (m_options.fund_key) {
            const auto address = crypto::secp256k1::address_of(*m_options.fund_key);
            if (!address)
                throw LoadFailure("--fund-key is no private key");
            return {*address, *m_options.fund_key};
        }
        out = derive_treasury(m_options.seed);
        if (read_balances(m_rpc, {&out.address, 1}).front() != u256{})
            return out;
        const auto accounts = node::dev_accounts(node::kDefaultMnemonic, 1);
        return {accounts->front().address, accounts->front().private_key};
    }

    void prepare() {
        std::fprintf(stderr, "%s: %s, chain %llu; preparing %zu accounts\n", m_report.url.c_str(),
                     m_chain.client.c_str(), static_cast<unsigned long long>(m_chain.chain_id),
                     m_options.accounts);
        m_cast.senders = derive_senders(m_options.seed, m_options.accounts);
        m_cast.recipients = derive_recipients(m_options.seed, m_options.recipients);
        m_cast.txns = m_options.transactions;
        m_workload = make_workload(m_options.workload, m_cast, m_options.uniswap_folder);
        Setup setup(m_rpc, m_chain, m_fees, payer());
        const Address distributor = setup.deploy(distributor_code());
        fund(setup, m_cast.senders, need_of_sender(), distributor);
        m_workload->prepare(setup, distributor);
    }

    // Enough for all its transactions at the highest fee.
    u256 need_of_sender() const {
        const u256 fee = u256{m_workload->gas_limit_max()} * m_fees.max_fee_per_gas;
        const u256 load = (fee + m_workload->value_max()) * u256{m_cast.txns_per_sender()};
        return load + u256{m_workload->setup_txns_per_sender() * 60'000} * m_fees.max_fee_per_gas;
    }

    void sign() {
        const std::vector<Address> senders = addresses_of(m_cast.senders);
        m_load = sign_load(*m_workload, m_cast, m_chain.chain_id, m_fees, read_nonces(m_rpc, senders));
        m_before.sender_balances = read_balances(m_rpc, senders);
        m_before.block_number = number_of(m_rpc.call("eth_blockNumber"));
    }

    ReceiptSource source() const {
        const bool answered =
            m_options.endpoint.kind == Endpoint::Kind::Binary || m_options.drive.method == SubmitMethod::Sync;
        return m_options.receipts == ReceiptSource::Auto && answered ? ReceiptSource::Answer
                                                                     : m_options.receipts;
    }

    void drive() {
        m_state.emplace(m_load);
        DriveOptions options = m_options.drive;
        options.endpoint = m_options.endpoint;
        options.senders = m_cast.senders.size();
        options.chain_id = m_chain.chain_id;
        options.wait = source() == ReceiptSource::Answer;
        if (options.endpoint.kind == Endpoint::Kind::Binary)
            options.genesis_hash =
                hash_of(m_rpc.call("eth_getBlockByNumber", {"0x0", false}).as_object().at("hash"));
        const auto watcher =
            make_watcher(source(), m_options.subscribe ? *m_options.subscribe : m_options.rpc,
                         m_options.drive.reconnect_s, *m_state);
        m_report.receipts = to_string(watcher ? watcher->source() : ReceiptSource::Answer);
        Driver driver(options, *m_state);
        const auto client = read_process_usage(0);
        const auto node = m_options.pid ? read_process_usage(m_options.pid) : std::nullopt;
        m_rpc.be_patient(m_options.drive.reconnect_s);
        std::fprintf(stderr, "sending\n");
        m_state->begin();
        driver.start();
        wait_until_done(driver, watcher.get());
        driver.stop();
        m_report.elapsed_s = static_cast<double>(m_state->now_us()) / 1e6;
        if (const auto now = read_process_usage(0); now && client)
            m_report.client_cores = (now->cpu_s - client->cpu_s) / m_report.elapsed_s;
        if (node)
            m_report.node = read_process_usage(m_options.pid);
        if (m_report.node)
            m_report.node_cores = (m_report.node->cpu_s - node->cpu_s) / m_report.elapsed_s;
    }

    // All sent and answered, then all receipts, or as long as they may take.
    void wait_until_done(const Driver& driver, const Watcher* watcher) const {
        std::uint64_t told_us = 0;
        std::uint64_t sent_us = 0;  // when the last was answered
        for (;;) {
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
            const std::uint64_t now = m_state->now_us();
            if (now - told_us > 1'000'000) {
                std::fprintf(stderr, "sent %zu, accepted %zu, receipts %zu of %zu\n", m_state->sent(),
                             m_state->accepted(), m_state->included(), m_options.transactions);
                told_us = now;
            }
            if (watcher != nullptr && !watcher->failure().empty())
                throw LoadFailure(watcher->failure());
            if (!driver.done()) {
                sent_us = 0;
                continue;
            }
            if (sent_us == 0)
                sent_us = now;
            if (m_state->included() >= m_state->accepted() ||
                static_cast<double>(now - sent_us) > 1e6 * m_options.drain_s)
                return;
        }
    }

    // Events a second in the middle eight tenths; over all of the time where these lie too close together, as
    // they do when all come in two or three blocks.
    double steady_rate(std::vector<std::uint64_t>& times_us) const {
        std::sort(times_us.begin(), times_us.end());
        const std::size_t count = times_us.size();
        if (count < 2)
            return 0;
        const std::size_t from = count / 10;
        const std::size_t to = count - 1 - count / 10;
        const auto middle = static_cast<double>(times_us[to] - times_us[from]);
        const auto whole = static_cast<double>(times_us.back());
        return middle > whole / 2 ? 1e6 * static_cast<double>(to - from) / middle
                                  : 1e6 * static_cast<double>(count) / whole;
    }

    void summarise() {
        std::vector<std::uint64_t> accepted;
        std::vector<std::uint64_t> included;
        double gas = 0;
        for (const TxnRecord& record : m_state->records()) {
            if (record.accepted_us != 0) {
                accepted.push_back(record.accepted_us);
                m_report.submit_to_answer_us.add(record.accepted_us -
                                                 std::min(record.accepted_us, record.due_us));
            }
            if (const std::uint64_t at = record.included_us; at != 0) {
                included.push_back(at);
                m_report.submit_to_receipt_us.add(at - std::min(at, record.due_us));
                gas += static_cast<double>(record.inclusion.gas_used);
                m_report.reverted += !record.inclusion.succeeded;
            }
        }
        m_report.sent = m_state->sent();
        m_report.accepted = accepted.size();
        m_report.included = included.size();
        m_report.accepted_per_s = steady_rate(accepted);
        m_report.included_per_s = steady_rate(included);
        if (!included.empty())
            m_report.gas_per_s = gas / static_cast<double>(included.size()) * m_report.included_per_s;
        m_report.frame_interval_us = m_state->frame_intervals_us();
        m_report.block_interval_us = m_state->block_intervals_us();
        m_report.errors = m_state->errors();
    }

    const LoadOptions& m_options;
    RpcClient m_rpc;
    ChainFacts m_chain;
    Fees m_fees;
    Cast m_cast;
    std::unique_ptr<Workload> m_workload;
    SignedLoad m_load;
    Before m_before;
    std::optional<RunState> m_state;
    LoadReport m_report;
};

}  // namespace

bool LoadReport::passed() const {
    return std::all_of(checks.begin(), checks.end(), [](const Check& check) { return check.passed; });
}

LoadReport run_load(const LoadOptions& options, RecoveryRate* recovery) {
    return Run(options)(recovery);
}

}  // namespace meridian::load
