// Requests that only read, on threads of their own: what they are answered, whose turn it is, and what ends
// them.
#include <meridian/rpc/read_pool.hpp>
#include <meridian/rpc/test_chain.hpp>

#include <gtest/gtest.h>

#include <condition_variable>
#include <thread>

namespace meridian::rpc {
namespace {

// A development chain that gives itself away as a reader of its own: good for work that does not touch it
// while it changes.
class ReadableChain final : public ForwardingChain {
public:
    using ForwardingChain::ForwardingChain;
    std::unique_ptr<node::Chain> reader() override { return std::make_unique<ReadableChain>(m_chain); }
    void refresh() override {}
    void set_listener(node::ChainListener*) override {}
    void set_wakeup(std::function<void()>) override {}
};

// Keeps work from ending until it is told to.
class Gate {
public:
    void open() {
        {
            const std::lock_guard lock(m_mutex);
            m_open = true;
        }
        m_changed.notify_all();
    }
    void enter() {
        std::unique_lock lock(m_mutex);
        ++m_inside;
        m_changed.notify_all();
        m_changed.wait(lock, [&] { return m_open; });
    }
    void await_inside(std::size_t count) {
        std::unique_lock lock(m_mutex);
        m_changed.wait(lock, [&] { return m_inside >= count; });
    }
    std::size_t inside() {
        const std::lock_guard lock(m_mutex);
        return m_inside;
    }

private:
    std::mutex m_mutex;
    std::condition_variable m_changed;
    bool m_open = false;
    std::size_t m_inside = 0;
};

// What came back, in that order.
class Results {
public:
    std::function<void(ReadOutcome)> expect() {
        return [this](ReadOutcome outcome) {
            const std::lock_guard lock(m_mutex);
            m_outcomes.push_back(std::move(outcome));
            m_changed.notify_all();
        };
    }
    std::vector<ReadOutcome> wait(std::size_t count) {
        std::unique_lock lock(m_mutex);
        m_changed.wait(lock, [&] { return m_outcomes.size() >= count; });
        return m_outcomes;
    }

private:
    std::mutex m_mutex;
    std::condition_variable m_changed;
    std::vector<ReadOutcome> m_outcomes;
};

class ReadPoolTest : public testing::Test {
protected:
    void open(std::size_t threads, std::size_t queue_max) {
        ServiceOptions options;
        options.readers = {.threads = threads, .queue_max = queue_max};
        options.limits.call_ms_max = 0;
        m_service = std::make_unique<Service>(m_readable, options);
    }
    ReadPool& pool() { return *m_service->readers(); }
    ReadPool::Work hold(int mark) {
        return [this, mark](Service&) {
            m_gate.enter();
            return json::value(mark);
        };
    }
    static ReadPool::Work give(int mark) {
        return [mark](Service&) { return json::value(mark); };
    }

    TestNode m_node;
    ReadableChain m_readable{m_node.chain};
    Gate m_gate;
    Results m_results;
    std::unique_ptr<Service> m_service;
};

TEST_F(ReadPoolTest, ADevelopmentChainHasNone) {
    EXPECT_EQ(m_node.service.readers(), nullptr);
}

TEST_F(ReadPoolTest, GivesResultsAndErrors) {
    open(2, 100);
    pool().submit(1, give(7), m_results.expect());
    EXPECT_EQ(m_results.wait(1)[0].text, "7");
    pool().submit(1, [](Service&) -> json::value { throw ValueError("no such thing"); }, m_results.expect());
    const auto value_error = m_results.wait(2)[1].error;
    ASSERT_TRUE(value_error);
    EXPECT_EQ(value_error->code(), ErrorCode::InvalidParams);
    pool().submit(1, [](Service&) -> json::value { throw std::runtime_error("x"); }, m_results.expect());
    ASSERT_TRUE(m_results.wait(3)[2].error);
    EXPECT_EQ(m_results.wait(3)[2].error->code(), ErrorCode::Internal);
}

TEST_F(ReadPoolTest, OneClientNeverHasAllThreads) {
    open(3, 100);
    for (int i = 0; i < 5; ++i)
        pool().submit(1, hold(1), m_results.expect());
    m_gate.await_inside(2);
    pool().submit(2, give(2), m_results.expect());
    EXPECT_EQ(m_results.wait(1)[0].text, "2");
    EXPECT_EQ(m_gate.inside(), 2u);
    EXPECT_EQ(pool().waiting(), 3u);
    m_gate.open();
    EXPECT_EQ(m_results.wait(6).size(), 6u);
}

TEST_F(ReadPoolTest, OneThreadIsEnough) {
    open(1, 100);
    pool().submit(1, hold(1), m_results.expect());
    m_gate.await_inside(1);
    pool().submit(1, give(3), m_results.expect());
    pool().submit(1, give(4), m_results.expect());
    pool().submit(2, give(2), m_results.expect());
    m_gate.open();
    std::string order;
    for (const ReadOutcome& outcome : m_results.wait(4))
        order += outcome.text;
    EXPECT_EQ(order, "1324");  // client 1's first, client 2's, then the rest
}

TEST_F(ReadPoolTest, AFullQueueRefusesByItsKey) {
    open(1, 4);
    pool().submit(1, hold(1), m_results.expect());
    m_gate.await_inside(1);
    pool().submit(1, give(1), m_results.expect());
    pool().submit(1, give(1), m_results.expect());
    try {
        pool().submit(1, give(1), m_results.expect());
        ADD_FAILURE() << "nothing was refused";
    } catch (const RpcError& error) {
        EXPECT_EQ(error.code(), ErrorCode::LimitExceeded);
        EXPECT_NE(error.message().find("rpc.read_queue_max"), std::string::npos) << error.message();
    }
    // There is room for somebody else.
    pool().submit(2, give(2), m_results.expect());
    m_gate.open();
    EXPECT_EQ(m_results.wait(4).size(), 4u);
}

TEST_F(ReadPoolTest, WhatNobodyWantsDoesNotBeginOrEnds) {
    open(1, 100);
    // A call that would never end by itself.
    const auto job = pool().submit(
        1,
        [this](Service& reader) -> json::value {
            const Deadline deadline = reader.call_deadline();
            m_gate.open();
            while (!deadline.requested())
                std::this_thread::yield();
            deadline.refuse_interrupted();
        },
        m_results.expect());
    m_gate.enter();
    std::atomic<bool> begun = false;
    const auto waiting = pool().submit(
        1,
        [&](Service&) {
            begun = true;
            return json::value(1);
        },
        m_results.expect());
    pool().cancel(waiting);
    pool().cancel(job);
    EXPECT_TRUE(m_results.wait(1)[0].error);
    // What comes next is not ended too.
    pool().submit(
        1, [](Service& reader) -> json::value { return reader.call_deadline().requested(); },
        m_results.expect());
    EXPECT_EQ(m_results.wait(2)[1].text, "false");
    EXPECT_FALSE(begun);
}

TEST_F(ReadPoolTest, AnInterruptEndsAll) {
    open(2, 100);
    for (int i = 0; i < 3; ++i)
        pool().submit(
            static_cast<ClientId>(i + 1),
            [](Service& reader) -> json::value {
                const Deadline deadline = reader.call_deadline();
                while (!deadline.requested())
                    std::this_thread::yield();
                deadline.refuse_interrupted();
            },
            m_results.expect());
    m_service->interrupt();
    for (const ReadOutcome& outcome : m_results.wait(3)) {
        ASSERT_TRUE(outcome.error);
        EXPECT_NE(outcome.error->message().find("stopping"), std::string::npos);
    }
}

// Through the dispatcher: a batch's answers stay in their order, and what is quick passes what is not.
TEST_F(ReadPoolTest, ABatchIsAnsweredInItsOrder) {
    open(1, 100);
    Dispatcher dispatcher(*m_service);
    std::deque<std::function<void()>> posted;
    std::mutex mutex;
    std::condition_variable changed;
    m_service->mailbox()->set_poster([&](std::function<void()> work) {
        const std::lock_guard lock(mutex);
        posted.push_back(std::move(work));
        changed.notify_all();
    });
    json::array batch;
    for (int i = 0; i < 20; ++i)
        batch.push_back(json::object{{"jsonrpc", "2.0"},
                                     {"id", i},
                                     {"method", i % 3 == 0 ? "eth_chainId" : "eth_getBlockByNumber"},
                                     {"params", i % 3 == 0 ? json::array{} : json::array{"0x0", false}}});
    Exchange exchange(dispatcher, batch, nullptr, 1);
    bool worked = false;
    for (;;) {
        const auto state = exchange.step([] {});
        if (state == Exchange::State::Done)
            break;
        if (state == Exchange::State::More)
            continue;
        worked |= exchange.reading();
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return !posted.empty(); });
        const auto work = std::move(posted.front());
        posted.pop_front();
        lock.unlock();
        work();
    }
    EXPECT_TRUE(worked);
    m_service->mailbox()->set_poster({});
    const json::array answers = json::parse(exchange.take()).as_array();
    ASSERT_EQ(answers.size(), 20u);
    for (int i = 0; i < 20; ++i) {
        EXPECT_EQ(answers[static_cast<std::size_t>(i)].at("id"), i);
        EXPECT_TRUE(answers[static_cast<std::size_t>(i)].as_object().contains("result"));
    }
}

}  // namespace
}  // namespace meridian::rpc
