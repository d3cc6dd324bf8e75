// What is measured is what happened: the wrappers pass everything on and count it; pages and health tell of
// it.
#include <meridian/operation/metered_database.hpp>
#include <meridian/operation/metered_disk.hpp>
#include <meridian/operation/pages.hpp>
#include <meridian/operation/pipeline_metrics.hpp>
#include <meridian/operation/rpc_metrics.hpp>
#include <meridian/store/memory_database.hpp>
#include <meridian/store/test_folder.hpp>

#include <gtest/gtest.h>

namespace meridian::operation {
namespace {

// The value of a line of a page: "name{labels}"; empty if there is no such line.
std::string value_of(const std::string& text, const std::string& name) {
    const auto at = ("\n" + text).find("\n" + name + " ");
    if (at == std::string::npos)
        return {};
    const auto begin = at + name.size() + 1;
    return text.substr(begin, text.find('\n', begin) - begin);
}

frames::LogOptions log_options(std::string folder) {
    frames::LogOptions out;
    out.folder = std::move(folder);
    out.chain_id = 1;
    return out;
}

class StandingClock final : public sequencer::Clock {
public:
    std::uint64_t wall_us() override { return now_us; }
    std::uint64_t steady_us() override { return now_us; }
    std::uint64_t now_us = 1'000'000;
};

class Recording final : public sequencer::PipelineListener {
public:
    void on_frame(const sequencer::PublishedFramePtr&) override { seen += "f"; }
    void on_block(const sequencer::ExecutedBlockPtr&) override { seen += "b"; }
    void on_pending(const sequencer::PooledTxnPtr&) override { seen += "p"; }
    void on_rejected(const sequencer::PooledTxnPtr&, chain::TxnError) override { seen += "r"; }
    std::string seen;
};

sequencer::PublishedFramePtr frame_of(std::uint64_t timestamp_us, std::vector<std::uint64_t> arrivals_us) {
    auto content = std::make_shared<sequencer::SealedFrame>();
    content->timestamp_us = timestamp_us;
    for (const std::uint64_t arrived_us : arrivals_us) {
        auto txn = std::make_shared<sequencer::PooledTxn>();
        txn->arrived_us = arrived_us;
        content->txns.push_back(std::move(txn));
        content->receipts.emplace_back().gas_used = 21'000;
    }
    auto out = std::make_shared<sequencer::PublishedFrame>();
    out->content = std::move(content);
    out->record = std::make_shared<const Bytes>(1'000);
    return out;
}

TEST(Operation, FramesAreCountedAndPassedOn) {
    StandingClock clock;
    Recording next;
    MeteredListener listener(clock, &next);
    listener.on_frame(frame_of(900'000, {999'000, 990'000}));
    listener.on_frame(frame_of(910'000, {2'000'000}));  // the wall clock was set back
    listener.on_block(nullptr);
    listener.on_pending(nullptr);
    listener.on_rejected(nullptr, chain::TxnError{});
    EXPECT_EQ(next.seen, "ffbpr");
    metrics::Page page;
    listener.collect(page);
    const std::string text = page.text();
    EXPECT_EQ(value_of(text, "meridian_frames_total"), "2");
    EXPECT_EQ(value_of(text, "meridian_transactions_total"), "3");
    EXPECT_EQ(value_of(text, "meridian_gas_used_total"), "63000");
    EXPECT_EQ(value_of(text, "meridian_blocks_total"), "1");
    EXPECT_EQ(value_of(text, "meridian_accepted_transactions_total"), "1");
    EXPECT_EQ(value_of(text, "meridian_dropped_transactions_total"), "1");
    EXPECT_EQ(value_of(text, "meridian_frame_interval_seconds_bucket{le=\"0.01\"}"), "1");
    EXPECT_EQ(value_of(text, "meridian_frame_interval_seconds_bucket{le=\"0.005\"}"), "0");
    EXPECT_EQ(value_of(text, "meridian_submit_to_durable_seconds_bucket{le=\"0.001\"}"), "2") << text;
    EXPECT_EQ(value_of(text, "meridian_submit_to_durable_seconds_count"), "3");
    EXPECT_EQ(value_of(text, "meridian_frame_bytes_sum"), "2000");
}

TEST(Operation, RefusalsAreNamedByReason) {
    sequencer::PipelineStatus status;
    status.refused_txns[static_cast<std::size_t>(sequencer::SubmitError::NonceTooHigh)] = 4;
    status.refused_txns[static_cast<std::size_t>(sequencer::SubmitError::Malformed)] = 1;
    status.refused_txns[static_cast<std::size_t>(sequencer::SubmitError::InitCodeTooLarge)] = 2;
    status.refused_txns[static_cast<std::size_t>(sequencer::SubmitError::Busy)] = 8;
    status.fault = "the disk is full";
    status.publisher_waiting = 5;
    metrics::Page page;
    collect_pipeline(page, status, {});
    const std::string text = page.text();
    EXPECT_EQ(value_of(text, "meridian_refused_transactions_total{reason=\"nonce_too_high\"}"), "4");
    EXPECT_EQ(value_of(text, "meridian_refused_transactions_total{reason=\"malformed\"}"), "3");
    EXPECT_EQ(value_of(text, "meridian_refused_transactions_total{reason=\"busy\"}"), "8");
    EXPECT_EQ(value_of(text, "meridian_refused_transactions_total{reason=\"pool_full\"}"), "0");
    EXPECT_EQ(value_of(text, "meridian_fault"), "1");
    EXPECT_EQ(value_of(text, "meridian_queue_length{queue=\"publisher\"}"), "5");
    EXPECT_EQ(value_of(text, "meridian_queue_length_max{queue=\"publisher\"}"), "256");
}

TEST(Operation, TheFrameLogWorksOnAMeteredDisk) {
    const store::TestFolder folder;
    MeteredDisk disk(frames::posix_disk());
    const auto path = (folder.path() / "log").string();
    ASSERT_TRUE(disk.make_directory(path));
    auto file = disk.create(path + "/a");
    ASSERT_TRUE(file);
    ASSERT_TRUE((*file)->append(Bytes(700)));
    ASSERT_TRUE((*file)->append(Bytes(300)));
    ASSERT_TRUE((*file)->sync());
    EXPECT_EQ((*file)->size(), 1'000u);
    EXPECT_EQ(disk.list(path)->size(), 1u);
    metrics::Page page;
    disk.collect(page);
    EXPECT_EQ(value_of(page.text(), "meridian_log_written_bytes_total"), "1000");
    EXPECT_EQ(value_of(page.text(), "meridian_log_sync_seconds_count"), "1");
    EXPECT_EQ(value_of(page.text(), "meridian_log_errors_total"), "0");
    auto log = frames::FrameLog::open(disk, log_options(path + "/frames"));
    ASSERT_TRUE(log) << log.error().message;
    metrics::Page of_log;
    collect_log(of_log, **log);
    EXPECT_EQ(value_of(of_log.text(), "meridian_log_frame_number{place=\"first\"}"), "1");
}

TEST(Operation, TheStoreWorksOnAMeteredDatabase) {
    MeteredDatabase database(std::make_unique<store::MemoryDatabase>());
    store::WriteBatch batch;
    const Bytes key(10), value(90);
    batch.put(store::Table::Meta, key, value);
    ASSERT_TRUE(database.commit(batch, store::Durability::Sync));
    Bytes read;
    ASSERT_TRUE(*database.get(store::Table::Meta, key, read));
    EXPECT_EQ(read, value);
    metrics::Page page;
    database.collect(page);
    EXPECT_EQ(value_of(page.text(), "meridian_store_commit_seconds_count"), "1");
    EXPECT_EQ(value_of(page.text(), "meridian_store_written_bytes_total"),
              std::to_string(batch.size_bytes()));
    EXPECT_NE(value_of(page.text(), "meridian_store_table_bytes{table=\"accounts\"}"), "");
}

TEST(Operation, RequestsByMethodAndOutcomeWithoutLabelsOfTheCallers) {
    RpcMetrics requests{std::vector<std::string_view>{"eth_call", "eth_chainId"}};
    requests.on_request("eth_call", std::nullopt, 300);
    requests.on_request("eth_call", rpc::ErrorCode::Reverted, 300);
    requests.on_request("eth_call", rpc::ErrorCode::Internal, 700'000);
    requests.on_request("", rpc::ErrorCode::MethodNotFound, 1);
    requests.on_request("made_up", rpc::ErrorCode::MethodNotFound, 1);
    metrics::Page page;
    requests.collect(page);
    const std::string text = page.text();
    EXPECT_EQ(value_of(text, R"(meridian_rpc_requests_total{method="eth_call",outcome="ok"})"), "1");
    EXPECT_EQ(value_of(text, R"(meridian_rpc_requests_total{method="eth_call",outcome="refused"})"), "1");
    EXPECT_EQ(value_of(text, R"(meridian_rpc_requests_total{method="eth_call",outcome="failed"})"), "1");
    EXPECT_EQ(value_of(text, R"(meridian_rpc_requests_total{method="unknown",outcome="refused"})"), "2");
    EXPECT_EQ(value_of(text, R"(meridian_rpc_request_seconds_bucket{method="eth_call",le="0.0005"})"), "2");
    EXPECT_EQ(text.find("made_up"), std::string::npos);
    EXPECT_EQ(text.find("eth_chainId"), std::string::npos);  // nobody called it
}

TEST(Operation, ReadinessSaysWhyNot) {
    Health health;
    EXPECT_EQ(health.reasons().at(0).code, "recovering");
    health.set_running();
    EXPECT_TRUE(health.reasons().empty());
    std::string fault = "the disk is full";
    health.add_check([&]() -> std::vector<Reason> {
        return fault.empty() ? std::vector<Reason>{} : std::vector<Reason>{{"fault", fault}};
    });
    EXPECT_EQ(readiness_json(health.reasons()),
              "{\"ready\":false,\"reasons\":[{\"code\":\"fault\",\"message\":\"the disk is full\"}]}\n");
    fault.clear();
    EXPECT_EQ(readiness_json(health.reasons()), "{\"ready\":true,\"reasons\":[]}\n");
    health.set_stopping();
    health.set_running();  // the end is the end
    EXPECT_EQ(health.reasons().at(0).code, "stopping");
}

TEST(Operation, PagesOfTheMetricsPort) {
    metrics::Registry registry;
    const auto registration = registry.add([](metrics::Page& page) { page.add(kFault, 0); });
    Health health;
    const auto pages = metrics_pages(registry, health);
    const auto get = [&](const std::string& path) { return pages({.method = "GET", .path = path}); };
    EXPECT_EQ(get("/metrics").status, 200u);
    EXPECT_EQ(get("/metrics").type, metrics::kTextType);
    EXPECT_EQ(value_of(get("/metrics").body, "meridian_fault"), "0");
    EXPECT_EQ(get("/healthz").status, 200u);
    EXPECT_EQ(get("/readyz").status, 503u);
    health.set_running();
    EXPECT_EQ(get("/readyz").status, 200u);
    EXPECT_EQ(get("/other").status, 404u);
    EXPECT_EQ(pages({.method = "POST", .path = "/metrics"}).status, 405u);
    const auto of_rpc = health_pages(health);
    EXPECT_EQ(of_rpc("/readyz")->status, 200u);
    EXPECT_FALSE(of_rpc("/metrics"));
}

}  // namespace
}  // namespace meridian::operation
