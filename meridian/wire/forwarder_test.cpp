// A replica passes transactions on: answers come back, and where none can come the sender is told so.
#include <meridian/crypto/keccak.hpp>
#include <meridian/wire/forwarder.hpp>
#include <meridian/wire/raw_peer.hpp>
#include <meridian/wire/txn_server.hpp>

#include <condition_variable>
#include <map>
#include <thread>

namespace meridian::wire {
namespace {

using sequencer::SubmitError;
using sequencer::SubmitFailure;
using sequencer::SubmitResult;
using sequencer::Submitted;

// What became of submissions, by their number.
class Answers {
public:
    sequencer::SubmitCallback expect(int number) {
        return [this, number](SubmitResult result) {
            {
                const std::unique_lock lock(m_mutex);
                EXPECT_TRUE(m_results.emplace(number, std::move(result)).second) << "a second answer";
            }
            m_changed.notify_all();
        };
    }
    SubmitResult wait(int number) {
        std::unique_lock lock(m_mutex);
        if (!m_changed.wait_for(lock, std::chrono::seconds(60), [&] { return m_results.contains(number); }))
            return fail(SubmitFailure{SubmitError::Busy, "no answer came"});
        return m_results.at(number);
    }

private:
    std::mutex m_mutex;
    std::condition_variable m_changed;
    std::map<int, SubmitResult> m_results;
};

class ForwarderTest : public testing::Test {
protected:
    void serve(std::size_t in_flight_max = 100) {
        TxnServerOptions options;
        options.port.port = m_port;
        options.in_flight_max = in_flight_max;
        m_server = std::make_unique<TxnServer>(
            options, test_chain(),
            [this](const Bytes& envelope, const sequencer::SubmitCallback& done, ClientId) {
                if (m_silent)
                    return;
                if (envelope.size() == 3)
                    return done(fail(SubmitFailure{SubmitError::NonceTooLow, "nonce too low"}));
                done(Submitted{crypto::keccak256(envelope), 7});
            });
        ASSERT_TRUE(m_server->start());
        m_port = m_server->port();
    }
    ForwarderOptions options() const {
        ForwarderOptions out;
        out.address = "127.0.0.1:" + std::to_string(m_port);
        out.retry_ms = 1;
        return out;
    }

    std::uint16_t m_port = 0;
    std::atomic<bool> m_silent = false;
    std::unique_ptr<TxnServer> m_server;
    Answers m_answers;
};

TEST_F(ForwarderTest, BringsTheSequencersAnswersBack) {
    serve();
    Forwarder forwarder(options(), test_chain());
    forwarder.submit(Bytes(5, 1), m_answers.expect(1));
    forwarder.submit(Bytes(3, 1), m_answers.expect(2));
    const auto accepted = m_answers.wait(1);
    ASSERT_TRUE(accepted) << accepted.error().message;
    EXPECT_EQ(accepted->hash, crypto::keccak256(Bytes(5, 1)));
    EXPECT_EQ(accepted->missing_nonce, 7u);
    const auto refused = m_answers.wait(2);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().error, SubmitError::NonceTooLow);
    EXPECT_EQ(refused.error().message, "nonce too low");
    EXPECT_EQ(forwarder.fault(), "");
}

TEST_F(ForwarderTest, PassesManyOnThoughTheSequencerTakesFewAtOnce) {
    serve(3);
    Forwarder forwarder(options(), test_chain());
    for (int i = 0; i < 500; ++i)
        forwarder.submit(Bytes(10, static_cast<std::uint8_t>(i)), m_answers.expect(i));
    for (int i = 0; i < 500; ++i)
        EXPECT_TRUE(m_answers.wait(i)) << i;
}

TEST_F(ForwarderTest, NoClientTakesAllTheRoom) {
    serve();
    m_silent = true;
    ForwarderOptions ten = options();
    ten.in_flight_max = 10;
    Forwarder forwarder(ten, test_chain());
    std::atomic<int> refused = 0;
    const auto count = [&](const SubmitResult& result) { refused += result ? 0 : 1; };
    for (int i = 0; i < 10; ++i)
        forwarder.submit(Bytes(5), count, 1);
    EXPECT_EQ(refused, 5);
    forwarder.submit(Bytes(5), count, 2);
    EXPECT_EQ(refused, 5);
    while (m_server->status().submitted < 6)
        std::this_thread::yield();
    // What was answered makes room again, for the same client too.
    m_server.reset();
    while (refused < 11)
        std::this_thread::yield();
    serve();
    m_silent = false;
    for (int number = 1;; ++number) {
        forwarder.submit(Bytes(7), m_answers.expect(number), 1);
        if (m_answers.wait(number))
            break;
        ASSERT_LT(number, 20'000);
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
}

TEST_F(ForwarderTest, SaysThatThereIsNoSequencerToPassThemTo) {
    Forwarder forwarder({}, test_chain());
    forwarder.submit(Bytes(5), m_answers.expect(1));
    const auto refused = m_answers.wait(1);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().error, SubmitError::Busy);
    EXPECT_NE(refused.error().message.find("this node is a replica"), std::string::npos);
}

TEST_F(ForwarderTest, SaysThatTheSequencerIsAwayAndFindsItAgain) {
    serve();
    Forwarder forwarder(options(), test_chain());
    forwarder.submit(Bytes(5), m_answers.expect(1));
    EXPECT_TRUE(m_answers.wait(1));
    m_server.reset();
    forwarder.submit(Bytes(6), m_answers.expect(2));
    const auto refused = m_answers.wait(2);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().error, SubmitError::Busy);
    serve();
    for (int number = 3;; ++number) {
        forwarder.submit(Bytes(7), m_answers.expect(number));
        if (m_answers.wait(number))
            break;
        ASSERT_LT(number, 20'000);
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
}

TEST_F(ForwarderTest, RefusesWhatIsInFlightWhenTheSequencerGoesAndWhenItEndsItself) {
    serve();
    m_silent = true;
    auto forwarder = std::make_unique<Forwarder>(options(), test_chain());
    forwarder->submit(Bytes(5), m_answers.expect(1));
    while (m_server->status().submitted == 0)
        std::this_thread::yield();
    m_server.reset();
    const auto lost = m_answers.wait(1);
    ASSERT_FALSE(lost);
    EXPECT_NE(lost.error().message.find("may have arrived"), std::string::npos) << lost.error().message;
    serve();
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    forwarder->submit(Bytes(6), m_answers.expect(2));
    forwarder.reset();
    EXPECT_FALSE(m_answers.wait(2));
}

TEST_F(ForwarderTest, BoundsWhatWaits) {
    serve();
    m_silent = true;
    ForwarderOptions few = options();
    few.in_flight_max = 10;
    Forwarder forwarder(few, test_chain());
    for (int i = 0; i < 11; ++i)
        forwarder.submit(Bytes(5), m_answers.expect(i));
    const auto refused = m_answers.wait(10);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("too many"), std::string::npos);
    forwarder.submit(Bytes(kEnvelopeSizeMax + 1), m_answers.expect(11));
    EXPECT_EQ(m_answers.wait(11).error().error, SubmitError::Malformed);
}

}  // namespace
}  // namespace meridian::wire
